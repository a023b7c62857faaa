package query

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Plain returns a batch, which the caller releases, without dictionaries: an
// Arrow file holds one dictionary per column, and each batch may bring its own.
func Plain(batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	found := false
	fields := make([]arrow.Field, batch.NumCols())
	columns := make([]arrow.Array, batch.NumCols())
	for i, field := range batch.Schema().Fields() {
		fields[i], columns[i] = field, batch.Column(i)
		if !coded(field.Type) {
			continue
		}
		spelled, err := spell(batch.Column(i))
		if err != nil {
			return nil, err
		}
		defer spelled.Release()
		found = true
		fields[i].Type, columns[i] = spelled.DataType(), spelled
	}
	if !found {
		batch.Retain()
		return batch, nil
	}
	meta := batch.Schema().Metadata()
	return array.NewRecordBatch(arrow.NewSchema(fields, &meta), columns, batch.NumRows()), nil
}

// coded reports whether a type has a dictionary somewhere in it.
func coded(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return true
	case arrow.ListLikeType:
		return coded(t.Elem())
	case arrow.NestedType:
		for _, f := range t.Fields() {
			if coded(f.Type) {
				return true
			}
		}
	}
	return false
}

// spell spells out a column with dictionaries: an ENUM as its members' names
// and, rarely, a list or struct of them as DuckDB prints it.
func spell(a arrow.Array) (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range a.Len() {
		text, ok := Text(a, i)
		if !ok {
			b.AppendNull()
			continue
		}
		b.Append(text)
	}
	out := b.NewArray()
	if out.Len() != a.Len() {
		out.Release()
		return nil, fmt.Errorf("spelled out %d of %d values", out.Len(), a.Len())
	}
	return out, nil
}
