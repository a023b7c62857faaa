//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"agnes/domain/work"
)

func TestRowsStreamInOrderAndWhole(t *testing.T) {
	e := queryWorld(t)
	rows, end, err := e.ask(t, "SELECT range AS n FROM range(300000)", 0)
	if err != nil || end.Rows != 300000 || end.More {
		t.Fatalf("end %+v, %v; want 300000 rows and no more", end, err)
	}
	var total int64
	for _, n := range rows.sizes {
		total += n
	}
	if total != end.Rows {
		t.Errorf("batches hold %d rows, the end says %d", total, end.Rows)
	}
	if rows.sizes[0] != firstBatchRows || slices.Max(rows.sizes) != maxBatchRows {
		t.Errorf("batch sizes %v, want the first %d and the largest %d", rows.sizes, firstBatchRows, maxBatchRows)
	}
	if rows.values[0][0] != "0" || rows.values[99][0] != "99" || rows.values[100][0] != "2048" {
		t.Errorf("rows are out of order: %v", rows.values[:3])
	}
}

func TestMaxRows(t *testing.T) {
	e := queryWorld(t)
	tests := []struct {
		max, rows int64
		more      bool
	}{{0, 5000, false}, {1, 1, true}, {2048, 2048, true}, {2049, 2049, true}, {4999, 4999, true}, {5000, 5000, false}, {5001, 5000, false}}
	for _, test := range tests {
		_, end, err := e.ask(t, "SELECT id FROM orders", test.max)
		if err != nil || end != (work.QueryEnd{Rows: test.rows, More: test.more}) {
			t.Errorf("at most %d of 5000 rows: %+v, %v; want %d, more %v", test.max, end, err, test.rows, test.more)
		}
	}
	if _, end, err := e.ask(t, "SELECT 1 WHERE false", 10); err != nil || end.Rows != 0 {
		t.Errorf("no rows: %+v, %v", end, err)
	}
	if _, end, err := e.ask(t, "SELECT * FROM range(1000000000000)", 10); err != nil || !end.More {
		t.Errorf("ten of very many: %+v, %v", end, err)
	}
}

func TestTypes(t *testing.T) {
	e := queryWorld(t)
	tests := []struct{ sql, kind, value string }{
		{"true", "BOOLEAN", "true"},
		{"1::TINYINT", "TINYINT", "1"},
		{"255::UTINYINT", "UTINYINT", "255"},
		{"9223372036854775807", "BIGINT", "9223372036854775807"},
		{"18446744073709551615::UBIGINT", "UBIGINT", "18446744073709551615"},
		{"sum(2::BIGINT)", "HUGEINT", "2"},
		{"340282366920938463463374607431768211455::UHUGEINT", "UHUGEINT", "340282366920938463463374607431768211455"},
		{"'12345678901234567890123456789012345678901234567890'::BIGNUM", "BIGNUM", "12345678901234567890123456789012345678901234567890"},
		{"0.1::FLOAT", "FLOAT", "0.1"},
		{"1e300", "DOUBLE", "1e+300"},
		{"1.50::DECIMAL(18,2)", "DECIMAL(18,2)", "1.50"},
		{"'grüße'", "VARCHAR", "grüße"},
		{`'{"a":1}'::JSON`, "JSON", `{"a":1}`},
		{"'ab'::BLOB", "BLOB", "ab"},
		{"'10101'::BIT", "BIT", "10101"},
		{"'9b4e1a0e-0000-4000-8000-000000000001'::UUID", "UUID", "9b4e1a0e-0000-4000-8000-000000000001"},
		{"DATE '2026-11-22'", "DATE", "2026-11-22"},
		{"TIME '12:30:00'", "TIME", "12:30:00"},
		{"'12:30:00+02'::TIMETZ", "TIME WITH TIME ZONE", "12:30:00+02"},
		{"TIMESTAMP '2026-11-22 12:30:00'", "TIMESTAMP", "2026-11-22 12:30:00"},
		{"TIMESTAMPTZ '2026-11-22 12:30:00+02'", "TIMESTAMP WITH TIME ZONE", "2026-11-22 10:30:00+00"},
		{"'2026-11-22'::TIMESTAMP_S", "TIMESTAMP_S", "2026-11-22 00:00:00"},
		{"'2026-11-22'::TIMESTAMP_NS", "TIMESTAMP_NS", "2026-11-22 00:00:00"},
		{"INTERVAL 3 MONTH", "INTERVAL", "3 months"},
		{"'a'::ENUM('a', 'b')", "ENUM('a', 'b')", "a"},
		{"['x', 'y']", "VARCHAR[]", "[x, y]"},
		{"[1, 2]::INT[2]", "INTEGER[2]", "[1, 2]"},
		{"{'a': 1, 'b c': 'x'}", `STRUCT(a INTEGER, "b c" VARCHAR)`, "{'a': 1, 'b c': x}"},
		{"MAP {'a': 1}", "MAP(VARCHAR, INTEGER)", "{a=1}"},
		{"[{'a': [1]}]", "STRUCT(a INTEGER[])[]", "[{'a': [1]}]"},
		{"union_value(n := 1)", "UNION(n INTEGER)", "1"},
		{"{'a': 1}::VARIANT", "VARIANT", "{'a': 1}"},
		{"NULL", "INTEGER", "NULL"},
		{"NULL::BIT", "BIT", "NULL"},
	}
	for _, test := range tests {
		rows, end, err := e.ask(t, "SELECT "+test.sql+` AS "a ""b"", c"`, 0)
		if err != nil || end.Rows != 1 {
			t.Errorf("%s: %v, %v", test.sql, end, err)
			continue
		}
		if got := rows.columns[0]; got.Type != test.kind || got.Name != `a "b", c` {
			t.Errorf("%s: column %+v, want type %s", test.sql, got, test.kind)
		}
		if got := rows.values[0][0]; got != test.value {
			t.Errorf("%s: value %q, want %q", test.sql, got, test.value)
		}
	}
}

func TestTypesSurviveJoinedBatches(t *testing.T) {
	e := queryWorld(t)
	for _, value := range []string{
		"CASE WHEN range % 2 = 0 THEN 'a' ELSE 'b' END::ENUM('a', 'b')", "[range, NULL]", "{'a': range}", "MAP {'k': range}",
		"union_value(n := range)", "INTERVAL (range) DAY", "range::DECIMAL(30,2)", "[range]::BIGINT[1]", "range::VARCHAR::BLOB", "NULL",
	} {
		rows, end, err := e.ask(t, "SELECT "+value+" AS v FROM range(20000)", 0)
		if err != nil || end.Rows != 20000 || len(rows.sizes) < 2 {
			t.Errorf("%s: %+v in batches %v, %v", value, end, rows.sizes, err)
		}
	}
}

func TestOddTypesKeepOrderAndNames(t *testing.T) {
	e := queryWorld(t)
	rows, end, err := e.ask(t, "SELECT id, '101'::BIT AS b, id AS id FROM orders ORDER BY id DESC; -- newest first", 3)
	if err != nil || end.Rows != 3 || !end.More {
		t.Fatalf("%+v, %v", end, err)
	}
	if got, want := rows.values[0], []string{"4999", "101", "4999"}; !slices.Equal(got, want) {
		t.Errorf("first row %v, want %v", got, want)
	}
	if rows.columns[0].Name != "id" || rows.columns[2].Name != "id" {
		t.Errorf("columns %v, want id twice", rows.columns)
	}
}

func TestLargeValuesAreCutIntoSmallBatches(t *testing.T) {
	e := queryWorld(t)
	rows, end, err := e.ask(t, "SELECT repeat('x', 1000000) AS v FROM range(40)", 0)
	if err != nil || end.Rows != 40 {
		t.Fatalf("%+v, %v", end, err)
	}
	if most := slices.Max(rows.sizes); most > 4 {
		t.Errorf("a batch of %d rows of 1 MB, want at most 4", most)
	}
	_, _, err = e.ask(t, "SELECT repeat('x', 70000000) AS v", 0)
	if got := failureOf(t, err); got.Code != "row_too_large" || got.fatal {
		t.Errorf("a row of 70 MB: %+v, want row_too_large", got)
	}
}

func TestCancelStopsTheStatementOnly(t *testing.T) {
	e := queryWorld(t)
	cancel := make(chan struct{})
	sink := &collected{first: func() { close(cancel) }}
	_, err := e.run(cancel, work.QueryJob{SQL: "SELECT * FROM range(1000000000000)"}, sink)
	if got := failureOf(t, err).Code; got != codeQueryCancelled {
		t.Errorf("code %s, want %s", got, codeQueryCancelled)
	}
	if _, end, err := e.ask(t, "SELECT 1", 0); err != nil || end.Rows != 1 {
		t.Errorf("the next statement: %+v, %v", end, err)
	}
	closed := make(chan struct{})
	close(closed)
	_, err = e.run(closed, work.QueryJob{SQL: "SELECT 1"}, &collected{})
	if got := failureOf(t, err).Code; got != codeQueryCancelled {
		t.Errorf("stopped before it began: code %s, want %s", got, codeQueryCancelled)
	}
}

func TestReaderThatGoesAway(t *testing.T) {
	e := queryWorld(t)
	_, err := e.run(make(chan struct{}), work.QueryJob{SQL: "SELECT * FROM range(10000000)"}, &collected{stop: 2})
	if !errors.Is(err, errStopped) {
		t.Errorf("error %v, want the reader's", err)
	}
}

func TestMemoryIsReportedAsMemory(t *testing.T) {
	e := queryWorld(t)
	_, _, err := e.ask(t, "SELECT len(list(range)) FROM range(200000000)", 0)
	f := failureOf(t, err)
	if f.Code != codeQueryMemory || f.fatal || !strings.Contains(f.Cause, "Out of Memory") {
		t.Errorf("failure %+v, want %s", f, codeQueryMemory)
	}
	if _, end, err := e.ask(t, "SELECT 1", 0); err != nil || end.Rows != 1 {
		t.Errorf("the next statement: %+v, %v", end, err)
	}
}

// TestWhatCannotBeTidiedEndsTheChild: with the connection gone, not even a
// refusal may leave the child as it is.
func TestWhatCannotBeTidiedEndsTheChild(t *testing.T) {
	e := queryWorld(t)
	e.begun = true
	sink := &collected{}
	if _, err := e.run(nil, work.QueryJob{SQL: "SELECT 1; SELECT 2"}, sink); failureOf(t, err).fatal {
		t.Errorf("no transaction to end: %v", err)
	}
	if err := e.exec("CREATE TABLE kept (i INTEGER); CREATE SCHEMA agnes_listing; CREATE TABLE agnes_listing.t (i INTEGER)"); err != nil {
		t.Fatal(err)
	}
	e.listed = true
	if err := e.exec("BEGIN TRANSACTION READ ONLY"); err != nil { // which no longer belongs to a statement
		t.Fatal(err)
	}
	_, err := e.run(nil, work.QueryJob{SQL: "DROP TABLE kept"}, sink)
	if got := asFailure(err); !got.fatal || got.Code != codeQueryInternal {
		t.Errorf("a listing that stays: %+v, want a fatal failure", got)
	}
	if err := e.exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := e.tidy(); err != nil {
		t.Error(err)
	}
}
