package request

import "net/url"

// AskPath is the page on which somebody asks for a table that a query of theirs
// named.
func AskPath(table string) string {
	return "/requests/new?origin=query&table=" + url.QueryEscape(table)
}
