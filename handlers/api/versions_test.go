package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
	"agnes/handlers/api"
)

// mustHold leaves newer rows of a table waiting for a person.
func (s *site) mustHold(t registry.Table, version registry.VersionID) syncs.Run {
	s.t.Helper()
	ctx := s.t.Context()
	_, err := s.store.QueueRuns(ctx, tester, syncs.ByPerson, []registry.TableID{t.ID})
	must(s.t, err)
	r, err := s.store.ClaimRun(ctx)
	must(s.t, err)
	must(s.t, s.store.KeepVersion(ctx, registry.Version{ID: version, Table: t.ID, RunID: r.ID, Rows: 1, CreatedAt: s.clock.now()}))
	r.State, r.Code, r.Message, r.Version = syncs.Held, registry.CodeShrinkGuard, "It came back smaller.", version
	must(s.t, s.store.FinishRun(ctx, r))
	return r
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	table := s.mustTable("orders", nil, 3)
	s.clock.advance(time.Hour)
	current := s.mustPublish(table, 5)
	s.clock.advance(time.Hour)
	s.mustHold(table, "h1")
	const path = "/api/admin/registry/orders/versions"
	s.as(s.analyst, http.MethodGet, path, nil).is(http.StatusForbidden)
	s.as(s.admin, http.MethodGet, "/api/admin/registry/nothing/versions", nil).is(http.StatusNotFound)
	body := s.as(s.admin, http.MethodGet, path, nil).is(http.StatusOK)
	list := body["versions"].([]any)
	if len(list) != 3 || body["count"] != 3.0 {
		t.Fatalf("versions %v", body)
	}
	held, now, old := list[0].(map[string]any), list[1].(map[string]any), list[2].(map[string]any)
	if held["state"] != "unpublished" || held["published_at"] != nil || held["schema_changes"] != "id and name are gone" {
		t.Errorf("held version %v", held)
	}
	if now["state"] != "current" || now["id"] != string(current.ID) || now["rows"] != 5.0 || now["schema_changes"] != nil {
		t.Errorf("current version %v", now)
	}
	file := old["files"].([]any)[0].(map[string]any)
	if old["state"] != "kept" || file["sha256"] != strings.Repeat("0", 64) || len(file) != 2 {
		t.Errorf("older version %v", old)
	}
}

func TestRestoreVersion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	table := s.mustTable("orders", nil)
	first := s.mustPublish(table, 3)
	current := s.mustPublish(table, 5)
	path := func(id registry.VersionID) string {
		return "/api/admin/registry/orders/versions/" + string(id) + "/restore"
	}
	s.as(s.analyst, http.MethodPost, path(first.ID), nil).is(http.StatusForbidden)
	s.as(s.admin, http.MethodPost, path("nothing"), nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodPost, path(current.ID), nil).is(http.StatusConflict)
	run := s.as(s.admin, http.MethodPost, path(first.ID), nil).is(http.StatusAccepted)
	if run["trigger"] != "restore" || run["state"] != "queued" || run["version_id"] != string(first.ID) {
		t.Errorf("run %v", run)
	}
	s.as(s.admin, http.MethodPost, path(first.ID), nil).is(http.StatusConflict)
	if len(s.audited("version.restore")) != 1 {
		t.Error("restoring left no audit row, or refusals did")
	}
}

func TestHeldRuns(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]struct {
		status int
		state  string
		audit  string
	}{"publish": {http.StatusAccepted, "queued", "sync.publish_held"}, "discard": {http.StatusOK, "cancelled", "sync.discard_held"}} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			run := s.mustHold(s.mustTable("orders", nil, 300), "h1")
			list := s.as(s.admin, http.MethodGet, "/api/sync/runs?state=held", nil).is(http.StatusOK)["runs"].([]any)
			if got := list[0].(map[string]any); len(list) != 1 || got["code"] != "shrink_guard" || got["version_id"] != "h1" {
				t.Errorf("held runs %v", list)
			}
			path := "/api/sync/runs/" + run.ID + "/" + action
			s.as(s.analyst, http.MethodPost, path, nil).is(http.StatusForbidden)
			s.as(s.admin, http.MethodPost, "/api/sync/runs/nothing/"+action, nil).is(http.StatusNotFound)
			if got := s.as(s.admin, http.MethodPost, path, nil).is(want.status); got["state"] != want.state {
				t.Errorf("answer %v", got)
			}
			s.as(s.admin, http.MethodPost, path, nil).is(http.StatusConflict)
			if len(s.audited(want.audit)) != 1 {
				t.Errorf("no audit row says %s", want.audit)
			}
		})
	}
}

func TestGuardOfATable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil)
	custom := s.mustTable("deals", func(t *registry.Table) { t.SourceType, t.Bucket = registry.SourceCustom, "crm" })
	row := func() map[string]any {
		t.Helper()
		for _, r := range s.as(s.admin, http.MethodGet, "/api/admin/registry", nil).is(http.StatusOK)["tables"].([]any) {
			if r := r.(map[string]any); r["id"] == "orders" {
				return r
			}
		}
		return nil
	}
	if got := row(); got["shrink_guard_pct"] != 20.0 || got["schema_policy"] != "evolve" {
		t.Errorf("a new table: %v", got)
	}
	put := func(id string, body map[string]any, status int) {
		t.Helper()
		s.as(s.admin, http.MethodPut, "/api/admin/registry/"+id, body).is(status)
	}
	put("orders", map[string]any{"shrink_guard_pct": 50, "schema_policy": "ask"}, http.StatusOK)
	put(string(custom.ID), map[string]any{"schema_policy": "freeze"}, http.StatusOK)
	for _, bad := range []map[string]any{{"shrink_guard_pct": 101}, {"shrink_guard_pct": -1}, {"schema_policy": "maybe"}, {"shrink_guard_pct": "ten"}} {
		put("orders", bad, http.StatusUnprocessableEntity)
	}
	if got := row(); got["shrink_guard_pct"] != 50.0 || got["schema_policy"] != "ask" {
		t.Errorf("changed: %v", got)
	}
	put("orders", map[string]any{"shrink_guard_pct": nil, "schema_policy": nil}, http.StatusOK)
	if got := row(); got["shrink_guard_pct"] != 20.0 || got["schema_policy"] != "evolve" {
		t.Errorf("cleared: %v", got)
	}
}

// stuck is a syncer whose last sync has ended without the state knowing it.
type stuck struct{ *syncs.Syncer }

func (stuck) Unwritten() error {
	return domain.E(domain.Unavailable, "sync_end_unwritten", "A sync has ended, and that cannot be stored.")
}

func TestHealthSaysThatTheEndOfASyncIsNotStored(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(d *api.Deps) {
		syncer, ok := d.Syncer.(*syncs.Syncer)
		if !ok {
			t.Fatalf("the syncer is a %T", d.Syncer)
		}
		d.Syncer = stuck{syncer}
	})
	got := s.as(s.admin, http.MethodGet, "/api/health/detailed", nil).is(http.StatusOK)
	writing := got["services"].(map[string]any)["writing"].(map[string]any)
	if text, _ := writing["detail"].(string); got["status"] != "degraded" || writing["status"] != "error" || !strings.Contains(text, "cannot be stored") {
		t.Errorf("health %v: %v", got["status"], writing)
	}
}

func TestNotReadyWhileWritingIsStopped(t *testing.T) {
	t.Parallel()
	latch := &syncs.Latch{}
	s := newSiteWith(t, func(d *api.Deps) {
		syncer, ok := d.Syncer.(*syncs.Syncer)
		if !ok {
			t.Fatalf("the syncer is a %T", d.Syncer)
		}
		syncer.Writes = latch
	})
	latch.Now = s.clock.now
	if got := s.as(s.admin, http.MethodGet, "/api/health/ready", nil).is(http.StatusOK)["checks"].(map[string]any); got["writing"] != "ok" {
		t.Errorf("checks %v", got)
	}
	latch.Trip(errors.Join(&work.ChildError{Failure: work.Failure{Code: "disk_write_failed"}}))
	s.clock.advance(time.Minute)
	got := s.as(s.admin, http.MethodGet, "/api/health/ready", nil).is(http.StatusServiceUnavailable)["checks"].(map[string]any)
	if text, _ := got["writing"].(string); !strings.Contains(text, "did not confirm a write") {
		t.Errorf("checks %v", got)
	}
	detailed := s.as(s.admin, http.MethodGet, "/api/health/detailed", nil).is(http.StatusOK)
	if writing := detailed["services"].(map[string]any)["writing"].(map[string]any); detailed["status"] != "degraded" || writing["status"] != "error" {
		t.Errorf("detailed health %v: %v", detailed["status"], writing)
	}
	s.mustTable("orders", nil)
	s.as(s.admin, http.MethodPost, "/api/admin/registry/orders/versions/x/restore", nil).is(http.StatusServiceUnavailable)
}
