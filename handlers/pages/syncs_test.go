package pages

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/views"
)

func TestSyncsPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	movies := p.mustTable("movies", 2)
	p.mustTable("fresh", -1)
	p.mustRun(movies, func(r *syncs.Run) { r.State, r.Code, r.Message = syncs.Failed, "unreadable", "Line 7 is broken." })
	must(t, p.store.SaveSource(t.Context(), syncs.Source{Name: "shop", State: "broken", Message: "Its extract cannot be opened.", CheckedAt: p.clock.now()}))
	p.nobody().get("/syncs").wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).get("/syncs").wantStatus(http.StatusForbidden)
	b := p.as(p.admin)

	got := b.get("/syncs").wantStatus(http.StatusOK).wantText("movies", "Line 7 is broken.", "shop", "Its extract cannot be opened.")
	if got.Find("nav .count").Text() == "" {
		t.Error("the navigation does not count the failing table")
	}
	partial := b.get("/syncs", "HX-Request-Type", "partial")
	if partial.Find("#syncs-body").Length() != 1 || partial.Find("title").Length() != 0 {
		t.Errorf("fragment: %.300s", partial.body)
	}
}

func TestSyncsView(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	movies := p.mustTable("movies", 2)
	p.mustTable("fresh", -1)
	for range 2 {
		p.mustRun(movies, func(r *syncs.Run) { r.State, r.Message = syncs.Failed, "Line 7 is broken." })
		p.clock.advance(time.Minute)
	}
	_, err := p.store.QueueRuns(t.Context(), p.actor(), syncs.ByPerson, []registry.TableID{"airports", "movies", "fresh"})
	must(t, err)
	first, err := p.store.ClaimRun(t.Context())
	must(t, err)
	heard := first
	heard.Rows = 77

	who := p.principal(p.admin)
	c, err := p.Catalogs.Catalog(t.Context(), who)
	must(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/syncs", nil)
	v, err := p.syncsView(r, c, map[string]syncs.Run{first.ID: heard})
	must(t, err)

	if v.Tables != 3 || len(v.Failing) != 1 || v.Fresh+v.Never != 2 {
		t.Errorf("tables %d, failing %d, fresh %d, never %d", v.Tables, len(v.Failing), v.Fresh, v.Never)
	}
	if f := v.Failing[0]; f.Name != "movies" || f.Tries != 2 || f.Since == nil || !f.Since.Equal(p.clock.now().Add(-2*time.Minute)) {
		t.Errorf("failing = %+v", f)
	}
	if len(v.Live) != 3 || v.Live[0].Rows != 77 || v.Live[0].State != syncs.Running {
		t.Errorf("live = %+v", v.Live)
	}
	if len(v.Recent) != 4 || slices.ContainsFunc(v.Recent, syncs.Run.Live) {
		t.Errorf("recent = %+v", v.Recent)
	}
	stale := heard
	stale.State = syncs.OK
	v, err = p.syncsView(r, c, map[string]syncs.Run{first.ID: stale})
	must(t, err)
	if v.Live[0].State != syncs.Running {
		t.Error("a run that is live in the store is shown as ended")
	}
}

func TestRunCancel(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	table := p.mustTable("airports", 3)
	runs, err := p.store.QueueRuns(t.Context(), p.actor(), syncs.ByPerson, []registry.TableID{table.ID})
	must(t, err)
	p.as(p.analyst).post("/runs/"+runs[0].ID+"/cancel", nil).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	b.post("/runs/nothing/cancel", nil).wantStatus(http.StatusNotFound)

	b.post("/runs/"+runs[0].ID+"/cancel", nil).wantRedirect("/syncs")
	b.get("/syncs").wantText("The sync of airports is cancelled")
	live, err := p.store.LiveRuns(t.Context())
	must(t, err)
	if len(live) != 0 {
		t.Errorf("live runs = %+v", live)
	}
	b.post("/runs/"+runs[0].ID+"/cancel", nil).wantRedirect("/syncs")
	if b.get("/syncs").Find("#toasts [role=alert]").Length() != 1 {
		t.Error("nothing says that the run had ended")
	}
}

func TestFailing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status registry.SyncStatus
		want   bool
	}{
		"never":       {registry.SyncStatus{State: "never"}, false},
		"fine":        {registry.SyncStatus{State: "ok"}, false},
		"failed":      {registry.SyncStatus{State: "error", Error: "x"}, true},
		"tried again": {registry.SyncStatus{State: "running", Error: "x"}, true},
		"running":     {registry.SyncStatus{State: "running"}, false},
	} {
		if got := failing(&registry.Published{Status: c.status}); got != c.want {
			t.Errorf("%s: failing = %v, want %v", name, got, c.want)
		}
	}
	v := views.SyncsView{}
	countTables(&v, []registry.Published{{}, {Version: &registry.Version{}}}, nil)
	if v.Never != 1 || v.Fresh != 1 {
		t.Errorf("never %d, fresh %d", v.Never, v.Fresh)
	}
}
