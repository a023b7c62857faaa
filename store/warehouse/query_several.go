//go:build duckdb_arrow

package warehouse

import (
	"strings"

	"agnes/domain/work"
)

const (
	maxSeveral = 500  // statements whose places are told
	maxCuts    = 2000 // semicolons that are looked at for them
)

// several refuses a text of more than one statement, and tells where each stands.
func (e *queryEngine) several(sql string, count int) error {
	places := e.statementPlaces(sql, count)
	if len(places) > 0 {
		count = len(places) // the parser counts a PIVOT as several
	}
	f := asFailure(refuseQuery("several_statements",
		"This text holds %d statements. Run them one at a time. A PIVOT that takes its values from a query, IN (SELECT …), counts as several: write the values out.", count))
	f.Statements = places
	return f
}

// statementPlaces finds the statements of a text that DuckDB's parser takes for
// total statements. A semicolon ends one when the parser finds as many on its
// two sides together as in the whole: inside a text, a comment or a statement
// it finds fewer, more or an error. nil: they could not be told apart.
func (e *queryEngine) statementPlaces(sql string, total int) []work.Place {
	var places []work.Place
	add := func(start, end int) {
		start, end = trimBlanks(sql, start, end)
		places = append(places, work.Place{Start: start, End: end})
	}
	cuts, start := 0, 0
	for at := 0; ; at++ {
		next := strings.IndexByte(sql[at:], ';')
		if next < 0 {
			break
		}
		if cuts++; cuts > maxCuts || len(places) >= maxSeveral {
			return nil
		}
		at += next
		before, err := e.count(sql[start:at])
		if err != nil {
			continue
		}
		after, err := e.count(sql[at+1:])
		if err != nil || before+after != total {
			continue
		}
		if before > 0 {
			add(start, at)
		}
		start, total = at+1, after
	}
	if total > 0 {
		add(start, len(sql))
	}
	if len(places) < 2 {
		return nil
	}
	return places
}

// trimBlanks narrows a place to what is not blank at its ends.
func trimBlanks(sql string, start, end int) (from, to int) {
	blank := func(r rune) bool { return queryBlank(string(r)) > 0 }
	rest := strings.TrimLeftFunc(sql[start:end], blank)
	from = end - len(rest)
	return from, from + len(strings.TrimRightFunc(rest, blank))
}

// settled returns a text as DuckDB's parser of trees takes it. That one does
// not see the last character as a blank when it is U+00A0; the parser of what
// runs does, unless the character reads as a name there.
func (e *queryEngine) settled(sql string) string {
	if !strings.HasSuffix(sql, "\u00a0") {
		return sql
	}
	if _, _, err := e.syntaxTree(sql); err == nil {
		return sql
	}
	return sql + "\n"
}
