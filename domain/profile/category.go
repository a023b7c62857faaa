package profile

import "strings"

// Category sorts DuckDB's types by what can be said of their values.
type Category string

// The categories.
const (
	Numeric   Category = "NUMERIC"
	String    Category = "STRING"
	Date      Category = "DATE"
	Timestamp Category = "TIMESTAMP"
	Boolean   Category = "BOOLEAN"
	Time      Category = "TIME"
	Interval  Category = "INTERVAL"
	Binary    Category = "BINARY"
	Nested    Category = "NESTED"
	Other     Category = "OTHER"
)

// CategoryOf returns the category of a DuckDB type.
func CategoryOf(duckType string) Category {
	kind := strings.ToUpper(strings.TrimSpace(duckType))
	if strings.HasSuffix(kind, "]") { // lists and arrays, of whatever
		return Nested
	}
	kind, _, _ = strings.Cut(kind, "(")
	switch kind = strings.TrimSpace(kind); kind {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
		"DECIMAL", "FLOAT", "DOUBLE":
		return Numeric
	case "VARCHAR", "ENUM", "UUID", "JSON":
		return String
	case "DATE":
		return Date
	case "BOOLEAN":
		return Boolean
	case "INTERVAL":
		return Interval
	case "BLOB", "BIT":
		return Binary
	case "STRUCT", "MAP", "UNION", "VARIANT":
		return Nested
	case "TIME", "TIME_NS", "TIME WITH TIME ZONE":
		return Time
	}
	if strings.HasPrefix(kind, "TIMESTAMP") {
		return Timestamp
	}
	return Other
}

// Whole reports whether a type holds whole numbers only.
func Whole(duckType string) bool {
	kind := strings.ToUpper(duckType)
	return strings.HasSuffix(kind, "INT") || kind == "INTEGER" || kind == "UINTEGER"
}

func sameName(a, b string) bool { return strings.EqualFold(a, b) }
