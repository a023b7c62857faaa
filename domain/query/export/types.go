package export

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/registry"
)

// arrowType is the Arrow type of a DuckDB type, by the name that DuckDB prints.
// What Arrow has no type for is text.
func arrowType(name string) arrow.DataType {
	if inner, size, ok := listOf(name); ok {
		if size < 0 {
			return arrow.ListOf(arrowType(inner))
		}
		return arrow.FixedSizeListOf(size, arrowType(inner))
	}
	if members := membersOf(name, "STRUCT"); members != nil {
		fields := make([]arrow.Field, len(members))
		for i, m := range members {
			label, kind := memberOf(m)
			fields[i] = arrow.Field{Name: label, Type: arrowType(kind), Nullable: true}
		}
		return arrow.StructOf(fields...)
	}
	if members := membersOf(name, "MAP"); len(members) == 2 {
		return arrow.MapOf(arrowType(members[0]), arrowType(members[1]))
	}
	return flatType(name)
}

// listOf takes a list's type apart; size is below 0 for lists of any length.
func listOf(name string) (inner string, size int32, ok bool) {
	open := strings.LastIndexByte(name, '[')
	if open < 0 || !strings.HasSuffix(name, "]") {
		return "", 0, false
	}
	text := name[open+1 : len(name)-1]
	if text == "" {
		return name[:open], -1, true
	}
	n, err := strconv.ParseInt(text, 10, 32)
	return name[:open], int32(n), err == nil && n > 0
}

// membersOf returns what stands between the brackets of KIND(a, b), nil for
// another kind of type.
func membersOf(name, kind string) []string {
	inside, ok := strings.CutPrefix(name, kind+"(")
	if !ok || !strings.HasSuffix(inside, ")") {
		return nil
	}
	inside = inside[:len(inside)-1]
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

// memberOf takes a struct's member apart: a name, quoted or not or none at all,
// and a type.
func memberOf(text string) (name, kind string) {
	if !strings.HasPrefix(text, `"`) {
		name, kind, named := strings.Cut(text, " ")
		if !named || !registry.Identifier(name) || strings.HasPrefix(kind, "WITH TIME ZONE") {
			return "", text
		}
		return name, kind
	}
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			i++
			continue
		}
		return strings.ReplaceAll(text[1:i], `""`, `"`), strings.TrimSpace(text[i+1:])
	}
	return text, ""
}
