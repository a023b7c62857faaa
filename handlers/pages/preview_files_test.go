package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"agnes/domain"
	"agnes/domain/files"
)

func TestFolderBecomesATable(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := files.Dataset{Format: files.CSV, Skipped: 2}
	for n := range 12 {
		sales.Files = append(sales.Files, files.DatasetFile{Name: fmt.Sprintf("sales/2024/%02d.csv", n+1), Bytes: 1024})
	}
	p.folder.matches = map[string]files.Dataset{"sales/2024/*.csv": sales}
	p.folder.items["sales"] = files.File{Name: "sales", Format: files.CSV, Files: 12}
	p.folder.items["sales/2024/*.csv"] = files.File{}
	b := p.as(p.admin)
	form := b.get("/add").wantStatus(http.StatusOK).Find("form#several-files")
	if form.AttrOr("action", "") != "/files" || form.AttrOr("method", "") != "get" || form.Find("input[name=item]").Length() != 1 {
		t.Error("no form for several files")
	}
	if b.get("/add").Find(`a[href="/files?item=sales"]`).Length() != 1 {
		t.Error("a folder does not lead to its files")
	}
	at := "/files?item=" + url.QueryEscape("sales/2024/*.csv")
	p.as(p.analyst).get(at).wantStatus(http.StatusForbidden)
	p.as(p.analyst).post(at, url.Values{"name": {"sales"}}).wantStatus(http.StatusForbidden)

	got := b.get(at).wantStatus(http.StatusOK).
		wantText("12 files of 12 KiB together become one table.", "Passed over, being of other formats: 2 files.", "sales/2024/01.csv", "And 4 more.").wantNoText("sales/2024/09.csv")
	if got.Find("form#make-table").AttrOr("action", "") != at || got.value("input[name=name]") != "t_2024" {
		t.Fatalf("action %q, name %q", got.Find("form#make-table").AttrOr("action", ""), got.value("input[name=name]"))
	}
	b.post(at, url.Values{"name": {"my sales"}}).wantStatus(http.StatusUnprocessableEntity).wantText("my_sales", "Files that match")
	b.post(at, url.Values{"name": {"sales"}, "do": {"preview"}, "delimiter": {";"}}).wantStatus(http.StatusOK).wantText("Files that match")
	b.post(at, url.Values{"name": {"sales"}}).wantRedirect("/syncs")
	made, err := p.store.GetTable(t.Context(), "sales")
	if err != nil || made.SourceTable != "sales/2024/*.csv" {
		t.Errorf("table %+v, %v", made, err)
	}
}

func TestFilesThatAreNoTable(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	for _, item := range []string{"absent/*.csv", "", "../state"} {
		got := b.get("/files?item="+url.QueryEscape(item)).wantStatus(http.StatusUnprocessableEntity).wantText("No file matches "+item, "Add data")
		if got.value("form#several-files input[name=item]") != item {
			t.Errorf("%q is not kept", item)
		}
	}
	b.post("/files?item=absent", url.Values{"name": {"a"}}).wantStatus(http.StatusNotFound)
	p.folder.matches = map[string]files.Dataset{"bad": {Files: []files.DatasetFile{{Name: "bad/a.csv"}}}}
	p.folder.items["bad"] = files.File{}
	p.preview.err = domain.E(domain.Invalid, "unreadable", "Line 2 of bad/a.csv is odd.")
	b.get("/files?item=bad").wantStatus(http.StatusUnprocessableEntity).wantText("Line 2 of bad/a.csv is odd.", "Files that match")
	p.folder.err = errBroken
	b.get("/files?item=bad").wantStatus(http.StatusInternalServerError).wantNoText("/var/lib")
}
