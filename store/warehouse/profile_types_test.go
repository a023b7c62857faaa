package warehouse

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"agnes/domain/profile"
)

// everyType has values of each type as DuckDB writes it to Parquet, the same one
// twice among them.
var everyType = []struct{ name, kind, values string }{
	{"BOOLEAN", "BOOLEAN", "true, true, false"},
	{"TINYINT", "TINYINT", "-128, 127, 0, 0"},
	{"SMALLINT", "SMALLINT", "-32768, 32767, 0, 0"},
	{"INTEGER", "INTEGER", "-2147483648, 2147483647, 0, 0"},
	{"BIGINT", "BIGINT", "-9223372036854775808, 9223372036854775807, 9007199254740993, 9007199254740993"},
	{"HUGEINT", "HUGEINT", "-170141183460469231731687303715884105728, 170141183460469231731687303715884105727, 1, 1"},
	{"UTINYINT", "UTINYINT", "255, 0, 0"},
	{"USMALLINT", "USMALLINT", "65535, 0, 0"},
	{"UINTEGER", "UINTEGER", "4294967295, 0, 0"},
	{"UBIGINT", "UBIGINT", "18446744073709551615, 18446744073709551614, 0, 0"},
	{"UHUGEINT", "UHUGEINT", "340282366920938463463374607431768211455, 0, 0"},
	{"BIGNUM", "BIGNUM", "'123456789012345678901234567890123456789012345678901234567890', '-1', '-1'"},
	{"FLOAT", "FLOAT", "'-3.4e38', '3.4e38', '0', '-0', 'nan', 'inf', '-inf', 'inf'"},
	{"DOUBLE", "DOUBLE", "'-1.7e308', '1.7e308', '5e-324', '0', 'nan', 'nan', 'inf', '-inf'"},
	{"not one number", "DOUBLE", "'nan', 'nan', 'inf', '-inf'"},
	{"only NaN", "DOUBLE", "'nan', 'nan'"},
	{"only infinite", "FLOAT", "'-inf', '-inf'"},
	{"DECIMAL", "DECIMAL(9,2)", "'-1234567.89', '0.01', '0.01'"},
	{"DECIMAL of 18 digits", "DECIMAL(18,3)", "'-999999999999999.999', '999999999999999.999', '0', '0'"},
	{"DECIMAL of 38 digits", "DECIMAL(38,9)", "'-99999999999999999999999999999.999999999', '12345678901234567890.123456789', '12345678901234567890.123456789'"},
	{"VARCHAR", "VARCHAR", "'ž', 'ž', '', ' ', '<script>alert(1)</script>', '<b>&amp;</b>', 'a''b\"c', 'line\nbreak', '🦆🦆'"},
	{"a very long text", "VARCHAR", "repeat('ž', 3000000), repeat('ž', 3000000), repeat('x', 1000)"},
	{"ENUM", "ENUM('x', 'y')", "'y', 'x', 'x'"},
	{"UUID", "UUID", "'00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'"},
	{"JSON", "JSON", `'{"a": [1, 2]}', '{"a": [1, 2]}', '"x"', 'null'`},
	{"BLOB", "BLOB", `'\x00\xFF', '\x00\xFF', '', 'a'`},
	{"BIT", "BIT", "'101', '101', '0'"},
	{"DATE", "DATE", "'2024-02-29', '2024-02-29', '0044-03-15 (BC)', '9999-12-31'"},
	{"DATE without end", "DATE", "'infinity', '-infinity', '-infinity'"},
	{"DATE, some without end", "DATE", "'2024-02-29', 'infinity', 'infinity', '2024-03-01'"},
	{"TIMESTAMP", "TIMESTAMP", "'2024-02-29 12:00:00.123456', '2024-02-29 12:00:00.123456', '1969-12-31 23:59:59.999999', 'infinity'"},
	{"TIMESTAMP_S", "TIMESTAMP_S", "'2024-02-29 12:00:01', '2024-02-29 12:00:01', '1969-12-31 23:59:59'"},
	{"TIMESTAMP_MS", "TIMESTAMP_MS", "'2024-02-29 12:00:00.123', '2024-02-29 12:00:00.123', '1969-12-31 23:59:59.999'"},
	{"TIMESTAMP_NS", "TIMESTAMP_NS", "'2024-02-29 12:00:00.123456789', '2024-02-29 12:00:00.123456789', '1677-09-22 00:00:00', '2262-04-11 23:47:16.854775806'"},
	{"TIMESTAMP_NS within a microsecond", "TIMESTAMP_NS", "'2024-02-29 12:00:00.123456781', '2024-02-29 12:00:00.123456789'"},
	{"TIMESTAMP_NS without end", "TIMESTAMP_NS", "'infinity', 'infinity', '-infinity'"},
	{"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "'2024-02-29 12:00:00.123456+02', '2024-02-29 10:00:00.123456+00', '2024-12-31 23:30:00-02'"},
	{"TIME", "TIME", "'23:59:59.999999', '00:00:00', '00:00:00'"},
	{"TIME_NS", "TIME_NS", "'23:59:59.999999999', '00:00:00', '00:00:00'"},
	{"TIME WITH TIME ZONE", "TIMETZ", "'10:00:00+02', '10:00:00+02', '08:00:00+00'"},
	{"INTERVAL", "INTERVAL", "'1 month', '1 month', '3 days', '00:00:01'"},
	{"list", "INTEGER[]", "[1, NULL], [1, NULL], [], NULL"},
	{"list of lists", "VARCHAR[][]", "[['a', NULL], []], [['a', NULL], []], [NULL]"},
	{"array", "INTEGER[2]", "[1, 2], [1, 2], [2, 1]"},
	{"STRUCT", "STRUCT(a INTEGER, b STRUCT(c VARCHAR[]))", "{'a': 1, 'b': {'c': ['x']}}, {'a': 1, 'b': {'c': ['x']}}, {'a': NULL, 'b': NULL}"},
	{"MAP", "MAP(VARCHAR, INTEGER)", "MAP {'k': 1}, MAP {'k': 1}, MAP {}"},
	{"UNION", "UNION(a INTEGER, b VARCHAR)", "1, 1, 'x'"},
}

// facts are what plain SQL says of a column of a file.
type facts struct {
	kind                               string
	rows, nulls, distinct, nan, finite int64
	least, most                        sql.NullString // of finite values, as text
	shortest, longest                  sql.NullInt64  // characters
}

// factsOf asks plainly, with none of the expressions that a profile uses.
func factsOf(t *testing.T, db *sql.DB, from, x string) (f facts) {
	t.Helper()
	ask := func(query string, into ...any) {
		t.Helper()
		query = strings.NewReplacer("FROM t", "FROM "+from, "{x}", quoteIdent(x)).Replace(query)
		if err := db.QueryRowContext(t.Context(), query).Scan(into...); err != nil && !errors.Is(err, sql.ErrNoRows) {
			t.Fatalf("%s: %v", query, err)
		}
	}
	const finite = " FROM t WHERE {x} IS NOT NULL AND {x}::VARCHAR NOT IN ('nan', 'inf', '-inf', 'infinity', '-infinity')"
	ask("SELECT column_type FROM (DESCRIBE SELECT {x} FROM t)", &f.kind)
	ask("SELECT count(*), count(*) - count({x}) FROM t", &f.rows, &f.nulls)
	ask("SELECT count(*) FROM (SELECT DISTINCT {x} FROM t WHERE {x} IS NOT NULL)", &f.distinct)
	ask("SELECT count(*) FROM t WHERE {x}::VARCHAR = 'nan'", &f.nan)
	ask("SELECT count(*)"+finite, &f.finite)
	ask("SELECT {x}::VARCHAR"+finite+" ORDER BY {x} LIMIT 1", &f.least)
	ask("SELECT {x}::VARCHAR"+finite+" ORDER BY {x} DESC LIMIT 1", &f.most)
	ask("SELECT min(length({x}::VARCHAR)), max(length({x}::VARCHAR)) FROM t", &f.shortest, &f.longest)
	return f
}

// TestProfileOfEveryTypeAgreesWithPlainSQL: whatever the type, and however few
// values there are.
func TestProfileOfEveryTypeAgreesWithPlainSQL(t *testing.T) {
	t.Parallel()
	var columns []string
	for _, c := range everyType {
		var values []string
		for _, v := range apart(c.values) {
			values = append(values, "CAST("+v+" AS "+c.kind+")")
		}
		columns = append(columns, "["+strings.Join(values, ", ")+"][i] AS "+quoteIdent(c.name))
	}
	for shape, rows := range map[string]string{"values and NULL": "range(1, 11)", "one row": "range(1, 2)", "no row": "range(0)", "all NULL": "range(100, 103)"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			p := mustProfile(t, s, "SELECT "+strings.Join(columns, ", ")+" FROM "+rows+" r(i)", nil)
			path, err := s.path("versions/files/orders/v1.parquet")
			if err != nil {
				t.Fatal(err)
			}
			db, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, c := range everyType {
				t.Run(c.name, func(t *testing.T) {
					got, want := mustColumn(t, p, c.name), factsOf(t, db, "read_parquet("+quoteLiteral(path)+")", c.name)
					if p.RowCount != want.rows || got.Type != want.kind || got.NullCount != want.nulls || got.UniqueCount != want.distinct || !got.UniqueExact {
						t.Errorf("%d rows of %s, %d NULL, %d different (%t), want %+v", p.RowCount, got.Type, got.NullCount, got.UniqueCount, got.UniqueExact, want)
					}
					checkStats(t, got, want)
				})
			}
		})
	}
}

// apart takes values apart, which may hold commas in brackets and texts.
func apart(values string) []string {
	depth, quoted := 0, false
	return strings.FieldsFunc(values, func(r rune) bool {
		switch {
		case r == '\'':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("[{(", r):
			depth++
		case strings.ContainsRune("]})", r):
			depth--
		}
		return r == ',' && depth == 0 && !quoted
	})
}

func checkStats(t *testing.T, got profile.Column, want facts) {
	t.Helper()
	present := want.rows - want.nulls
	kinds := []bool{got.Numeric != nil, got.String != nil, got.Date != nil, got.Boolean != nil}
	told := slices.Contains(kinds, true)
	switch got.Category {
	case profile.Numeric, profile.String, profile.Date, profile.Timestamp, profile.Boolean:
		if told != (present > 0) {
			t.Fatalf("%d values, and figures: %t", present, told)
		}
	default:
		if told {
			t.Fatalf("figures of a %s", got.Category)
		}
	}
	switch {
	case got.Numeric != nil:
		checkNumbers(t, *got.Numeric, want)
	case got.Date != nil:
		d := got.Date
		zone := strings.TrimSuffix // a point in time is told in UTC
		if d.Earliest != zone(want.least.String, "+00") || d.Latest != zone(want.most.String, "+00") || d.Infinite != present-want.finite {
			t.Errorf("from %q to %q, %d infinite, want %+v", d.Earliest, d.Latest, d.Infinite, want)
		}
		if (d.Histogram != nil) != (want.finite > 0) || d.Histogram != nil && sum(d.Histogram.Counts) != want.finite {
			t.Errorf("histogram %+v of %d dates", d.Histogram, want.finite)
		}
	case got.String != nil:
		if got.String.MinLength != want.shortest.Int64 || got.String.MaxLength != want.longest.Int64 || sum(got.String.Lengths.Counts) != present {
			t.Errorf("texts %+v, want %+v", got.String, want)
		}
	case got.Boolean != nil:
		if got.Boolean.TrueCount+got.Boolean.FalseCount != present {
			t.Errorf("%+v of %d", got.Boolean, present)
		}
	}
}

func checkNumbers(t *testing.T, n profile.NumericStats, want facts) {
	t.Helper()
	present := want.rows - want.nulls
	if string(n.Min) != want.least.String || string(n.Max) != want.most.String {
		t.Errorf("from %s to %s, want %s to %s", n.Min, n.Max, want.least.String, want.most.String)
	}
	if n.NaN != want.nan || n.NonFinite != present-want.finite || n.NaN+n.Infinite != n.NonFinite {
		t.Errorf("%d NaN, %d infinite, %d of both, want %+v", n.NaN, n.Infinite, n.NonFinite, want)
	}
	if (n.Histogram != nil) != (want.finite > 0) || n.Histogram != nil && sum(n.Histogram.Counts) != want.finite {
		t.Errorf("histogram %+v of %d numbers", n.Histogram, want.finite)
	}
	if (n.Median != nil) != (want.finite > 0) {
		t.Errorf("median %v of %d numbers", n.Median, want.finite)
	}
}
