//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/work"
)

// plainValues has one expression of the number i for each type that is taken
// from the vectors themselves, at its edges too.
var plainValues = []string{
	"i % 3 = 0", "(i % 256 - 128)::TINYINT", "(i % 256)::UTINYINT", "(i % 65536 - 32768)::SMALLINT", "(i % 65536)::USMALLINT",
	"(i * 214748 - 2147483648)::INTEGER", "(i * 429496)::UINTEGER", "i * 461168601842738 - 9223372036854775807", "18446744073709551615::UBIGINT - i::UBIGINT",
	"(i / 7)::FLOAT", "CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN '-inf'::DOUBLE ELSE i / 7 END", "DATE '1970-01-01' + (i::INTEGER - 5000)", "TIME '00:00:00' + i * INTERVAL 1 SECOND",
	"TIMESTAMP '1960-01-01' + i * INTERVAL 37 HOUR", "(TIMESTAMP '1960-01-01' + i * INTERVAL 37 HOUR)::TIMESTAMP_S", "(TIMESTAMP '1960-01-01' + i * INTERVAL 37 HOUR)::TIMESTAMP_MS",
	"(TIMESTAMP '1960-01-01' + i * INTERVAL 37 HOUR)::TIMESTAMP_NS", "(TIMESTAMP '1960-01-01' + i * INTERVAL 37 HOUR)::TIMESTAMPTZ", "CASE WHEN i % 100 = 0 THEN 'infinity'::TIMESTAMP ELSE '-infinity'::TIMESTAMP END",
	"(170141183460469231731687303715884105727::HUGEINT - i) * CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END", "((i % 1999 - 999) / 10)::DECIMAL(4, 1)", "((i - 9999) / 100)::DECIMAL(9, 2)", "((i - 9999) / 100)::DECIMAL(18, 3)", "((i - 9999) / 100)::DECIMAL(38, 10)",
	"repeat('x', (i % 30)::INTEGER)", "repeat('ü€', (i % 9)::INTEGER)", "'the same for all'", "'short'", "''", "'a' || chr(0) || i", "(i || '')::BLOB", "'\\x00\\xFF'::BLOB",
}

// rowsOf reads an answer in both ways: as the library makes a batch of each
// chunk, and as one batch of all vectors, in the memory of another if there is one.
func rowsOf(t *testing.T, e *queryEngine, sql string, used *vectorRows) (chunks []arrow.RecordBatch, joined *vectorRows) {
	t.Helper()
	var result duckdb.Result
	if duckdb.Query(e.conn, sql, &result) == duckdb.StateError {
		t.Fatal(sql, duckdb.ResultError(&result))
	}
	t.Cleanup(func() { duckdb.DestroyResult(&result) })
	rows, err := newChunkReader(&result)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rows.close)
	if joined = used; joined == nil {
		joined = newVectorRows(rows.schema, rows.types)
	}
	for {
		chunk, err := rows.fetch()
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Ptr == nil {
			return chunks, joined
		}
		batch, err := rows.convert(chunk)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(batch.Release)
		chunks = append(chunks, batch)
		if joined != nil {
			n := int(batch.NumRows())
			if got, estimate := joined.look(chunk, n), recordBytes(batch); got > estimate || got < estimate/2 {
				t.Errorf("%s: %d bytes, want about %d", sql, got, estimate)
			}
			joined.take(n)
		}
		duckdb.DestroyDataChunk(&chunk)
	}
}

func TestVectorsAreTakenAsTheLibraryDoes(t *testing.T) {
	e := queryWorld(t)
	for _, value := range plainValues {
		for name, from := range map[string]string{
			"one": "range(1) r(i)", "many": "range(9000) r(i)", "gaps": "range(9000) r(i) WHERE i % 7 < 5", "none": "range(0) r(i)",
		} {
			columns := fmt.Sprintf("%s AS v, CASE WHEN i %% 5 <> 0 THEN %[1]s END AS nulls, CASE WHEN i = 6000 THEN %[1]s END AS rare, CASE WHEN i BETWEEN 3000 AND 7000 THEN %[1]s END AS late", value)
			chunks, joined := rowsOf(t, e, "SELECT "+columns+" FROM "+from, nil)
			if joined == nil {
				t.Errorf("%s: its vectors are not taken", value)
				break
			}
			compareRows(t, value+", "+name, joined, chunks)
		}
	}
}

func compareRows(t *testing.T, what string, joined *vectorRows, chunks []arrow.RecordBatch) {
	t.Helper()
	all := joined.batch()
	defer all.Release()
	at := int64(0)
	for _, chunk := range chunks {
		part := all.NewSlice(at, at+chunk.NumRows())
		if !array.RecordApproxEqual(part, chunk, array.WithNaNsEqual(true), array.WithAbsTolerance(0)) {
			t.Errorf("%s: rows from %d are %v, want %v", what, at, part, chunk)
		}
		at += chunk.NumRows()
		part.Release()
	}
	if at != all.NumRows() {
		t.Errorf("%s: %d rows, want %d", what, all.NumRows(), at)
	}
}

func TestMemoryOfABatchServesTheNext(t *testing.T) {
	e := queryWorld(t)
	var v *vectorRows
	for _, sql := range []string{
		"SELECT i, true AS flag, CASE WHEN i % 2 = 0 THEN 'text ' || i END AS v, i::DECIMAL(9, 2) AS d FROM range(5000) r(i)",
		"SELECT i, i % 3 = 0 AS flag, i || '' AS v, CASE WHEN i % 3 = 1 THEN 7::DECIMAL(9, 2) END AS d FROM range(1001) r(i)",
		"SELECT i, NULL::BOOLEAN AS flag, CASE WHEN i = 1000 THEN NULL ELSE 'x' END AS v, -i::DECIMAL(9, 2) AS d FROM range(1003) r(i)",
	} {
		var chunks []arrow.RecordBatch
		chunks, v = rowsOf(t, e, sql, v)
		compareRows(t, sql, v, chunks)
		v.reset()
	}
}

func TestOtherTypesAreLeftToTheLibrary(t *testing.T) {
	e := queryWorld(t)
	for _, value := range []string{"uuid()", "INTERVAL 1 DAY", "[1]", "{'a': 1}", "MAP {'k': 1}", "'a'::ENUM('a', 'b')"} {
		if _, joined := rowsOf(t, e, "SELECT 1 AS one, "+value+" AS v", nil); joined != nil {
			t.Errorf("%s is taken for a plain type", value)
		}
	}
}

func TestNothingStandsBesideNulls(t *testing.T) {
	e := queryWorld(t)
	_, joined := rowsOf(t, e, "SELECT CASE WHEN i % 2 = 0 THEN i * 0 END, CASE WHEN i % 2 = 0 THEN (i * 0)::DECIMAL(9, 2) END, CASE WHEN i % 2 = 0 THEN '' END FROM range(5000) r(i)", nil)
	for i, c := range joined.columns {
		if strings.Trim(string(c.values), "\x00") != "" || c.nulls != 2500 {
			t.Errorf("column %d holds something beside %d nulls", i, c.nulls)
		}
	}
}

// orderSink checks that a column counts up from nought.
type orderSink struct {
	next    int64
	batches int
}

func (s *orderSink) schema(work.QuerySchema) error { return nil }

func (s *orderSink) batch(b arrow.RecordBatch) error {
	s.batches++
	for _, got := range b.Column(0).(*array.Int64).Int64Values() {
		if got != s.next {
			return fmt.Errorf("row %d where %d was expected", got, s.next)
		}
		s.next++
	}
	return nil
}

func TestLargeChunksKeepTheirPlace(t *testing.T) {
	e := queryWorld(t)
	for _, max := range []int64{0, 1, 4999, 5003, 6000, 60000} {
		sink := &orderSink{}
		sql := "SELECT i, CASE WHEN i BETWEEN 5000 AND 5004 OR i % 20000 = 19999 THEN repeat('x', 3000000) ELSE 'y' END FROM range(60000) r(i)"
		end, err := e.run(make(chan struct{}), work.QueryJob{SQL: sql, MaxRows: max}, sink)
		want := max
		if max == 0 {
			want = 60000
		}
		if err != nil || end.Rows != want || sink.next != want || end.More != (want < 60000) {
			t.Errorf("at most %d rows: %d arrived, %+v, %v", max, sink.next, end, err)
		}
	}
}

func TestMuchMemoryIsNotKept(t *testing.T) {
	v := &vectorRows{columns: make([]vectorColumn, 3)}
	for i := range v.columns {
		v.columns[i].values = make([]byte, maxBatchBytes)
	}
	v.reset()
	for i, c := range v.columns {
		if cap(c.values) > 0 {
			t.Errorf("column %d keeps %d bytes", i, cap(c.values))
		}
	}
}
