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

func TestPreviewPageOfSeveralFiles(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, PreviewPage(testChrome(true), testSeveral())))
	if n := doc.Find("[aria-label='Files that match'] li").Length(); n != shownMatches {
		t.Errorf("%d files are named, want %d", n, shownMatches)
	}
	head, first := doc.Find("[data-rows] thead th"), doc.Find("[data-rows] tbody tr").First().Find("td")
	if got := head.Eq(1).Text(); got != "File" || first.Eq(1).Text() != "sales/2024/01.csv" {
		t.Errorf("column %q with %q, want each row's file", got, first.Eq(1).Text())
	}
	for _, want := range []string{"12 files of 1.2 MiB together become one table", "Passed over, being of other formats: 1 file.", "And 4 more.", "The first rows of 4 files."} {
		if !strings.Contains(doc.Text(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	v := testSeveral()
	v.Matched.Files, v.Matched.Skipped = v.Matched.Files[:1], 0
	if got, want := v.matchWords(), "One file of 16 KiB becomes the table. More that are placed there later join it."; got != want {
		t.Errorf("one file: %q, want %q", got, want)
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

func TestPreviewShowsTheSeparatorThatTheFileNames(t *testing.T) {
	t.Parallel()
	v := PreviewView{FileName: "a.csv", Preview: files.Preview{Format: files.CSV, Columns: testColumns(), Separator: "\t"}}
	doc := parse(t, draw(t, PreviewPage(testChrome(true), v)))
	if !strings.Contains(doc.Find("#corrections").Text(), "The first line of the file, sep=tab, names the separator.") {
		t.Error("the corrections do not show it")
	}
}

// The rows that fit are told from those of the file, and the folded corrections
// say whether they are in use.
func TestPreviewTellsWhatFits(t *testing.T) {
	t.Parallel()
	v := PreviewView{Bytes: 10, Preview: files.Preview{Format: files.CSV, Columns: testColumns(), Rows: [][]*string{{nil}}, TotalRows: 3}}
	for want, misfits := range map[string]int64{"10 columns · 3 rows": 0, "10 columns · 3 rows that fit": 2} {
		v.Preview.Misfits.Count = misfits
		if got := v.summary(); !strings.HasSuffix(got, want) {
			t.Errorf("summary = %q, want %q", got, want)
		}
	}
	v.Preview.Misfits.Count = 2
	if got := v.rowsNote(); got != "The first 1 of 3 rows that fit." {
		t.Errorf("note = %q", got)
	}
	v.Preview.TotalRows = 1
	if got := v.rowsNote(); got != "All 1 row that fits." {
		t.Errorf("note = %q", got)
	}
	if got := v.correctionsNote(); got != "types, separator, names" {
		t.Errorf("corrections: %q", got)
	}
	v.Options.Skip = 1
	if got := v.correctionsNote(); got != "in use" {
		t.Errorf("corrections: %q", got)
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
