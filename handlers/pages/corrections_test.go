package pages

import (
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/files"
	"agnes/domain/registry"
)

// corrected is what the preview's form sends.
func corrected(more url.Values) url.Values {
	v := url.Values{
		"name": {"airports"}, "misfits": {"skip"}, "delimiter": {"tab"}, "decimal": {","}, "skip": {"2"}, "null_words": {"n/a -"},
		"column": {"iata", "latitude"}, "column_name": {"code", "latitude"}, "column_type": {"", "DOUBLE"},
	}
	for key, values := range more {
		v[key] = values
	}
	return v
}

var asked = files.Options{
	Misfits: files.SkipRows, Delimiter: "\t", Decimal: ",", Skip: 2, Nulls: []string{"n/a", "-"},
	Columns: []files.ColumnOption{{Column: "iata", Name: "code"}, {Column: "latitude", Type: "DOUBLE"}},
}

func TestPreviewWithCorrections(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x\n1\n"}).wantRedirect("/uploads/up1")
	b.get("/uploads/up1").wantStatus(http.StatusOK).
		wantText("Rows that do not fit", "LHR,north", "is not a whole number", "3 values become NULL", "Nothing is taken until")

	got := b.post("/uploads/up1", corrected(url.Values{"do": {"preview"}, "description": {"mine"}})).wantStatus(http.StatusOK).wantText("kept aside for download")
	if !reflect.DeepEqual(p.preview.asked, asked) {
		t.Errorf("asked for %+v, want %+v", p.preview.asked, asked)
	}
	if got.value("input[name=name]") != "airports" || got.value("textarea[name=description]") != "mine" || got.value("input[name=delimiter]") != "tab" || got.value("input[name=null_words]") != "n/a -" {
		t.Error("the form lost what was typed")
	}
	if n := got.Find(`select[name=misfits] option[selected][value=skip]`).Length(); n != 1 {
		t.Error("the policy is not chosen any more")
	}

	b.post("/uploads/up1", corrected(nil)).wantRedirect("/syncs")
	table, err := p.store.GetTable(t.Context(), "airports")
	must(t, err)
	if table.ReadOptions != asked.String() {
		t.Errorf("kept %s, want %s", table.ReadOptions, asked)
	}
}

func TestWrongCorrections(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x\n1\n"}).wantRedirect("/uploads/up1")
	for field, c := range map[string]struct{ sent, want string }{
		"skip": {"many", "a number, such as 2"}, "decimal": {";", "decimal separator"}, "date_format": {"dd.mm.", "written with %d"}, "encoding": {"ebcdic", "utf-16"},
	} {
		got := b.post("/uploads/up1", corrected(url.Values{field: {c.sent}})).wantStatus(http.StatusUnprocessableEntity).wantText(c.want)
		if got.value("input[name=name]") != "airports" || got.Find("details#corrections[open]").Length() != 1 {
			t.Errorf("%s: the form is lost or folded", field)
		}
	}
	b.post("/uploads/up1", corrected(url.Values{"column_type": {"", "BLOB"}})).wantStatus(http.StatusUnprocessableEntity).wantText("The type of latitude is one of")
	if _, ok := p.folder.staged["up1"]; !ok {
		t.Error("the upload is lost")
	}
}

func TestFileThatCannotBeReadCanBeCorrected(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x"}).wantRedirect("/uploads/up1")
	p.preview.err = domain.E(domain.Invalid, "file_not_utf8", "Line 2 has characters that are not UTF-8.")
	got := b.get("/uploads/up1").wantStatus(http.StatusUnprocessableEntity).wantText("a.csv cannot be read as a table", "Line 2 has")
	if got.Find("select[name=encoding]").Length() != 1 {
		t.Error("the encoding cannot be chosen")
	}
	p.preview.err = nil
	b.post("/uploads/up1", url.Values{"do": {"preview"}, "encoding": {"windows-1252"}}).wantStatus(http.StatusOK).wantText("JFK")
	if p.preview.asked.Encoding != files.Windows {
		t.Errorf("asked for %+v", p.preview.asked)
	}
}

func TestReplaceKeepsOrChangesCorrections(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	kept := `{"decimal":","}`
	_, err := p.store.UpdateTable(t.Context(), audit.System("test"), "airports", registry.TableChange{ReadOptions: &kept})
	must(t, err)
	b := p.as(p.admin)
	b.upload(part{"file", "a.csv", "x\n1\n"}, part{"table", "", "airports"}).wantRedirect("/uploads/up1?table=airports")
	b.get("/uploads/up1?table=airports").wantStatus(http.StatusOK)
	if p.preview.asked.Decimal != "," {
		t.Errorf("asked for %+v", p.preview.asked)
	}
	b.post("/uploads/up1?table=airports", corrected(nil)).wantRedirect("/tables/airports")
	table, err := p.store.GetTable(t.Context(), "airports")
	must(t, err)
	if table.ReadOptions != asked.String() {
		t.Errorf("kept %s", table.ReadOptions)
	}
}
