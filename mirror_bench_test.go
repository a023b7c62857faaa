package main

import (
	"database/sql"
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"agnes/domain/config"
	"agnes/domain/work"
)

// auditRows is how large a state the mirror is measured with.
const auditRows = 1_000_000

// BenchmarkMirror measures publishing the state's mirror with a million rows of
// audit: SQLite, a child, DuckDB, rename.
func BenchmarkMirror(b *testing.B) {
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
	defer func() {
		if err := a.Close(b.Context()); err != nil {
			b.Error(err)
		}
	}()
	mustAuditRows(b, filepath.Join(a.cfg.Dirs.State, "system.db"))
	before := childSeconds(b)
	for b.Loop() {
		path, made, err := a.children.Mirror(b.Context(), func(emit func(work.StateRows) error) error { return a.store.Export(b.Context(), emit) })
		if err != nil {
			b.Fatal(err)
		}
		if made.Rows["audit_log"] < auditRows {
			b.Fatalf("the mirror has %d rows of audit", made.Rows["audit_log"])
		}
		if err := a.store.PlaceMirror(b.Context(), path); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(auditRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric((childSeconds(b)-before)/float64(b.N), "child-cpu-s/op")
}

// childSeconds is the processor time of children that have ended, in seconds.
func childSeconds(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// mustAuditRows fills the audit log, past the store, which takes a row at a time.
func mustAuditRows(b *testing.B, file string) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(b.Context(), `
		INSERT INTO audit_log (id, timestamp, user_id, user_email, action, resource, params, params_before, result, duration_ms, client_ip, client_kind, correlation_id)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT printf('01J%023d', i), 1700000000000000 + i * 1000000, 'u' || (i % 200), 'person' || (i % 200) || '@example.com', 'catalog.sample',
			'table:orders_' || (i % 500), '{"n":5,"table":"orders"}', '', 'success', i % 900, '10.0.0.' || (i % 250), 'web', printf('%032x', i)
		FROM n`, auditRows)
	if err != nil {
		b.Fatal(err)
	}
}
