package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The engine takes the words infinity, -infinity and epoch for dates, however
// dates are written. Its plain cast makes the date of each that the word says;
// where the form of dates is given, all three become 1900-01-01 (DuckDB 1.5).
// They are kept as the plain cast has them: the sniffer counts them as dates, so
// a column is one of dates with them or without.

// mistaken is what the words become, and what a column without it need not be
// looked at for.
func mistaken(kind string) string { return "CAST('1900-01-01' AS " + kind + ")" }

// isDateWord is SQL for a text that is one of the words. What begins with a digit,
// as most dates do, is compared and no more.
func isDateWord(text string) string {
	return fmt.Sprintf(`(%s NOT BETWEEN '0' AND ':' AND regexp_matches(%[1]s, '^[\s\v]*(-?infinity|epoch)[\s\v]*$', 'i'))`, text)
}

// formed are the columns whose values the engine's parser reads in a given form.
func (r *reader) formed(rel relation) []int {
	var which []int
	if !r.delimited() {
		return nil
	}
	for i, c := range rel.columns {
		_, read := rel.reads[i]
		form := c.Type == "DATE" && r.csv.dateFormat != "" || c.Type == "TIMESTAMP" && r.csv.timestamp != ""
		if form && !read && !rel.drops[i] {
			which = append(which, i)
		}
	}
	return which
}

// mend writes the Parquet file that was made of a relation again where the
// parser took words for dates or lost values with zones, and returns its rows.
// The text is looked at only where a column came to hold what they become, which
// the Parquet file tells.
func (r *reader) mend(ctx context.Context, db *sql.DB, rel relation, temp string, rows int64, suspects func() []int) (int64, error) {
	if !r.delimited() {
		return rows, nil
	}
	text := rel
	text.from = r.csv.asText().from()
	words, err := r.mistakenWords(ctx, db, rel, text, temp)
	if err != nil {
		return rows, err
	}
	zones, err := r.lostZones(ctx, db, rel, text, temp)
	if err != nil {
		return rows, err
	}
	may := suspects()
	if err := errors.Join(r.checkWritten(ctx, db, rel, may), r.checkYears(ctx, db, rel, temp)); err != nil {
		return rows, err
	}
	losing, err := r.losing(ctx, db, rel, may, 0)
	which := slices.Concat(words, zones, losing)
	if err != nil || len(which) == 0 {
		return rows, err
	}
	again, err := copyOut(ctx, db, r.throughText(rel, which), temp)
	switch {
	case err != nil || again == rows:
		return again, err
	case again < rows && len(zones)+len(losing) > 0:
		return again, r.zonesMisfit(ctx, db, rel, rows-again)
	}
	return again, refuse("file_value_misfit", "Read the columns of dates as text.",
		"Dates of %s beside the words infinity or epoch could not be read twice alike: %s, then %d.", r.name(), countOf(rows, "row"), again)
}

// mistakenWords are the columns of dates in which words were mistaken.
func (r *reader) mistakenWords(ctx context.Context, db *sql.DB, rel, text relation, temp string) ([]int, error) {
	which, err := trueFor(ctx, db, r.formed(rel), "", func(i int) string {
		c := rel.columns[i]
		return "EXISTS (FROM read_parquet(" + quoteFile(temp) + ", hive_partitioning = false) AS p WHERE p." + quoteIdent(c.Name) + " = " + mistaken(c.Type) + ")"
	})
	if err != nil {
		return nil, err
	}
	return trueFor(ctx, db, which, " FROM "+text.named(), func(i int) string { return anyRow(isDateWord(rel.raw(i))) })
}

// showWords is the relation as its first rows are to be shown.
func (r *reader) showWords(ctx context.Context, db *sql.DB, rel relation) (relation, error) {
	which, err := trueFor(ctx, db, r.formed(rel), " FROM "+rel.limited(previewRows), func(i int) string {
		return anyRow(rel.raw(i) + " = " + mistaken(rel.columns[i].Type))
	})
	if err != nil {
		return rel, err
	}
	losing, err := r.losing(ctx, db, rel, r.losable(rel), previewRows)
	which = slices.Concat(which, r.zoned(rel), losing)
	if err != nil || len(which) == 0 {
		return rel, err
	}
	return r.throughText(rel, which), nil
}

// throughText is the relation with columns that are read as text and become
// dates after. The rows are those that the parser would take.
func (r *reader) throughText(rel relation, which []int) relation {
	d := r.csv
	d.columns, d.rejects = slices.Clone(d.columns), "" // they are noted already
	rel.reads, rel.tries = maps.Clone(rel.reads), map[int]bool{}
	for _, i := range which {
		d.columns[i].Type = "VARCHAR"
		rel.reads[i], rel.tries[i] = r.try("{}", "VARCHAR", rel.columns[i].Type), true
	}
	rel.from = d.from()
	rel.where = "NOT coalesce(" + rel.badRow() + ", false)"
	return rel
}

func anyRow(test string) string { return "coalesce(bool_or(" + test + "), false)" }

// testedAtOnce is how many columns are tested by one query: the engine takes four
// times as long for twice as many.
const testedAtOnce = 100

// trueFor are those of some columns for which a test in SQL is true.
func trueFor(ctx context.Context, db *sql.DB, which []int, from string, test func(i int) string) ([]int, error) {
	var found []int
	for some := range slices.Chunk(which, testedAtOnce) {
		hold, err := trueForSome(ctx, db, some, from, test)
		if err != nil {
			return nil, err
		}
		found = append(found, hold...)
	}
	return found, nil
}

func trueForSome(ctx context.Context, db *sql.DB, which []int, from string, test func(i int) string) ([]int, error) {
	tests, hold, into := make([]string, len(which)), make([]bool, len(which)), make([]any, len(which))
	for k, i := range which {
		tests[k], into[k] = test(i), &hold[k]
	}
	if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(tests, ", ")+from).Scan(into...); err != nil {
		return nil, fmt.Errorf("look for dates that were mistaken: %w", err)
	}
	var found []int
	for k, i := range which {
		if hold[k] {
			found = append(found, i)
		}
	}
	return found, nil
}
