package warehouse

import (
	"strings"

	"agnes/domain/ducktype"
)

// storedType is the type that a column gets where Parquet has none like it.
// DuckDB would write 128-bit integers as DOUBLE, cut intervals to milliseconds of
// 49 days and refuse negative ones, drop a time's zone and make a STRUCT of a UNION.
func storedType(kind string) string {
	return parquetType(ducktype.Replace(kind, func(kind string) string {
		if kind == "INTERVAL" || kind == "TIME WITH TIME ZONE" {
			return "VARCHAR"
		}
		return kind
	}))
}

// parquetType is storedType for values that come from Parquet: intervals and
// times of it are such that it holds.
func parquetType(kind string) string {
	if kind == "BIT" || kind == "BIGNUM" || kind == `"NULL"` {
		return "VARCHAR"
	}
	return ducktype.Replace(kind, func(kind string) string {
		switch {
		case kind == "HUGEINT", kind == "UHUGEINT":
			return huge
		case kind == "TIMESTAMP_S": // the writer fails for infinite ones
			return "TIMESTAMP"
		case strings.HasPrefix(kind, "UNION("):
			return "VARCHAR"
		}
		return kind
	})
}
