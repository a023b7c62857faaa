// Package ducktype takes the names of DuckDB's types apart, as the engine prints
// them: BIGINT, DECIMAL(18,3)[], STRUCT("a b" INTEGER, c VARCHAR), MAP(VARCHAR, DATE).
package ducktype

import (
	"strconv"
	"strings"
)

// List takes a list's type apart; size is below 0 for lists of any length.
func List(kind string) (inner string, size int32, ok bool) {
	open := strings.LastIndexByte(kind, '[')
	if open < 0 || !strings.HasSuffix(kind, "]") {
		return "", 0, false
	}
	text := kind[open+1 : len(kind)-1]
	if text == "" {
		return kind[:open], -1, true
	}
	n, err := strconv.ParseInt(text, 10, 32)
	return kind[:open], int32(n), err == nil && n > 0
}

// Members returns what stands between the brackets of OF(a, b), nil for another
// kind of type.
func Members(kind, of string) []string {
	inside, ok := strings.CutPrefix(kind, of+"(")
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

// Member takes a struct's member apart: a name, quoted or not or none at all, and
// a type.
func Member(text string) (name, kind string) {
	name, kind = parts(text)
	if inner, quoted := strings.CutPrefix(name, `"`); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`), kind
	}
	return name, kind
}

// parts is Member with the name as it is written.
func parts(text string) (name, kind string) {
	if !strings.HasPrefix(text, `"`) {
		name, kind, named := strings.Cut(text, " ")
		if !named || strings.ContainsAny(name, "([") || strings.HasPrefix(kind, "WITH TIME ZONE") {
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
		return text[:i+1], strings.TrimSpace(text[i+1:])
	}
	return text, ""
}

// Replace puts other types where a type has types without parts of their own. It
// is VARCHAR where SQL could not say the type that results.
func Replace(kind string, as func(kind string) string) string {
	if inner, _, ok := List(kind); ok {
		return Replace(inner, as) + kind[len(inner):]
	}
	if members := Members(kind, "MAP"); members != nil {
		for i, m := range members {
			members[i] = Replace(m, as)
		}
		return "MAP(" + strings.Join(members, ", ") + ")"
	}
	members := Members(kind, "STRUCT")
	if members == nil {
		return as(kind)
	}
	for i, m := range members {
		name, was := parts(m)
		is := Replace(was, as)
		switch {
		case name != "":
			members[i] = name + " " + is
		case is != was:
			return "VARCHAR" // nothing says a STRUCT without names
		}
	}
	return "STRUCT(" + strings.Join(members, ", ") + ")"
}
