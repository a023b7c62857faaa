package views

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

func TestConsolePage(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, ConsolePage(testChrome(false), testAnswered())))

	form := doc.Find("form#console")
	if form.AttrOr("method", "") != "post" || form.AttrOr("action", "") != "/console" || form.AttrOr("hx-target", "") != "#result" {
		t.Error("the form does not work with and without scripts")
	}
	if got := form.Find("textarea[name=sql]").Text(); got != testSQL {
		t.Errorf("sql = %q", got)
	}
	if got := form.Find("select[name=limit] option[selected]").AttrOr("value", ""); got != "1000" {
		t.Errorf("limit = %q", got)
	}
	if got := form.Find("[data-native]").AttrOr("formaction", ""); got != "/console/csv" {
		t.Errorf("CSV goes to %q", got)
	}
	if got := form.AttrOr("data-draft", ""); got != "u1" {
		t.Errorf("the draft is of %q", got)
	}
	if got := doc.Find("#result table.data tbody tr").Length(); got != 100 {
		t.Errorf("%d rows, want 100", got)
	}
	if got := doc.Find("#result [role=note]").Text(); !strings.Contains(got, "first 1,000 rows") {
		t.Errorf("the banner says %q", got)
	}
	if got := doc.Find("#result").Text(); !strings.Contains(got, "first 1,000 rows in 0.41 s, at 14:32:00 UTC") {
		t.Errorf("the status line is missing in %q", got[:200])
	}
}

func TestConsoleTree(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, ConsolePage(testChrome(false), testConsole())))

	if got, want := doc.Find("[data-tree-table]").Length(), len(testTables()); got != want {
		t.Errorf("%d tables, want %d", got, want)
	}
	open := doc.Find("[data-tree-table] details[open]")
	if open.Length() != 1 || open.Find("[data-tree-column]").Length() != len(testColumns()) {
		t.Error("the table that was asked for is not the one unfolded")
	}
	names := doc.Find("[data-tree-source] h2 .clip").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	if got, want := strings.Join(names, " "), "ads crm ref sales web Files Sample data"; got != want {
		t.Errorf("sources = %q, want %q", got, want)
	}
	if doc.Find("[data-query=orders]").AttrOr("href", "") != "/console?table=orders" {
		t.Error("without scripts a table cannot be queried")
	}
}

func TestConsoleEmpty(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, ConsolePage(testChrome(false), testConsole())))
	if got := doc.Find("#result li a").Length(); got != len(testExamples()) {
		t.Errorf("%d examples, want %d", got, len(testExamples()))
	}
	none := parse(t, draw(t, ConsolePage(testChrome(false), ConsoleView{})))
	if got := none.Find("#result").Text(); !strings.Contains(got, "There is no table to query yet.") {
		t.Errorf("without tables it says %q", got)
	}
	if got := none.Find("select[name=limit] option").Length(); got != len(Limits()) {
		t.Errorf("%d limits, want %d", got, len(Limits()))
	}
}

func TestConsoleError(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, ConsoleError(*testRefused().Failure)))

	alert := doc.Find("[role=alert]")
	if alert.AttrOr("data-line", "") != "2" || alert.AttrOr("data-column", "") != "6" {
		t.Error("the error has no place in the text")
	}
	text := strings.Join(strings.Fields(alert.Text()), " ")
	for _, want := range []string{"There is no table airprots", "Line 2. No table of this name", "Did you mean airports", "What the engine said", "table_not_found", "01JD8Z5T3K"} {
		if !strings.Contains(text, want) {
			t.Errorf("the error lacks %q: %q", want, text)
		}
	}
	if doc.Find("[data-insert=airports]").Length() != 1 {
		t.Error("the nearest name cannot be taken")
	}

	stopped := parse(t, draw(t, ConsoleError(ConsoleErrorView{Title: "The query was stopped.", Cancelled: true, Elapsed: 3200 * time.Millisecond})))
	if got := strings.Join(strings.Fields(stopped.Text()), " "); !strings.Contains(got, "Stopped") || !strings.Contains(got, "after 3.2 s") {
		t.Errorf("a stopped query says %q", got)
	}
	if _, placed := stopped.Find("[role=alert]").Attr("data-line"); placed {
		t.Error("an error without a line has one")
	}
}

func TestConsoleResultWithoutRows(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, ConsoleResult(ConsoleResultView{Grid: Grid{Columns: testColumns()}, At: noon()})))
	if !strings.Contains(doc.Text(), "No row matches.") || doc.Find("thead th").Length() == 0 {
		t.Error("no rows is not said, or the columns are not shown")
	}
	if doc.Find("[role=note]").Length() != 0 {
		t.Error("no rows are said to be cut off")
	}
}

func TestJSONForScripts(t *testing.T) {
	t.Parallel()
	schema, err := json.Marshal(NewSchema(testTables()[6:7]))
	if err != nil || string(schema) != `{"tables":[{"name":"returns","columns":[]}]}` {
		t.Errorf("schema = %s, %v", schema, err)
	}
	full := NewSchema(testTables())
	if len(full.Tables) != len(testTables()) || len(full.Tables[0].Columns) != len(testColumns()) {
		t.Errorf("schema = %+v", full)
	}

	kinds := map[bool]string{}
	for _, admin := range []bool{true, false} {
		for _, item := range NewPalette(admin, testTables()[:1]).Items {
			kinds[admin] += item.Href + " "
		}
	}
	if kinds[false] != "/catalog /console /docs /tables/orders " || kinds[true] != "/catalog /console /docs /syncs /sources /add /admin/access /admin/people /admin/groups /admin/activity /admin/server-config "+
		"/admin/bin /admin/groups/new /admin/people/invite /tables/orders " {
		t.Errorf("palettes = %v", kinds)
	}
}
