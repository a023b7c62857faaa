//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/registry"
)

// preparedColumns names a statement's columns with their DuckDB types.
func preparedColumns(prepared duckdb.PreparedStatement) []registry.Column {
	columns := make([]registry.Column, duckdb.PreparedStatementColumnCount(prepared))
	for i := range columns {
		index := duckdb.IdxT(i)
		kind := duckdb.PreparedStatementColumnLogicalType(prepared, index)
		columns[i] = registry.Column{Name: duckdb.PreparedStatementColumnName(prepared, index), Type: typeName(kind)}
		duckdb.DestroyLogicalType(&kind)
	}
	return columns
}

// castOddTypes has the engine print columns whose values Arrow would change or
// cannot hold, such as BIT, UHUGEINT or a time with its zone. The statement is
// written anew from its syntax tree, so that no text is cut into another.
func (e *queryEngine) castOddTypes(sql string, s *queryStatement, columns []registry.Column) error {
	if s.explain {
		return nil
	}
	odd := false
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = "c" + strconv.Itoa(i)
		values[i] = names[i]
		if _, isOdd := oddTypes[c.Type]; isOdd || strings.HasPrefix(c.Type, "UNION(") {
			odd, values[i] = true, "CAST("+names[i]+" AS VARCHAR)"
		}
		values[i] += " AS " + quoteIdent(c.Name)
	}
	if !odd {
		return nil
	}
	inner, err := e.textOf(e.rebuild, s.tree)
	if err != nil {
		return err
	}
	printed := fmt.Sprintf("SELECT %s FROM (%s\n) AS answer(%s)", strings.Join(values, ", "), inner, strings.Join(names, ", "))
	duckdb.DestroyPrepare(&s.prepared)
	if err := e.prepare(printed, s); err != nil {
		return e.prepare(sql, s) // rather the values as Arrow has them than none
	}
	return nil
}

var oddTypes = map[string]struct{}{
	"BIT": {}, "BIGNUM": {}, "UHUGEINT": {}, "VARIANT": {}, "GEOMETRY": {}, "TIME WITH TIME ZONE": {},
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
	names := make([]string, size)
	for i := range names {
		names[i] = quoteLiteral(duckdb.EnumDictionaryValue(t, duckdb.IdxT(i)))
	}
	return "ENUM(" + strings.Join(names, ", ") + ")"
}
