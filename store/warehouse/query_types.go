//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/registry"
)

// preparedColumns names a statement's columns with their DuckDB types. odd
// holds, for each column whose values Arrow would change or cannot hold, the
// type that they are printed as; nil when there is none.
func preparedColumns(prepared duckdb.PreparedStatement) (columns []registry.Column, odd []string) {
	columns = make([]registry.Column, duckdb.PreparedStatementColumnCount(prepared))
	for i := range columns {
		index := duckdb.IdxT(i)
		kind := duckdb.PreparedStatementColumnLogicalType(prepared, index)
		columns[i] = registry.Column{Name: duckdb.PreparedStatementColumnName(prepared, index), Type: typeName(kind)}
		if printed, isOdd := printedType(kind); isOdd {
			if odd == nil {
				odd = make([]string, len(columns))
			}
			odd[i] = printed
		}
		duckdb.DestroyLogicalType(&kind)
	}
	return columns, odd
}

// castOddTypes has the engine print columns whose values Arrow would change or
// cannot hold, such as BIT, UHUGEINT or a time with its zone. The statement is
// written anew from its syntax tree, so that no text is cut into another.
func (e *queryEngine) castOddTypes(s *queryStatement, columns []registry.Column, odd []string) error {
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = "c" + strconv.Itoa(i)
		values[i] = names[i]
		if odd[i] != "" {
			values[i] = "CAST(" + names[i] + " AS " + odd[i] + ")"
		}
		values[i] += " AS " + quoteIdent(c.Name)
	}
	inner, err := e.treeText(s.tree)
	if err == nil {
		printed := fmt.Sprintf("SELECT %s FROM (%s\n) AS answer(%s)", strings.Join(values, ", "), inner, strings.Join(names, ", "))
		duckdb.DestroyPrepare(&s.prepared)
		if err = e.prepare(s, printed); err == nil && sameButOdd(s.prepared, columns, odd) {
			return nil
		}
	}
	// Rather the values as Arrow has them than none. The transaction may have
	// ended with the error.
	clear(odd)
	duckdb.DestroyPrepare(&s.prepared)
	if err := e.exec("ROLLBACK"); err != nil {
		return err
	}
	if err := e.begin(); err != nil {
		return err
	}
	return e.prepare(s, s.text)
}

// sameButOdd reports whether a statement that was written anew has the columns
// of the one that it was made of.
func sameButOdd(prepared duckdb.PreparedStatement, columns []registry.Column, odd []string) bool {
	now, _ := preparedColumns(prepared)
	if len(now) != len(columns) {
		return false
	}
	for i, c := range now {
		if c.Name != columns[i].Name || odd[i] == "" && c.Type != columns[i].Type {
			return false
		}
	}
	return true
}

// withTypes notes the types of printed columns in the schema, so that a table
// made of these rows can have them again.
func withTypes(schema *arrow.Schema, columns []registry.Column, odd []string) *arrow.Schema {
	fields := schema.Fields() // a copy
	for i, printed := range odd {
		if printed != "" && i < len(fields) {
			fields[i].Metadata = arrow.NewMetadata([]string{arrowType}, []string{columns[i].Type})
		}
	}
	if odd == nil {
		return schema
	}
	metadata := schema.Metadata()
	return arrow.NewSchema(fields, &metadata)
}

// oddTypes are printed. A HUGEINT is not: Arrow's DECIMAL(38,0) has its bits.
var oddTypes = map[duckdb.Type]struct{}{
	duckdb.TypeBit: {}, duckdb.TypeBigNum: {}, duckdb.TypeUHugeInt: {}, duckdb.TypeVariant: {}, duckdb.TypeGeometry: {},
	duckdb.TypeTimeTZ: {}, duckdb.TypeTimeNS: {}, duckdb.TypeUnion: {},
}

// printedType returns the type that a value is cast to before it goes out: its
// own, with VARCHAR in the place of odd ones, however deep they are.
func printedType(t duckdb.LogicalType) (name string, odd bool) {
	if _, isOdd := oddTypes[duckdb.GetTypeId(t)]; isOdd {
		return "VARCHAR", true
	}
	inner := func(child duckdb.LogicalType) string {
		defer duckdb.DestroyLogicalType(&child)
		name, isOdd := printedType(child)
		odd = odd || isOdd
		return name
	}
	switch duckdb.GetTypeId(t) {
	case duckdb.TypeList:
		name = inner(duckdb.ListTypeChildType(t)) + "[]"
	case duckdb.TypeArray:
		name = fmt.Sprintf("%s[%d]", inner(duckdb.ArrayTypeChildType(t)), duckdb.ArrayTypeArraySize(t))
	case duckdb.TypeMap:
		name = "MAP(" + inner(duckdb.MapTypeKeyType(t)) + ", " + inner(duckdb.MapTypeValueType(t)) + ")"
	case duckdb.TypeStruct:
		members := make([]string, duckdb.StructTypeChildCount(t))
		for i := range members {
			member := duckdb.StructTypeChildName(t, duckdb.IdxT(i))
			members[i] = quoteIdent(member) + " " + inner(duckdb.StructTypeChildType(t, duckdb.IdxT(i)))
			if member == "" && odd { // no type can be written for members without names
				return "VARCHAR", true
			}
		}
		name = "STRUCT(" + strings.Join(members, ", ") + ")"
	default:
		return wholeTypeName(t), false
	}
	return name, odd
}

// wholeTypeName is typeName with every member of an ENUM, fit to make a column of.
func wholeTypeName(t duckdb.LogicalType) string {
	if duckdb.GetTypeId(t) == duckdb.TypeEnum {
		return enumMembers(t, duckdb.EnumDictionarySize(t))
	}
	return typeName(t)
}

// plainTypes names the types without parameters, as DuckDB prints them.
var plainTypes = map[duckdb.Type]string{
	duckdb.TypeBoolean: "BOOLEAN", duckdb.TypeTinyInt: "TINYINT", duckdb.TypeSmallInt: "SMALLINT",
	duckdb.TypeInteger: "INTEGER", duckdb.TypeBigInt: "BIGINT", duckdb.TypeHugeInt: "HUGEINT",
	duckdb.TypeUTinyInt: "UTINYINT", duckdb.TypeUSmallInt: "USMALLINT", duckdb.TypeUInteger: "UINTEGER",
	duckdb.TypeUBigInt: "UBIGINT", duckdb.TypeUHugeInt: "UHUGEINT", duckdb.TypeBigNum: "BIGNUM",
	duckdb.TypeFloat: "FLOAT", duckdb.TypeDouble: "DOUBLE", duckdb.TypeVarchar: "VARCHAR",
	duckdb.TypeBlob: "BLOB", duckdb.TypeBit: "BIT", duckdb.TypeUUID: "UUID", duckdb.TypeDate: "DATE",
	duckdb.TypeTime: "TIME", duckdb.TypeTimeNS: "TIME_NS", duckdb.TypeTimeTZ: "TIME WITH TIME ZONE",
	duckdb.TypeTimestamp: "TIMESTAMP", duckdb.TypeTimestampS: "TIMESTAMP_S", duckdb.TypeTimestampMS: "TIMESTAMP_MS",
	duckdb.TypeTimestampNS: "TIMESTAMP_NS", duckdb.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE",
	duckdb.TypeInterval: "INTERVAL", duckdb.TypeSQLNull: "NULL", duckdb.TypeVariant: "VARIANT", duckdb.TypeGeometry: "GEOMETRY",
}

// maxEnumNames is how many members an ENUM's name lists.
const maxEnumNames = 20

// typeName prints a type as DESCRIBE does.
func typeName(t duckdb.LogicalType) string {
	if alias := duckdb.LogicalTypeGetAlias(t); alias != "" {
		return alias
	}
	kind := duckdb.GetTypeId(t)
	switch kind {
	case duckdb.TypeDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", duckdb.DecimalWidth(t), duckdb.DecimalScale(t))
	case duckdb.TypeEnum:
		return enumName(t)
	case duckdb.TypeList:
		return childName(duckdb.ListTypeChildType(t)) + "[]"
	case duckdb.TypeArray:
		return fmt.Sprintf("%s[%d]", childName(duckdb.ArrayTypeChildType(t)), duckdb.ArrayTypeArraySize(t))
	case duckdb.TypeMap:
		return "MAP(" + childName(duckdb.MapTypeKeyType(t)) + ", " + childName(duckdb.MapTypeValueType(t)) + ")"
	case duckdb.TypeStruct:
		return "STRUCT(" + memberNames(duckdb.StructTypeChildCount(t), func(i duckdb.IdxT) (string, duckdb.LogicalType) {
			return duckdb.StructTypeChildName(t, i), duckdb.StructTypeChildType(t, i)
		}) + ")"
	case duckdb.TypeUnion:
		return "UNION(" + memberNames(duckdb.UnionTypeMemberCount(t), func(i duckdb.IdxT) (string, duckdb.LogicalType) {
			return duckdb.UnionTypeMemberName(t, i), duckdb.UnionTypeMemberType(t, i)
		}) + ")"
	}
	if name, known := plainTypes[kind]; known {
		return name
	}
	return "UNKNOWN"
}

// childName names a type and frees it.
func childName(t duckdb.LogicalType) string {
	defer duckdb.DestroyLogicalType(&t)
	return typeName(t)
}

func memberNames(count duckdb.IdxT, member func(duckdb.IdxT) (string, duckdb.LogicalType)) string {
	parts := make([]string, count)
	for i := range parts {
		name, kind := member(duckdb.IdxT(i))
		if !registry.Identifier(name) && name != "" {
			name = quoteIdent(name)
		}
		parts[i] = strings.TrimSpace(name + " " + childName(kind))
	}
	return strings.Join(parts, ", ")
}

func enumName(t duckdb.LogicalType) string {
	size := duckdb.EnumDictionarySize(t)
	if size > maxEnumNames {
		return "ENUM"
	}
	return enumMembers(t, size)
}

func enumMembers(t duckdb.LogicalType, size uint32) string {
	names := make([]string, size)
	for i := range names {
		names[i] = quoteLiteral(duckdb.EnumDictionaryValue(t, duckdb.IdxT(i)))
	}
	return "ENUM(" + strings.Join(names, ", ") + ")"
}
