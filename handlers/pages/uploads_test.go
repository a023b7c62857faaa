package pages

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/work"
)

// part is one part of an upload form: a field, or a file when it has a name.
type part struct{ field, file, body string }

func (b *browser) upload(parts ...part) page {
	b.p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		w, err := form.CreateFormField(p.field)
		if p.file != "" {
			w, err = form.CreateFormFile(p.field, p.file)
		}
		must(b.p.t, err)
		_, err = io.WriteString(w, p.body)
		must(b.p.t, err)
	}
	must(b.p.t, form.Close())
	r := httptest.NewRequest(http.MethodPost, "/uploads", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return b.do(r)
}

func TestAddPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	p.folder.items["airports.csv"] = files.File{Name: "airports.csv", Format: files.CSV}
	p.folder.items["two words.csv"] = files.File{Name: "two words.csv", Format: files.CSV}
	p.nobody().get("/add").wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).get("/add").wantStatus(http.StatusForbidden)

	b := p.as(p.admin)
	got := b.get("/add").wantStatus(http.StatusOK).wantText("two words.csv").wantNoText("airports.csv")
	if got.Find(`a[href="/files/two%20words.csv"]`).Length() != 1 {
		t.Error("the waiting file has no link")
	}
	replace := b.get("/add?table=airports").wantStatus(http.StatusOK).wantText("airports")
	if id := replace.value("input[name=table]"); id != "airports" {
		t.Errorf("table = %q", id)
	}
	b.get("/add?table=nothing").wantStatus(http.StatusNotFound)
}

func TestUnfinishedUploadsAreOffered(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.folder.parts = []files.Part{
		{ID: "up7", Owner: p.admin.ID, Name: "big.csv", Bytes: 1 << 30, Arrived: 462 << 20, Mark: "big.csv|1073741824|7", Touched: p.clock.now().Add(-5 * time.Minute)},
		{ID: "up8", Owner: p.analyst.ID, Name: "theirs.csv", Bytes: 10, Arrived: 1},
	}
	b := p.as(p.admin)
	for _, path := range []string{"/add", "/add?table="} {
		got := b.get(path).wantStatus(http.StatusOK).wantText("big.csv", "462 MiB of 1 GiB arrived, 5 min ago", "Continue at 45 %").wantNoText("theirs.csv")
		if row := got.Find("[data-upload-unfinished]"); row.AttrOr("data-upload-unfinished", "") != "big.csv|1073741824|7" || row.Find("form[action='/uploads/up7/discard']").Length() != 1 {
			t.Errorf("%s: the upload cannot be continued or thrown away", path)
		}
		if _, hidden := got.Find("[data-upload-continue]").Attr("hidden"); !hidden {
			t.Errorf("%s: what only a script can do is offered without one", path)
		}
	}
	b.post("/uploads/up8/discard", nil).wantRedirect("/add") // somebody else's is not there
	b.post("/uploads/up7/discard", nil).wantRedirect("/add")
	b.get("/add").wantNoText("Unfinished")
	if len(p.folder.parts) != 1 || p.folder.parts[0].ID != "up8" {
		t.Errorf("unfinished uploads after discarding up7 and up8 = %v, want the other person's up8", p.folder.parts)
	}
}

func TestUploadBecomesATable(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.upload(part{"note", "", "ignored"}, part{"file", "My Airports 2026.csv", "iata,latitude\nJFK,40\n"}).wantRedirect("/uploads/up1")
	if got := p.folder.bodies["uploads/up1"]; got != "iata,latitude\nJFK,40\n" {
		t.Errorf("staged %q", got)
	}

	got := b.get("/uploads/up1").wantStatus(http.StatusOK).wantText("My Airports 2026.csv", "iata", "JFK")
	if name := got.value("input[name=name]"); name != "my_airports_2026" {
		t.Errorf("suggested name = %q", name)
	}
	if action := got.Find("form#make-table").AttrOr("action", ""); action != "/uploads/up1" {
		t.Errorf("action = %q", action)
	}

	b.post("/uploads/up1", url.Values{"name": {"airports"}, "description": {"One row an airport"}}).wantRedirect("/syncs")
	b.get("/tables/airports").wantStatus(http.StatusOK).wantText("One row an airport")
	b.get("/uploads/up1").wantStatus(http.StatusNotFound)
	p.as(p.analyst).get("/tables/airports").wantStatus(http.StatusNotFound)
}

func TestUploadNeedsAGoodName(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x\n1\n"}).wantRedirect("/uploads/up1")
	for name, want := range map[string]string{
		"1st": "starts with no digit", "": "letters, digits", "select": "a word of SQL", "Airports": "exists already",
	} {
		got := b.post("/uploads/up1", url.Values{"name": {name}, "description": {"mine & yours"}}).
			wantStatus(http.StatusUnprocessableEntity).wantText(want, "JFK")
		if got.value("input[name=name]") != name || got.value("textarea[name=description]") != "mine & yours" {
			t.Errorf("name %q: the form lost what was typed", name)
		}
	}
	if _, ok := p.folder.staged["up1"]; !ok {
		t.Error("the upload is lost")
	}
}

func TestUploadReplacesATable(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	b := p.as(p.admin)
	b.upload(part{"file", "new.csv", "x\n1\n"}, part{"table", "", "airports"}).wantRedirect("/uploads/up1?table=airports")

	got := b.get("/uploads/up1?table=airports").wantStatus(http.StatusOK).wantText("latitude", "DOUBLE", "BIGINT")
	action := got.Find("form#make-table").AttrOr("action", "")
	if action != "/uploads/up1?table=airports" {
		t.Fatalf("action = %q", action)
	}
	b.post(action, nil).wantRedirect("/tables/airports")
	b.get("/tables/airports").wantText("new rows are being read")
	live, err := p.store.LiveRuns(t.Context())
	must(t, err)
	if len(live) != 1 {
		t.Errorf("%d live runs, want 1", len(live))
	}
	b.get("/uploads/up1?table=nothing").wantStatus(http.StatusNotFound)
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	big := strings.Repeat("x", maxUpload+1)
	for name, c := range map[string]struct {
		parts  []part
		status int
		want   string
	}{
		"too large":     {[]part{{"file", "a.csv", big}}, http.StatusRequestEntityTooLarge, "larger than 1 KiB"},
		"far too large": {[]part{{"file", "a.csv", strings.Repeat(big, 50)}}, http.StatusRequestEntityTooLarge, "raise the limit"},
		"unread format": {[]part{{"file", "a.xls", "x"}}, http.StatusUnprocessableEntity, "Send CSV"},
		"no file":       {[]part{{"table", "", ""}}, http.StatusUnprocessableEntity, "No file was chosen"},
		"nothing":       {nil, http.StatusUnprocessableEntity, "No file was chosen"},
		"two files":     {[]part{{"file", "a.csv", "x"}, {"file", "b.csv", "y"}}, http.StatusUnprocessableEntity, "one after the other"},
		"many parts":    {make([]part, maxParts+1), http.StatusBadRequest, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.upload(c.parts...).wantStatus(c.status).wantText(c.want)
			if got.Find("input[type=file]").Length() != 1 {
				t.Error("the form is gone")
			}
			if len(p.folder.staged) != 0 {
				t.Errorf("staged: %v", p.folder.staged)
			}
		})
	}
	b.upload(part{"file", "a.csv", big[:maxUpload]}).wantStatus(http.StatusSeeOther)
	p.as(p.analyst).upload(part{"file", "a.csv", "x"}).wantStatus(http.StatusForbidden)
	p.folder.err = errBroken
	b.upload(part{"file", "a.csv", "x"}).wantStatus(http.StatusInternalServerError).wantNoText("/var/lib")
}

func TestUploadThatIsNoForm(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.post("/uploads", url.Values{"file": {"a.csv"}}).wantStatus(http.StatusBadRequest).wantText("cannot be read")

	r := httptest.NewRequest(http.MethodPost, "/uploads", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\na,b"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	if got := b.do(r); got.StatusCode != http.StatusBadRequest || len(p.folder.staged) != 0 {
		t.Errorf("a form that was cut off got %d and staged %v", got.StatusCode, p.folder.staged)
	}
}

func TestUploadByScriptIsSentOn(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	w, err := form.CreateFormFile("file", "a.csv")
	must(t, err)
	_, err = io.WriteString(w, "x\n1\n")
	must(t, err)
	must(t, form.Close())
	r := httptest.NewRequest(http.MethodPost, "/uploads", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("HX-Request", "true")
	r.Header.Set("HX-Request-Type", "full")
	if got := b.do(r).wantStatus(http.StatusOK).Header.Get("HX-Redirect"); got != "/uploads/up1" {
		t.Errorf("HX-Redirect = %q", got)
	}
}

func TestPreviewThatFails(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x"}).wantRedirect("/uploads/up1")
	p.preview.err = &work.ChildError{Kind: domain.Invalid, Failure: work.Failure{
		Code: "unreadable", Message: "Line 7 has 4 fields where 3 were expected.", NextStep: "Quote the field with the comma.", Cause: "/var/lib/x",
	}}
	got := b.get("/uploads/up1").wantStatus(http.StatusUnprocessableEntity).
		wantText("a.csv cannot be read as a table", "Line 7 has 4 fields", "Quote the field").wantNoText("/var/lib")
	if got.Find(`a[href="/add"]`).Length() == 0 {
		t.Error("no way to another file")
	}
	p.preview.err = domain.E(domain.Unavailable, "no_child", "No process is free.")
	b.get("/uploads/up1").wantStatus(http.StatusServiceUnavailable).wantText("No process is free.", "Try again")
	b.get("/uploads/up9").wantStatus(http.StatusNotFound)
}

func TestPreviewDiscard(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x"}).wantRedirect("/uploads/up1")
	b.post("/uploads/up1/discard", nil).wantRedirect("/add")
	b.get("/add").wantText("thrown away")
	b.post("/uploads/up1/discard", nil).wantRedirect("/add")
	if len(p.folder.staged) != 0 {
		t.Error("the upload is still there")
	}
}

func TestFileOnTheServerBecomesATable(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.folder.items["2024 sales.csv"] = files.File{Name: "2024 sales.csv", Format: files.CSV, Bytes: 2048}
	b := p.as(p.admin)
	p.as(p.analyst).get("/files/2024%20sales.csv").wantStatus(http.StatusForbidden)
	b.get("/files/other.csv").wantStatus(http.StatusNotFound).wantText("No file of this name")
	b.get("/files/..%2Fstate%2Fsystem.db").wantStatus(http.StatusNotFound)

	got := b.get("/files/2024%20sales.csv").wantStatus(http.StatusOK).wantText("2024 sales.csv", "2 KiB")
	action := got.Find("form#make-table").AttrOr("action", "")
	if action != "/files/2024%20sales.csv" || got.value("input[name=name]") != "t_2024_sales" {
		t.Fatalf("action %q, name %q", action, got.value("input[name=name]"))
	}
	b.post(action, url.Values{"name": {"my sales"}}).wantStatus(http.StatusUnprocessableEntity).wantText("my_sales")
	b.post(action, url.Values{"name": {"sales"}}).wantRedirect("/syncs")
	b.get("/add").wantNoText("2024 sales.csv")
	b.post("/files/other.csv", url.Values{"name": {"other"}}).wantStatus(http.StatusNotFound)

	p.folder.items["bad.csv"] = files.File{Name: "bad.csv"}
	p.preview.err = domain.E(domain.Invalid, "unreadable", "It is empty.")
	b.get("/files/bad.csv").wantStatus(http.StatusUnprocessableEntity).wantText("bad.csv cannot be read as a table", "It is empty.")
}
