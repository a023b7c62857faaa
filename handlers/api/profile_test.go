package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// profiles makes the same profile of every table.
type profiles struct{}

func (profiles) Profile(_ context.Context, job work.ProfileJob) (profile.Profile, error) {
	if job.Table == "broken" {
		return profile.Profile{}, &work.ChildError{Failure: work.Failure{Code: "child_died", Message: "The work ended."}, Kind: domain.Unavailable}
	}
	p := profile.Profile{RowCount: 3, CountedRows: 3, ColumnCount: 2, Columns: []profile.Column{
		{Name: "id", Type: "BIGINT", Category: profile.Numeric, UniqueCount: 3, UniqueExact: true, Numeric: &profile.NumericStats{Min: "1", Max: "9223372036854775807"}},
		{Name: "name", Type: "VARCHAR", Category: profile.String, NullCount: 1, UniqueCount: 2, String: &profile.StringStats{TopValues: []profile.TopValue{{Value: "secret", Count: 1, Pct: 50}}}},
	}}
	p.Finish(profile.DefaultSettings())
	return p, nil
}

// mustProfiler works off what is asked for, while the test runs.
func (s *site) mustProfiler() {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.profiler.Work(ctx)
	}()
	s.t.Cleanup(func() {
		stop()
		<-done
	})
}

func TestProfileOfATable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", func(t *registry.Table) {
		t.PrimaryKey, t.Description, t.ProfileAfterSync = []string{"ID"}, "One row per order", false
	}, 3)
	s.mustGrant("orders")
	const path = "/api/catalog/profile/ORDERS"
	if detail := s.as(s.analyst, http.MethodGet, path, nil).is(404)["detail"]; !strings.Contains(detail.(string), "no profile yet") {
		t.Errorf("detail %v", detail)
	}
	s.mustProfiler()
	made := s.as(s.analyst, http.MethodPost, path+"/refresh", nil).is(200)
	if made["status"] != "ok" || made["table"] != "orders" || made["columns"] != 2.0 {
		t.Errorf("refresh answers %v", made)
	}
	reply := s.as(s.analyst, http.MethodGet, path, nil)
	got := reply.is(200)
	if got["table_id"] != "orders" || got["description"] != "One row per order" || got["row_count"] != 3.0 || got["current"] != true || got["profiled_at"] != "2026-11-22T14:31:00+00:00" {
		t.Errorf("profile %v", got)
	}
	for _, want := range []string{
		`"max":9223372036854775807`, `"is_primary_key":true`, `"type_category":"STRING"`, `"top_values":[{"value":"secret","count":1,"pct":50}]`, `"related_tables":[]`, `"used_by_metrics":[]`,
		`"date_range":null`, `"missing_cells":1`, `"alerts":["unique"]`,
	} {
		if !strings.Contains(reply.Body.String(), want) {
			t.Errorf("no %s in %s", want, reply.Body)
		}
	}
	if countOf(s.audited("catalog.profile"), "success") != 1 || countOf(s.audited("catalog.profile_refresh"), "success") != 1 {
		t.Error("looks at profiles are not audited")
	}
}

// Counting what is counted already is for administrators.
func TestRefreshOfACurrentProfile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	table := s.mustTable("orders", nil, 3)
	s.mustGrant("orders")
	s.mustProfiler()
	at := func() string {
		return s.as(s.analyst, http.MethodGet, "/api/catalog/profile/orders", nil).is(200)["profiled_at"].(string)
	}
	refresh := func(u people.User) {
		s.as(u, http.MethodPost, "/api/catalog/profile/orders/refresh", nil).is(200)
	}
	refresh(s.admin)
	first := at()
	s.clock.advance(1e9)
	if refresh(s.analyst); at() != first {
		t.Error("an analyst has a current profile counted again")
	}
	if refresh(s.admin); at() == first {
		t.Error("an administrator does not get a current profile counted again")
	}
	s.mustPublish(table, 4)
	if got := s.as(s.analyst, http.MethodGet, "/api/catalog/profile/orders", nil).is(200); got["current"] != false {
		t.Errorf("the profile of an older version: %v", got["current"])
	}
	refresh(s.analyst)
	if got := s.as(s.analyst, http.MethodGet, "/api/catalog/profile/orders", nil).is(200); got["current"] != true {
		t.Error("a profile of an older version is not refreshed")
	}
}

// A profile is content of rows: without a grant there is none.
func TestProfileNeedsAGrant(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("salaries", nil, 3)
	s.mustProfiler()
	s.as(s.admin, http.MethodPost, "/api/catalog/profile/salaries/refresh", nil).is(200)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		path := "/api/catalog/profile/salaries"
		if method == http.MethodPost {
			path += "/refresh"
		}
		denied, absent := s.as(s.analyst, method, path, nil), s.as(s.analyst, method, strings.Replace(path, "salaries", "nothing", 1), nil)
		denied.is(403)
		absent.is(403)
		if strings.Contains(denied.Body.String(), "secret") {
			t.Errorf("%s tells %s", method, denied.Body)
		}
		s.as(people.User{}, method, path, nil).is(401)
		s.as(s.admin, method, strings.Replace(path, "salaries", "nothing", 1), nil).is(404)
	}
	s.mustGrant("salaries")
	s.as(s.analyst, http.MethodGet, "/api/catalog/profile/salaries", nil).is(200)
	grants, err := s.store.ListGrants(t.Context(), access.GrantFilter{})
	must(t, err)
	must(t, s.store.DeleteGrant(t.Context(), tester, grants[0].ID))
	s.as(s.analyst, http.MethodGet, "/api/catalog/profile/salaries", nil).is(403)
}

func TestProfileFailures(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("broken", nil, 3)
	s.mustTable("new", nil)
	s.mustProfiler()
	s.as(s.admin, http.MethodPost, "/api/catalog/profile/broken/refresh", nil).is(503)
	s.as(s.admin, http.MethodPost, "/api/catalog/profile/new/refresh", nil).is(404)
	s.as(s.admin, http.MethodGet, "/api/catalog/profile/new", nil).is(404)
}

// TestNumbersOfAProfileAreDescribedAsSuch: of any size, and null where there is none.
func TestNumbersOfAProfileAreDescribedAsSuch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	document := s.as(s.analyst, http.MethodGet, "/openapi.json", nil).is(http.StatusOK)
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	fields := schemas["NumericStats"].(map[string]any)["properties"].(map[string]any)
	for _, name := range []string{"min", "max", "mean"} {
		if got := fmt.Sprint(fields[name].(map[string]any)["type"]); got != "[number null]" {
			t.Errorf("%s is described as %s", name, got)
		}
	}
}
