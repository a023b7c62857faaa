package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
	"agnes/domain/work"
	"agnes/handlers/api"
	"agnes/store"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.as(people.User{}, http.MethodGet, "/api/health", nil).is(http.StatusOK)
	if body["status"] != "ok" || body["db_schema"] != "ok" || body["current"] != body["expected"] || body["current"] == 0.0 {
		t.Errorf("body %v", body)
	}
	body = s.as(people.User{}, http.MethodGet, "/api/version", nil).is(http.StatusOK)
	if body["version"] != "1.2.3" || body["channel"] != "stable" || body["image_tag"] != nil || body["deployed_at"] != "2026-11-22T14:31:00+00:00" {
		t.Errorf("version %v", body)
	}
}

// unwell is a store whose health fails.
type unwell struct{ *store.Store }

var errDisk = errors.New("write /srv/data/state/system.db: disk full")

func (unwell) SchemaVersion(context.Context) (int64, error) { return 0, errDisk }
func (unwell) Check(context.Context) error                  { return errDisk }

func TestHealthOfABrokenState(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(d *api.Deps) { d.Store = unwell{d.Store.(*store.Store)} })
	for path, want := range map[string]struct {
		status int
		key    string
		value  string
	}{
		"/api/health":          {200, "status", "unhealthy"},
		"/api/health/ready":    {503, "status", "unavailable"},
		"/api/health/detailed": {200, "status", "unhealthy"},
	} {
		w := s.as(s.analyst, http.MethodGet, path, nil)
		if body := w.is(want.status); body[want.key] != want.value || strings.Contains(w.Body.String(), "srv") {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	if !strings.Contains(s.log.String(), "disk full") {
		t.Error("the cause is not in the log")
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ask := func(status int) map[string]any {
		t.Helper()
		return s.as(people.User{}, http.MethodGet, "/api/health/ready", nil).is(status)
	}
	if body := ask(200); body["status"] != "ready" || body["checks"].(map[string]any)["query"] != "ok" {
		t.Errorf("ready: %v", body)
	}
	s.ready = errors.New("no child starts from /srv/agnes")
	ask(200) // the answer is kept, so that asking costs little
	s.clock.advance(5 * time.Second)
	body := ask(503)
	if checks := body["checks"].(map[string]any); body["status"] != "unavailable" || checks["query"] != "A query cannot be run." || checks["state"] != "ok" {
		t.Errorf("not ready: %v", body)
	}
	s.ready = nil
	s.clock.advance(5 * time.Second)
	ask(200)
}

func TestHealthDetailed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 3)
	s.mustTable("secret", nil, 4)
	s.mustGrant("orders")
	s.clock.advance(23 * time.Hour)
	body := s.as(s.analyst, http.MethodGet, "/api/health/detailed", nil).is(200)
	services := body["services"].(map[string]any)
	data := services["data"].(map[string]any)
	if body["status"] != "healthy" || data["tables"] != 1.0 || data["total_rows"] != 3.0 || services["users"].(map[string]any)["count"] != 2.0 || services["db_schema"] != nil {
		t.Errorf("body %v", body)
	}
	s.clock.advance(2 * time.Hour)
	body = s.as(s.admin, http.MethodGet, "/api/health/detailed?include=schema", nil).is(200)
	services = body["services"].(map[string]any)
	if body["status"] != "degraded" || len(services["data"].(map[string]any)["stale_tables"].([]any)) != 2 || services["db_schema"] == nil || body["commit_sha"] != "abc" {
		t.Errorf("a day later: %v", body)
	}
}

func TestMissingWallsAreShown(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(d *api.Deps) {
		d.Walls = []work.Wall{{Name: "files", Held: true}, {Name: "network", Detail: "The network is open."}}
	})
	body := s.as(s.analyst, http.MethodGet, "/api/health/detailed", nil).is(http.StatusOK)
	isolation := body["services"].(map[string]any)["isolation"].(map[string]any)
	if body["status"] != "degraded" || isolation["status"] != "warning" || isolation["detail"] != "The network is open." {
		t.Errorf("%v, %v; want the missing wall", body["status"], isolation)
	}
}
