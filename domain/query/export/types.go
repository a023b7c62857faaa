package export

import (
	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/ducktype"
)

// arrowType is the Arrow type of a DuckDB type, by the name that DuckDB prints.
// What Arrow has no type for is text.
func arrowType(name string) arrow.DataType {
	if inner, size, ok := ducktype.List(name); ok {
		if size < 0 {
			return arrow.ListOf(arrowType(inner))
		}
		return arrow.FixedSizeListOf(size, arrowType(inner))
	}
	if members := ducktype.Members(name, "STRUCT"); members != nil {
		fields := make([]arrow.Field, len(members))
		for i, m := range members {
			label, kind := ducktype.Member(m)
			fields[i] = arrow.Field{Name: label, Type: arrowType(kind), Nullable: true}
		}
		return arrow.StructOf(fields...)
	}
	if members := ducktype.Members(name, "MAP"); len(members) == 2 {
		return arrow.MapOf(arrowType(members[0]), arrowType(members[1]))
	}
	return flatType(name)
}
