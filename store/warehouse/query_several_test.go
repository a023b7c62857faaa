//go:build duckdb_arrow

package warehouse

import (
	"slices"
	"strings"
	"testing"

	"agnes/domain/work"
)

// TestSeveralStatementsArePlaced shows that the refusal of several statements
// says where each stands, semicolons in texts and comments notwithstanding.
func TestSeveralStatementsArePlaced(t *testing.T) {
	e := queryWorld(t)
	for sql, want := range map[string][]string{
		"SELECT 1; SELECT 2":                                       {"SELECT 1", "SELECT 2"},
		" ;; SELECT 1 ;\u00a0\n; FROM orders;\n":                   {"SELECT 1", "FROM orders"},
		"SELECT ';' AS a; SELECT \";\" FROM (SELECT 1 AS \";\")":   {"SELECT ';' AS a", "SELECT \";\" FROM (SELECT 1 AS \";\")"},
		"SELECT $$a;b$$;SELECT E'\\';'; SELECT $x$;$x$":            {"SELECT $$a;b$$", "SELECT E'\\';'", "SELECT $x$;$x$"},
		"SELECT 1 -- first; SELECT 9\n; SELECT 2 /* ; */":          {"SELECT 1 -- first; SELECT 9", "SELECT 2 /* ; */"},
		"SELECT id -- ;\n FROM orders; -- ; \n SELECT 2":           {"SELECT id -- ;\n FROM orders", "SELECT 2"},
		"PIVOT orders ON customer; SELECT 'ä;ö'; DROP VIEW orders": {"PIVOT orders ON customer", "SELECT 'ä;ö'", "DROP VIEW orders"},
		"SELECT 1; EXPLAIN SELECT 2; PIVOT orders ON customer":     {"SELECT 1", "EXPLAIN SELECT 2", "PIVOT orders ON customer"},
		"PIVOT orders ON customer IN (SELECT 'customer 1')":        nil, // one to its author
		strings.Repeat("SELECT 1;", maxSeveral+2):                  nil, // too many to be told
	} {
		_, _, err := e.ask(t, sql, 0)
		f := asFailure(err)
		if f.Code != "several_statements" {
			t.Errorf("%.80q: %v", sql, err)
			continue
		}
		var got []string
		for _, p := range f.Statements {
			got = append(got, sql[p.Start:p.End])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.80q: %q, want %q", sql, got, want)
		}
	}
}

// TestLastBlankIsABlank shows that a text may end in a blank that one of the
// engine's parsers takes for a letter.
func TestLastBlankIsABlank(t *testing.T) {
	e := queryWorld(t)
	for _, sql := range []string{
		"SELECT 1 LIMIT 3\u00a0", "SELECT count(*) FROM orders WHERE EXISTS (FROM people)\u00a0", "SELECT 1 -- c\n\u00a0", "EXPLAIN SELECT 1 LIMIT 3\u00a0",
		"SELECT * FROM (VALUES (1), (2)) LIMIT 3\u00a0\u00a0", "PIVOT orders ON customer LIMIT 3\u00a0",
	} {
		if _, _, err := e.ask(t, sql, 10); err != nil {
			t.Errorf("%q was refused: %v", sql, err)
		}
	}
	if got, _, err := e.ask(t, "SELECT 1\u00a0", 10); err != nil || len(got.columns) != 1 || got.columns[0].Name != "\u00a0" {
		t.Errorf("a name of one blank: %v, %v", got, err)
	}
	for _, sql := range []string{"SELECT 1 +\u00a0", "SELECT 1; SELECT 2 LIMIT 3\u00a0", "DROP VIEW orders\u00a0", "FROM nosuch LIMIT 3\u00a0"} {
		if _, _, err := e.ask(t, sql, 10); err == nil {
			t.Errorf("%q was admitted", sql)
		}
	}
}

// TestLostFolderEndsTheChild shows that a fault that no statement caused is not
// told as one of the statement, and that the child does not go on with it.
func TestLostFolderEndsTheChild(t *testing.T) {
	e := queryWorld(t)
	if f := asFailure(e.engineError("SELECT 1", lostFolder)); !f.fatal || f.Code != work.ChildLost || f.Cause != lostFolder {
		t.Errorf("%+v", f)
	}
	if _, _, err := e.ask(t, "SELECT error('"+lostFolder+"')", 1); asFailure(err).fatal {
		t.Errorf("a statement may say so and the child goes on: %v", err)
	}
}
