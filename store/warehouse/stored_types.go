package warehouse

import (
	"strings"
)

// storedType is the type that a column gets where Parquet has none like it.
// DuckDB would write 128-bit integers as DOUBLE, cut intervals to milliseconds of
// 49 days and refuse negative ones, drop a time's zone and make a STRUCT of a UNION.
func storedType(kind string) string {
	return parquetType(retype(kind, func(kind string) string {
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
	return retype(kind, func(kind string) string {
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

// retype puts other types where a type, by the text that DuckDB prints, has
// types without parts of its own.
func retype(kind string, as func(kind string) string) string {
	if open := strings.LastIndexByte(kind, '['); open > 0 && strings.HasSuffix(kind, "]") {
		return retype(kind[:open], as) + kind[open:]
	}
	of, inside, _ := strings.Cut(kind, "(")
	if of != "STRUCT" && of != "MAP" || !strings.HasSuffix(inside, ")") {
		return as(kind)
	}
	members := membersOf(strings.TrimSuffix(inside, ")"))
	for i, m := range members {
		name, was := "", m
		if of == "STRUCT" {
			name, was = memberOf(m)
		}
		is := retype(was, as)
		if is != was && of == "STRUCT" && name == "" {
			return "VARCHAR" // SQL cannot say a STRUCT without names
		}
		members[i] = name + is
	}
	return of + "(" + strings.Join(members, ", ") + ")"
}

// membersOf returns what commas part, save those in quotes and brackets.
func membersOf(inside string) []string {
	var members []string
	depth, from := 0, 0
	quote := byte(0)
	for i := range len(inside) {
		switch c := inside[i]; {
		case quote != 0: // a doubled quote ends one text and begins the next
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			members = append(members, strings.TrimSpace(inside[from:i]))
			from = i + 1
		}
	}
	return append(members, strings.TrimSpace(inside[from:]))
}

// memberOf takes a STRUCT's member apart: a name as it is written, with the space
// after it, or none; and a type.
func memberOf(member string) (name, kind string) {
	end := 0
	if strings.HasPrefix(member, `"`) {
		for end = 1; end < len(member); end++ {
			if member[end] != '"' {
				continue
			}
			if !strings.HasPrefix(member[end+1:], `"`) {
				break
			}
			end++
		}
		end++
	} else {
		end = strings.IndexAny(member, " ([")
	}
	if end <= 0 || end >= len(member) || member[end] != ' ' || strings.HasPrefix(member[end:], " WITH TIME ZONE") {
		return "", member
	}
	return member[:end+1], member[end+1:]
}
