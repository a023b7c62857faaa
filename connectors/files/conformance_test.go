package files

import (
	"context"
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
		Connector: Connector{}, Name: "files", Dir: dir, Source: "files", Query: warehousetest.Query, Failure: warehouse.FailureOf,
		Sink:     func(job work.ExtractJob, tell func(work.Event)) work.Sink { return store.Sink(job, tell) },
		Item:     func(table string) string { return table + ".parquet" },
		Empty:    "file_no_rows",
		BadItems: []string{"orders.exe", "/etc/passwd.csv"},
		Rebuild: func(ctx context.Context, sources []work.RebuildSource) (work.Rebuilt, error) {
			return store.Rebuild(ctx, sources, nil)
		},
		Put: func(t *testing.T, table, rows string) {
			t.Helper()
			file := place(t, dir, table)
			warehousetest.Exec(t, "COPY ("+rows+") TO '"+file+"' (FORMAT parquet)")
		},
		Break: func(t *testing.T, table string) {
			t.Helper()
			if err := os.WriteFile(place(t, dir, table), []byte("PAR1 is not enough PAR1"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func place(t *testing.T, dir, table string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o750); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "files", table+".parquet")
}
