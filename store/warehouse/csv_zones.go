package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"agnes/domain/files"
)

// The engine's parser makes NULL of any text that is no TIMESTAMP WITH TIME ZONE
// and notes nothing (DuckDB 1.5); its other types fail. Such a column is looked
// at again, as text, where it came to have a NULL.

// zoned are the columns that the parser reads as dates with time and zone.
func (r *reader) zoned(rel relation) []int {
	var which []int
	if !r.delimited() {
		return nil
	}
	for i, c := range rel.columns {
		if _, read := rel.reads[i]; isZoned(c.Type) && !read && !rel.drops[i] {
			which = append(which, i)
		}
	}
	return which
}

func isZoned(kind string) bool { return kind == "TIMESTAMPTZ" || kind == "TIMESTAMP WITH TIME ZONE" }

// lostZones are those of the zoned columns whose Parquet file may have a NULL
// where the text has something.
func (r *reader) lostZones(ctx context.Context, db *sql.DB, rel, text relation, temp string) ([]int, error) {
	which, err := trueFor(ctx, db, r.zoned(rel), "", func(i int) string {
		return "EXISTS (FROM read_parquet(" + quoteFile(temp) + ", hive_partitioning = false) AS p WHERE p." + quoteIdent(rel.columns[i].Name) + " IS NULL)"
	})
	if err != nil || r.csv.timestamp != "" { // the parser does not heed the form
		return which, err
	}
	return trueFor(ctx, db, which, " FROM "+text.named(), func(i int) string {
		return anyRow("(" + rel.raw(i) + " IS NOT NULL AND TRY_CAST(" + rel.raw(i) + " AS TIMESTAMPTZ) IS NULL)")
	})
}

// loud is a relation whose zoned columns are read as TIMESTAMP: what is none with
// a zone is none without, and that type notes its misfits.
func (r *reader) loud(rel relation, which []int) relation {
	d := r.csv
	d.columns, d.lenient, d.rejects = slices.Clone(d.columns), true, rejectsTable
	for _, i := range which {
		d.columns[i].Type = "TIMESTAMP"
	}
	rel.from = d.from()
	return rel
}

// noteZones reads rows of a relation for the lines that do not fit, and returns
// how many rows do. Names of zones fit only TIMESTAMP WITH TIME ZONE, so what was
// noted for them is taken back.
func (r *reader) noteZones(ctx context.Context, db *sql.DB, rel relation, limit int64) (rows int64, err error) {
	if err := dropRejects(ctx, db); err != nil {
		return 0, err
	}
	which := r.zoned(rel)
	if len(which) > 0 {
		rel = r.loud(rel, which)
	}
	from := rel.named()
	if limit > 0 {
		from = fmt.Sprintf("(FROM %s LIMIT %d) AS t", rel.named(), limit)
	}
	if err := db.QueryRowContext(ctx, "SELECT count(hash(t)) FROM "+from).Scan(&rows); err != nil {
		return 0, err //nolint:wrapcheck // the caller reads DuckDB's words
	}
	if len(which) > 0 {
		fit, err := r.takeBack(ctx, db, rel, which)
		if err != nil {
			return 0, err
		}
		rows += fit
	}
	more, err := r.noteLosing(ctx, db, rel, limit)
	return rows - more, err
}

// takeBack forgets values that fit after all, and returns how many lines do.
func (r *reader) takeBack(ctx context.Context, db *sql.DB, rel relation, which []int) (int64, error) {
	names := make([]string, len(which))
	for k, i := range which {
		names[k] = rel.sourceName(i)
	}
	var noted, left int64
	lines := "SELECT count(DISTINCT line) FROM " + rejectsTable
	if err := db.QueryRowContext(ctx, lines).Scan(&noted); err != nil {
		return 0, fmt.Errorf("count misfits: %w", err)
	}
	value := `regexp_extract(error_message, 'Could not convert string "(.*)" to ''TIMESTAMP''', 1, 's')`
	fits := fmt.Sprintf("error_type = 'CAST' AND list_contains(%s, column_name) AND %s IS NOT NULL",
		quoteList(quoteLiteral, names), r.try(value, "VARCHAR", "TIMESTAMPTZ"))
	forget := "DELETE FROM " + rejectsTable + " WHERE " + fits //nolint:gosec // of quoted names
	if _, err := db.ExecContext(ctx, forget); err != nil {
		return 0, fmt.Errorf("take misfits back: %w", err)
	}
	if err := db.QueryRowContext(ctx, lines).Scan(&left); err != nil {
		return 0, fmt.Errorf("count misfits: %w", err)
	}
	return noted - left, nil
}

// zonesMisfit deals with rows that were left out for their zoned values: they are
// noted with their lines, or the first of them is an error in the engine's words.
func (r *reader) zonesMisfit(ctx context.Context, db *sql.DB, rel relation, left int64) error {
	noted := int64(0)
	if r.lenient {
		before, err := misfits(ctx, db, r.rejects())
		if err != nil {
			return err
		}
		noted = before.Count
	}
	if _, err := r.noteZones(ctx, db, rel, 0); err != nil {
		return err
	}
	all, err := misfits(ctx, db, rejectQuery)
	if err != nil {
		return err
	}
	if all.Count != noted+left {
		return refuse("file_value_misfit", "Read the columns of dates with time and zone as text.",
			"%s of %s are no dates with time and zone, and their lines cannot be told.", countOf(left, "row"), r.name())
	}
	if r.options.Policy() != files.RejectAll {
		return nil
	}
	var line int64
	var words string
	if err := db.QueryRowContext(ctx, "SELECT line, error_message FROM "+rejectsTable+" ORDER BY line, column_idx LIMIT 1").Scan(&line, &words); err != nil {
		return fmt.Errorf("read misfits: %w", err)
	}
	if err := dropRejects(ctx, db); err != nil {
		return err
	}
	if !csvValue.MatchString(words) { // a line break in the value cuts them
		words += `" to 'TIMESTAMP'`
	}
	return fmt.Errorf("CSV Error on Line: %d\n%s", line, words) //nolint:err113 // in the engine's words, which callers read
}
