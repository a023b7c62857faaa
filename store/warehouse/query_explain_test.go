package warehouse

import (
	"strings"
	"testing"
)

func TestSplitExplain(t *testing.T) {
	isSelect := func(sql string) bool { return strings.HasPrefix(strings.TrimLeft(sql, " \n("), "SELECT") }
	tests := []struct{ sql, head, rest string }{
		{"EXPLAIN SELECT 1", "EXPLAIN ", "SELECT 1"},
		{"explain select 1", "", ""}, // not what the stand-in above calls a SELECT
		{"explain analyze SELECT 1", "EXPLAIN ANALYZE ", "SELECT 1"},
		{"EXPLAIN(SELECT 1)", "EXPLAIN", "(SELECT 1)"},
		{"EXPLAIN (FORMAT json) SELECT 1", "EXPLAIN (FORMAT json)", " SELECT 1"},
		{"EXPLAIN (ANALYZE, FORMAT json)\nSELECT 1", "EXPLAIN (ANALYZE, FORMAT json)", "\nSELECT 1"},
		{"EXPLAIN ANALYZE (FORMAT json) SELECT 1", "EXPLAIN ANALYZE (FORMAT json)", " SELECT 1"},
		{"-- c\nEXPLAIN SELECT 1", "    \nEXPLAIN ", "SELECT 1"},
		{"/* DROP */EXPLAIN/**/SELECT 1", "          EXPLAIN    ", "SELECT 1"},
		{";;EXPLAIN SELECT 1", "  EXPLAIN ", "SELECT 1"},
		{"EXPLAIN", "", ""},
		{"EXPLAINED SELECT 1", "", ""},
		{"EXPLAIN_X SELECT 1", "", ""},
		{"EXPLAINé SELECT 1", "", ""},
		{"EXPLAIN (FORMAT 'json') SELECT 1", "", ""},
		{"EXPLAIN (FORMAT json SELECT 1", "", ""},
		{"EXPLAIN (x;y) SELECT 1", "", ""},
		{"EXPLAIN INSERT INTO t VALUES (1)", "", ""},
		{"EXPLAIN ANALYZE", "", ""},
		{"-- EXPLAIN SELECT 1", "", ""},
		{"/* EXPLAIN SELECT 1", "", ""},
		{"SELECT 1", "", ""},
		{"", "", ""},
	}
	for _, test := range tests {
		head, rest, found := splitExplain(test.sql, isSelect)
		if head != test.head || rest != test.rest || found != (test.rest != "") {
			t.Errorf("splitExplain(%q) = %q, %q, %v; want %q, %q", test.sql, head, rest, found, test.head, test.rest)
		}
	}
}
