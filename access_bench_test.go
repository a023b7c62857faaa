package main

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/people"
)

// BenchmarkAccessMatrix measures the pages of access through the router, with
// 5,000 tables, 200 groups, 2,000 people and 100,000 grants.
func BenchmarkAccessMatrix(b *testing.B) {
	ask := accessAtSize(b)
	for name, path := range map[string]string{
		"matrix":           "/admin/access",
		"matrix last page": "/admin/access?tp=50&gp=5",
		"matrix filtered":  "/admin/access?t=99&g=1",
		"nobody can see":   "/admin/access?nobody=1",
		"ends soon":        "/admin/access?soon=1",
		"gone":             "/admin/access/gone",
		"groups":           "/admin/access?view=group",
		"one group":        "/admin/access?view=group&group=g7",
		"tables":           "/admin/access?view=table",
		"one table":        "/admin/access?view=table&table=t7",
		"people":           "/admin/access?view=person",
		"one person":       "/admin/access?view=person&user=u7",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if status := ask(path); status != http.StatusOK {
					b.Fatalf("%s answers %d", path, status)
				}
			}
		})
	}
}

// accessAtSize starts a server over a large state and returns a way to ask it
// as an administrator.
func accessAtSize(b *testing.B) func(path string) int {
	b.Helper()
	env := map[string]string{"DATA_DIR": b.TempDir(), "AGNES_METRICS_ADDR": "off"}
	cfg, _, err := config.Load(config.Input{
		Getenv:  func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Machine: config.Machine{CPUs: 2, MemoryBytes: 4 << 30},
	})
	if err != nil {
		b.Fatal(err)
	}
	a, err := newApp(b.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	stopping := make(chan struct{})
	b.Cleanup(func() {
		close(stopping)
		if err := a.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	mustGrants(b, filepath.Join(a.cfg.Dirs.State, "system.db"))
	server, err := a.handler(stopping)
	if err != nil {
		b.Fatal(err)
	}
	admins, err := a.store.GetGroupByName(b.Context(), people.AdminGroup)
	if err != nil {
		b.Fatal(err)
	}
	admin, err := a.store.CreateUser(b.Context(), audit.System("test"), people.NewUser{Email: "ada@example.com", Groups: []people.GroupID{admins.ID}})
	if err != nil {
		b.Fatal(err)
	}
	v, err := a.store.StartSession(b.Context(), people.NewSession{UserID: admin.ID, Kind: people.TokenSession, Method: people.ByPassword, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	token, err := server.Tokens.Issue(admin, v)
	if err != nil {
		b.Fatal(err)
	}
	return func(path string) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		server.ServeHTTP(w, r)
		return w.Code
	}
}

// mustGrants fills the state past the store, which takes a grant at a time.
func mustGrants(b *testing.B, file string) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const upTo = ` WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `
	for _, statement := range []string{
		`INSERT INTO user_groups (id, name, name_key, created_at)` + upTo + `198) SELECT 'g' || i, 'Group ' || i, 'group ' || i, 1700000000000000 FROM n`,
		`INSERT INTO users (id, email, created_at, updated_at)` + upTo + `2000) SELECT 'u' || i, 'person' || i || '@example.com', 1700000000000000, 1700000000000000 FROM n`,
		`INSERT INTO user_group_members (user_id, group_id, source, added_at)` + upTo + `10000)
			SELECT 'u' || (i % 2000 + 1), 'g' || ((i * 7 + i / 2000 * 31) % 198 + 1), 'admin', 1700000000000000 FROM n WHERE TRUE ON CONFLICT DO NOTHING`,
		`INSERT INTO table_registry (id, name, source_type, bucket, source_table, sync_strategy, query_mode, registered_at, rev)` + upTo + `5000)
			SELECT 't' || i, 'table_' || i, CASE i % 3 WHEN 0 THEN 'keboola' WHEN 1 THEN 'bigquery' ELSE 'local' END, 'in.c-' || (i % 40), 'x', 'full_refresh', 'local', 1700000000000000, 2 FROM n`,
		`UPDATE registry_revision SET changed = 2`,
		`INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at, assigned_by, expires_at)` + upTo + `100000)
			SELECT 'r' || i, 'g' || ((i % 5000 * 7 + i / 5000 * 9) % 198 + 1), 'table', 't' || (i % 5000 + 1), 1700000000000000, 'ada@example.com',
				CASE i % 50 WHEN 0 THEN 4000000000000000 END
			FROM n WHERE TRUE ON CONFLICT DO NOTHING`,
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	var grants int
	if err := db.QueryRowContext(b.Context(), `SELECT count(*) FROM resource_grants`).Scan(&grants); err != nil || grants < 95_000 {
		b.Fatalf("%d grants, %v", grants, err)
	}
}
