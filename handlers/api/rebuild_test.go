package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

func TestRebuildIsForAdministrators(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		s.as(people.User{}, method, "/api/admin/rebuild", nil).is(401)
		s.as(s.analyst, method, "/api/admin/rebuild", nil).is(403)
	}
	if s.rebuilds != 0 {
		t.Errorf("%d rebuilds for people who may not", s.rebuilds)
	}
}

func TestRebuildNow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.as(s.admin, http.MethodPost, "/api/admin/rebuild", nil).is(200)
	problem := body["problems"].([]any)[0].(map[string]any)
	if s.rebuilds != 1 || body["views"] != 311.0 || body["generation"] != 7.0 || body["unchanged"] != false {
		t.Errorf("%d rebuilds, body %v", s.rebuilds, body)
	}
	if problem["code"] != "version_missing" || problem["source"] != "crm" || problem["table"] != "deals" || problem["message"] == "" || problem["served"] != false {
		t.Errorf("problem %v", problem)
	}
}

func TestGetRebuild(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	empty := s.as(s.admin, http.MethodGet, "/api/admin/rebuild", nil).is(200)
	if empty["last"] != nil || len(empty["recent"].([]any)) != 0 || len(empty["damaged"].([]any)) != 0 {
		t.Errorf("before the first: %v", empty)
	}
	must(t, s.store.SaveRebuild(t.Context(), syncs.Rebuild{
		ID: "r1", StartedAt: s.clock.now(), FinishedAt: s.clock.now(), State: syncs.OK, Views: 3, Generation: 2,
		Problems: []work.Problem{{Source: "crm", Table: "deals", Code: work.VersionDamaged, Message: "Damaged.", Served: true}, {Source: "crm", Table: "gone", Code: work.VersionMissing, Message: "Missing."}},
	}))
	body := s.as(s.admin, http.MethodGet, "/api/admin/rebuild", nil).is(200)
	last := body["last"].(map[string]any)
	if last["views"] != 3.0 || last["left_out"] != 1.0 || len(last["problems"].([]any)) != 2 || last["code"] != nil {
		t.Errorf("last %v", last)
	}
	services := s.as(s.admin, http.MethodGet, "/api/health/detailed", nil).is(200)["services"].(map[string]any)
	if rebuild := services["rebuild"].(map[string]any); rebuild["status"] != "warning" || rebuild["detail"] != "The last rebuild left out 1." {
		t.Errorf("health says %v", rebuild)
	}
	must(t, s.store.SaveRebuild(t.Context(), syncs.Rebuild{
		ID: "r2", StartedAt: s.clock.now(), FinishedAt: s.clock.now().Add(time.Second), State: syncs.Failed, Code: "child_killed", Message: "It was ended.", NextStep: "Try again.",
	}))
	services = s.as(s.admin, http.MethodGet, "/api/health/detailed", nil).is(200)["services"].(map[string]any)
	rebuild := services["rebuild"].(map[string]any)
	if _, counted := rebuild["tables"]; counted || rebuild["status"] != "error" || !strings.Contains(rebuild["detail"].(string), "served") {
		t.Errorf("health says %v of a rebuild that failed", rebuild)
	}
}

func TestGetRebuildNamesDamage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	table := s.mustTable("orders", nil, 3)
	newest := s.mustPublish(table, 4)
	versions, err := s.store.ListVersions(t.Context(), table.ID)
	must(t, err)
	before := versions[0]
	if before.ID == newest.ID {
		before = versions[1]
	}
	_, err = s.store.QuarantineVersion(t.Context(), syncs.Damage{
		Version: newest.ID, Table: table.ID, Name: "orders", FoundAt: s.clock.now(), Code: work.FileChanged,
		Message: "The newest rows of orders are damaged.", Outcome: syncs.ServesEarlier, Serves: before.ID,
	})
	must(t, err)
	damaged := s.as(s.admin, http.MethodGet, "/api/admin/rebuild", nil).is(200)["damaged"].([]any)
	if len(damaged) != 1 {
		t.Fatalf("damaged %v", damaged)
	}
	if d := damaged[0].(map[string]any); d["table_id"] != "orders" || d["version"] != string(newest.ID) || d["serves"] != string(before.ID) || d["serves_rows"] != 3.0 {
		t.Errorf("damage %v", d)
	}
}
