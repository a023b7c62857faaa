package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// keepText makes text of a sheet's columns that hold text cells: what looks
// like a number there, such as 00123, was not meant as one.
func (r *reader) keepText(d *dialect) {
	if r.sheet == nil {
		return
	}
	if !d.header {
		r.sheet.noteFirst(r.options.Nulls)
	}
	if r.sheet.merged {
		r.sheet.merged = false // said once
		d.warnings = append(d.warnings, "Cells of the sheet are merged. Only the first of them holds the value, the others are empty.")
	}
	for i := range d.columns {
		if i < len(r.sheet.text) && r.sheet.text[i] {
			d.columns[i].Type = "VARCHAR"
		}
	}
}

// keepDigits makes text of columns of DOUBLE that hold whole numbers too long
// for it, such as account numbers: their last digits would be lost.
func (d *dialect) keepDigits(ctx context.Context, db *sql.DB, limit int) error {
	text := d.asText()
	var tests []string
	var which []int
	for i, c := range d.columns {
		if c.Type == "DOUBLE" {
			tests = append(tests, "coalesce(bool_or(regexp_matches("+quoteIdent(text.columns[i].Name)+`, '^\s*[+-]?[0-9]{17,}\s*$')), false)`)
			which = append(which, i)
		}
	}
	if len(tests) == 0 {
		return nil
	}
	text.head = limit != wholeFile
	from := text.from()
	if limit != wholeFile {
		from = fmt.Sprintf("(FROM %s LIMIT %d)", from, limit)
	}
	long, into := make([]bool, len(tests)), make([]any, len(tests))
	for i := range long {
		into[i] = &long[i]
	}
	if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM "+from).Scan(into...); err != nil {
		return fmt.Errorf("look for long numbers: %w", err)
	}
	for i, isLong := range long {
		if isLong {
			c := &d.columns[which[i]]
			c.Type = "VARCHAR"
			d.warnings = append(d.warnings, fmt.Sprintf("Column %s holds numbers of more than 16 digits. It is kept as text, so that no digit is lost.", c.Name))
		}
	}
	return nil
}
