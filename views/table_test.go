package views

import (
	"strings"
	"testing"

	"agnes/domain/registry"
)

func TestTablePage(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Table(testTable(TabColumns))))

	if got := doc.Find("h1").Text(); got != "orders" {
		t.Errorf("h1 = %q", got)
	}
	if got := doc.Find("nav[aria-label=Table] [aria-current]").Text(); !strings.Contains(got, "Columns") {
		t.Errorf("current tab = %q", got)
	}
	if got := doc.Find("table[aria-label=Columns] tbody tr").Length(); got != len(testColumns()) {
		t.Errorf("%d columns, want %d", got, len(testColumns()))
	}
	for what, selector := range map[string]string{
		"query": "a[href='/console?table=orders']", "download": "a[download][href='/api/data/orders/download']",
		"sync": "form[method=post][action='/tables/orders/sync']", "remove": "#remove-table form[action='/tables/orders/remove']",
	} {
		if doc.Find(selector).Length() != 1 {
			t.Errorf("there is no way to %s", what)
		}
	}
	if got := doc.Find("#remove-table p").Text(); !strings.Contains(got, "18,402,117 rows") || !strings.Contains(got, "5 groups") {
		t.Errorf("the consequence is %q", got)
	}
	if doc.Find("a[href='/add?table=orders']").Length() != 0 {
		t.Error("a table of an extractor takes uploads")
	}
	facts := doc.Find("dl").Text()
	for _, want := range []string{"18,402,117", "1.4 GiB", "Copied hourly", "14 min ago"} {
		if !strings.Contains(facts, want) {
			t.Errorf("the facts lack %q: %q", want, facts)
		}
	}
}

func TestTablePageForAnalysts(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Table(TableView{Table: testTables()[4], Now: noon()})))

	if n := doc.Find("form, dialog, aside").Length(); n != 0 {
		t.Errorf("an analyst gets %d things that only administrators may use", n)
	}
	if got := doc.Find(".note").Text(); !strings.Contains(got, "no column clicks") || !strings.Contains(got, "extract_schema") {
		t.Errorf("the trouble is told as %q", got)
	}
}

func TestTablePageUpload(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Table(TableView{Table: testTables()[1], Admin: true, Now: noon()})))
	if doc.Find("a[href='/add?table=store_budget_2026']").Length() != 1 {
		t.Error("a file's table takes no new data")
	}
}

func TestTableSample(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Table(testTable(TabSample))))
	if got := doc.Find("table.data tbody tr").Length(); got != 50 {
		t.Errorf("%d rows, want 50", got)
	}
	if !strings.Contains(doc.Text(), "The first 50 of 18,402,117 rows.") {
		t.Error("the page does not say how many rows there are")
	}

	v := testTable(TabSample)
	v.Sample, v.SampleError = nil, "The rows cannot be read now."
	if got := parse(t, draw(t, Table(v))).Find("[role=alert]").Text(); !strings.Contains(got, "cannot be read") {
		t.Errorf("error = %q", got)
	}
	v = testTable(TabSample)
	v.Sample = &Grid{Columns: testColumns()}
	if !strings.Contains(draw(t, Table(v)), "The table is empty.") {
		t.Error("an empty table is not said to be empty")
	}
}

func TestTableWithoutRows(t *testing.T) {
	t.Parallel()
	for _, tab := range []TableTab{TabColumns, TabSample} {
		doc := parse(t, draw(t, Table(TableView{Table: testTables()[6], Tab: tab, Now: noon()})))
		if !strings.Contains(doc.Text(), "No rows have arrived yet.") || doc.Find("a[download]").Length() != 0 {
			t.Errorf("%s of a table without rows: %q", tab, doc.Text())
		}
	}
}

func TestTableRuns(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Table(testTable(TabRuns))))
	runs := doc.Find("ul[aria-label=Runs] > li")
	if got, want := runs.Length(), len(testSyncs().Recent); got != want {
		t.Fatalf("%d runs, want %d", got, want)
	}
	if _, open := runs.Eq(1).Find("details").Attr("open"); !open {
		t.Error("a failed run is folded")
	}
	if _, open := runs.Eq(0).Find("details").Attr("open"); open {
		t.Error("a run that went well is unfolded")
	}
	failed := runs.Eq(1).Text()
	for _, want := range []string{"extract_schema", "no column clicks", "Row 41,220", "r5"} {
		if !strings.Contains(failed, want) {
			t.Errorf("the failed run lacks %q", want)
		}
	}
	if !strings.Contains(doc.Text(), "The latest 4 of 48 runs.") {
		t.Error("the page does not say that there are more runs")
	}
}

func TestParseTableTab(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]TableTab{"": TabColumns, "sample": TabSample, "runs": TabRuns, "columns": TabColumns, "x": TabColumns} {
		if got := ParseTableTab(text); got != want {
			t.Errorf("ParseTableTab(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAddressesAreEscaped(t *testing.T) {
	t.Parallel()
	const id = registry.TableID("a/b?c d")
	for got, want := range map[string]string{
		string(TableURL(id)):               "/tables/a%2Fb%3Fc%20d",
		string(parquetURL(id)):             "/api/data/a%2Fb%3Fc%20d/download",
		string(consoleTableURL(id)):        "/console?table=a%2Fb%3Fc+d",
		string(runAction("x/y", "cancel")): "/runs/x%2Fy/cancel",
	} {
		if got != want {
			t.Errorf("address = %q, want %q", got, want)
		}
	}
}
