package pages

import (
	"net/http"
	"testing"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func TestTablePage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("salaries", 2)

	got := p.as(p.analyst).get("/tables/airports").wantStatus(http.StatusOK).wantText("airports", "about airports", "iata", "VARCHAR")
	if got.Find(`form[action="/tables/airports/sync"]`).Length() != 0 {
		t.Error("an analyst is offered to sync")
	}
	p.as(p.admin).get("/tables/AIRPORTS").wantStatus(http.StatusOK)
	partial := p.as(p.analyst).get("/tables/airports", "HX-Request-Type", "partial").wantText("iata")
	if partial.Find("title").Length() != 0 {
		t.Error("the fragment holds the whole page")
	}
}

func TestTableThatOneMayNotReadIsAbsent(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("salaries", 2)
	b := p.as(p.analyst)
	secret := b.get("/tables/salaries").wantStatus(http.StatusNotFound)
	absent := b.get("/tables/nothing").wantStatus(http.StatusNotFound)
	if got, want := secret.Find("main").Text(), absent.Find("main").Text(); got != want {
		t.Errorf("pages differ:\n%s\n%s", got, want)
	}
	b.get("/tables/salaries?tab=sample").wantStatus(http.StatusNotFound)
	if sql := p.engine.last().SQL; sql != "" {
		t.Errorf("the engine was asked %q", sql)
	}
	p.nobody().get("/tables/salaries").wantStatus(http.StatusUnauthorized)
}

func TestTableIDsAreDecoded(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustRegister(registry.Table{Name: "dept/2024 ä", SourceType: "bigquery"}, -1)
	p.as(p.admin).get("/tables/dept%2F2024_%C3%A4").wantStatus(http.StatusOK).wantText("dept/2024 ä")
}

func TestSample(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("new", -1, p.everyone())
	p.engine.airports()
	b := p.as(p.analyst)

	b.get("/tables/airports?tab=sample").wantStatus(http.StatusOK).wantText("JFK", "Kennedy", "NULL")
	if got, want := p.engine.last(), (query.Statement{SQL: `SELECT * FROM "airports" LIMIT 50`, MaxRows: 50, RunID: p.engine.last().RunID, By: p.analyst.ID}); got != want {
		t.Errorf("asked %+v, want %+v", got, want)
	}
	runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
	must(t, err)
	if len(runs) != 1 || runs[0].Origin != query.FromSample || runs[0].State != query.OK || runs[0].Rows != 2 {
		t.Errorf("query runs = %+v", runs)
	}
	b.get("/tables/new?tab=sample").wantStatus(http.StatusOK)
}

func TestSampleThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	b := p.as(p.analyst)

	p.engine.err = domain.E(domain.Unavailable, "no_child", "No query process is free.")
	b.get("/tables/airports?tab=sample").wantStatus(http.StatusOK).wantText("No query process is free.")
	p.engine.err = &query.SQLError{Code: "query_error", Text: "IO Error: broken footer"}
	b.get("/tables/airports?tab=sample").wantStatus(http.StatusOK).wantText("cannot be read", "broken footer")
	p.engine.err = errBroken
	b.get("/tables/airports?tab=sample").wantStatus(http.StatusInternalServerError).wantNoText("disk I/O", "/var/lib")
}

func TestTableRuns(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	table := p.mustTable("airports", 3, p.everyone())
	run := p.mustRun(table, func(r *syncs.Run) {
		r.State, r.Code, r.Message = syncs.Failed, "unreadable", "Line 7 has 4 fields where 3 were expected."
	})
	must(t, p.store.AddStep(t.Context(), syncs.Step{ID: "s1", RunID: run.ID, Table: table.ID, Phase: syncs.Extract, State: syncs.Failed, At: p.clock.now()}))

	p.as(p.analyst).get("/tables/airports?tab=runs").wantStatus(http.StatusOK).wantText("Line 7 has 4 fields", "Extract")
}

func TestTableSync(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.nobody().post("/tables/airports/sync", nil).wantStatus(http.StatusUnauthorized).wantText("not carried out")
	p.as(p.analyst).post("/tables/airports/sync", nil).wantStatus(http.StatusForbidden).wantText("administrators")
	b := p.as(p.admin)
	b.post("/tables/nothing/sync", nil).wantStatus(http.StatusNotFound)

	b.post("/tables/airports/sync", nil).wantRedirect("/tables/airports")
	b.get("/tables/airports").wantText("airports is being synced")
	b.post("/tables/airports/sync", nil, "Referer", "http://example.com/syncs?x=1").wantRedirect("/syncs?x=1")
	b.post("/tables/airports/sync", nil, "Referer", "http://evil.example/syncs").wantRedirect("/tables/airports")

	live, err := p.store.LiveRuns(t.Context())
	must(t, err)
	if len(live) != 1 || live[0].StartedBy != string(p.admin.ID) || live[0].Trigger != syncs.ByPerson {
		t.Errorf("live runs = %+v, want one by the administrator", live)
	}
}

func TestRemoteTableIsNotSynced(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	remote := registry.ModeRemote
	p.mustTable("live", -1)
	_, err := p.store.UpdateTable(t.Context(), p.actor(), "live", registry.TableChange{QueryMode: &remote})
	must(t, err)
	p.as(p.admin).post("/tables/live/sync", nil).wantStatus(http.StatusConflict).wantText("asked live at its source")
}

func TestTableRemove(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.as(p.analyst).post("/tables/airports/remove", nil).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	b.post("/tables/nothing/remove", nil).wantStatus(http.StatusNotFound)

	b.post("/tables/airports/remove", nil).wantRedirect("/catalog")
	b.get("/add").wantText("airports is removed", "Its file stays on the server")
	b.get("/tables/airports").wantStatus(http.StatusNotFound)
}
