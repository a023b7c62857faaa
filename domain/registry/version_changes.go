package registry

import (
	"fmt"
	"strings"
)

// ColumnChanges is how the columns of a version differ from those of another.
type ColumnChanges struct {
	Added   []Column
	Removed []Column
	Retyped []RetypedColumn
}

// RetypedColumn is a column whose type changes.
type RetypedColumn struct {
	Name string
	Was  string
	Is   string
}

// None reports whether the columns are the same.
func (c ColumnChanges) None() bool {
	return len(c.Added) == 0 && len(c.Removed) == 0 && len(c.Retyped) == 0
}

// CompareColumns tells how columns differ from those before. Their order does
// not count, because queries name them.
func CompareColumns(was, is []Column) ColumnChanges {
	before := make(map[string]string, len(was))
	for _, c := range was {
		before[c.Name] = c.Type
	}
	var changes ColumnChanges
	for _, c := range is {
		kind, known := before[c.Name]
		switch {
		case !known:
			changes.Added = append(changes.Added, c)
		case kind != c.Type:
			changes.Retyped = append(changes.Retyped, RetypedColumn{Name: c.Name, Was: kind, Is: c.Type})
		}
		delete(before, c.Name)
	}
	for _, c := range was {
		if _, gone := before[c.Name]; gone {
			changes.Removed = append(changes.Removed, c)
		}
	}
	return changes
}

// wordedColumns is how many columns of a kind are named in a sentence.
const wordedColumns = 3

// Words says the changes in a line, what breaks queries first; "" without any.
func (c ColumnChanges) Words() string {
	var parts []string
	if len(c.Removed) > 0 {
		parts = append(parts, someOf(c.Removed, func(c Column) string { return c.Name })+goes(len(c.Removed)))
	}
	if len(c.Retyped) > 0 {
		parts = append(parts, someOf(c.Retyped, func(c RetypedColumn) string { return fmt.Sprintf("%s is %s instead of %s", c.Name, c.Is, c.Was) }))
	}
	if len(c.Added) > 0 {
		parts = append(parts, someOf(c.Added, func(c Column) string { return c.Name })+comes(len(c.Added)))
	}
	return strings.Join(parts, "; ")
}

func goes(n int) string {
	if n == 1 {
		return " is gone"
	}
	return " are gone"
}

func comes(n int) string {
	if n == 1 {
		return " is new"
	}
	return " are new"
}

// someOf names the first of all and counts the rest.
func someOf[T any](all []T, word func(T) string) string {
	shown := min(len(all), wordedColumns)
	words := make([]string, shown)
	for i := range words {
		words[i] = word(all[i])
	}
	if rest := len(all) - shown; rest > 0 {
		return strings.Join(words, ", ") + fmt.Sprintf(" and %d more", rest)
	}
	if shown < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:shown-1], ", ") + " and " + words[shown-1]
}
