package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"agnes/domain/registry"
)

// uniqueNames makes column names that all survive: trimmed, none blank, none
// equal to another but for case, as DuckDB compares them.
func uniqueNames(raw []string) []string {
	names := make([]string, len(raw))
	taken := make(map[string]bool, len(raw))
	for i, r := range raw {
		names[i] = cleanName(r)
		if names[i] == "" {
			names[i] = fmt.Sprintf("column_%d", i+1)
		}
	}
	// First come, first served: a later column gives way, also to a name that
	// comes after it unsuffixed.
	plain := make(map[string]bool, len(raw))
	for _, n := range names {
		plain[strings.ToLower(n)] = true
	}
	for i, n := range names {
		for k := 2; taken[strings.ToLower(names[i])]; k++ {
			candidate := fmt.Sprintf("%s_%d", n, k)
			if !plain[strings.ToLower(candidate)] {
				names[i] = candidate
			}
		}
		taken[strings.ToLower(names[i])] = true
	}
	return names
}

// cleanName trims a name and drops what nobody can type.
func cleanName(raw string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r), r == '\ufeff', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, raw))
}

// relation is something that can follow FROM, with the columns that it shall
// have, in its own order.
type relation struct {
	from     string
	columns  []registry.Column
	reads    map[int]string // columns that are not stored as they are read: SQL with {} for the value
	tries    map[int]bool   // of reads, those that make NULL of a value that does not fit
	drops    map[int]bool   // columns that are left out
	names    []string       // of from, where columns have got others
	hive     []hiveCell     // columns that folders' names give
	where    string         // SQL that a row must meet, over the columns of t; "" for all
	warnings []string
}

// kept are the columns that are stored.
func (r relation) kept() []registry.Column {
	kept := make([]registry.Column, 0, len(r.columns))
	for i, c := range r.columns {
		if !r.drops[i] {
			kept = append(kept, c)
		}
	}
	for _, h := range r.hive {
		kept = append(kept, registry.Column{Name: h.name, Type: "VARCHAR"})
	}
	return kept
}

// value is a column of t as it is stored.
func (r relation) value(i int) string {
	if read, differs := r.reads[i]; differs {
		return strings.ReplaceAll(read, "{}", r.raw(i))
	}
	return r.raw(i)
}

// raw is a column of t as it is read.
func (r relation) raw(i int) string { return "t." + quoteIdent(r.sourceName(i)) }

func (r relation) sourceName(i int) string {
	if r.names != nil {
		return r.names[i]
	}
	return r.columns[i].Name
}

// newRelation gives from, which has columns, names that all survive and types
// that Parquet holds.
func newRelation(from string, columns []registry.Column) relation {
	return relationAs(from, columns, storedType)
}

// parquetRelation is newRelation of what is read from Parquet.
func parquetRelation(from string, columns []registry.Column) relation {
	return relationAs(from, columns, parquetType)
}

func relationAs(from string, columns []registry.Column, as func(kind string) string) relation {
	raw := make([]string, len(columns))
	for i, c := range columns {
		raw[i] = c.Name
	}
	r := relation{from: from, columns: make([]registry.Column, len(columns)), reads: map[int]string{}}
	for i, name := range uniqueNames(raw) {
		r.columns[i] = registry.Column{Name: name, Type: columns[i].Type}
		if stored := as(columns[i].Type); stored != columns[i].Type {
			r.store(i, stored, "CAST({} AS "+stored+")")
		}
	}
	r.warnings = renamed(raw, r.columns)
	return r
}

// renamed says in one sentence which columns are not called as in the source.
func renamed(raw []string, columns []registry.Column) []string {
	var said []string
	for i, c := range columns {
		if c.Name == raw[i] || c.Name == strings.TrimSpace(raw[i]) {
			continue
		}
		if raw[i] = cleanName(raw[i]); raw[i] == "" {
			raw[i] = "without a name"
		}
		said = append(said, fmt.Sprintf("%s → %s", raw[i], c.Name))
	}
	if len(said) == 0 {
		return nil
	}
	if more := len(said) - 5; more > 0 {
		said = append(said[:5], fmt.Sprintf("and %d more", more))
	}
	return []string{"Columns need names, each its own. Renamed: " + strings.Join(said, ", ") + "."}
}

// engineNames are what DuckDB calls its own in every file and table, unless a
// column has the name.
var engineNames = []string{"rowid", "filename", "file_index", rowNumber}

// reservedNames says which columns have a name that DuckDB uses too. They keep
// it: nothing of theirs is lost, and queries that exist go on.
func reservedNames(columns []registry.Column) []string {
	var found []string
	for _, c := range columns {
		if slices.Contains(engineNames, strings.ToLower(c.Name)) {
			found = append(found, c.Name)
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("Column %s has a name that DuckDB gives to something of its own in every table. Queries get the column; rename it if you need the other.", found[0])}
	}
	return []string{fmt.Sprintf("Columns %s have names that DuckDB gives to something of its own in every table. Queries get the columns; rename them if you need the others.", strings.Join(found, ", "))}
}

// store makes a column another type than it is read as.
func (r relation) store(column int, kind, read string) {
	r.columns[column].Type, r.reads[column] = kind, read
}

// selectAll reads the relation with every value as Parquet can hold it.
func (r relation) selectAll() string {
	return r.selectAs(func(value string) string { return value })
}

// selectText reads the relation as text, each value cut to what a preview shows.
func (r relation) selectText() string {
	return r.selectAs(func(value string) string { return "left(CAST(" + value + " AS VARCHAR), 1000)" })
}

func (r relation) selectAs(as func(value string) string) string {
	values := make([]string, 0, len(r.columns))
	for i, c := range r.columns {
		if !r.drops[i] {
			values = append(values, as(r.value(i))+" AS "+quoteIdent(c.Name))
		}
	}
	for _, h := range r.hive {
		values = append(values, as("CAST("+h.literal()+" AS VARCHAR)")+" AS "+quoteIdent(h.name))
	}
	query := "SELECT " + strings.Join(values, ", ") + " FROM " + r.named()
	if r.where != "" {
		query += " WHERE " + r.where
	}
	return query
}

// named is the relation under the name t, with the names of its columns.
func (r relation) named() string {
	names := make([]string, len(r.columns))
	for i := range r.columns {
		names[i] = quoteIdent(r.sourceName(i))
	}
	return r.from + " AS t(" + strings.Join(names, ", ") + ")"
}
