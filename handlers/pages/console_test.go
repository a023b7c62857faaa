package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"agnes/domain"
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

func TestConsoleRun(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.engine.airports()
	p.engine.more = true
	b := p.as(p.analyst)
	form := url.Values{"sql": {"FROM airports"}, "limit": {"100"}}
	p.nobody().post("/console", form).wantStatus(http.StatusUnauthorized)

	got := b.post("/console", form).wantStatus(http.StatusOK).wantText("JFK", "Kennedy", "NULL", "first 2 rows")
	if sql := got.value("textarea[name=sql]"); sql != "FROM airports" {
		t.Errorf("sql = %q", sql)
	}
	if limit := got.Find("select[name=limit] option[selected]").AttrOr("value", ""); limit != "100" {
		t.Errorf("limit = %q", limit)
	}
	if want := (query.Statement{SQL: "FROM airports", MaxRows: 100}); p.engine.last() != want {
		t.Errorf("asked %+v, want %+v", p.engine.last(), want)
	}

	partial := b.post("/console", form, "HX-Request", "true", "HX-Request-Type", "partial").wantStatus(http.StatusOK).wantText("JFK")
	if partial.Find("textarea, title").Length() != 0 {
		t.Error("the fragment holds the page around it")
	}
	form.Set("limit", "1000000")
	b.post("/console", form).wantStatus(http.StatusOK)
	if got := p.engine.last().MaxRows; got != defaultLimit {
		t.Errorf("MaxRows = %d for a limit that is not offered", got)
	}
	runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
	must(t, err)
	if len(runs) != 3 || runs[0].Origin != query.FromConsole || runs[0].State != query.OK {
		t.Errorf("query runs = %+v", runs)
	}
}

func TestConsoleErrors(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("airport_secrets", 3)
	b := p.as(p.analyst)
	const noTable = "Catalog Error: Table with name airprots does not exist!\nDid you mean \"airports\"?\n\nLINE 1: FROM airprots\n             ^"
	for name, c := range map[string]struct {
		err    error
		status int
		want   []string
	}{
		"sql":         {&query.SQLError{Code: "query_error", Text: noTable, Line: 1, Column: 6}, 422, []string{"There is no table airprots", "airports", "Did you mean"}},
		"limited":     {domain.E(domain.Limited, "too_many", "Eight queries of yours run already."), 429, []string{"Eight queries of yours"}},
		"stopped":     {domain.E(domain.Cancelled, "query_timeout", "The query was stopped after its limit of 1m0s."), 503, []string{"The query was stopped", "its limit of 1m0s"}},
		"unavailable": {domain.E(domain.Unavailable, "out_of_memory", "It needed more than 1 GiB."), 503, []string{"It needed more than 1 GiB."}},
		"internal":    {errBroken, 500, []string{"a fault inside Agnes", "req-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			p.engine.err = c.err
			form := url.Values{"sql": {"FROM airprots"}, "limit": {"100"}}
			got := b.post("/console", form).wantStatus(c.status).wantText(c.want...).wantNoText("secrets", "/var/lib")
			if sql := got.value("textarea[name=sql]"); sql != "FROM airprots" {
				t.Errorf("sql = %q", sql)
			}
			partial := b.post("/console", form, "HX-Request-Type", "partial").wantStatus(c.status).wantText(c.want...)
			if partial.Find("title").Length() != 0 {
				t.Error("the fragment holds the page around it")
			}
		})
	}
	p.engine.err = nil
	b.post("/console", url.Values{"sql": {"  "}}).wantStatus(422).wantText("There is nothing to run")
	b.post("/console", url.Values{"sql": {strings.Repeat("x", 2000)}}).wantStatus(422).wantText("The statement is too long")
	p.engine.late = domain.E(domain.Unavailable, "child_died", "The query process ended.")
	b.post("/console", url.Values{"sql": {"FROM airports"}}).wantStatus(503).wantText("The query process ended.")
}

func TestConsoleStopsWhenTheReaderLeaves(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	ctx, cancel := context.WithCancel(t.Context())
	p.engine.hook = cancel
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/console", strings.NewReader("sql=FROM+airports"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(b.cookies["session"])
	p.handler.ServeHTTP(httptest.NewRecorder(), r)
	runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
	must(t, err)
	if len(runs) != 1 || runs[0].State != query.Cancelled {
		t.Errorf("query runs = %+v, want one that was cancelled", runs)
	}
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
	g, _, err := p.read(t.Context(), who, query.Request{SQL: "SELECT 1"})
	must(t, err)
	if len(g.Grid.Rows) != 2 || !g.More {
		t.Errorf("%d rows held, more %v; want 2 and more", len(g.Grid.Rows), g.More)
	}
	if got := views.Bytes(maxGridBytes); got != "16 MiB" {
		t.Errorf("limit = %s", got)
	}
}
