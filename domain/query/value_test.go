package query

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

// build makes a one-column array through its builder.
func build(t *testing.T, kind arrow.DataType, fill func(array.Builder)) arrow.Array {
	t.Helper()
	b := array.NewBuilder(memory.DefaultAllocator, kind)
	t.Cleanup(b.Release)
	fill(b)
	a := b.NewArray()
	t.Cleanup(a.Release)
	return a
}

func TestValueAndText(t *testing.T) {
	micro := &arrow.TimestampType{Unit: arrow.Microsecond}
	zoned := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	cases := []struct {
		name  string
		array arrow.Array
		value any
		text  string
	}{
		{"bool", build(t, arrow.FixedWidthTypes.Boolean, func(b array.Builder) { b.(*array.BooleanBuilder).Append(true) }), true, "true"},
		{"tinyint", build(t, arrow.PrimitiveTypes.Int8, func(b array.Builder) { b.(*array.Int8Builder).Append(-3) }), int64(-3), "-3"},
		{"bigint", build(t, arrow.PrimitiveTypes.Int64, func(b array.Builder) { b.(*array.Int64Builder).Append(math.MinInt64) }), int64(math.MinInt64), "-9223372036854775808"},
		{"ubigint", build(t, arrow.PrimitiveTypes.Uint64, func(b array.Builder) { b.(*array.Uint64Builder).Append(math.MaxUint64) }), uint64(math.MaxUint64), "18446744073709551615"},
		{"float", build(t, arrow.PrimitiveTypes.Float32, func(b array.Builder) { b.(*array.Float32Builder).Append(0.1) }), 0.1, "0.1"},
		{"double whole", build(t, arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(3) }), 3.0, "3.0"},
		{"double small", build(t, arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(1e-7) }), 1e-7, "1e-07"},
		{"not a number", build(t, arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(math.NaN()) }), "NaN", "NaN"},
		{"infinity", build(t, arrow.PrimitiveTypes.Float64, func(b array.Builder) { b.(*array.Float64Builder).Append(math.Inf(-1)) }), "-Infinity", "-Infinity"},
		{"empty text", build(t, arrow.BinaryTypes.String, func(b array.Builder) { b.(*array.StringBuilder).Append("") }), "", ""},
		{"date", build(t, arrow.FixedWidthTypes.Date32, func(b array.Builder) { b.(*array.Date32Builder).Append(20000) }), "2024-10-04", "2024-10-04"},
		{"timestamp", build(t, micro, func(b array.Builder) { b.(*array.TimestampBuilder).Append(1_700_000_000_500_000) }), "2023-11-14 22:13:20.5", "2023-11-14 22:13:20.5"},
		{"timestamp tz", build(t, zoned, func(b array.Builder) { b.(*array.TimestampBuilder).Append(0) }), "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00"},
		{"timestamp infinity", build(t, micro, func(b array.Builder) { b.(*array.TimestampBuilder).Append(math.MaxInt64) }), "infinity", "infinity"},
		{"decimal", build(t, &arrow.Decimal128Type{Precision: 18, Scale: 2}, func(b array.Builder) {
			b.(*array.Decimal128Builder).Append(decimal128.FromI64(-1230))
		}), "-12.30", "-12.30"},
		{"interval", build(t, arrow.FixedWidthTypes.MonthDayNanoInterval, func(b array.Builder) {
			b.(*array.MonthDayNanoIntervalBuilder).Append(arrow.MonthDayNanoInterval{Months: 14, Days: 1, Nanoseconds: 3_600_000_000_000})
		}), "1 year 2 months 1 day 01:00:00", "1 year 2 months 1 day 01:00:00"},
		{"blob", build(t, arrow.BinaryTypes.Binary, func(b array.Builder) { b.(*array.BinaryBuilder).Append([]byte{'a', 0, 0xff}) }), `a\x00\xFF`, `a\x00\xFF`},
		{"list", build(t, arrow.ListOf(arrow.PrimitiveTypes.Int32), func(b array.Builder) {
			l := b.(*array.ListBuilder)
			l.Append(true)
			l.ValueBuilder().(*array.Int32Builder).AppendValues([]int32{1, 2}, []bool{true, false})
		}), "[1, NULL]", "[1, NULL]"},
		{"struct", build(t, arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String}), func(b array.Builder) {
			s := b.(*array.StructBuilder)
			s.Append(true)
			s.FieldBuilder(0).(*array.StringBuilder).Append("x")
		}), "{'a': x}", "{'a': x}"},
		{"map", build(t, arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), func(b array.Builder) {
			m := b.(*array.MapBuilder)
			m.Append(true)
			m.KeyBuilder().(*array.StringBuilder).Append("k")
			m.ItemBuilder().(*array.Int32Builder).Append(7)
		}), "{k=7}", "{k=7}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.value, Value(c.array, 0)); diff != "" {
				t.Errorf("Value (-want +got):\n%s", diff)
			}
			if got, ok := Text(c.array, 0); got != c.text || !ok {
				t.Errorf("Text = %q, %v; want %q, true", got, ok, c.text)
			}
		})
	}
}

func TestNull(t *testing.T) {
	a := build(t, arrow.BinaryTypes.String, func(b array.Builder) { b.AppendNull() })
	if got := Value(a, 0); got != nil {
		t.Errorf("Value(NULL) = %v, want nil", got)
	}
	if got, ok := Text(a, 0); got != "" || ok {
		t.Errorf("Text(NULL) = %q, %v; want not ok", got, ok)
	}
	if got := TextCell(a, 0); got != nil {
		t.Errorf("TextCell(NULL) = %v, want nil", got)
	}
}
