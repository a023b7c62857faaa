package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/api"
)

// looks answers for the watcher of custom sources.
type looks struct {
	renamed []string
	err     error
}

func (l *looks) Inspect(_ context.Context, by audit.Actor, source string) (syncs.Source, error) {
	if by.UserID == "" {
		return syncs.Source{}, errors.New("nobody looked")
	}
	if source != "shop" {
		return syncs.Source{}, domain.E(domain.NotFound, "source_not_found", "There is no such source.")
	}
	return syncs.Source{Name: source, State: syncs.SourceOK}, l.err
}

func (l *looks) Rename(_ context.Context, _ audit.Actor, source, table, name string, _ *string) (syncs.Source, error) {
	l.renamed = append(l.renamed, source+" "+table+" "+name)
	return syncs.Source{Name: source, State: syncs.SourceOK, Tables: []syncs.SourceName{{Table: table, Name: name, ID: "x"}}}, l.err
}

func TestSources(t *testing.T) {
	t.Parallel()
	l := &looks{}
	s := newSiteWith(t, func(d *api.Deps) { d.Sources = l })
	gone := s.clock.now().Add(-time.Hour)
	for _, src := range []syncs.Source{
		{
			Name: "shop", State: syncs.SourceOK, CheckedAt: s.clock.now(), Tables: []syncs.SourceName{{Table: "orders", Name: "shop_orders", ID: "shop_orders", Mode: "local"}},
			Problems: []syncs.Problem{{Table: "leads", Code: "name_taken", Message: "Taken.", Owner: "crm", Since: gone}, {Table: "lost", Code: "table_missing", Message: "Missing."}},
			Remote:   []syncs.Remote{{Alias: "kbc", Extension: "keboola", Code: "extension_missing", Message: "Not installed."}, {Alias: "bq", Extension: "bigquery"}},
		},
		{Name: "past", State: syncs.SourceGone, Code: "source_gone", Message: "Gone.", CheckedAt: gone, GoneAt: &gone, Tables: []syncs.SourceName{{Table: "a", Name: "a", ID: "a"}}},
	} {
		must(t, s.store.SaveSource(t.Context(), src))
	}
	s.as(s.analyst, http.MethodGet, "/api/admin/sources", nil).is(http.StatusForbidden)
	r := s.as(s.admin, http.MethodGet, "/api/admin/sources", nil)
	if r.is(http.StatusOK)["count"] != 2.0 {
		t.Errorf("body %s", r.Body)
	}
	for _, want := range []string{
		`"table":"leads","code":"name_taken","message":"Taken.","owner":"crm","since":"2026-11-22T13:31:00+00:00"`, `"owner":null,"since":null`,
		`{"alias":"kbc","extension":"keboola","state":"extension_missing","message":"Not installed.","owner":null}`, `"state":"attached"`,
		`"table":"orders","name":"shop_orders","id":"shop_orders","query_mode":"local","gone_upstream":false,"removed":true`, `"gone_upstream":true`, `"gone_at":"2026-11-22T13:31:00+00:00"`,
	} {
		if !strings.Contains(r.Body.String(), want) {
			t.Errorf("body lacks %s: %s", want, r.Body)
		}
	}
	s.as(s.analyst, http.MethodPost, "/api/admin/sources/shop/inspect", nil).is(http.StatusForbidden)
	s.as(s.admin, http.MethodPost, "/api/admin/sources/nothing/inspect", nil).is(http.StatusNotFound)
	if got := s.as(s.admin, http.MethodPost, "/api/admin/sources/shop/inspect", nil).is(http.StatusOK); got["name"] != "shop" {
		t.Errorf("looked at %v", got)
	}
	const leads = "/api/admin/sources/shop/tables/leads"
	s.as(s.analyst, http.MethodPut, leads, object{"name": "x"}).is(http.StatusForbidden)
	s.as(s.admin, http.MethodPut, leads, object{}).is(http.StatusUnprocessableEntity)
	s.as(s.admin, http.MethodPut, leads, object{"name": "shop_leads"}).is(http.StatusOK)
	if len(l.renamed) != 1 || l.renamed[0] != "shop leads shop_leads" {
		t.Errorf("renamed %q", l.renamed)
	}
	l.err = domain.FieldError("name", "That is the name of another table.")
	s.as(s.admin, http.MethodPut, leads, object{"name": "orders"}).is(http.StatusUnprocessableEntity)
	l.err = errors.New("disk I/O error: /srv/system.db")
	if body := s.as(s.admin, http.MethodPut, leads, object{"name": "orders"}); body.Code != http.StatusInternalServerError || strings.Contains(body.Body.String(), "srv") {
		t.Errorf("%d %s", body.Code, body.Body)
	}
}

// What everybody reads of outside systems names none of them.
func TestHealthOfSources(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	services := func() map[string]any {
		t.Helper()
		r := s.as(s.analyst, http.MethodGet, "/api/health/detailed", nil)
		for _, hidden := range []string{"shop", "kbc", "keboola", "KBC_TOKEN", "hidden"} {
			if strings.Contains(r.Body.String(), hidden) {
				t.Errorf("body names %s: %s", hidden, r.Body)
			}
		}
		return r.is(http.StatusOK)["services"].(map[string]any)
	}
	if got := services()["remote_attach"].(map[string]any); got["status"] != "ok" {
		t.Errorf("without sources: %v", got)
	}
	must(t, s.store.SaveSource(t.Context(), syncs.Source{
		Name: "shop", State: syncs.SourceOK, CheckedAt: s.clock.now(), Problems: []syncs.Problem{{Table: "a", Code: "b", Message: "c"}},
		Remote: []syncs.Remote{{Alias: "kbc", Extension: "keboola", Code: "token_missing", Message: "KBC_TOKEN is not set."}, {Alias: "kb2", Extension: "keboola", Code: "extension_missing", Message: "m"}},
	}))
	got := services()
	if r := got["remote_attach"].(map[string]any); r["status"] != "extension_missing" || r["count"] != 2.0 {
		t.Errorf("remote_attach = %v", r)
	}
	if r := got["sources"].(map[string]any); r["status"] != "warning" || r["count"] != 1.0 {
		t.Errorf("sources = %v", r)
	}
}

// joined makes one file of several.
type joined struct {
	file  registry.File
	asked int
}

func (j *joined) Join(context.Context, registry.Version) (registry.File, error) {
	j.asked++
	return j.file, nil
}

func TestDownloadOfSeveralFiles(t *testing.T) {
	t.Parallel()
	whole := &joined{file: registry.File{Key: "scratch/joined/v1.parquet", Bytes: 8}}
	s := newSiteWith(t, func(d *api.Deps) { d.Whole = whole })
	s.files[whole.file.Key] = "PAR1PAR1"
	table := s.mustTable("orders", nil)
	s.mustGrant("orders")
	_, err := s.store.PublishVersion(t.Context(), registry.Version{
		ID: "v1", Table: table.ID, RunID: "r1", Rows: 2, Bytes: 20, CreatedAt: s.clock.now(),
		Files: []registry.File{{Key: "versions/shop/orders/v1/0001.parquet", Bytes: 10}, {Key: "versions/shop/orders/v1/0002.parquet", Bytes: 10}},
	})
	must(t, err)
	r := s.as(s.analyst, http.MethodGet, "/api/data/orders/download", nil)
	r.is(http.StatusOK)
	if r.Body.String() != "PAR1PAR1" || r.Header().Get("ETag") != `"v1"` || r.Header().Get("Content-Length") != "8" {
		t.Errorf("%q, headers %v", r.Body, r.Header())
	}
	part := s.as(s.analyst, http.MethodGet, "/api/data/orders/download", nil, "Range", "bytes=4-")
	if part.Code != http.StatusPartialContent || part.Body.String() != "PAR1" {
		t.Errorf("range: %d %q", part.Code, part.Body)
	}
	s.as(s.analyst, http.MethodGet, "/api/data/orders/download", nil, "If-None-Match", `"v1"`).is(http.StatusNotModified)
	entry := s.as(s.analyst, http.MethodGet, "/api/sync/manifest", nil).is(200)["tables"].(map[string]any)["orders"].(map[string]any)
	if entry["hash"] != "" {
		t.Errorf("manifest: %v", entry)
	}
}
