package store

import (
	"context"
	"fmt"
	"strings"

	"agnes/domain/imports"
	"agnes/domain/work"
)

// exportRows is how many rows leave the state at a time, unless their cells
// have exportBytes before: what takes them pays for each portion.
const (
	exportRows  = 5000
	exportBytes = 2 << 20
)

// Changes counts the changes of the state since the start, so that a mirror is
// made only when there is something new. Sessions are no change.
func (s *Store) Changes() int64 { return s.changes.Load() }

// Export hands over the state's rows in the predecessor's shape, as of one
// moment, table by table. Secrets are not read. Memory does not grow with the
// state.
func (s *Store) Export(ctx context.Context, emit func(work.StateRows) error) error {
	err := s.view(ctx, func(r runner) error {
		columns, err := stateColumns(ctx, r)
		if err != nil {
			return err
		}
		for _, t := range imports.Schema() {
			if len(columns[t.Name]) == 0 {
				continue
			}
			if err := exportTable(ctx, r, t, columns[t.Name], emit); err != nil {
				return fmt.Errorf("export %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("export the state: %w", err)
	}
	return nil
}

func exportTable(ctx context.Context, r runner, t imports.Table, here map[string]bool, emit func(work.StateRows) error) error {
	cells := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		cells[i] = exportCell(c, here[c.Name])
	}
	r.count.Add(1)
	filter, args := exportFilter(r, t.Name)
	rows, err := r.on.QueryContext(ctx, "SELECT "+strings.Join(cells, ", ")+" FROM "+quoteIdent(t.Name)+filter, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	next, bytes := work.StateRows{Table: t.Name}, 0
	for rows.Next() {
		row := make([]*string, len(cells))
		into := make([]any, len(cells))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, cell := range row {
			if cell == nil {
				continue
			}
			if t.Columns[i].Address {
				*cell = imports.WithoutLogin(*cell)
			}
			bytes += len(*cell)
		}
		if next.Rows = append(next.Rows, row); len(next.Rows) == exportRows || bytes >= exportBytes {
			if err := emit(next); err != nil {
				return err
			}
			next.Rows, bytes = nil, 0
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(next.Rows) == 0 {
		return nil
	}
	return emit(next)
}

// exportFilter leaves out the rows that the predecessor has no place for: the
// phases of a run, and grants that ended.
func exportFilter(r runner, table string) (where string, args []any) {
	switch table {
	case "sync_history":
		return " WHERE phase = ''", nil
	case "resource_grants":
		return " WHERE expires_at IS NULL OR expires_at > $1", []any{micros(r.now())}
	}
	return "", nil
}

// exportCell is the expression that makes a cell's text. The state keeps ""
// where the predecessor keeps nothing, but for keys.
func exportCell(c imports.Column, here bool) string {
	name := quoteIdent(c.Name)
	switch {
	case !here || c.Secret:
		return "NULL"
	case c.Type == imports.Boolean:
		return "CASE WHEN " + name + " = TRUE THEN 'true' WHEN " + name + " = FALSE THEN 'false' END"
	case c.Key && c.Type == imports.Text:
		return name
	case c.Type == imports.Text, c.Type == imports.JSON, c.Type == imports.List, c.Type == imports.Day:
		return "NULLIF(" + name + ", '')"
	}
	return "CAST(" + name + " AS TEXT)"
}
