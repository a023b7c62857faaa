package query

import "regexp"

// missingTable is what DuckDB 1.5 says of a table that it does not find.
var missingTable = regexp.MustCompile(`Table with name "?([^"\s]+)"? does not exist`)

// MissingTable returns the name of the table that an engine's error does not
// find.
func MissingTable(text string) (name string, ok bool) {
	m := missingTable.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return m[1], true
}
