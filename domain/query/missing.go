package query

import (
	"regexp"
	"strconv"
	"strings"
)

// missingTable is what DuckDB 1.5 says of a table that it does not find.
var missingTable = regexp.MustCompile(`Table with name "?([^"\s]+)"? does not exist`)

// NotThere says that a name is no table that its reader may read. Whether it
// names anything at all is not for them to know.
func NotThere(name string) string {
	return "Table " + strconv.Quote(name) + notThere
}

const notThere = " is not there, or you may not read it."

// MissingTable returns the name of the table that an error does not find, in the
// engine's words or in those of NotThere.
func MissingTable(text string) (name string, ok bool) {
	if rest, ours := strings.CutPrefix(text, "Table "); ours {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil || !strings.HasPrefix(rest[len(quoted):], notThere) {
			return "", false
		}
		name, err = strconv.Unquote(quoted)
		return name, err == nil
	}
	m := missingTable.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return m[1], true
}
