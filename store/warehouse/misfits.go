package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"agnes/domain/files"
)

// rejectsTable is where the engine notes the lines of a delimited file that do
// not fit.
const rejectsTable = "agnes_misfits"

// bad is true for a row in which a tried value does not fit: it is there, and
// comes to nothing.
func (r relation) bad(i int) string {
	return fmt.Sprintf("(%s IS NOT NULL AND %s IS NULL)", r.raw(i), r.value(i))
}

// tried are the columns whose values may not fit, in order.
func (r relation) tried() []int {
	var which []int
	for i := range r.columns {
		if r.tries[i] && !r.drops[i] {
			which = append(which, i)
		}
	}
	return which
}

// withNulls is the relation with those tried columns only that have a NULL in the
// Parquet file that was written of it.
func (r relation) withNulls(ctx context.Context, db *sql.DB, file string) (relation, error) {
	which := r.tried()
	if len(which) == 0 {
		return r, nil
	}
	tests, nulls, into := make([]string, len(which)), make([]bool, len(which)), make([]any, len(which))
	for k, i := range which {
		tests[k], into[k] = "coalesce(bool_or("+quoteIdent(r.columns[i].Name)+" IS NULL), false)", &nulls[k]
	}
	if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM read_parquet("+quoteFile(file)+", hive_partitioning = false)").Scan(into...); err != nil {
		return r, fmt.Errorf("look for empty values: %w", err)
	}
	r.tries = map[int]bool{}
	for k, i := range which {
		r.tries[i] = nulls[k]
	}
	return r, nil
}

// losses counts, column by column, the values that do not fit their type. It
// reads limit rows, or all.
func (r relation) losses(ctx context.Context, db *sql.DB, limit int64) ([]files.Loss, error) {
	which := r.tried()
	if len(which) == 0 {
		return nil, nil
	}
	counts, examples := make([]int64, len(which)), make([]sql.NullString, len(which))
	var tests []string
	var into []any
	for k, i := range which {
		tests = append(tests, fmt.Sprintf("count(*) FILTER (%s), left(CAST(any_value(%s) FILTER (%[1]s) AS VARCHAR), 200)", r.bad(i), r.raw(i)))
		into = append(into, &counts[k], &examples[k])
	}
	if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM "+r.limited(limit)).Scan(into...); err != nil {
		return nil, err //nolint:wrapcheck // callers read DuckDB's words
	}
	var losses []files.Loss
	for k, i := range which {
		if counts[k] > 0 {
			losses = append(losses, files.Loss{Column: r.columns[i].Name, Count: counts[k], Example: examples[k].String})
		}
	}
	return losses, nil
}

// limited is the relation, or its first rows.
func (r relation) limited(limit int64) string {
	if limit <= 0 {
		return r.named()
	}
	return fmt.Sprintf("(FROM %s LIMIT %d) AS t", r.named(), limit)
}

// badRow is SQL for a row that has any value that does not fit; "" when there
// can be none.
func (r relation) badRow() string {
	tests := make([]string, 0, len(r.tries))
	for _, i := range r.tried() {
		tests = append(tests, r.bad(i))
	}
	return strings.Join(tests, " OR ")
}

// misfitQuery selects the rows whose values do not fit: number, column, value
// with type, and the row as JSON.
func (r relation) misfitQuery(limit int64) string {
	column, reason := "CASE", "CASE"
	for _, i := range r.tried() {
		column += fmt.Sprintf(" WHEN %s THEN %s", r.bad(i), quoteLiteral(r.columns[i].Name))
		reason += fmt.Sprintf(" WHEN %s THEN concat('\"', left(CAST(%s AS VARCHAR), 80), '\" is not ', %s)", r.bad(i), r.raw(i), quoteLiteral(typeWords(r.columns[i].Type)))
	}
	return fmt.Sprintf(`SELECT n AS line, %s END AS "column", %s END AS reason, CAST(to_json(t) AS VARCHAR) AS raw
		FROM (SELECT row_number() OVER () AS n, t FROM %s) WHERE %s`, column, reason, r.limited(limit), r.badRow())
}

// rejectQuery selects the lines that the engine put aside, one row a line.
const rejectQuery = `SELECT line, first(column_name ORDER BY column_idx) AS "column", first(error_message ORDER BY column_idx) AS reason, first(csv_line) AS raw
	FROM ` + rejectsTable + ` GROUP BY line ORDER BY line`

// misfitShown is how much of a row is shown.
const misfitShown = 500

// misfits counts the rows of a query and returns the first of them.
func misfits(ctx context.Context, db *sql.DB, query string) (files.Misfits, error) {
	var m files.Misfits
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM ("+query+")").Scan(&m.Count); err != nil {
		return m, fmt.Errorf("count misfits: %w", err)
	}
	if m.Count == 0 {
		return m, nil
	}
	first, err := collect(ctx, db, fmt.Sprintf("SELECT line, coalesce(\"column\", ''), reason, left(raw, %d) FROM (%s) LIMIT %d", misfitShown, query, files.MaxMisfits),
		func(rows *sql.Rows) (files.Misfit, error) {
			var one files.Misfit
			err := rows.Scan(&one.Line, &one.Column, &one.Reason, &one.Raw)
			one.Reason, one.Raw = misfitWords(one.Reason), strings.ToValidUTF8(one.Raw, "�")
			return one, err
		})
	m.First = first
	if err != nil {
		return m, fmt.Errorf("read misfits: %w", err)
	}
	return m, nil
}

// misfitWords says why a line does not fit, from the engine's words.
func misfitWords(engine string) string {
	switch {
	case csvColumns.MatchString(engine):
		m := csvColumns.FindStringSubmatch(engine)
		return fmt.Sprintf("has %s, the header has %s", valueCount(m[2]), m[1])
	case csvValue.MatchString(engine):
		m := csvValue.FindStringSubmatch(engine)
		return fmt.Sprintf("%q is not %s", shorten(m[2], 80), typeWords(m[3]))
	case strings.Contains(engine, "unterminated quote"):
		return "opens a quote that is never closed"
	case strings.Contains(engine, "Invalid unicode"):
		return "has characters that are not UTF-8"
	case strings.Contains(engine, "Maximum line size"):
		return "is longer than 2 MB"
	}
	return shorten(strings.Join(strings.Fields(engine), " "), 200)
}

// whole says what to do about a row without the shape of the others where only
// cells may be made NULL: no cell of it can be told.
func (r *reader) whole(err error) error {
	var told *fault
	if r.options.Policy() != files.NullCells || !errors.As(err, &told) || told.Code != "file_row_misfit" {
		return err
	}
	with := *told
	with.NextStep = "Correct that line, or choose to leave such rows out: no cell of it can be made NULL."
	return &with
}

// putAside writes all rows of a query to a file of the scratch folder; those of one
// of several files with its name.
func (s *Store) putAside(ctx context.Context, db *sql.DB, r *reader, query string) (string, error) {
	aside := s.asideFile()
	if query == r.rejects() {
		if hides, err := r.hidesBytes(ctx, db); err != nil {
			return "", err
		} else if hides {
			return aside, r.writeBytes(ctx, db, aside)
		}
	}
	if r.among {
		query = "SELECT " + quoteLiteral(r.item) + " AS file, * FROM (" + query + ")"
	}
	if _, err := db.ExecContext(ctx, "COPY ("+query+") TO "+quoteLiteral(aside)+" (FORMAT csv, HEADER, USE_TMP_FILE false)"); err != nil {
		return "", fmt.Errorf("put misfits aside: %w", err)
	}
	return aside, nil
}

func (s *Store) asideFile() string { return filepath.Join(s.scratch, "misfits.csv") }

// misfitsKey is the place of a version's rows that did not fit.
func misfitsKey(version string) string {
	return strings.TrimSuffix(version, ".parquet") + ".rejects.csv"
}

// keepAside publishes the rows that did not fit beside their version.
func (s *Store) keepAside(ctx context.Context, aside, key string) (bytes int64, err error) {
	final, err := s.path(key)
	if err != nil {
		return 0, err
	}
	temp, err := tempBeside(final)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, discard(temp)) }()
	info, err := os.Stat(aside)
	if err != nil {
		return 0, fmt.Errorf("look at misfits: %w", err)
	}
	if err := discard(temp); err != nil {
		return 0, err
	}
	if err := copyData(aside, temp, info.ModTime()); err != nil {
		return 0, err
	}
	sums, err := hashSHA256(temp)
	if err != nil {
		return 0, err
	}
	return info.Size(), s.settle(ctx, temp, final, sums.sha256)
}
