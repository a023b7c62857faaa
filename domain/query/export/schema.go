package export

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain/registry"
)

func namesOf(columns []registry.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

func nullable(f arrow.Field) arrow.Field {
	f.Nullable = true
	return f
}

// named is a schema under other column names.
func named(schema *arrow.Schema, names []string, change func(arrow.Field) arrow.Field) *arrow.Schema {
	fields := append([]arrow.Field(nil), schema.Fields()...)
	for i := range fields {
		if i < len(names) {
			fields[i].Name = names[i]
		}
		if change != nil {
			fields[i] = change(fields[i])
		}
	}
	return arrow.NewSchema(fields, nil)
}

// emptySchema is the schema of a result without rows, of which only the DuckDB
// types are known.
func emptySchema(names []string, columns []registry.Column) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: names[i], Type: arrowType(c.Type), Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

func emptyBatch(schema *arrow.Schema) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	return b.NewRecordBatch()
}

// flatType is the Arrow type of a DuckDB type without parts.
func flatType(name string) arrow.DataType {
	switch name {
	case "BOOLEAN":
		return arrow.FixedWidthTypes.Boolean
	case "TINYINT":
		return arrow.PrimitiveTypes.Int8
	case "SMALLINT":
		return arrow.PrimitiveTypes.Int16
	case "INTEGER":
		return arrow.PrimitiveTypes.Int32
	case "BIGINT":
		return arrow.PrimitiveTypes.Int64
	case "UTINYINT":
		return arrow.PrimitiveTypes.Uint8
	case "USMALLINT":
		return arrow.PrimitiveTypes.Uint16
	case "UINTEGER":
		return arrow.PrimitiveTypes.Uint32
	case "UBIGINT":
		return arrow.PrimitiveTypes.Uint64
	case "FLOAT":
		return arrow.PrimitiveTypes.Float32
	case "DOUBLE":
		return arrow.PrimitiveTypes.Float64
	case "HUGEINT":
		return &arrow.Decimal128Type{Precision: 38}
	case "BLOB":
		return arrow.BinaryTypes.Binary
	case "DATE":
		return arrow.FixedWidthTypes.Date32
	case "TIME":
		return arrow.FixedWidthTypes.Time64us
	case "TIME_NS":
		return arrow.FixedWidthTypes.Time64ns
	}
	return timeType(name)
}

func timeType(name string) arrow.DataType {
	switch name {
	case "TIMESTAMP":
		return &arrow.TimestampType{Unit: arrow.Microsecond}
	case "TIMESTAMP_S":
		return &arrow.TimestampType{Unit: arrow.Second}
	case "TIMESTAMP_MS":
		return &arrow.TimestampType{Unit: arrow.Millisecond}
	case "TIMESTAMP_NS":
		return &arrow.TimestampType{Unit: arrow.Nanosecond}
	case "INTERVAL":
		return arrow.FixedWidthTypes.MonthDayNanoInterval
	case "TIMESTAMP WITH TIME ZONE":
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	}
	inside, isDecimal := strings.CutPrefix(strings.TrimSuffix(name, ")"), "DECIMAL(")
	precision, scale, both := strings.Cut(inside, ",")
	p, perr := strconv.ParseInt(precision, 10, 32)
	s, serr := strconv.ParseInt(scale, 10, 32)
	if isDecimal && both && perr == nil && serr == nil {
		return &arrow.Decimal128Type{Precision: int32(p), Scale: int32(s)}
	}
	return arrow.BinaryTypes.String
}
