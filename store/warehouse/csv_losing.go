package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/registry"
)

// The engine's casts keep what a type can hold of a value and drop the rest
// (DuckDB 1.5): 1.5 as BIGINT is 2, a time with an offset as TIMESTAMP is without
// it, 1e400 as DOUBLE is infinite. Here such values do not fit. Guessed types are
// guessed anew from all rows then, and are text where that does not help.

// wholeTypes hold no fractions.
var wholeTypes = []string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}

// cellKind is what to look for in cells of a type.
func (r *reader) cellKind(kind string) cellKind {
	switch {
	case slices.Contains(wholeTypes, kind), strings.HasPrefix(kind, "DECIMAL"):
		return wholeCell
	case kind == "DOUBLE":
		return doubleCell
	case kind == "TIMESTAMP" && r.csv.timestamp == "":
		return clockCell
	case kind == "TIME":
		return timeCell
	case kind == "DATE" && r.csv.dateFormat == "":
		return dayCell
	}
	return anyCell
}

// loses is SQL for a text that a type takes without holding all of it; "" where
// there is none.
func (r *reader) loses(text, kind string) string {
	finest := `:[0-9.]+\s*[+-][0-9:]*[1-9]|\.[0-9]{6}[0-9]*[1-9]`
	matches := func(pattern string) string { return fmt.Sprintf("regexp_matches(%s, '%s')", text, pattern) }
	has := func(what ...string) string {
		for i, w := range what {
			what[i] = "contains(" + text + ", '" + w + "')"
		}
		return "(" + strings.Join(what, " OR ") + ")"
	}
	test := ""
	switch r.cellKind(kind) {
	case anyCell:
		return ""
	case wholeCell:
		test = has(".", ",", "e", "E") + " AND " + matches(`[.,][0-9_]{`+scaleOf(kind)+`}[0-9_]*[1-9]|[eE]-`)
	case doubleCell:
		number := r.tryCast(text, "VARCHAR", kind)
		test = r.inexact(text) + " OR " + fmt.Sprintf("(%s OR length(%s) > %d) AND (isinf(%s) AND %s OR %[4]s = 0 AND %s)", has("e", "E"), text, longNumber, number, matches("[0-9]"), matches("^[^eE]*[1-9]"))
	case clockCell:
		test = has(":") + " AND " + matches(finest) + " OR " + matches(shortYear)
	case timeCell:
		test = matches(finest + `|[0-9][-/][0-9]+[-/][0-9]`)
	case dayCell:
		test = has(":") + " AND " + matches(`[ T][0-9:.]*[1-9][0-9:.]*|[+-][0-9:]*[1-9][0-9:]*\s*$`) + " OR " + matches(shortYear)
	}
	return "coalesce(" + test + ", false)"
}

// shortYear begins a date whose first number the plain cast takes for a year, such
// as 01/02/24.
const shortYear = `^\s*[0-9]{1,3}[-/]`

// inexact is SQL for a whole number that DOUBLE does not hold to its last digit.
func (r *reader) inexact(text string) string {
	return fmt.Sprintf(`(length(%s) > 15 AND NOT contains(%[1]s, '.') AND regexp_matches(%[1]s, '^\s*[+-]?[0-9]+\s*$')
		AND (length(trim(%[1]s)) > 38 OR TRY_CAST(%[1]s AS HUGEINT) IS DISTINCT FROM TRY_CAST(%s AS HUGEINT)))`, text, r.tryCast(text, "VARCHAR", "DOUBLE"))
}

// scaleOf is how many digits after the point a type of numbers has.
func scaleOf(kind string) string {
	_, scale, is := strings.Cut(strings.TrimSuffix(kind, ")"), ",")
	if n, err := strconv.Atoi(strings.TrimSpace(scale)); is && err == nil {
		return strconv.Itoa(n)
	}
	if kind == "DECIMAL" {
		return "3" // the engine's default
	}
	return "0"
}

// losable are the columns whose type may hold less than their text says.
func (r *reader) losable(rel relation) []int {
	var which []int
	if !r.delimited() {
		return nil
	}
	for i, c := range rel.columns {
		if _, read := rel.reads[i]; r.cellKind(c.Type) != anyCell && !read && !rel.drops[i] {
			which = append(which, i)
		}
	}
	return which
}

// watchCells looks through the file while the engine reads it. What it returns
// waits, and says which columns have to be looked at.
func (r *reader) watchCells(rel relation) func() []int {
	all := slices.Concat(r.losable(rel), r.guessed(rel))
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == 0 {
		return func() []int { return nil }
	}
	d := r.csv
	if len(d.delim) != 1 || len(d.quote) > 1 || d.escape != d.quote || d.newline == `\r` {
		return func() []int { return all }
	}
	kinds := make([]cellKind, all[len(all)-1]+1)
	for _, i := range all {
		kinds[i] = r.cellKind(rel.columns[i].Type)
	}
	done := make(chan []int, 1)
	go func() {
		defer func() {
			if recover() != nil {
				done <- all
			}
		}()
		scan := newCellScan(d.delim, d.quote, kinds)
		if scan.file(d.path, d.skip, d.header) != nil {
			done <- all // the engine knows better
			return
		}
		done <- slices.DeleteFunc(slices.Clone(all), func(i int) bool { return !scan.hits[i] })
	}()
	return func() []int { return <-done }
}

// losing are those of some columns that have a value which its type does not
// hold, in limit rows or all.
func (r *reader) losing(ctx context.Context, db *sql.DB, rel relation, which []int, limit int64) ([]int, error) {
	return trueFor(ctx, db, which, " FROM "+r.asText(rel).limited(limit), func(i int) string {
		return anyRow(r.loses(rel.raw(i), rel.columns[i].Type))
	})
}

func (r *reader) asText(rel relation) relation {
	rel.from = r.csv.asText().from()
	return rel
}

// keepCells makes text of guessed columns whose type does not hold all values.
func (r *reader) keepCells(ctx context.Context, db *sql.DB) error {
	rel := r.csvRelation()
	which, err := trueFor(ctx, db, r.losable(rel), " FROM "+r.asText(rel).named(), func(i int) string {
		text, kind := rel.raw(i), rel.columns[i].Type
		return anyRow(r.loses(text, kind))
	})
	if err != nil {
		return err
	}
	r.csv.columns = slices.Clone(r.csv.columns)
	for _, i := range which {
		r.csv.columns[i].Type = "VARCHAR"
	}
	return nil
}

// louder are types and forms that the engine refuses a value in which is lost by
// one of ours, and few others: a decimal separator that is not the file's, a number
// without exponents, a form without zones.
var louder = []struct {
	of             cellKind
	kind           string
	decimal        string
	date, datetime string
}{
	{of: wholeCell, kind: "DOUBLE", decimal: ","},
	{of: wholeCell, kind: "DOUBLE", decimal: "."},
	{of: wholeCell, kind: "BIGNUM"},
	{of: doubleCell, kind: "BIGNUM"},
	{of: doubleCell, kind: "INTEGER"},
	{of: clockCell, kind: "TIMESTAMP", datetime: "%Y-%m-%d %H:%M:%S"},
	{of: timeCell, kind: "TIMESTAMP", datetime: "%H:%M:%S"},
	{of: dayCell, kind: "DATE", date: "%Y-%m-%d"},
}

const louderTable = "agnes_losing"

// noteLosing notes the lines of values that their types do not hold, and returns
// how many lines were not noted before.
func (r *reader) noteLosing(ctx context.Context, db *sql.DB, rel relation, limit int64) (int64, error) {
	which, err := r.losing(ctx, db, rel, r.losable(rel), limit)
	if err != nil || len(which) == 0 {
		return 0, err
	}
	var before, after int64
	lines := "SELECT count(DISTINCT line) FROM " + rejectsTable
	if _, err := db.ExecContext(ctx, rejectsMissing); err != nil {
		return 0, fmt.Errorf("make table of misfits: %w", err)
	}
	if err := db.QueryRowContext(ctx, lines).Scan(&before); err != nil {
		return 0, fmt.Errorf("count misfits: %w", err)
	}
	for k := range louder {
		if err := r.noteLouder(ctx, db, rel, which, k, limit); err != nil {
			return 0, err
		}
	}
	if err := db.QueryRowContext(ctx, lines).Scan(&after); err != nil {
		return 0, fmt.Errorf("count misfits: %w", err)
	}
	return after - before, nil
}

// rejectsMissing makes the engine's table of misfits where it made none.
const rejectsMissing = "CREATE TEMP TABLE IF NOT EXISTS " + rejectsTable + ` (scan_id UBIGINT, file_id UBIGINT, line UBIGINT, line_byte_position UBIGINT,
	byte_position UBIGINT, column_idx UBIGINT, column_name VARCHAR, error_type VARCHAR, csv_line VARCHAR, error_message VARCHAR)`

func (r *reader) noteLouder(ctx context.Context, db *sql.DB, rel relation, which []int, k int, limit int64) error {
	loud := louder[k]
	d := r.csv.asText()
	d.columns, d.lenient, d.rejects = slices.Clone(d.columns), true, louderTable
	d.decimal, d.dateFormat, d.timestamp = loud.decimal, loud.date, loud.datetime
	var cases []string
	for _, i := range which {
		kind := rel.columns[i].Type
		if r.cellKind(kind) != loud.of {
			continue
		}
		d.columns[i] = registry.Column{Name: d.columns[i].Name, Type: loud.kind}
		cases = append(cases, fmt.Sprintf("WHEN column_name = %s AND %s THEN %s", quoteLiteral(rel.sourceName(i)), r.loses("value", kind), quoteLiteral(kind)))
	}
	if len(cases) == 0 {
		return nil
	}
	rel.from = d.from()
	steps := []string{
		"SELECT count(hash(t)) FROM " + rel.limited(limit),
		`INSERT INTO ` + rejectsTable + ` BY NAME SELECT l.* EXCLUDE (value, kind) REPLACE (
			concat('Error when converting column "', column_name, '". Could not convert string "', value, '" to ''', kind, '''') AS error_message)
			FROM (SELECT *, CASE ` + strings.Join(cases, " ") + ` END AS kind
				FROM (SELECT *, regexp_extract(error_message, 'Could not convert string "(.*)" to ''', 1, 's') AS value FROM ` + louderTable + ` WHERE error_type = 'CAST')) AS l
			WHERE kind IS NOT NULL AND NOT EXISTS (FROM ` + rejectsTable + ` AS r WHERE r.line = l.line AND r.column_idx = l.column_idx)`,
		"DROP TABLE IF EXISTS " + louderTable + "; DROP TABLE IF EXISTS " + louderTable + "_scan",
	}
	for _, step := range steps {
		if _, err := db.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("look for lines of values that do not fit: %w", err)
		}
	}
	return nil
}
