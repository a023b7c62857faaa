package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/people"
)

// countOf counts the rows with a result.
func countOf(entries []audit.Entry, result string) int {
	n := 0
	for _, e := range entries {
		if e.Result == result {
			n++
		}
	}
	return n
}

// Every way to data writes exactly one row, also when it is refused. The walk
// is over all operations about data, so that a new one is not forgotten.
func TestReadsOfDataAreInTheLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 25)
	s.mustTable("secret", nil, 1)
	s.mustGrant("orders")
	s.engine.numbers(10, 10)
	run := "/api/query/runs/" + s.run(s.analyst, "SELECT n FROM orders")
	s.mustToken(s.admin) // signing in is a row of its own
	tests := []struct {
		who                      people.User
		method, path, body       string
		status                   int
		action, result, resource string
	}{
		{s.analyst, http.MethodGet, "/api/catalog/tables", "", 200, "catalog.list", "success", "catalog"},
		{s.analyst, http.MethodGet, "/api/v2/catalog", "", 200, "catalog.list", "success", "catalog"},
		{s.analyst, http.MethodGet, "/api/v2/schema/orders", "", 200, "catalog.schema", "success", "table:orders"},
		{s.analyst, http.MethodGet, "/api/v2/schema/secret", "", 403, "catalog.schema", "error.403", "table:secret"},
		{s.admin, http.MethodGet, "/api/v2/schema/nothing", "", 404, "catalog.schema", "error.404", "table:nothing"},
		{s.analyst, http.MethodGet, "/api/v2/sample/orders", "", 200, "catalog.sample", "success", "table:orders"},
		{s.analyst, http.MethodGet, "/api/v2/sample/secret", "", 403, "catalog.sample", "error.403", "table:secret"},
		{s.analyst, http.MethodGet, "/api/catalog/profile/secret", "", 403, "catalog.profile", "error.403", "table:secret"},
		{s.analyst, http.MethodPost, "/api/catalog/profile/secret/refresh", "", 403, "catalog.profile_refresh", "error.403", "table:secret"},
		{s.analyst, http.MethodGet, "/api/data/orders/check-access", "", 204, "data.access_check", "success", "table:orders"},
		{s.analyst, http.MethodGet, "/api/data/orders/download", "", 200, "data.download", "success", "table:orders"},
		{s.analyst, http.MethodGet, "/api/data/secret/download", "", 403, "data.download", "error.403", "table:secret"},
		{s.analyst, http.MethodGet, "/api/sync/manifest", "", 200, "manifest.fetch", "ok", "manifest"},
		{s.analyst, http.MethodPost, "/api/query", `{"sql":"SELECT n FROM orders"}`, 200, "query.local", "success", "table:orders"},
		{s.analyst, http.MethodGet, run + "/rows", "", 200, "query.result", "success", ""},
		{s.admin, http.MethodGet, run + "/rows", "", 404, "query.result", "error.404", ""},
		{s.analyst, http.MethodGet, run + "/export?format=csv", "", 200, "query.export", "success", ""},
		{s.admin, http.MethodGet, run + "/export?format=csv", "", 404, "query.export", "error.404", ""},
	}
	walked := []string{}
	for _, tt := range tests {
		before := len(s.all())
		var body any
		if tt.body != "" {
			body = tt.body
		}
		s.as(tt.who, tt.method, tt.path, body).is(tt.status)
		rows := s.all()
		rows = rows[:len(rows)-before]
		if len(rows) != 1 || rows[0].Action != tt.action || rows[0].Result != tt.result || tt.resource != "" && rows[0].Resource != tt.resource ||
			rows[0].Actor.UserID != string(tt.who.ID) || rows[0].Actor.ClientIP == "" || rows[0].Actor.RequestID == "" {
			t.Errorf("%s %s: %+v, want one row %s %s %s", tt.method, tt.path, rows, tt.action, tt.result, tt.resource)
		}
		walked = append(walked, tt.path)
	}
	for path, item := range s.api.OpenAPI().Paths {
		get := item.Get
		if get == nil || !slices.Contains([]string{"Catalog", "Query", "Data"}, get.Tags[0]) {
			continue
		}
		named := strings.NewReplacer("{id}", "ID", "{table_name}", "ID").Replace(path)
		known := slices.ContainsFunc(walked, func(w string) bool {
			w, _, _ = strings.Cut(w, "?")
			w = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(w, run, "/api/query/runs/ID"), "/orders", "/ID"), "/secret", "/ID")
			return w == named
		})
		if !known && !slices.Contains(noData(), path) {
			t.Errorf("%s is not walked; add it here, or to noData when it hands out no data", path)
		}
	}
}

// noData are the operations beside data that hand out none.
func noData() []string {
	return []string{"/api/query/runs", "/api/query/runs/{id}", "/api/query/usage"}
}

// all returns every row of the log, newest first.
func (s *site) all() []audit.Entry {
	s.t.Helper()
	entries, err := s.store.ListAudit(s.t.Context(), 0)
	must(s.t, err)
	return entries
}
