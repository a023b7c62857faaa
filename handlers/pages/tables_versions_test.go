package pages

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// mustHold leaves newer rows of a table waiting for a person.
func (p *portal) mustHold(table registry.Table, version registry.VersionID) syncs.Run {
	p.t.Helper()
	must(p.t, p.store.KeepVersion(p.t.Context(), registry.Version{
		ID: version, Table: table.ID, RunID: "held", Rows: 1, CreatedAt: p.clock.now(), Columns: []registry.Column{{Name: "iata", Type: "DATE"}},
	}))
	return p.mustRun(table, func(r *syncs.Run) {
		r.State, r.Code, r.Message, r.Version = syncs.Held, registry.CodeShrinkGuard, "It came back smaller.", version
	})
}

func (p *portal) live() []syncs.Run {
	p.t.Helper()
	runs, err := p.store.LiveRuns(p.t.Context())
	must(p.t, err)
	return runs
}

func TestVersionsTab(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	table := p.mustTable("airports", 3, p.everyone())
	p.clock.advance(time.Hour)
	p.mustRun(table, func(r *syncs.Run) { r.State, r.Rows = syncs.OK, 5 })

	got := p.as(p.admin).get("/tables/airports?tab=versions").wantStatus(http.StatusOK).wantText("Current", "Kept", "the same columns")
	if got.Find(`form[action$="/restore"]`).Length() != 1 {
		t.Errorf("restore buttons: %d, want one", got.Find(`form[action$="/restore"]`).Length())
	}
	if got := p.as(p.analyst).get("/tables/airports?tab=versions").wantText("Current"); got.Find(`main form`).Length() != 0 {
		t.Error("an analyst is offered to restore")
	}
}

func TestVersionRestore(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	table := p.mustTable("airports", 3, p.everyone())
	first, err := p.store.GetTable(t.Context(), "airports")
	must(t, err)
	p.clock.advance(time.Hour)
	p.mustRun(table, func(r *syncs.Run) { r.State, r.Rows = syncs.OK, 5 })
	second, err := p.store.GetTable(t.Context(), "airports")
	must(t, err)
	restore := func(id registry.VersionID) string { return "/tables/airports/versions/" + string(id) + "/restore" }
	p.nobody().post(restore(first.Version.ID), nil).wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).post(restore(first.Version.ID), nil).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	b.post(restore("nothing"), nil).wantStatus(http.StatusNotFound)
	b.post("/tables/nothing/versions/x/restore", nil).wantStatus(http.StatusNotFound)

	const tab = "/tables/airports?tab=versions"
	b.post(restore(second.Version.ID), nil).wantRedirect(tab)
	b.get(tab).wantText("served already")
	b.post(restore(first.Version.ID), nil).wantRedirect(tab)
	page := b.get(tab).wantText("goes back to an older version", "The next sync brings newer rows as usual")
	if page.Find(`#toasts form[action="`+restore(second.Version.ID)+`"]`).Length() != 1 {
		t.Error("the message cannot be undone")
	}
	live := p.live()
	if len(live) != 1 || live[0].Version != first.Version.ID || live[0].Trigger != syncs.ByRestore || live[0].StartedBy != string(p.admin.ID) {
		t.Errorf("live runs %+v", live)
	}
	b.post(restore(first.Version.ID), nil).wantRedirect(tab)
	b.get(tab).wantText("is being synced now")
}

func TestHeldRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action, says string
		live         int
		state        syncs.State
	}{
		{"publish", "are being published", 1, syncs.Queued},
		{"discard", "keeps its old rows", 0, syncs.Cancelled},
	} {
		t.Run(c.action, func(t *testing.T) {
			t.Parallel()
			p := newPortal(t)
			table := p.mustTable("airports", 3, p.everyone())
			run := p.mustHold(table, "h1")
			path := "/runs/" + run.ID + "/" + c.action
			p.as(p.analyst).post(path, nil).wantStatus(http.StatusForbidden)
			p.as(p.analyst).get("/tables/airports").wantText("Held").wantNoText("It came back smaller")
			b := p.as(p.admin)
			b.get("/syncs").wantText("The one table is not as fresh as promised. It is held.", "It came back smaller.", "Keep old", "Publish anyway")
			b.get("/tables/airports").wantText("Newer rows are held.", "It came back smaller.")
			b.post("/runs/nothing/"+c.action, nil).wantStatus(http.StatusNotFound)

			b.post(path, nil).wantRedirect("/syncs")
			b.get("/syncs").wantText(c.says)
			after, err := p.store.GetRun(t.Context(), run.ID)
			must(t, err)
			if after.State != c.state || len(p.live()) != c.live {
				t.Errorf("the run is %s, %d live", after.State, len(p.live()))
			}
			b.post(path, nil).wantRedirect("/syncs")
			b.get("/syncs").wantText("do not wait for anybody any more")
		})
	}
}

func TestTableSettings(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	form := func(percent, policy string) url.Values {
		return url.Values{"shrink_guard_pct": {percent}, "schema_policy": {policy}}
	}
	p.as(p.analyst).post("/tables/airports/settings", form("1", "ask")).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	b.post("/tables/nothing/settings", form("1", "ask")).wantStatus(http.StatusNotFound)
	for _, bad := range []url.Values{form("", "ask"), form("101", "ask"), form("ten", "ask"), form("10", "maybe")} {
		page := b.post("/tables/airports/settings", bad).wantStatus(http.StatusUnprocessableEntity)
		if page.Find("#shrink_guard_pct-error, #schema_policy-error").Length() != 1 {
			t.Errorf("%v: no field says what is wrong", bad)
		}
		if got := page.Find("#shrink_guard_pct").AttrOr("value", ""); got != bad.Get("shrink_guard_pct") {
			t.Errorf("%v: the form shows %q", bad, got)
		}
	}
	b.post("/tables/airports/settings", form("35", "freeze")).wantRedirect("/tables/airports")
	b.get("/tables/airports").wantText("hold from its next sync on")
	got, err := p.store.GetTable(t.Context(), "airports")
	must(t, err)
	if want := (registry.Guard{ShrinkPercent: 35, Schema: registry.SchemaFreeze}); got.Guard != want {
		t.Errorf("guard %+v, want %+v", got.Guard, want)
	}
}
