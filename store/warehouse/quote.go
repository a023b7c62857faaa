package warehouse

import "strings"

// quoteIdent makes an SQL identifier of any text. NUL cannot be part of SQL
// text and is dropped.
func quoteIdent(name string) string {
	name = strings.ReplaceAll(name, "\x00", "")
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// quoteLiteral makes an SQL string of any text. NUL cannot be part of SQL text
// and is dropped.
func quoteLiteral(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	return `'` + strings.ReplaceAll(text, `'`, `''`) + `'`
}

// globEscaper makes pattern characters stand for themselves.
var globEscaper = strings.NewReplacer(`[`, `[[]`, `*`, `[*]`, `?`, `[?]`)

// quoteFile is the SQL string of a path for DuckDB's readers, which take every
// path for a pattern: the file of exactly that name and no other.
func quoteFile(path string) string { return quoteLiteral(globEscaper.Replace(path)) }

// quoteList makes an SQL list of quoted elements.
func quoteList(quote func(string) string, elements []string) string {
	quoted := make([]string, len(elements))
	for i, e := range elements {
		quoted[i] = quote(e)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
