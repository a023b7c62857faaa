//go:build duckdb_arrow

package warehouse

import (
	"strings"
	"testing"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/work"
)

// TestNestedTypesArriveAsTheEnginePrintsThem compares every value with what
// DuckDB itself makes of it as a text, but for quotes inside nested values:
// there the engine is of two minds itself.
func TestNestedTypesArriveAsTheEnginePrintsThem(t *testing.T) {
	e := queryWorld(t)
	values := []string{
		"true", "(-128)::TINYINT", "32767::SMALLINT", "1::INTEGER", "9223372036854775807", "-170141183460469231731687303715884105727::HUGEINT",
		"170141183460469231731687303715884105727::HUGEINT", "340282366920938463463374607431768211455::UHUGEINT", "18446744073709551615::UBIGINT",
		"123456789012345678901234567890123456789012345678901234567890::BIGNUM", "-1::BIGNUM", "0.1::FLOAT", "1e300", "'NaN'::DOUBLE", "'-Infinity'::DOUBLE",
		"12345678901234567890123456789.123456789::DECIMAL(38,9)", "-0.05::DECIMAL(4,2)", "0.5::DECIMAL(18,3)", "'a''b,[]{}'", "''", "'ü€'",
		"'\\x00\\xFFab'::BLOB", "'10101'::BIT", "'0'::BIT", "'9b4e1a0e-0000-4000-8000-000000000001'::UUID", "DATE '0044-03-15 (BC)'", "DATE '2026-11-22'",
		"TIME '12:30:00.000001'", "'12:30:00.5+02:30'::TIMETZ", "'23:59:59.123456789'::TIME_NS", "TIMESTAMP '2026-11-22 12:30:00.25'",
		"TIMESTAMPTZ '2026-11-22 12:30:00+02'", "'2026-11-22 01:02:03.123456789'::TIMESTAMP_NS", "'2026-11-22 01:02:03'::TIMESTAMP_S", "'2026-11-22 01:02:03.123'::TIMESTAMP_MS",
		"'infinity'::TIMESTAMP", "INTERVAL '-1 year 2 days 03:04:05.000006'", "'a'::ENUM('a', 'b')", "union_value(n := 1)", "union_value(s := 'x')::UNION(n INTEGER, s VARCHAR)",
		`'{"a": [1, null]}'::JSON`, "{'a': 1}::VARIANT",
	}
	for _, value := range values {
		for _, shape := range []string{"%", "[%, NULL]", "[%]::typeof_array", "{'k': %, 'l e': NULL::DATE}", "[{'k': [%]}]", "MAP {'k': %}", "MAP {%: 1}", "list_zip([%], [1])", "row(%, [%])"} {
			compareText(t, e, value, shape)
		}
	}
}

// compareText checks one value in one shape, where DuckDB has that shape.
func compareText(t *testing.T, e *queryEngine, value, shape string) {
	t.Helper()
	sql := ""
	for _, c := range shape {
		if c == '%' {
			sql += "(" + value + ")"
			continue
		}
		sql += string(c)
	}
	if shape == "[%]::typeof_array" {
		sql = "array_value(" + value + ", " + value + ")"
	}
	want, _, err := e.ask(t, "SELECT CAST("+sql+" AS VARCHAR) AS v, typeof("+sql+")", 0)
	if err != nil {
		return // the engine has no such value
	}
	got, end, err := e.ask(t, "SELECT "+sql+" AS v", 0)
	if err != nil || end.Rows != 1 {
		t.Errorf("%s: %v, %v", sql, end, err)
		return
	}
	if plainText(got.values[0][0]) != plainText(want.values[0][0]) {
		t.Errorf("%s (%s): %q, the engine prints %q", sql, got.columns[0].Type, got.values[0][0], want.values[0][0])
	}
	if got.columns[0].Type != want.values[0][1] {
		t.Errorf("%s: type %s, want %s", sql, got.columns[0].Type, want.values[0][1])
	}
}

// plainText takes quotes out of a printed value; NaN is one to both.
func plainText(text string) string {
	return strings.NewReplacer("'", "", `\`, "", "nan", "NaN", "-inf", "-Infinity").Replace(strings.ReplaceAll(text, "-Infinity", "-inf"))
}

// TestValuesThatCannotBePrintedGoOutAsTheyAre: when a statement cannot be
// written anew, it runs as its author wrote it.
func TestValuesThatCannotBePrintedGoOutAsTheyAre(t *testing.T) {
	e := queryWorld(t)
	s, err := e.admit(nil, work.QueryJob{SQL: "SELECT '101'::BIT AS b, 7 AS n"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range []string{`{"statements": 1}`, `{"error": false, "statements": []}`} {
		if err := e.begin(); err != nil {
			t.Fatal(err)
		}
		if err := e.prepare(s, s.text); err != nil {
			t.Fatal(err)
		}
		columns, odd := preparedColumns(s.prepared)
		if s.tree, err = parseTree(tree); err != nil {
			t.Fatal(err)
		}
		if err := e.castOddTypes(s, columns, odd); err != nil {
			t.Errorf("%s: %v", tree, err)
		}
		sink := &collected{}
		end, err := e.stream(work.QueryJob{}, s, columns, odd, sink)
		if err != nil || end.Rows != 1 || sink.values[0][1] != "7" {
			t.Errorf("%s: %v, %v, %v", tree, sink.values, end, err)
		}
		duckdb.DestroyPrepare(&s.prepared)
		if err := e.tidy(); err != nil {
			t.Error(err)
		}
	}
}
