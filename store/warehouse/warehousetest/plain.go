// Package warehousetest reads and writes files as a plain DuckDB client does, for
// the tests of packages that make or read them.
package warehousetest

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // the plain client
)

// Exec runs statements in a client of their own, one after the other.
func Exec(t *testing.T, statements ...string) {
	t.Helper()
	db := open(t)
	for _, s := range statements {
		exec(t, db, s)
	}
}

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%.300s: %v", statement, err)
	}
}

// Query runs a query, behind "ATTACH …; " if it needs one, and returns its rows as
// texts with | between, NULL as ∅.
func Query(t *testing.T, statement string) []string {
	t.Helper()
	db := open(t)
	if before, last, found := strings.Cut(statement, "; "); found && strings.HasPrefix(before, "ATTACH") {
		exec(t, db, before)
		statement = last
	}
	rows, err := db.QueryContext(t.Context(), "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ("+statement+")") //nolint:gosec // a statement of the test itself
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
