package custom

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"agnes/connectors/conformance"
	"agnes/domain/work"
	"agnes/store/warehouse"
	"agnes/store/warehouse/warehousetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, subject)
}

// subject is the connector over a real warehouse in a folder of its own.
func subject(t *testing.T) conformance.Subject {
	t.Helper()
	dir := t.TempDir()
	store, err := warehouse.NewStore(dir, work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/conformance"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Subject{
		Connector: Connector{}, Name: "custom", Dir: dir, Source: "shop", Query: warehousetest.Query, Failure: warehouse.FailureOf,
		Sink:     func(job work.ExtractJob, tell func(work.Event)) work.Sink { return store.Sink(job, tell) },
		BadItems: []string{"select * from x", `we"ird`, "_meta2"},
		Put: func(t *testing.T, table, rows string) {
			t.Helper()
			file := place(t, dir)
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			warehousetest.Exec(t, "ATTACH '"+file+"' AS x",
				"CREATE TABLE x._meta (table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')",
				"CREATE TABLE x.main."+table+" AS "+rows, "INSERT INTO x._meta SELECT '"+table+"', '', count(*), 0, now() AT TIME ZONE 'UTC', 'local' FROM x.main."+table,
				"CHECKPOINT x", "DETACH x")
		},
		Break: func(t *testing.T, _ string) {
			t.Helper()
			if err := os.WriteFile(place(t, dir), []byte("no DuckDB file"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func place(t *testing.T, dir string) string {
	t.Helper()
	folder := filepath.Join(dir, "extracts", "shop")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "extract.duckdb")
}
