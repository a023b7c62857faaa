package warehouse

import (
	"context"
	"database/sql"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/files"
)

// sheetRow says which row of a sheet a line of the CSV is that was made of it, as
// the engine counts lines: one a record, however many breaks are in its cells.
// Rows that follow each other need one entry.
type sheetRow struct{ line, row int64 }

// rowOf is the number that a row has by its own account, or the next one.
func rowOf(start xml.StartElement, next int64) int64 {
	for _, a := range start.Attr {
		if n, err := strconv.ParseInt(a.Value, 10, 64); a.Name.Local == "r" && err == nil && n > 0 && n < 1<<40 {
			return n
		}
	}
	return next
}

// place notes which row a line is.
func (s *sheet) place(line, row int64) {
	if last := len(s.rows) - 1; last >= 0 && row-line == s.rows[last].row-s.rows[last].line {
		return
	}
	s.rows = append(s.rows, sheetRow{line, row})
}

// rowAt is the row of the sheet that lies at a line of its CSV.
func (s *sheet) rowAt(line int64) int64 {
	at, found := slices.BinarySearchFunc(s.rows, line, func(r sheetRow, line int64) int { return int(r.line - line) })
	if !found {
		at--
	}
	if at < 0 {
		return line
	}
	return s.rows[at].row + line - s.rows[at].line
}

// note remembers what a cell says of its column.
func (s *sheet) note(i int, c sheetCell, nulls []string) {
	for len(s.text) <= i {
		s.text = append(s.text, false)
	}
	if c.text && c.value != "" && !slices.Contains(nulls, c.value) {
		s.text[i] = true
	}
	if !c.fault {
		return
	}
	at := slices.Index(s.which, i)
	if at < 0 {
		at = len(s.lost)
		s.lost, s.which = append(s.lost, files.Loss{Example: c.example}), append(s.which, i)
	}
	s.lost[at].Count++
}

// noteFirst takes the first row for one like the others, as it is when no row
// names the columns.
func (s *sheet) noteFirst(nulls []string) {
	for i, c := range s.first {
		s.note(i, c, nulls)
	}
	s.first = nil
}

// rowsTable tells the engine which lines are which rows.
const rowsTable = "agnes_rows"

// tellRows puts the places of rows where queries find them.
func (s *sheet) tellRows(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TABLE "+rowsTable+" (starts BIGINT, nr BIGINT)"); err != nil {
		return fmt.Errorf("make table of rows: %w", err)
	}
	for some := range slices.Chunk(s.rows, 1000) {
		values := make([]string, len(some))
		for i, r := range some {
			values[i] = fmt.Sprintf("(%d, %d)", r.line, r.row)
		}
		if _, err := db.ExecContext(ctx, "INSERT INTO "+rowsTable+" VALUES "+strings.Join(values, ", ")); err != nil { //nolint:gosec // numbers only
			return fmt.Errorf("fill table of rows: %w", err)
		}
	}
	return nil
}

// rejects selects what the engine put aside; of a workbook with the numbers of
// the sheet's rows instead of lines that nobody has seen.
func (r *reader) rejects() string {
	if r.sheet == nil {
		return rejectQuery
	}
	return `SELECT coalesce((SELECT max_by(nr, starts) + found.line - max(starts) FROM ` + rowsTable + ` WHERE starts <= found.line), found.line) AS line, "column", reason, raw
	FROM (` + rejectQuery + `) AS found ORDER BY line`
}

// csvFault is the engine's error about this file in words.
func (r *reader) csvFault(err error) error {
	var told *fault
	if errors.As(err, &told) {
		return err
	}
	said := csvFault(err, r.path)
	if r.sheet == nil || !errors.As(said, &told) || told.Line == 0 {
		return said
	}
	row := r.sheet.rowAt(int64(told.Line))
	with := *told
	with.Message = strings.Replace(told.Message, fmt.Sprintf("Line %d of", told.Line), fmt.Sprintf("Row %d of", row), 1)
	with.Line = int(row)
	return &with
}
