package views

import (
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"

	"agnes/domain/registry"
)

// Grid is rows of a table or a result: cells as text, nil for NULL.
type Grid struct {
	Columns []registry.Column
	Rows    [][]*string
	From    []string // the file of each row, where they are of several
	First   int64    // rows before these
	Sorts   []GridSort
}

// GridSort sorts by one column; a grid without any cannot be sorted.
type GridSort struct {
	URL  templ.SafeURL
	Aria string // as the column is sorted now: ascending, descending or none
}

// Example is a query worth running.
type Example struct {
	Title string // "Which airports lie farthest north?"
	SQL   string
}

// Cells longer than longCell are cut on the page, with longTitle characters in
// the tooltip.
const (
	longCell  = 120
	longTitle = 2000
)

// columnKind is how the cells of one column are drawn.
type columnKind struct {
	class   string
	grouped bool // thousands are set apart
}

func (k columnKind) format(cell string) string {
	if k.grouped && plainNumber(cell) {
		return group(cell)
	}
	return cell
}

// kinds decides per column how its cells are drawn. Numbers are grouped by
// thousands unless the column holds years or identifiers.
func (g Grid) kinds() []columnKind {
	kinds := make([]columnKind, len(g.Columns))
	for j, c := range g.Columns {
		switch typeIcon(c.Type) {
		case "hash", "decimals-arrow-right":
			kinds[j] = columnKind{class: "num", grouped: !identifying(c.Name) && g.large(j)}
		case "calendar", "clock":
			kinds[j] = columnKind{class: "code"}
		}
	}
	return kinds
}

// large reports whether a column has a number of five digits or more. Below
// that nothing is grouped, so that a year stays a year.
func (g Grid) large(column int) bool {
	for _, row := range g.Rows {
		if cell := row[column]; cell != nil && plainNumber(*cell) {
			whole, _, _ := strings.Cut(strings.TrimPrefix(*cell, "-"), ".")
			if len(whole) > 4 {
				return true
			}
		}
	}
	return false
}

// identifying reports whether a column's name says that its numbers name
// things rather than count them.
func identifying(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"id", "key", "year", "code", "zip", "iata"} {
		if name == word || strings.HasSuffix(name, "_"+word) {
			return true
		}
	}
	return false
}

// plainNumber reports whether text is digits with an optional sign and fraction.
func plainNumber(text string) bool {
	digits, point := 0, false
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.' && !point && digits > 0:
			point = true
		case r == '-' && i == 0:
		default:
			return false
		}
	}
	return digits > 0
}

// clipped cuts text to at most n bytes, at a character, and says so with "…".
func clipped(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
