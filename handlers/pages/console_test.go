package pages

import (
	"net/http"
	"strings"
	"testing"

	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/views"
)

func TestConsolePage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("salaries", 2)
	p.nobody().get("/console").wantStatus(http.StatusUnauthorized)
	b := p.as(p.analyst)

	b.get("/console").wantStatus(http.StatusOK).wantText("airports").wantNoText("salaries")
	if sql := b.get("/console?table=airports").value("textarea[name=sql]"); sql != "SELECT *\nFROM \"airports\"\nLIMIT 100" {
		t.Errorf("sql = %q", sql)
	}
	if sql := b.get("/console?table=airports&sql=SELECT+1").value("textarea[name=sql]"); sql != "SELECT 1" {
		t.Errorf("sql = %q", sql)
	}
	b.get("/console?table=salaries").wantStatus(http.StatusNotFound)
}

func TestConsoleOffersExamplesOnSampleData(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustRegister(registry.Table{Name: "airports", Sample: true}, 3, p.everyone())
	p.as(p.analyst).get("/console").wantText("Which states have the most airports?")
	p.as(p.analyst).get("/catalog").wantStatus(http.StatusOK)
}

func TestConsoleSchema(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("salaries", 2)
	b := p.as(p.analyst)
	got := b.get("/console/schema.json").wantStatus(http.StatusOK)
	if want := `{"tables":[{"name":"airports","columns":[{"name":"iata","type":"VARCHAR"},{"name":"latitude","type":"DOUBLE"}]}]}`; got.body != want {
		t.Errorf("schema = %s, want %s", got.body, want)
	}
	tag := got.Header.Get("ETag")
	if cache := got.Header.Get("Cache-Control"); cache != "private, no-cache" || tag == "" {
		t.Errorf("Cache-Control %q, ETag %q", cache, tag)
	}
	if again := b.get("/console/schema.json", "If-None-Match", tag).wantStatus(http.StatusNotModified); again.body != "" {
		t.Errorf("body = %q", again.body)
	}
	p.as(p.admin).get("/console/schema.json", "If-None-Match", tag).wantStatus(http.StatusOK)
}

func TestPalette(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("salaries", 2)
	mine := p.as(p.analyst).get("/palette.json").wantStatus(http.StatusOK).body
	if !strings.Contains(mine, "/tables/airports") || strings.Contains(mine, "salaries") || strings.Contains(mine, "/syncs") {
		t.Errorf("an analyst's palette: %s", mine)
	}
	if all := p.as(p.admin).get("/palette.json").body; !strings.Contains(all, "salaries") || !strings.Contains(all, "/syncs") {
		t.Errorf("an administrator's palette: %s", all)
	}
}

func TestGridIsBounded(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	wide := strings.Repeat("x", maxGridBytes/2+1)
	p.engine.columns = []registry.Column{{Name: "a", Type: "VARCHAR"}}
	p.engine.batches = [][][]*string{{{text(wide)}}, {{text(wide)}}, {{text(wide)}}}
	who := p.principal(p.analyst)
	g, err := p.read(t.Context(), who, query.Request{SQL: "SELECT 1"})
	must(t, err)
	if len(g.Grid.Rows) != 2 || !g.More {
		t.Errorf("%d rows held, more %v; want 2 and more", len(g.Grid.Rows), g.More)
	}
	if got := views.Bytes(maxGridBytes); got != "16 MiB" {
		t.Errorf("limit = %s", got)
	}
}
