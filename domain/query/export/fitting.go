package export

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain/ducktype"
)

// fitting returns a column, which the caller releases, of types that the library
// can write as Parquet, as DuckDB's own COPY writes them, however deep they are:
// a HUGEINT, which may have a digit more than any decimal of Parquet, as DOUBLE,
// and a list of a fixed length, which the library does not write where it is
// NULL, as any list.
func fitting(column arrow.Array, kind string) (arrow.Array, error) {
	if !strings.Contains(kind, "HUGEINT") && !strings.Contains(kind, "]") {
		column.Retain()
		return column, nil
	}
	data, err := fit(column.Data(), kind)
	if err != nil {
		return nil, err
	}
	defer data.Release()
	return array.MakeFromData(data), nil
}

func fit(data arrow.ArrayData, kind string) (arrow.ArrayData, error) {
	if kind == "HUGEINT" && data.DataType().ID() == arrow.DECIMAL128 {
		return doubles(data), nil
	}
	children, kinds := data.Children(), partsOf(kind)
	if len(kinds) == 0 || len(kinds) != len(children) {
		data.Retain()
		return data, nil
	}
	changed := make([]arrow.ArrayData, len(children))
	for i, child := range children {
		part, err := fit(child, kinds[i])
		if err != nil {
			return nil, err
		}
		defer part.Release()
		changed[i] = part
	}
	if t, fixed := data.DataType().(*arrow.FixedSizeListType); fixed {
		return loosened(data, changed[0], int(t.Len()))
	}
	return array.NewData(typeWith(data.DataType(), changed), data.Len(), data.Buffers(), changed, data.NullN(), data.Offset()), nil
}

// partsOf names the types of a nested type's children as Arrow has them.
func partsOf(kind string) []string {
	if inner, _, ok := ducktype.List(kind); ok {
		return []string{inner}
	}
	if m := ducktype.Members(kind, "MAP"); len(m) == 2 { // a list of structs of a key and a value
		return []string{"STRUCT(key " + m[0] + ", value " + m[1] + ")"}
	}
	var kinds []string
	for _, m := range ducktype.Members(kind, "STRUCT") {
		_, member := ducktype.Member(m)
		kinds = append(kinds, member)
	}
	return kinds
}

// typeWith is a nested type over other children.
func typeWith(t arrow.DataType, children []arrow.ArrayData) arrow.DataType {
	switch t := t.(type) {
	case *arrow.MapType:
		entry := children[0].DataType().(*arrow.StructType)
		return arrow.MapOf(entry.Field(0).Type, entry.Field(1).Type)
	case *arrow.ListType:
		return arrow.ListOf(children[0].DataType())
	case *arrow.LargeListType:
		return arrow.LargeListOf(children[0].DataType())
	case *arrow.StructType:
		fields := append([]arrow.Field(nil), t.Fields()...)
		for i := range fields {
			fields[i].Type = children[i].DataType()
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// loosened is a list of a fixed length as any list, in which NULL has no members.
func loosened(data, members arrow.ArrayData, size int) (arrow.ArrayData, error) {
	lists := array.NewFixedSizeListData(data)
	defer lists.Release()
	values := array.MakeFromData(members)
	defer values.Release()
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Append(0)
	valid := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer valid.Release()
	parts, end := []arrow.Array{}, int32(0)
	for i := 0; i < lists.Len(); i++ {
		valid.Append(lists.IsValid(i))
		if lists.IsValid(i) {
			at := int64(data.Offset()+i) * int64(size)
			part := array.NewSlice(values, at, at+int64(size))
			defer part.Release()
			parts, end = append(parts, part), end+int32(size) //nolint:gosec // a batch is far smaller
		}
		b.Append(end)
	}
	if len(parts) == 0 {
		parts = append(parts, array.NewSlice(values, 0, 0))
		defer parts[0].Release()
	}
	whole, err := array.Concatenate(parts, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	ends, bits := b.NewInt32Array(), valid.NewBooleanArray()
	defer ends.Release()
	defer bits.Release()
	return array.NewData(arrow.ListOf(whole.DataType()), lists.Len(), []*memory.Buffer{bits.Data().Buffers()[1], ends.Data().Buffers()[1]},
		[]arrow.ArrayData{whole.Data()}, lists.NullN(), 0), nil
}

func doubles(data arrow.ArrayData) arrow.ArrayData {
	from := array.NewDecimal128Data(data)
	defer from.Release()
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(from.Len())
	for i := range from.Len() {
		if from.IsNull(i) {
			b.AppendNull()
		} else {
			b.Append(from.Value(i).ToFloat64(0))
		}
	}
	out := b.NewFloat64Array()
	defer out.Release()
	out.Data().Retain()
	return out.Data()
}
