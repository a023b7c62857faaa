//go:build duckdb_arrow

package warehouse

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// vectorRows puts the engine's vectors together to one batch, each value copied
// once. The library takes three steps for that: it makes an Arrow array of each
// vector, gives it to Go, and joins them. It is for columns of plain types only;
// what it makes is the same.
type vectorRows struct {
	schema  *arrow.Schema
	columns []vectorColumn
	rows    int
}

// vectorColumn is one column of the batch that arises.
type vectorColumn struct {
	kind    arrow.DataType
	shape   vectorShape
	width   int    // bytes of a value in a vector
	values  []byte // as Arrow has them
	offsets []int32
	valid   []byte // bits, while there are nulls
	nulls   int

	source unsafe.Pointer // values of the chunk that is being taken
	mask   []byte         // bits of those that are not null; nil when all are
}

// vectorShape says how a vector's values become Arrow's.
type vectorShape uint8

const (
	asTheyAre vectorShape = iota
	asBits                // a byte each becomes a bit
	asWide                // whole numbers become such of 16 bytes
	asTexts               // 16 bytes each, which hold or point to the text
)

// plainVectors are the types whose values lie in a vector as Arrow wants them,
// or nearly so.
var plainVectors = map[duckdb.Type]vectorColumn{
	duckdb.TypeBoolean: {kind: arrow.FixedWidthTypes.Boolean, shape: asBits, width: 1},
	duckdb.TypeTinyInt: {kind: arrow.PrimitiveTypes.Int8, width: 1}, duckdb.TypeUTinyInt: {kind: arrow.PrimitiveTypes.Uint8, width: 1},
	duckdb.TypeSmallInt: {kind: arrow.PrimitiveTypes.Int16, width: 2}, duckdb.TypeUSmallInt: {kind: arrow.PrimitiveTypes.Uint16, width: 2},
	duckdb.TypeInteger: {kind: arrow.PrimitiveTypes.Int32, width: 4}, duckdb.TypeUInteger: {kind: arrow.PrimitiveTypes.Uint32, width: 4},
	duckdb.TypeBigInt: {kind: arrow.PrimitiveTypes.Int64, width: 8}, duckdb.TypeUBigInt: {kind: arrow.PrimitiveTypes.Uint64, width: 8},
	duckdb.TypeFloat: {kind: arrow.PrimitiveTypes.Float32, width: 4}, duckdb.TypeDouble: {kind: arrow.PrimitiveTypes.Float64, width: 8},
	duckdb.TypeDate: {kind: arrow.PrimitiveTypes.Date32, width: 4}, duckdb.TypeTime: {kind: arrow.FixedWidthTypes.Time64us, width: 8},
	duckdb.TypeTimestamp:   {kind: &arrow.TimestampType{Unit: arrow.Microsecond}, width: 8},
	duckdb.TypeTimestampS:  {kind: &arrow.TimestampType{Unit: arrow.Second}, width: 8},
	duckdb.TypeTimestampMS: {kind: &arrow.TimestampType{Unit: arrow.Millisecond}, width: 8},
	duckdb.TypeTimestampNS: {kind: &arrow.TimestampType{Unit: arrow.Nanosecond}, width: 8},
	duckdb.TypeTimestampTZ: {kind: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, width: 8},
	duckdb.TypeHugeInt:     {kind: &arrow.Decimal128Type{Precision: 38}, width: 16},
	duckdb.TypeVarchar:     {kind: arrow.BinaryTypes.String, shape: asTexts, width: 16},
	duckdb.TypeBlob:        {kind: arrow.BinaryTypes.Binary, shape: asTexts, width: 16},
}

// plainVector says how a column's vectors are taken; false when the library is
// to do it.
func plainVector(t duckdb.LogicalType, kind arrow.DataType) (vectorColumn, bool) {
	if duckdb.GetTypeId(t) == duckdb.TypeDecimal {
		return plainDecimal(t, kind)
	}
	c, known := plainVectors[duckdb.GetTypeId(t)]
	return c, known && arrow.TypeEqual(c.kind, kind)
}

func plainDecimal(t duckdb.LogicalType, kind arrow.DataType) (vectorColumn, bool) {
	c := vectorColumn{
		kind:  &arrow.Decimal128Type{Precision: int32(duckdb.DecimalWidth(t)), Scale: int32(duckdb.DecimalScale(t))},
		shape: asWide,
	}
	switch duckdb.DecimalInternalType(t) {
	case duckdb.TypeSmallInt:
		c.width = 2
	case duckdb.TypeInteger:
		c.width = 4
	case duckdb.TypeBigInt:
		c.width = 8
	case duckdb.TypeHugeInt:
		c.shape, c.width = asTheyAre, 16
	default:
		return c, false
	}
	return c, arrow.TypeEqual(c.kind, kind)
}

// newVectorRows returns nil when a column is not plain.
func newVectorRows(schema *arrow.Schema, types []duckdb.LogicalType) *vectorRows {
	v := &vectorRows{schema: schema, columns: make([]vectorColumn, len(types))}
	for i, t := range types {
		c, plain := plainVector(t, schema.Field(i).Type)
		if !plain {
			return nil
		}
		v.columns[i] = c
	}
	return v
}

// look finds the first n rows of a chunk and returns what they take on the wire.
func (v *vectorRows) look(chunk duckdb.DataChunk, n int) (size int64) {
	for i := range v.columns {
		c := &v.columns[i]
		vector := duckdb.DataChunkGetVector(chunk, duckdb.IdxT(i))
		c.source = duckdb.VectorGetData(vector)
		c.mask = nil
		if mask := duckdb.VectorGetValidity(vector); mask != nil {
			if bits := unsafe.Slice((*byte)(mask), (n+7)/8); bitutil.CountSetBits(bits, 0, n) < n { //nolint:gosec // a mask has a bit for each row
				c.mask = bits
			}
		}
		size += c.size(n)
	}
	return size
}

// take copies the rows that were looked at.
func (v *vectorRows) take(n int) {
	for i := range v.columns {
		v.columns[i].take(v.rows, n)
	}
	v.rows += n
}

// batch is what was taken. It is valid until reset.
func (v *vectorRows) batch() arrow.RecordBatch {
	columns := make([]arrow.Array, len(v.columns))
	defer releaseAll(columns)
	for i := range v.columns {
		columns[i] = v.columns[i].array(v.rows)
	}
	return array.NewRecordBatch(v.schema, columns, int64(v.rows))
}

func (c *vectorColumn) array(rows int) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(c.values)}
	if c.nulls > 0 {
		buffers[0] = memory.NewBufferBytes(c.valid)
	}
	if c.shape == asTexts {
		buffers = []*memory.Buffer{buffers[0], memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.offsets)), buffers[1]}
	}
	data := array.NewData(c.kind, rows, buffers, nil, c.nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// reset begins a new batch, in the same memory unless that is much.
func (v *vectorRows) reset() {
	v.rows = 0
	kept := 0
	for i := range v.columns {
		c := &v.columns[i]
		kept += cap(c.values) + 4*cap(c.offsets) + cap(c.valid)
		c.values, c.offsets, c.valid, c.nulls = c.values[:0], c.offsets[:0], c.valid[:0], 0
	}
	if kept > scrapBytes {
		for i := range v.columns {
			c := &v.columns[i]
			c.values, c.offsets, c.valid = nil, nil, nil
		}
	}
}
