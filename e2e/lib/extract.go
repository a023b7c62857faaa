//go:build ignore

// Extract is a custom extractor for the browser journeys: it runs the SQL of its
// standard input in a new DuckDB file and puts it into place in one step.
package main

import (
	"database/sql"
	"fmt"
	"io"
	"os"

	_ "github.com/duckdb/duckdb-go/v2" // the engine
)

func main() {
	if err := run(os.Args[1], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string, in io.Reader) error {
	statements, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the statements: %w", err)
	}
	db, err := sql.Open("duckdb", file+".tmp")
	if err != nil {
		return fmt.Errorf("open a new file: %w", err)
	}
	if _, err := db.Exec(string(statements) + ";\nCHECKPOINT"); err != nil {
		return fmt.Errorf("run the statements: %w", err)
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("close the file: %w", err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return fmt.Errorf("put the file into place: %w", err)
	}
	return nil
}
