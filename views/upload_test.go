package views

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain/files"
	"agnes/domain/registry"
)

func TestCompareColumns(t *testing.T) {
	t.Parallel()
	was := []registry.Column{{Name: "a", Type: "BIGINT"}, {Name: "b", Type: "VARCHAR"}, {Name: "c", Type: "DATE"}}
	is := []registry.Column{{Name: "c", Type: "VARCHAR"}, {Name: "a", Type: "BIGINT"}, {Name: "d", Type: "DOUBLE"}}
	want := registry.ColumnChanges{
		Added:   []registry.Column{{Name: "d", Type: "DOUBLE"}},
		Removed: []registry.Column{{Name: "b", Type: "VARCHAR"}},
		Retyped: []registry.RetypedColumn{{Name: "c", Was: "DATE", Is: "VARCHAR"}},
	}
	if diff := cmp.Diff(want, registry.CompareColumns(was, is)); diff != "" {
		t.Errorf("CompareColumns() (-want +got):\n%s", diff)
	}
	if !registry.CompareColumns(was, was).None() || !registry.CompareColumns(nil, nil).None() {
		t.Error("equal columns differ")
	}
}

func TestUploadPage(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, UploadPage(testChrome(true), testUpload())))
	if got := doc.Find("tbody a").First().AttrOr("href", ""); got != "/add/clicks_2026.parquet" {
		t.Errorf("the first file leads to %q", got)
	}
	if got := doc.Find("[data-drop]").Text(); !strings.Contains(got, "up to 2 GiB") {
		t.Errorf("the limit is not told: %q", got)
	}
	if doc.Find("[name=table]").Length() != 0 {
		t.Error("a new table replaces one")
	}
}

func TestUploadPageReplacing(t *testing.T) {
	t.Parallel()
	table := testTables()[1].Table
	doc := parse(t, draw(t, UploadPage(testChrome(true), UploadView{Replaces: &table, Error: "It broke off."})))
	if got := doc.Find("form[action='/uploads'] [name=table]").AttrOr("value", ""); got != string(table.ID) {
		t.Errorf("the upload is for %q", got)
	}
	if got := doc.Find("[role=alert]").First().Text(); !strings.Contains(got, "It broke off.") {
		t.Errorf("error = %q", got)
	}
	if strings.Contains(doc.Text(), "Files on the server") {
		t.Error("other files are offered for a table of its own")
	}
}

func TestPreviewPage(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, PreviewPage(testChrome(true), testPreview())))

	if got := doc.Find("h1 + p").Text(); got != "CSV · separated by ; · 180 KiB · 10 columns · 2,208 rows" {
		t.Errorf("summary = %q", got)
	}
	name := doc.Find("#name")
	if name.AttrOr("value", "") != "select" || name.AttrOr("aria-describedby", "") != "name-error" {
		t.Error("the name that was typed is lost, or its error")
	}
	if doc.Find("form[action='/uploads/u1/cancel']").Length() != 1 {
		t.Error("the upload cannot be thrown away")
	}
	if got := doc.Find("table.data tbody tr").Length(); got != 50 {
		t.Errorf("%d rows, want 50", got)
	}
	if !strings.Contains(doc.Text(), "The first 50 of 2,208 rows.") {
		t.Error("the page does not say how many rows there are")
	}
}

func TestPreviewPageReplacing(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, PreviewPage(testChrome(true), testReplacing())))
	for selector, want := range map[string]string{"del": "old_column", "ins": "order_id", ".text-amber": "DOUBLE → DECIMAL(18,2)"} {
		if got := doc.Find("[aria-label='Column changes'] " + selector).Text(); got != want {
			t.Errorf("%s = %q, want %q", selector, got, want)
		}
	}
	if doc.Find("#name").Length() != 0 {
		t.Error("a table that exists is named again")
	}
	if got := doc.Find("button[form=make-table]").Text(); !strings.Contains(got, "Replace the rows") {
		t.Errorf("the button says %q", got)
	}
}

func TestPreviewOfUncountedFile(t *testing.T) {
	t.Parallel()
	v := PreviewView{FileName: "a.ndjson", Bytes: 10, Preview: files.Preview{Format: files.NDJSON, Columns: testColumns(), TotalRows: -1}}
	if got := v.summary(); got != "JSON, one object a line · 10 B · 10 columns" {
		t.Errorf("summary = %q", got)
	}
	doc := parse(t, draw(t, PreviewPage(testChrome(true), v)))
	if !strings.Contains(doc.Text(), "The file has no rows.") {
		t.Error("a file without rows is not said to have none")
	}
}
