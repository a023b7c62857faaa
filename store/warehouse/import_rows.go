package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"agnes/domain/imports"
	"agnes/domain/work"
)

// readTable reports all rows of a table, and which of its columns are not
// there. Rows go by their place in the file, a bounded number at a time.
func readTable(ctx context.Context, db *sql.DB, t imports.Table, report Report) error {
	types, err := columnTypes(ctx, db, t.Name)
	if err != nil {
		return err
	}
	b := &batch{table: t, report: report}
	b.next.Table = t.Name
	if len(types) == 0 {
		b.next.Absent = []string{"*"}
		b.flush()
		return nil
	}
	if b.next.Unknown, err = unknownColumns(ctx, db, t, types); err != nil {
		return err
	}
	cells := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		kind, there := types[strings.ToLower(c.Name)]
		if !there {
			b.next.Absent = append(b.next.Absent, c.Name)
		}
		cells[i] = cellText(c, kind)
	}
	from := predecessor + ".main." + quoteIdent(t.Name)
	var last sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT max(rowid) FROM "+from).Scan(&last); err != nil {
		return fmt.Errorf("find the last row: %w", err)
	}
	for start := int64(0); last.Valid && start <= last.Int64; start += importStep {
		query := fmt.Sprintf("SELECT %s FROM %s WHERE rowid >= %d AND rowid < %d ORDER BY rowid", strings.Join(cells, ", "), from, start, start+importStep)
		rows, err := collect(ctx, db, query, scanTexts(len(cells)))
		if err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		for _, row := range rows {
			b.add(row)
		}
	}
	b.flush()
	return nil
}

// columnTypes returns the types of a table's columns by lower-case name.
func columnTypes(ctx context.Context, db *sql.DB, table string) (map[string]string, error) {
	query := `SELECT lower(column_name), data_type FROM duckdb_columns() WHERE database_name = '` + predecessor + `'
		AND schema_name = 'main' AND lower(table_name) = ` + quoteLiteral(table)
	pairs, err := collect(ctx, db, query, func(r *sql.Rows) ([2]string, error) {
		var p [2]string
		return p, r.Scan(&p[0], &p[1])
	})
	if err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	types := make(map[string]string, len(pairs))
	for _, p := range pairs {
		types[p[0]] = p[1]
	}
	return types, nil
}

// cellText is the expression that makes text of a column that has type kind there,
// or of none.
func cellText(c imports.Column, kind string) string {
	name := quoteIdent(c.Name)
	switch {
	case kind == "":
		return "NULL"
	case strings.HasPrefix(kind, "TIMESTAMP") && c.Type == imports.Time:
		// An infinite time has no microseconds; its own word says what it is.
		return fmt.Sprintf("CASE WHEN isfinite(%[1]s) THEN CAST(epoch_us(%[1]s) AS VARCHAR) ELSE CAST(%[1]s AS VARCHAR) END", name)
	case strings.HasSuffix(kind, "[]"), strings.HasPrefix(kind, "STRUCT"), strings.HasPrefix(kind, "MAP"):
		return "CAST(to_json(" + name + ") AS VARCHAR)"
	case kind == "BLOB":
		return "hex(" + name + ")"
	}
	return "CAST(" + name + " AS VARCHAR)"
}

func scanTexts(n int) func(*sql.Rows) ([]*string, error) {
	return func(r *sql.Rows) ([]*string, error) {
		row := make([]*string, n)
		into := make([]any, n)
		for i := range row {
			into[i] = &row[i]
		}
		return row, r.Scan(into...) //nolint:wrapcheck // the caller says what it read
	}
}

// batch gathers rows to events of a bounded size.
type batch struct {
	table  imports.Table
	report Report
	next   work.StateRows
	bytes  int
}

func (b *batch) add(row []*string) {
	size := 0
	for _, c := range row {
		if c != nil {
			size += len(*c)
		}
	}
	if size > importRow {
		b.next.TooLarge = append(b.next.TooLarge, shorten(b.key(row), 200))
		return
	}
	b.next.Rows = append(b.next.Rows, row)
	if b.bytes += size; b.bytes >= importBatch || len(b.next.Rows) >= importStep {
		b.flush()
	}
}

// key names a row by its key.
func (b *batch) key(row []*string) string {
	var parts []string
	for i, c := range b.table.Columns {
		if c.Key && row[i] != nil {
			parts = append(parts, *row[i])
		}
	}
	return strings.Join(parts, "/")
}

func (b *batch) flush() {
	if len(b.next.Rows)+len(b.next.Absent)+len(b.next.TooLarge)+len(b.next.Unknown) > 0 {
		b.report(work.Event{State: &b.next})
	}
	b.next, b.bytes = work.StateRows{Table: b.table.Name}, 0
}
