package export

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// rows is a result of batches that are at hand.
type rows struct {
	columns []registry.Column
	batches []arrow.RecordBatch
	after   error
}

func (r *rows) Columns() []registry.Column { return r.columns }
func (r *rows) More() bool                 { return false }
func (r *rows) Close() error               { return nil }

func (r *rows) Next(context.Context) (arrow.RecordBatch, error) {
	if len(r.batches) == 0 {
		if r.after != nil {
			return nil, r.after
		}
		return nil, io.EOF
	}
	b := r.batches[0]
	r.batches = r.batches[1:]
	b.Retain()
	return b, nil
}

// column is one type: a value, and an empty one where there is; NULL follows.
type column struct {
	name  string
	kind  string // DuckDB's name
	arrow arrow.DataType
	add   func(array.Builder)
	csv   string
	json  string
	sheet string
}

func columns() []column {
	deep := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true})
	huge, _ := decimal128.FromString("99999999999999999999999999999999999999", 38, 0)
	price, _ := decimal128.FromString("-0.05", 18, 2)
	return []column{
		{"bool", "BOOLEAN", arrow.FixedWidthTypes.Boolean, func(b array.Builder) { b.(*array.BooleanBuilder).Append(true) }, "true", "true", "TRUE"},
		{"i64", "BIGINT", arrow.PrimitiveTypes.Int64, func(b array.Builder) { b.(*array.Int64Builder).Append(math.MinInt64) }, "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
		{"u64", "UBIGINT", arrow.PrimitiveTypes.Uint64, func(b array.Builder) { b.(*array.Uint64Builder).Append(math.MaxUint64) }, "18446744073709551615", "18446744073709551615", "18446744073709551615"},
		{"i8", "TINYINT", arrow.PrimitiveTypes.Int8, func(b array.Builder) { b.(*array.Int8Builder).Append(-8) }, "-8", "-8", "-8"},
		{"huge", "HUGEINT", &arrow.Decimal128Type{Precision: 38}, func(b array.Builder) { b.(*array.Decimal128Builder).Append(huge) }, strings.Repeat("9", 38), `"` + strings.Repeat("9", 38) + `"`, strings.Repeat("9", 38)},
		{"dec", "DECIMAL(18,2)", &arrow.Decimal128Type{Precision: 18, Scale: 2}, func(b array.Builder) { b.(*array.Decimal128Builder).Append(price) }, "-0.05", `"-0.05"`, "-0.05"},
		{"f32", "FLOAT", arrow.PrimitiveTypes.Float32, func(b array.Builder) { b.(*array.Float32Builder).Append(0.1) }, "0.1", "0.1", "0.1"},
		{"nan", "DOUBLE", arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(math.NaN()) }, "NaN", `"NaN"`, "NaN"},
		{"inf", "DOUBLE", arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(math.Inf(-1)) }, "-Infinity", `"-Infinity"`, "-Infinity"},
		{"text", "VARCHAR", arrow.BinaryTypes.String, func(b array.Builder) { b.(*array.StringBuilder).Append("é \"x\",\ny\x01") }, "\"é \"\"x\"\",\ny\x01\"", `"é \"x\",\ny\u0001"`, ""},
		{"empty", "VARCHAR", arrow.BinaryTypes.String, func(b array.Builder) { b.(*array.StringBuilder).Append("") }, `""`, `""`, ""},
		{"date", "DATE", arrow.FixedWidthTypes.Date32, func(b array.Builder) { b.(*array.Date32Builder).Append(20000) }, "2024-10-04", `"2024-10-04"`, "2024-10-04"},
		{"time", "TIME", arrow.FixedWidthTypes.Time64us, func(b array.Builder) { b.(*array.Time64Builder).Append(86_400_000_000) }, "24:00:00", `"24:00:00"`, "24:00:00"},
		{"ts", "TIMESTAMP", &arrow.TimestampType{Unit: arrow.Microsecond}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(1_728_000_000_123_456) }, "2024-10-04 00:00:00.123456", `"2024-10-04 00:00:00.123456"`, "2024-10-04 00:00:00.123456"},
		{"tz", "TIMESTAMP WITH TIME ZONE", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Prague"}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(0) }, "1970-01-01 00:00:00+00", `"1970-01-01 00:00:00+00"`, "1970-01-01 00:00:00+00"},
		{"iv", "INTERVAL", arrow.FixedWidthTypes.MonthDayNanoInterval, func(b array.Builder) {
			b.(*array.MonthDayNanoIntervalBuilder).Append(arrow.MonthDayNanoInterval{Months: 13, Days: -3, Nanoseconds: 1_500_000_000})
		}, "1 year 1 month -3 days 00:00:01.5", `"1 year 1 month -3 days 00:00:01.5"`, "1 year 1 month -3 days 00:00:01.5"},
		{"list", "INTEGER[]", arrow.ListOf(arrow.PrimitiveTypes.Int32), func(b array.Builder) {
			l := b.(*array.ListBuilder)
			l.Append(true)
			l.ValueBuilder().(*array.Int32Builder).AppendValues([]int32{1, 2}, []bool{true, false})
		}, `"[1, NULL]"`, "[1,null]", "[1, NULL]"},
		{"struct", "STRUCT(a INTEGER[], b VARCHAR)", deep, func(b array.Builder) {
			s := b.(*array.StructBuilder)
			s.Append(true)
			s.FieldBuilder(0).(*array.ListBuilder).Append(true)
			s.FieldBuilder(1).(*array.StringBuilder).Append("x, y")
		}, `"{'a': [], 'b': 'x, y'}"`, `{"a":[],"b":"x, y"}`, "{'a': [], 'b': 'x, y'}"},
		{"map", "MAP(VARCHAR, INTEGER)", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), func(b array.Builder) {
			m := b.(*array.MapBuilder)
			m.Append(true)
			m.KeyBuilder().(*array.StringBuilder).Append("k")
			m.ItemBuilder().(*array.Int32Builder).AppendNull()
		}, "{k=NULL}", `{"k":null}`, "{k=NULL}"},
		{"odd map", "MAP(INTEGER, INTEGER)", arrow.MapOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int32), func(b array.Builder) {
			m := b.(*array.MapBuilder)
			m.Append(true)
			m.KeyBuilder().(*array.Int32Builder).Append(1)
			m.ItemBuilder().(*array.Int32Builder).Append(2)
		}, "{1=2}", `[{"key":1,"value":2}]`, "{1=2}"},
		{"blob", "BLOB", arrow.BinaryTypes.Binary, func(b array.Builder) { b.(*array.BinaryBuilder).Append([]byte{0, 'a', 0xff}) }, `\x00a\xFF`, `"\\x00a\\xFF"`, `\x00a\xFF`},
		{"uuid", "UUID", arrow.BinaryTypes.String, func(b array.Builder) { b.(*array.StringBuilder).Append("0190a5b0-0000-7000-8000-000000000001") }, "0190a5b0-0000-7000-8000-000000000001", `"0190a5b0-0000-7000-8000-000000000001"`, "0190a5b0-0000-7000-8000-000000000001"},
		{"enum", "ENUM('a', 'b')", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}, func(b array.Builder) { _ = b.(*array.BinaryDictionaryBuilder).AppendString("b") }, "b", `"b"`, "b"},
		{"json", "JSON", arrow.BinaryTypes.String, func(b array.Builder) { b.(*array.StringBuilder).Append(`{"n": 1}`) }, `"{""n"": 1}"`, `{"n": 1}`, `{"n": 1}`},
		{"i16", "SMALLINT", arrow.PrimitiveTypes.Int16, func(b array.Builder) { b.(*array.Int16Builder).Append(math.MinInt16) }, "-32768", "-32768", "-32768"},
		{"i32", "INTEGER", arrow.PrimitiveTypes.Int32, func(b array.Builder) { b.(*array.Int32Builder).Append(math.MinInt32) }, "-2147483648", "-2147483648", "-2147483648"},
		{"u8", "UTINYINT", arrow.PrimitiveTypes.Uint8, func(b array.Builder) { b.(*array.Uint8Builder).Append(math.MaxUint8) }, "255", "255", "255"},
		{"u16", "USMALLINT", arrow.PrimitiveTypes.Uint16, func(b array.Builder) { b.(*array.Uint16Builder).Append(math.MaxUint16) }, "65535", "65535", "65535"},
		{"u32", "UINTEGER", arrow.PrimitiveTypes.Uint32, func(b array.Builder) { b.(*array.Uint32Builder).Append(math.MaxUint32) }, "4294967295", "4294967295", "4294967295"},
		{"ts_s", "TIMESTAMP_S", &arrow.TimestampType{Unit: arrow.Second}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(-1) }, "1969-12-31 23:59:59", `"1969-12-31 23:59:59"`, "1969-12-31 23:59:59.000"},
		{"ts_ms", "TIMESTAMP_MS", &arrow.TimestampType{Unit: arrow.Millisecond}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(-1) }, "1969-12-31 23:59:59.999", `"1969-12-31 23:59:59.999"`, "1969-12-31 23:59:59.999"},
		{"ts_ns", "TIMESTAMP_NS", &arrow.TimestampType{Unit: arrow.Nanosecond}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(1_728_000_000_123_456_789) }, "2024-10-04 00:00:00.123456789", `"2024-10-04 00:00:00.123456789"`, "2024-10-04 00:00:00.123456789"},
		{"time_ns", "TIME_NS", arrow.FixedWidthTypes.Time64ns, func(b array.Builder) { b.(*array.Time64Builder).Append(1) }, "00:00:00.000000001", `"00:00:00.000000001"`, "00:00:00.000000001"},
	}
}

// tableOf is a result of two rows: the values, and NULLs.
func tableOf(t *testing.T, cols []column) *rows {
	t.Helper()
	out := &rows{}
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: c.name, Type: c.arrow, Nullable: true}
		out.columns = append(out.columns, registry.Column{Name: c.name, Type: c.kind})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, c := range cols {
		c.add(b.Field(i))
		b.Field(i).AppendNull()
	}
	out.batches = []arrow.RecordBatch{b.NewRecordBatch()}
	return out
}

func written(t *testing.T, f Format, src query.Result, o Options) []byte {
	t.Helper()
	o.TempDir = t.TempDir()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, f, src, o); err != nil {
		t.Fatalf("Write %s: %v", f, err)
	}
	return b.Bytes()
}

// Every type in every format: its value as it was, and NULL apart from empty.
func TestTypesInTextFormats(t *testing.T) {
	t.Parallel()
	for _, c := range columns() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			two := []column{c, {name: "last", kind: "INTEGER", arrow: arrow.PrimitiveTypes.Int32, add: func(b array.Builder) { b.(*array.Int32Builder).Append(7) }}}
			key := string(query.AppendJSONText(nil, c.name))
			for f, want := range map[Format]string{
				CSV:    c.name + ",last\n" + c.csv + ",7\n,\n",
				NDJSON: "{" + key + ":" + c.json + `,"last":7}` + "\n{" + key + `:null,"last":null}` + "\n",
				JSON:   "[\n{" + key + ":" + c.json + `,"last":7}` + ",\n{" + key + `:null,"last":null}` + "\n]\n",
			} {
				if diff := cmp.Diff(want, string(written(t, f, tableOf(t, two), Options{}))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", f, diff)
				}
			}
		})
	}
}

func TestTypesInArrow(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{Arrow, Stream} {
		src := tableOf(t, columns())
		want := src.batches[0]
		raw := written(t, f, src, Options{})
		var got arrow.RecordBatch
		if f == Stream {
			r, err := ipc.NewReader(bytes.NewReader(raw))
			if err != nil || !r.Next() {
				t.Fatal(err)
			}
			got = r.RecordBatch()
		} else {
			r, err := ipc.NewFileReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if got, err = r.RecordBatchAt(0); err != nil {
				t.Fatal(err)
			}
		}
		same(t, want, got, func(arrow.DataType) bool { return true })
	}
}

func TestTypesInParquet(t *testing.T) {
	t.Parallel()
	src := tableOf(t, columns())
	want := src.batches[0]
	raw := written(t, Parquet, src, Options{})
	r, err := file.NewParquetReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: 10}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := reader.GetRecordReader(t.Context(), nil, nil)
	if err != nil || !batches.Next() {
		t.Fatal(err)
	}
	same(t, want, batches.RecordBatch(), func(arrow.DataType) bool { return true })
}

// same compares the cells of two batches as text.
func same(t *testing.T, want, got arrow.RecordBatch, of func(arrow.DataType) bool) {
	t.Helper()
	if got.NumRows() != want.NumRows() || got.NumCols() != want.NumCols() {
		t.Fatalf("%d × %d, want %d × %d", got.NumRows(), got.NumCols(), want.NumRows(), want.NumCols())
	}
	for c := range int(want.NumCols()) {
		if name := want.ColumnName(c); got.ColumnName(c) != name || !of(want.Column(c).DataType()) {
			t.Errorf("column %d is %s, want %s", c, got.ColumnName(c), name)
		}
		for i := range int(want.NumRows()) {
			w, wok := query.Text(want.Column(c), i)
			if wok && want.ColumnName(c) == "huge" && got.Column(c).DataType().ID() == arrow.FLOAT64 { // as Parquet has it
				w = "1e+38"
			}
			g, gok := query.Text(got.Column(c), i)
			if w != g || wok != gok {
				t.Errorf("%s row %d: %q (%v), want %q (%v)", want.ColumnName(c), i, g, gok, w, wok)
			}
		}
	}
}

func TestTypesInSheets(t *testing.T) {
	t.Parallel()
	cols := columns()
	book, err := excelize.OpenReader(bytes.NewReader(written(t, XLSX, tableOf(t, cols), Options{})))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := book.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cols {
		if lines[0][i] != c.name {
			t.Errorf("header %q, want %q", lines[0][i], c.name)
		}
		// The library that reads here rounds to seconds; the cell has its milliseconds.
		if c.name != "text" && c.name != "ts_ms" && i < len(lines[1]) && lines[1][i] != c.sheet {
			t.Errorf("%s: %q, want %q", c.name, lines[1][i], c.sheet)
		}
	}
	if len(lines) > 2 && strings.Join(lines[2], "") != "" {
		t.Errorf("NULLs are %q", lines[2])
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
}

func texts(t *testing.T, name string, values ...string) *rows {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.BinaryTypes.String}, {Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil))
	defer b.Release()
	for _, v := range values {
		b.Field(0).(*array.StringBuilder).Append(v)
		b.Field(1).(*array.Int64Builder).Append(-1)
	}
	return &rows{columns: []registry.Column{{Name: name, Type: "VARCHAR"}, {Name: "n", Type: "BIGINT"}}, batches: []arrow.RecordBatch{b.NewRecordBatch()}}
}

func TestGuardAgainstFormulas(t *testing.T) {
	t.Parallel()
	evil := []string{"=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "＝1", "|x", "%0A"}
	plain := []string{"a=1", "1-2", "x@y", "'=1", "é"}
	for _, v := range append(evil, plain...) {
		want := v
		for _, e := range evil {
			if v == e {
				want = "'" + v
			}
		}
		if strings.ContainsAny(want, "\r") {
			want = `"` + want + `"`
		}
		if got := string(written(t, CSV, texts(t, "=h", v), Options{Guard: true})); got != "'=h,n\n"+want+",-1\n" {
			t.Errorf("%q became %q", v, got)
		}
		if got := string(written(t, TSV, texts(t, "h", v), Options{})); strings.Contains(got, "'"+v) && !strings.HasPrefix(v, "'") {
			t.Errorf("%q was guarded unasked: %q", v, got)
		}
	}
	if (Options{Guard: true}).Guarded(JSON) || !(Options{Guard: true}).Guarded(TSV) {
		t.Error("the guard is of CSV and TSV")
	}
}

func TestOneColumnHasNoEmptyLines(t *testing.T) {
	t.Parallel()
	c := columns()[10:11] // the empty text
	if got := string(written(t, CSV, tableOf(t, c), Options{})); got != "empty\n\"\"\n\"\"\n" {
		t.Errorf("got %q", got)
	}
}

func TestEmptyResults(t *testing.T) {
	t.Parallel()
	var cols []registry.Column
	for _, c := range columns() {
		cols = append(cols, registry.Column{Name: c.name, Type: c.kind})
	}
	for _, f := range append(Formats(), Stream) {
		raw := written(t, f, &rows{columns: cols}, Options{})
		if len(raw) == 0 && f != NDJSON {
			t.Errorf("%s of nothing is nothing", f)
		}
		if f == Parquet {
			r, err := file.NewParquetReader(bytes.NewReader(raw))
			if err != nil || r.MetaData().Schema.Root().NumFields() != len(cols) {
				t.Errorf("parquet of nothing: %v", err)
			}
		}
		if f == JSON && string(raw) != "[\n]\n" {
			t.Errorf("json of nothing: %q", raw)
		}
	}
}

func TestNamesThatOccurTwice(t *testing.T) {
	t.Parallel()
	got := uniqueNames([]registry.Column{{Name: "a"}, {Name: "A"}, {Name: "a_1"}, {Name: "a"}, {Name: ""}})
	if diff := cmp.Diff([]string{"a", "A_2", "a_1", "a_3", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatASheetCannotHold(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := Write(t.Context(), &b, XLSX, texts(t, "x", "ok", strings.Repeat("é", sheetText+1)), Options{TempDir: t.TempDir()})
	if domain.CodeOf(err) != "sheet_cell" || b.Len() > 0 {
		t.Errorf("a long text: %v after %d bytes", err, b.Len())
	}
	if domain.CodeOf(CheckSheet(SheetRows+1, 1)) != "sheet_rows" || domain.CodeOf(CheckSheet(1, SheetColumns+1)) != "sheet_columns" || CheckSheet(SheetRows, SheetColumns) != nil {
		t.Error("the size of a sheet")
	}
}

func TestFailureInTheMiddle(t *testing.T) {
	t.Parallel()
	lost := errors.New("the child died")
	for _, f := range append(Formats(), Stream) {
		src := texts(t, "x", "1")
		src.after = lost
		if err := Write(t.Context(), io.Discard, f, src, Options{TempDir: t.TempDir()}); !errors.Is(err, lost) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, f := range append(Formats(), Stream) {
		if f.ContentType() == "application/octet-stream" {
			t.Errorf("%s has no media type", f)
		}
		if _, err := Parse(string(f)); (err == nil) != (f != Stream) {
			t.Errorf("Parse(%s): %v", f, err)
		}
	}
	if at := serial(time.Date(2024, 10, 4, 12, 0, 0, 0, time.UTC)); at != 45569.5 {
		t.Errorf("serial %v", at)
	}
}
