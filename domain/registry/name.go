package registry

import (
	"strings"

	"agnes/domain"
)

// Identifier reports whether s is a strict identifier, ^[a-zA-Z_][a-zA-Z0-9_]{0,63}$
// over the whole text (contract 12.5): what names of views and sources must be.
func Identifier(s string) bool {
	if s == "" || len(s) > 64 || (s[0] >= '0' && s[0] <= '9') {
		return false
	}
	for _, c := range []byte(s) {
		if !word(c) {
			return false
		}
	}
	return true
}

// QuotedIdentifier reports whether s is ^[a-zA-Z0-9_][a-zA-Z0-9_.\-]{0,127}$ over
// the whole text (contract 12.5): what buckets, source tables and ids in URLs must be.
func QuotedIdentifier(s string) bool {
	if s == "" || len(s) > 128 || !word(s[0]) {
		return false
	}
	for _, c := range []byte(s[1:]) {
		if !word(c) && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// Variable reports whether s is ^[A-Z][A-Z0-9_]{0,63}$ over the whole text
// (contract 12.3): what variables of the server that extracts name must be.
func Variable(s string) bool {
	return Identifier(s) && s[0] != '_' && s == strings.ToUpper(s)
}

func word(c byte) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
}

// IDFor is the id that contract 4.3 derives from a name.
func IDFor(name string) TableID {
	return TableID(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_"))
}

// CheckName returns the trimmed name of a table whose rows are copied here, or
// a FieldError: it becomes a view's and a file's name, so it is an identifier.
func CheckName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if !Identifier(name) {
		return "", domain.FieldError("name",
			"A table name has letters, digits and _, starts with no digit and has at most 64 characters. Nearest: %s", SuggestName(name))
	}
	if _, reserved := reservedNames[strings.ToLower(name)]; reserved {
		return "", domain.FieldError("name", "%q is a word of SQL or of Agnes itself. Nearest: %s_table", name, strings.ToLower(name))
	}
	return name, nil
}

// SuggestName makes a valid name of any text, such as a file's name.
func SuggestName(text string) string {
	var b strings.Builder
	last := byte('_')
	for _, r := range strings.ToLower(text) {
		c := byte('_')
		if r < 0x80 && word(byte(r)) { //nolint:gosec // below 0x80 a rune is its byte
			c = byte(r) //nolint:gosec // as above
		}
		if c == '_' && last == '_' {
			continue
		}
		b.WriteByte(c)
		last = c
	}
	name := strings.Trim(b.String(), "_")
	if name == "" {
		return "table_1"
	}
	if name[0] >= '0' && name[0] <= '9' {
		name = "t_" + name
	}
	if len(name) > 64 {
		name = strings.Trim(name[:64], "_")
	}
	if _, reserved := reservedNames[name]; reserved {
		return name + "_table"
	}
	return name
}

// reservedNames are the reserved key words of DuckDB 1.5 (SELECT keyword_name FROM
// duckdb_keywords() WHERE keyword_category = 'reserved'), the schemas that every instance has, and
// the tables of the extract contract.
var reservedNames = set(`all analyse analyze and any array as asc asymmetric both case cast check collate
column constraint create default deferrable desc describe distinct do else end except false fetch for
foreign from group having in initially intersect into lambda lateral leading limit not null offset on
only or order pivot pivot_longer pivot_wider placing primary qualify references returning select show
some summarize symmetric table then to trailing true union unique unpivot using variadic when where
window with information_schema pg_catalog main temp system memory _meta _remote_attach _remote_links`)

func set(words string) map[string]struct{} {
	s := map[string]struct{}{}
	for w := range strings.FieldsSeq(words) {
		s[w] = struct{}{}
	}
	return s
}

// Quote writes a name as a quoted SQL identifier.
func Quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
