package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/registry"
)

// Numbers may be written so that the number does not say all of it: 007, +420, 0x1F,
// 1e5, which programs write as 1e+05 or 1.0E5 when they mean a number, or more digits
// than DOUBLE has. DuckDB's sniffer takes some of them for text, those
// that it sees. A column whose type was guessed and that has one is text, wherever
// the value is; who says that it is a number gets a number.

// oddlyWritten ends a conversion whose columns shall be text after all.
type oddlyWritten struct {
	columns []int
	what    string // they hold
}

// What such columns hold.
const (
	oddNumbers = "numbers that are written with leading zeros or signs, as 1e5, or with more than 15 digits"
	shortYears = "years of fewer than four digits where dates have four"
)

func (o oddlyWritten) Error() string { return "columns hold " + o.what }

// guessed are the columns of numbers that the corrections give no type.
func (r *reader) guessed(rel relation) []int {
	var which []int
	if !r.delimited() {
		return nil
	}
	for i, c := range rel.columns {
		if isNumber(c.Type) && !rel.drops[i] && !r.given(rel.sourceName(i)) {
			which = append(which, i)
		}
	}
	return which
}

// given reports whether the corrections give a column of the file a type.
func (r *reader) given(name string) bool {
	c, known := r.options.Column(name)
	return known && c.Type != ""
}

func isNumber(kind string) bool { return kind == "DOUBLE" || slices.Contains(wholeTypes, kind) }

// written is SQL for a text that a column of numbers would not give back.
func (r *reader) written(text, kind string) string {
	test := fmt.Sprintf(`regexp_matches(%s, '^\s*([+]|-?0[0-9a-zA-Z]|-?[0-9]+[eE][0-9]+\s*$)|_')`, text)
	if kind == "DOUBLE" {
		whole := fmt.Sprintf(`length(%s) > 15 AND NOT contains(%[1]s, '.') AND regexp_matches(%[1]s, '^\s*-?[0-9]+\s*$')`, text)
		test += fmt.Sprintf(` OR length(%s) > 16 AND regexp_matches(%[1]s, '^\s*-?[0-9]{16,}[.,]')`, text)
		test += " OR " + r.inexact(text) + " OR " + whole + " AND abs(" + r.tryCast(text, "VARCHAR", kind) + ") > 9007199254740992" // 2^53
	}
	return "coalesce(" + test + ", false)"
}

// checkWritten fails with oddlyWritten when a column that may have a number which
// is written so has one.
func (r *reader) checkWritten(ctx context.Context, db *sql.DB, rel relation, may []int) error {
	guessed := r.guessed(rel)
	which := slices.DeleteFunc(slices.Clone(may), func(i int) bool { return !slices.Contains(guessed, i) })
	odd, err := trueFor(ctx, db, which, " FROM "+r.asText(rel).named(), func(i int) string {
		return anyRow(r.written(rel.raw(i), rel.columns[i].Type))
	})
	if err == nil && len(odd) > 0 {
		return oddlyWritten{odd, oddNumbers}
	}
	return err
}

// keepWritten reads columns as text from here on; false when err says no such thing.
func (r *reader) keepWritten(ctx context.Context, db *sql.DB, err error) (relation, bool) {
	var odd oddlyWritten
	if !errors.As(err, &odd) {
		return relation{}, false
	}
	if dropRejects(ctx, db) != nil {
		return relation{}, false // whoever reads on meets the same
	}
	r.csv.columns = slices.Clone(r.csv.columns)
	for _, i := range odd.columns {
		r.csv.keep(&r.csv.columns[i], odd.what)
	}
	rel, err := r.correct(r.csvRelation())
	return rel, err == nil
}

// keep makes a column text, and says why.
func (d *dialect) keep(c *registry.Column, what string) {
	d.warnings = append(slices.Clip(d.warnings), fmt.Sprintf("Column %s holds %s. It is kept as text, so that nothing is lost.", c.Name, what))
	c.Type = "VARCHAR"
}

// keepDigits looks for such numbers in the first rows, or in all.
func (r *reader) keepDigits(ctx context.Context, db *sql.DB, d *dialect, limit int) error {
	text := d.asText()
	text.head = limit != wholeFile
	var which []int
	for i, c := range d.columns {
		if isNumber(c.Type) && !r.given(c.Name) {
			which = append(which, i)
		}
	}
	from := " FROM " + text.from()
	if limit != wholeFile {
		from = fmt.Sprintf(" FROM (FROM %s LIMIT %d)", text.from(), limit)
	}
	odd, err := trueFor(ctx, db, which, from, func(i int) string {
		return anyRow(r.written(quoteIdent(text.columns[i].Name), d.columns[i].Type))
	})
	for _, i := range odd {
		d.keep(&d.columns[i], oddNumbers)
	}
	return err
}

// checkYears fails where a Parquet file holds dates of the first thousand years
// that the text has with two digits: the form of the others has four.
func (r *reader) checkYears(ctx context.Context, db *sql.DB, rel relation, temp string) error {
	if !r.delimited() {
		return nil
	}
	var which []int
	for i, c := range rel.columns {
		form := map[string]string{"DATE": r.csv.dateFormat, "TIMESTAMP": r.csv.timestamp}[c.Type]
		plain := isZoned(c.Type) && !strings.Contains(r.csv.timestamp, "%y")
		if (plain || strings.Contains(form, "%Y")) && !rel.drops[i] {
			which = append(which, i)
		}
	}
	which, err := trueFor(ctx, db, which, "", func(i int) string {
		return "EXISTS (FROM read_parquet(" + quoteFile(temp) + ", hive_partitioning = false) AS p WHERE p." + quoteIdent(rel.columns[i].Name) + " < '1000-01-01')"
	})
	if err != nil {
		return err
	}
	which, err = trueFor(ctx, db, which, " FROM "+r.asText(rel).named(), func(i int) string {
		return anyRow(fmt.Sprintf("regexp_matches(%s, '[0-9]') AND NOT regexp_matches(%[1]s, '[0-9]{4}')", rel.raw(i)))
	})
	if err != nil || len(which) == 0 {
		return err
	}
	for _, i := range which {
		if r.given(rel.sourceName(i)) {
			return refuse("file_value_misfit", "Choose the form of dates with %y, correct the values, or read the column as text.",
				"Column %s of %s holds %s.", rel.columns[i].Name, r.name(), shortYears)
		}
	}
	return oddlyWritten{which, shortYears}
}
