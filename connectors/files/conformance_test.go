package files

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // the plain client

	"agnes/connectors/conformance"
	"agnes/domain/work"
	"agnes/store/warehouse"
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
		Connector: Connector{}, Name: "files", Dir: dir, Source: "files", Query: query, Failure: warehouse.FailureOf,
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
			db, err := sql.Open("duckdb", "")
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, "COPY ("+rows+") TO '"+file+"' (FORMAT parquet)")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		},
		Break: func(t *testing.T, table string) {
			t.Helper()
			if err := os.WriteFile(place(t, dir, table), []byte("PAR1 is not enough PAR1"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// query runs statements in a plain DuckDB client and returns the rows of the last.
func query(t *testing.T, statement string) []string {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if before, last, found := strings.Cut(statement, "; "); found && strings.HasPrefix(before, "ATTACH") {
		mustExec(t, db, before)
		statement = last
	}
	rows, err := db.QueryContext(t.Context(), "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ("+statement+")")
	if err != nil {
		t.Fatalf("%.300s: %v", statement, err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells, into := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range cells {
		into[i] = &cells[i]
	}
	var all []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		line := make([]string, len(cells))
		for i, c := range cells {
			if line[i] = c.String; !c.Valid {
				line[i] = "∅"
			}
		}
		all = append(all, strings.Join(line, "|"))
	}
	return all
}

func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%.300s: %v", s, err)
		}
	}
}

func place(t *testing.T, dir, table string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o750); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "files", table+".parquet")
}
