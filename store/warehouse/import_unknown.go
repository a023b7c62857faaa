package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agnes/domain/imports"
	"agnes/domain/work"
)

// unknownColumns counts the values of the columns of a table that no schema
// names. types are its columns, by lower-case name.
func unknownColumns(ctx context.Context, db *sql.DB, t imports.Table, types map[string]string) (map[string]int64, error) {
	unknown := map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if slices.ContainsFunc(t.Columns, func(c imports.Column) bool { return strings.EqualFold(c.Name, name) }) {
			continue
		}
		var n int64
		if err := db.QueryRowContext(ctx, "SELECT count("+quoteIdent(name)+") FROM "+predecessor+".main."+quoteIdent(t.Name)).Scan(&n); err != nil {
			return nil, fmt.Errorf("count the values of a column: %w", err)
		}
		unknown[shorten(name, 200)] += n
	}
	return unknown, nil
}

// reportUnknown reports the tables that no schema names with how many rows they
// have. The old server's search index is none: it is made of other rows.
func reportUnknown(ctx context.Context, db *sql.DB, report Report) error {
	tables, err := collect(ctx, db, "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '"+predecessor+"' ORDER BY ALL", func(r *sql.Rows) ([2]string, error) {
		var t [2]string
		return t, r.Scan(&t[0], &t[1])
	})
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		if knownTable(t[0], t[1]) {
			continue
		}
		var n int64
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+predecessor+"."+quoteIdent(t[0])+"."+quoteIdent(t[1])).Scan(&n); err != nil {
			return fmt.Errorf("count the rows of a table: %w", err)
		}
		name := t[1]
		if t[0] != "main" {
			name = t[0] + "." + t[1]
		}
		report(work.Event{State: &work.StateRows{Table: shorten(name, 200), Unknown: map[string]int64{"*": n}}})
	}
	return nil
}

func knownTable(schema, table string) bool {
	if indexed, found := strings.CutPrefix(schema, "fts_main_"); found {
		schema, table = "main", indexed
	}
	_, known := imports.Find(strings.ToLower(table))
	return schema == "main" && (known || strings.EqualFold(table, "schema_version"))
}
