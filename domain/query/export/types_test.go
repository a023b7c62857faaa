package export

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"agnes/domain/query"
	"agnes/domain/registry"
)

func TestArrowTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"INTEGER":                    "int32",
		"INTERVAL":                   "month_day_nano_interval",
		"DECIMAL(18,2)":              "decimal(18, 2)",
		"DECIMAL(x,y)":               "utf8",
		"BIGINT[]":                   "list<item: int64, nullable>",
		"BIGINT[][3]":                "fixed_size_list<item: list<item: int64, nullable>, nullable>[3]",
		"BIGINT[0]":                  "utf8",
		"TIMESTAMP WITH TIME ZONE[]": "list<item: timestamp[us, tz=UTC], nullable>",
		"STRUCT(a INTEGER, \"b, (\"\"c\" DATE[])": `struct<a: int32 nullable, b, ("c: list<item: date32, nullable> nullable>`,
		"STRUCT(a TIMESTAMP WITH TIME ZONE)":      "struct<a: timestamp[us, tz=UTC] nullable>",
		"STRUCT(e ENUM('x)', ',y'), n DOUBLE)":    "struct<e: utf8 nullable, n: float64 nullable>",
		"MAP(VARCHAR, STRUCT(k HUGEINT))":         "map<utf8, struct<k: decimal(38, 0) nullable>, items_nullable>",
		"STRUCT(INTEGER, STRUCT(a DATE))":         "struct<: int32 nullable, : struct<a: date32 nullable> nullable>",
		"STRUCT(TIMESTAMP WITH TIME ZONE)":        "struct<: timestamp[us, tz=UTC] nullable>",
		"MAP(VARCHAR)":                            "utf8",
		"ENUM('[]')":                              "utf8",
		"UNION(n INTEGER, s VARCHAR)":             "utf8",
		"STRUCT(":                                 "utf8",
		"[]":                                      "list<item: utf8, nullable>",
		"UUID":                                    "utf8",
	} {
		if got := arrowType(name).String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func FuzzArrowType(f *testing.F) {
	for _, s := range []string{"STRUCT(a INTEGER, b VARCHAR[])", `STRUCT("`, "MAP((,", "DECIMAL(,)[9999999999]", "'[]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if arrowType(name) == nil {
			t.Errorf("%q has no type", name)
		}
	})
}

// A result without rows has the schema that it would have with them.
func TestEmptyResultsKeepTheirTypes(t *testing.T) {
	t.Parallel()
	full := tableOf(t, columns())
	for _, f := range []Format{Arrow, Stream} {
		schema := func(raw []byte) *arrow.Schema {
			if f == Stream {
				r, err := ipc.NewReader(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				return r.Schema()
			}
			r, err := ipc.NewFileReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			return r.Schema()
		}
		none := schema(written(t, f, &rows{columns: full.columns}, Options{}))
		some := schema(written(t, f, tableOf(t, columns()), Options{}))
		for i, want := range some.Fields() {
			got := none.Field(i)
			if zoned, is := want.Type.(*arrow.TimestampType); is && zoned.TimeZone != "" {
				want.Type = &arrow.TimestampType{Unit: zoned.Unit, TimeZone: "UTC"}
			}
			if want.Type.ID() == arrow.DICTIONARY {
				want.Type = arrow.BinaryTypes.String
			}
			if !arrow.TypeEqual(got.Type, want.Type) || got.Name != want.Name || !got.Nullable {
				t.Errorf("%s: %s without rows, %s with them", f, got, want)
			}
		}
	}
}

func readParquet(t *testing.T, raw []byte) *pqarrow.FileReader {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: 10}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

func TestEmptyParquetKeepsItsTypes(t *testing.T) {
	t.Parallel()
	full := tableOf(t, columns())
	some, err := readParquet(t, written(t, Parquet, tableOf(t, columns()), Options{})).Schema()
	if err != nil {
		t.Fatal(err)
	}
	none, err := readParquet(t, written(t, Parquet, &rows{columns: full.columns}, Options{})).Schema()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range some.Fields() {
		if got := none.Field(i); got.Name != want.Name || got.Type.ID() != want.Type.ID() {
			t.Errorf("%s without rows, %s with them", got, want)
		}
	}
}

// A HUGEINT may have 39 digits, one more than any decimal of Parquet.
func TestHugeIntegersInParquet(t *testing.T) {
	t.Parallel()
	huge := &arrow.Decimal128Type{Precision: 38}
	most := "170141183460469231731687303715884105727"
	fields := []arrow.Field{
		{Name: "h", Type: huge, Nullable: true},
		{Name: "d", Type: huge, Nullable: true},
		{Name: "l", Type: arrow.ListOf(huge), Nullable: true},
		{Name: "f", Type: arrow.FixedSizeListOf(2, huge), Nullable: true},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "a", Type: huge, Nullable: true}, arrow.Field{Name: "HUGEINT", Type: huge, Nullable: true}), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, huge), Nullable: true},
	}
	kinds := []string{"HUGEINT", "DECIMAL(38,0)", "HUGEINT[]", "HUGEINT[2]", "STRUCT(a HUGEINT, \"HUGEINT\" DECIMAL(38,0))", "MAP(VARCHAR, HUGEINT)"}
	b, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(
		`[{"h":"1","d":"7","l":["1"],"f":["1","2"],"s":{"a":"1","HUGEINT":"7"},"m":[{"key":"k","value":"1"}]},{},
		{"h":"-3","d":"7","l":[null,"2"],"f":["3",null],"s":{"a":null,"HUGEINT":"7"},"m":[]}]`))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	cut := b.NewSlice(1, 3) // batches are often parts of others
	src := &rows{batches: []arrow.RecordBatch{b, cut, mostHuge(t, b.Schema(), most)}}
	for i, f := range fields {
		src.columns = append(src.columns, registry.Column{Name: f.Name, Type: kinds[i]})
	}
	batches, err := readParquet(t, written(t, Parquet, src, Options{})).GetRecordReader(t.Context(), nil, nil)
	if err != nil || !batches.Next() {
		t.Fatal(err)
	}
	got := batches.RecordBatch()
	for c, want := range [][]string{
		{"1.0", "", "-3.0", "", "-3.0", "1.7014118346046923e+38"},
		{"7", "", "7", "", "7", ""},
		{"[1.0]", "", "[NULL, 2.0]", "", "[NULL, 2.0]", ""},
		{"[1.0, 2.0]", "", "[3.0, NULL]", "", "[3.0, NULL]", ""},
		{"{'a': 1.0, 'HUGEINT': 7}", "", "{'a': NULL, 'HUGEINT': 7}", "", "{'a': NULL, 'HUGEINT': 7}", ""},
		{"{k=1.0}", "", "{}", "", "{}", ""},
	} {
		for i, cell := range want {
			if text, ok := query.Text(got.Column(c), i); text != cell || ok != (cell != "") {
				t.Errorf("%s row %d is %q, want %q", fields[c].Name, i, text, cell)
			}
		}
	}
}

// mostHuge is a row of the largest HUGEINT, whose other columns are NULL.
func mostHuge(t *testing.T, schema *arrow.Schema, digits string) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		t.Fatal(digits)
	}
	b.Field(0).(*array.Decimal128Builder).Append(decimal128.FromBigInt(n))
	for _, f := range b.Fields()[1:] {
		f.AppendNull()
	}
	return b.NewRecordBatch()
}
