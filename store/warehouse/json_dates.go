package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/ducktype"
	"agnes/domain/registry"
)

// The engine guesses dates in JSON by a form, and takes the words infinity,
// -infinity and epoch for dates of any form: all three become 1900-01-01 (DuckDB
// 1.5). A file that has one where it guesses dates is read value by value, and
// the types that it guessed are given after.

// jsonDates are the columns of a JSON file, as the engine guesses them from sample
// rows.
type jsonDates struct {
	path    string
	columns []registry.Column
	sample  int
}

// undated is a type with text for dates.
func undated(kind string) string {
	return ducktype.Replace(kind, func(kind string) string {
		if kind == "DATE" || kind == "TIMESTAMP" {
			return "VARCHAR"
		}
		return kind
	})
}

// any reports whether there is a date to be mistaken.
func (d jsonDates) any() bool {
	for _, c := range d.columns {
		if undated(c.Type) != c.Type {
			return true
		}
	}
	return false
}

// doubles reports whether there is a number that may have lost digits.
func (d jsonDates) doubles() bool {
	return slices.ContainsFunc(d.columns, func(c registry.Column) bool { return hasDouble(c.Type) })
}

// nested reports whether a type has others in it.
func nested(kind string) bool {
	return strings.ContainsAny(kind, "[(") && !strings.HasPrefix(kind, "DECIMAL")
}

// isoDate is what the plain cast reads as the engine's forms do.
const isoDate = `^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?)?\s*$`

// wordInside finds the words among the values of JSON, and letters that are
// written by their numbers.
const wordInside = `"(\s|\\[tnrf])*-?(infinity|epoch)(\s|\\[tnrf])*"\s*[]},]|\\u00[0-7]`

// foundDates is what the values of one column are.
type foundDates struct {
	words, iso bool           // some are words; the others are there, and written as the plain cast reads
	long       bool           // some are numbers that DOUBLE does not hold
	structure  sql.NullString // of a nested one
}

// worthALook reports whether a file may have what the engine reads wrongly.
func (d jsonDates) worthALook() (may bool, err error) {
	if d.sample != wholeFile {
		return true, nil
	}
	if d.any() {
		may, err = mayHoldWords(d.path)
	}
	if !may && err == nil && d.doubles() {
		may, err = mayHoldLong(d.path)
	}
	return may, err
}

// mend is the relation without mistaken dates and numbers: as it is, when there are
// none.
func (d jsonDates) mend(ctx context.Context, db *sql.DB, rel relation) (relation, error) {
	if may, err := d.worthALook(); err != nil || !may {
		return rel, err
	}
	raw := rel
	raw.from = readJSON(d.path, d.sample, 1)
	found, err := d.look(ctx, db, raw)
	if err != nil {
		return rel, err
	}
	words := slices.ContainsFunc(found, func(f foundDates) bool { return f.words })
	if !words && !slices.ContainsFunc(found, func(f foundDates) bool { return f.long }) {
		return rel, nil
	}
	values := make([]string, len(d.columns))
	var text, long []string
	for i, c := range d.columns {
		kind := undated(c.Type)
		switch {
		case found[i].long:
			long = append(long, rel.columns[i].Name)
			if kind = "VARCHAR"; nested(c.Type) {
				kind = "JSON"
			}
		case kind != c.Type && found[i].iso:
			kind = c.Type
		case kind != c.Type:
			text = append(text, rel.columns[i].Name)
		}
		values[i] = found[i].read(raw.raw(i), c.Type, kind) + " AS " + quoteIdent(rel.columns[i].Name)
	}
	from := "(SELECT " + strings.Join(values, ", ") + " FROM " + raw.named() + ")"
	columns, err := describe(ctx, db, from)
	if err != nil {
		return rel, err
	}
	again := newRelation(from, columns)
	again.warnings = rel.warnings
	why := "The words infinity or epoch stand where dates do. "
	if !words {
		why = ""
	}
	if len(text) > 0 {
		again.warnings = append(again.warnings, why+"Dates are kept as text in "+strings.Join(text, ", ")+".")
	}
	if len(long) > 0 {
		again.warnings = append(again.warnings, "There are numbers of more digits than DOUBLE has. So that none is lost, they are kept as they are written in "+strings.Join(long, ", ")+".")
	}
	return again, nil
}

// read is SQL that makes a column's type of its JSON.
func (f foundDates) read(value, was, kind string) string {
	switch {
	case kind == "JSON":
		return value
	case nested(kind) && f.structure.Valid:
		return fmt.Sprintf("CAST(from_json(%s, %s) AS %s)", value, quoteLiteral(f.structure.String), kind)
	case was == kind && kind != "VARCHAR" && undated(kind) == kind:
		return fmt.Sprintf("CAST(%s AS %s)", value, kind)
	}
	return fmt.Sprintf("CAST((%s ->> '$') AS %s)", value, kind)
}

// look says of each column what its values are.
func (d jsonDates) look(ctx context.Context, db *sql.DB, raw relation) ([]foundDates, error) {
	found := make([]foundDates, len(d.columns))
	tests, into := []string{"count(*)"}, []any{new(int64)}
	for i, c := range d.columns {
		value := raw.raw(i)
		text := "(" + value + " ->> '$')"
		if hasDouble(c.Type) {
			tests, into = append(tests, longNumberIn(value, c.Type)), append(into, &found[i].long)
		}
		switch dated := undated(c.Type) != c.Type; {
		case nested(c.Type):
			tests = append(tests, "CAST(json_group_structure("+value+") AS VARCHAR)")
			into = append(into, &found[i].structure)
			if dated {
				tests = append(tests, anyRow("regexp_matches(CAST("+value+" AS VARCHAR), '"+wordInside+"', 'i')"))
				into = append(into, &found[i].words)
			}
		case dated:
			word := isDateWord(text)
			tests = append(tests, anyRow(word), fmt.Sprintf("coalesce(bool_and(%s OR regexp_matches(%s, '%s')) AND bool_or(NOT %[1]s), false)", word, text, isoDate))
			into = append(into, &found[i].words, &found[i].iso)
		}
	}
	from := raw.named()
	if d.sample != wholeFile {
		from = raw.limited(int64(d.sample))
	}
	if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM "+from).Scan(into...); err != nil {
		return nil, err //nolint:wrapcheck // the caller reads DuckDB's words
	}
	return found, nil
}
