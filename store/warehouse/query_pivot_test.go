//go:build duckdb_arrow

package warehouse

import (
	"slices"
	"strings"
	"testing"
)

// TestPivotsEqualTheEngines compares PIVOTs without values with what DuckDB
// answers when it splits them itself.
func TestPivotsEqualTheEngines(t *testing.T) {
	e := queryWorld(t)
	plain := &queryEngine{}
	if err := plain.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plain.close)
	if err := plain.exec("CREATE VIEW orders AS FROM '../orders.parquet'; CREATE VIEW people AS FROM '../people.parquet'"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"PIVOT orders ON customer USING sum(amount), max(id) GROUP BY amount ORDER BY ALL LIMIT 50",
		"PIVOT (SELECT customer, id % 2 AS odd, amount FROM orders) ON customer USING sum(amount) AS s, count(*) AS n GROUP BY odd ORDER BY odd;",
		"PIVOT (SELECT customer, id % 2 AS odd, id % 3 AS k FROM orders) ON odd, customer GROUP BY k ORDER BY k",
		"PIVOT (SELECT customer, id % 2 AS odd, id % 3 AS k FROM orders) ON odd || '_' || k USING count(*) GROUP BY customer ORDER BY customer LIMIT 3",
		"PIVOT (SELECT customer, id % 2 AS odd, id % 3 AS k FROM orders) ON odd, k IN (1, 2) GROUP BY customer ORDER BY customer",
		"PIVOT (SELECT customer, id % 2 = 0 AS even FROM orders) ON even ORDER BY customer",
		"PIVOT_WIDER (FROM orders SELECT id % 4 AS k, customer) ON CASE WHEN k IN (1, 2) THEN 'low' ELSE 'high' END GROUP BY customer ORDER BY customer",
		"WITH few AS (SELECT customer, id % 2 AS odd FROM orders WHERE id < 7) PIVOT few ON customer ORDER BY odd",
		"SELECT * FROM (PIVOT (SELECT customer, id % 2 AS odd FROM orders) ON odd USING count(*) GROUP BY customer) p JOIN (VALUES ('customer 1'), ('customer 2')) v(customer) USING (customer) ORDER BY 1",
		"WITH p AS (PIVOT orders ON customer USING count(*) GROUP BY amount) SELECT count(*) FROM p",
		"PIVOT (SELECT o.customer, p.name FROM orders o JOIN people p ON true) ON name GROUP BY customer ORDER BY customer",
		"PIVOT orders JOIN people ON name = 'Ada' ON name USING count(*) ORDER BY ALL LIMIT 9",
		"PIVOT orders CROSS JOIN people ON name USING count(*) GROUP BY customer ORDER BY customer",
		"FROM (PIVOT (PIVOT (SELECT id % 2 AS odd, id % 3 AS k, customer FROM orders) ON k GROUP BY odd, customer) ON odd USING sum(\"0\") GROUP BY customer) ORDER BY customer",
		"PIVOT (SELECT [NULL, 'it''s', 'a\"b', '$$x$$'][id % 4 + 1] AS v, id % 3 AS k FROM orders) ON v GROUP BY k ORDER BY k",
		"PIVOT (FROM orders WHERE false) ON customer", "PIVOT (FROM orders WHERE false) ON customer USING sum(amount) GROUP BY id",
		"PIVOT (SELECT NULL::VARCHAR AS v, id % 2 AS odd, amount FROM orders) ON V USING sum(amount) ORDER BY odd",
		"SELECT p.k FROM (PIVOT (SELECT NULL::VARCHAR AS v, id % 2 AS odd FROM orders) ON v, odd GROUP BY odd) AS p(k) ORDER BY k",
		"/* PIVOT a ON b */ PIVOT orders -- ON nothing\n ON customer USING max(id) GROUP BY amount ORDER BY ALL LIMIT 9 -- IN ('x')",
		"PIVOT orders ON customer IN ('customer 3') USING max(id) AS b GROUP BY amount ORDER BY ALL LIMIT 9",
	} {
		want := &collected{}
		err := plain.plain(sql, want)
		if err != nil {
			t.Errorf("%s: the engine itself: %v", sql, err)
			continue
		}
		got, _, err := e.ask(t, sql, 0)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if !slices.Equal(got.columns, want.columns) || toText(got, nil) != toText(want, nil) {
			t.Errorf("%s:\n%v\n%swant\n%v\n%s", sql, got.columns, toText(got, nil), want.columns, toText(want, nil))
		}
	}
}

func TestPivotsThatCannotBe(t *testing.T) {
	e := queryWorld(t)
	tests := map[string]string{
		"PIVOT orders ON id USING count(*)":                            "pivot_too_wide",
		"PIVOT orders ON (customer, id) USING count(*)":                "pivot_too_wide",
		"PIVOT orders ON customer IN (SELECT 'a')":                     "several_statements",
		"PIVOT orders ON nosuch":                                       codeQueryError,
		"PIVOT secret ON a":                                            "table_not_found",
		"PIVOT glob('*') ON file":                                      "function_refused",
		"PIVOT orders ON current_setting(customer)":                    "function_refused",
		"PIVOT orders ON customer USING any_value(getenv(customer))":   "function_refused",
		"PIVOT (WITH orders AS (FROM secret) FROM orders) ON customer": "table_not_found",
		"PIVOT orders ON error(customer)":                              codeQueryError,
		"CREATE TABLE x AS PIVOT orders ON customer":                   "not_a_reading_statement",
		"SELECT '\x02pivot values\x02'; PIVOT orders ON customer":      "several_statements",
	}
	for sql, want := range tests {
		rows, _, err := e.ask(t, sql, 0)
		if err == nil {
			t.Errorf("%s: answered %v, want %s", sql, rows.columns, want)
			continue
		}
		if f := failureOf(t, err); f.Code != want || strings.Contains(f.Message, "\x02") || f.fatal {
			t.Errorf("%s: %+v, want %s", sql, f.Failure, want)
		}
	}
}

func TestMarkPivots(t *testing.T) {
	const m = " IN ('" + pivotMarker + "')"
	tests := map[string]string{
		"SELECT 1":                           "SELECT 1",
		"PIVOT a ON b":                       "PIVOT a ON b" + m,
		"PIVOT a ON b, c USING sum(x)":       "PIVOT a ON b" + m + ", c" + m + " USING sum(x)",
		"PIVOT a ON f(b, c) GROUP BY d":      "PIVOT a ON f(b, c)" + m + " GROUP BY d",
		"PIVOT a ON b IN (1), c":             "PIVOT a ON b IN (1), c" + m,
		"(PIVOT a ON b) ; ":                  "(PIVOT a ON b" + m + ") ; ",
		"FROM a PIVOT (sum(x) FOR b IN (1))": "FROM a PIVOT (sum(x) FOR b IN (1))",
		"PIVOT a JOIN b ON a.x = b.x ON c":   "PIVOT a JOIN b ON a.x = b.x ON c" + m,
		"PIVOT a JOIN b USING (x) ON c":      "PIVOT a JOIN b USING (x) ON c" + m,
		"PIVOT a NATURAL LEFT JOIN b ON c":   "PIVOT a NATURAL LEFT JOIN b ON c" + m,
		"SELECT 'PIVOT a ON b', \"pivot\" -- PIVOT a ON b\n /* PIVOT a ON b */, $$PIVOT a ON b$$, E'\\' PIVOT a ON b'": "",
		"PIVOT 'a''b' ON \"on\"\u00a0USING\u200bsum(x)":                                                                "PIVOT 'a''b' ON \"on\"" + m + "\u00a0USING\u200bsum(x)",
		"PIVOT a ON ":          "PIVOT a ON ",
		"PIVOT a ON b,":        "PIVOT a ON b" + m + ",",
		"PIVOT a ON $t$ x $t$": "PIVOT a ON $t$ x $t$" + m,
		"'open":                "'open", "$a$ open": "$a$ open", "/* open": "/* open", "$1": "$1",
	}
	for sql, want := range tests {
		if want == "" {
			want = sql
		}
		if got := markPivots(sql); got != want {
			t.Errorf("markPivots(%q) = %q, want %q", sql, got, want)
		}
	}
}
