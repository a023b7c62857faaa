package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/registry"
)

func TestManifest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", func(t *registry.Table) { t.ID = "orders_id" }, 25)
	s.mustTable("secret", nil, 1)
	s.mustTable("new", nil)
	s.mustGrant("orders_id")
	s.mustGrant("new")
	body := s.as(s.analyst, http.MethodGet, "/api/sync/manifest", nil).is(http.StatusOK)
	tables := body["tables"].(map[string]any)
	if len(tables) != 1 {
		t.Fatalf("tables %v", tables)
	}
	got := tables["orders"].(map[string]any)
	for key, want := range map[string]any{
		"hash": "0123456789abcdef0123456789abcdef", "size_bytes": 100.0, "rows": 25.0, "query_mode": "local", "source_type": "local",
		"updated": "2026-11-22T14:31:00+00:00",
	} {
		if got[key] != want {
			t.Errorf("%s = %v, want %v", key, got[key], want)
		}
	}
	if body["server_time"] != "2026-11-22T14:31:00+00:00" || body["assets"] == nil {
		t.Errorf("body %v", body)
	}
	if n := len(s.as(s.admin, http.MethodGet, "/api/sync/manifest", nil).is(200)["tables"].(map[string]any)); n != 2 {
		t.Errorf("an administrator pulls %d tables, want 2", n)
	}
	u, err := s.store.GetUser(t.Context(), s.analyst.ID)
	must(t, err)
	entries := s.audited("manifest.fetch")
	if u.LastPullAt == nil || len(entries) != 2 || entries[0].Actor.ClientKind != "api" || entries[0].Result != "ok" {
		t.Errorf("last pull %v, audit %+v", u.LastPullAt, entries)
	}
}

// However many tables there are, a list takes the same number of statements.
func TestListsTakeAFixedNumberOfStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	paths := []string{"/api/sync/manifest", "/api/catalog/tables", "/api/v2/catalog", "/api/admin/registry", "/api/users", "/api/admin/groups", "/api/admin/grants", "/api/sync/runs"}
	count := func() []int64 {
		var counts []int64
		for _, path := range paths {
			s.as(s.admin, http.MethodGet, path, nil).is(http.StatusOK) // the second time, so that nothing new is read
			before := s.store.Queries()
			s.as(s.admin, http.MethodGet, path, nil).is(http.StatusOK)
			counts = append(counts, s.store.Queries()-before)
		}
		return counts
	}
	few := count()
	for i := range 20 {
		name := fmt.Sprintf("table_%d", i)
		s.mustTable(name, nil, 1)
		s.mustGrant(name)
		s.mustUser(name + "@example.com")
	}
	for i, many := range count() {
		if many != few[i] {
			t.Errorf("%s: %d statements for few, %d for many", paths[i], few[i], many)
		}
	}
}

func TestTrigger(t *testing.T) {
	t.Parallel()
	const all = "all"
	tests := []struct {
		name   string
		body   any
		status int
		tables any
		queued string
	}{
		{"no body", nil, 200, all, "due orders"},
		{"null", "null", 200, all, "due orders"},
		{"ids", `["orders"]`, 200, []any{"orders"}, "orders"},
		{"an id that is not due", `["rested"]`, 200, []any{"rested"}, "rested"},
		{"an object", `{"tables":["orders","due"],"reason":"x"}`, 200, []any{"orders", "due"}, "due orders"},
		{"an object with null", `{"tables":null}`, 200, all, "due orders"},
		{"an object without", `{}`, 200, all, "due orders"},
		{"nothing named", `[]`, 200, []any{}, ""},
		{"one that stays outside", `["far"]`, 200, []any{"far"}, ""},
		{"one that stays outside among others", `["far","orders"]`, 200, []any{"far", "orders"}, "orders"},
		{"an unknown id", `["orders","nothing"]`, 404, nil, ""},
		{"a text", `"orders"`, 422, nil, ""},
		{"a number", `7`, 422, nil, ""},
		{"numbers", `[7]`, 422, nil, ""},
		{"null among ids", `["orders",null]`, 422, nil, ""},
		{"tables that are no list", `{"tables":"orders"}`, 422, nil, ""},
		{"no JSON", `[`, 422, nil, ""},
		{"two values", `[] []`, 422, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.mustTable("orders", nil)
			s.mustTable("rested", func(t *registry.Table) { t.SyncSchedule = "every 2h" }, 1)
			s.mustTable("due", func(t *registry.Table) { t.SyncSchedule = "every 15m" }, 1)
			s.mustTable("far", func(t *registry.Table) { t.QueryMode = registry.ModeRemote })
			s.clock.advance(time.Hour)
			body := s.as(s.admin, http.MethodPost, "/api/sync/trigger", tt.body).is(tt.status)
			if tt.status == http.StatusOK {
				if list, ok := tt.tables.([]any); ok {
					if got, ok := body["tables"].([]any); !ok || len(got) != len(list) {
						t.Errorf("tables %v, want %v", body["tables"], list)
					}
				} else if body["tables"] != tt.tables {
					t.Errorf("tables %v, want %v", body["tables"], tt.tables)
				}
				if body["status"] != "triggered" || body["message"] == "" {
					t.Errorf("body %v", body)
				}
			}
			if got := s.live(); got != tt.queued {
				t.Errorf("queued %q, want %q", got, tt.queued)
			}
		})
	}
}

// live names the tables with a live run, in order of their names.
func (s *site) live() string {
	s.t.Helper()
	runs, err := s.store.LiveRuns(s.t.Context())
	must(s.t, err)
	on := map[string]bool{}
	for _, r := range runs {
		on[r.Name] = true
	}
	var names []string
	for _, name := range []string{"due", "far", "orders", "rested"} {
		if on[name] {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func TestTriggerTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil)
	s.mustTable("customers", nil)
	s.as(s.admin, http.MethodPost, "/api/sync/trigger", `["orders"]`).is(http.StatusOK)
	if body := s.as(s.analyst, http.MethodGet, "/api/sync/status", nil).is(200); body["locked"] != true {
		t.Errorf("status %v", body)
	}
	body := s.as(s.admin, http.MethodPost, "/api/sync/trigger", `["orders"]`).is(http.StatusConflict)
	if body["detail"] != "sync_already_in_progress" {
		t.Errorf("detail %v", body["detail"])
	}
	s.as(s.admin, http.MethodPost, "/api/sync/trigger", `["orders","customers"]`).is(http.StatusOK)
	results := map[string]int{}
	for _, e := range s.audited("sync.trigger") {
		results[e.Result]++
	}
	if results["success"] != 2 || results["error.in_progress"] != 1 {
		t.Errorf("audit rows by result: %v", results)
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orders := s.mustTable("orders", nil, 3)
	s.mustTable("customers", nil)
	s.as(s.admin, http.MethodPost, "/api/sync/trigger", `["customers"]`).is(http.StatusOK)

	list := func(query string) []any {
		return s.as(s.admin, http.MethodGet, "/api/sync/runs"+query, nil).is(200)["runs"].([]any)
	}
	if got := list(""); len(got) != 2 {
		t.Fatalf("%d runs", len(got))
	}
	if got := list("?limit=1"); len(got) != 1 {
		t.Errorf("limit=1: %d runs", len(got))
	}
	done := list("?table=" + string(orders.ID))[0].(map[string]any)
	if done["state"] != "ok" || done["name"] != "orders" || done["rows"] != 3.0 || done["code"] != nil {
		t.Errorf("the run that ended: %v", done)
	}
	one := s.as(s.admin, http.MethodGet, "/api/sync/runs/"+done["id"].(string), nil).is(200)
	steps := one["steps"].([]any)
	if one["id"] != done["id"] || len(steps) == 0 || steps[0].(map[string]any)["phase"] != "extract" {
		t.Errorf("with steps: %v", one)
	}
	waiting := list("?state=queued")[0].(map[string]any)
	path := "/api/sync/runs/" + waiting["id"].(string) + "/cancel"
	if body := s.as(s.admin, http.MethodPost, path, nil).is(200); body["state"] != "cancelled" {
		t.Errorf("cancelled: %v", body)
	}
	s.as(s.admin, http.MethodPost, path, nil).is(http.StatusConflict)
	s.as(s.admin, http.MethodGet, "/api/sync/runs/nothing", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodPost, "/api/sync/runs/nothing/cancel", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodGet, "/api/sync/runs?state=wrong", nil).is(http.StatusUnprocessableEntity)
	if len(s.audited("sync.cancel")) != 1 {
		t.Error("cancelling left no audit row")
	}
}
