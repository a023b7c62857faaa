package warehouse

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// unite puts parts together by the names of their columns. A column that has
// several types becomes one that holds them all.
func unite(parts []part, hive []registry.Column) (query string, warnings []string) {
	columns, warnings := uniteColumns(parts, hive)
	var order []string
	places, selects := map[string][]string{}, map[string]string{}
	for _, p := range parts {
		has := map[string]string{}
		for _, c := range p.columns {
			has[strings.ToLower(c.Name)] = c.Name
		}
		cells := make([]string, len(columns))
		for i, c := range columns {
			value := "NULL"
			if name, there := has[strings.ToLower(c.Name)]; there {
				value = quoteIdent(name)
				if c.Type == "JSON" {
					value = "to_json(" + value + ")"
				}
			}
			cells[i] = "CAST(" + value + " AS " + c.Type + ") AS " + quoteIdent(c.Name)
		}
		key := cmp.Or(p.layout, fmt.Sprint(p.columns))
		if selects[key] == "" {
			order, selects[key] = append(order, key), "SELECT "+strings.Join(cells, ", ")
		}
		places[key] = append(places[key], p.place)
	}
	for i, key := range order {
		order[i] = selects[key] + " FROM read_parquet(" + quoteList(quoteFile, places[key]) + ", hive_partitioning = false)"
	}
	return strings.Join(order, " UNION ALL "), warnings
}

// uniteColumns are the columns of all parts in the order of their first
// appearance.
func uniteColumns(parts []part, hive []registry.Column) (columns []registry.Column, warnings []string) {
	at := map[string]int{}
	mixed := map[string]string{}
	for _, p := range parts {
		for _, c := range p.columns {
			i, known := at[strings.ToLower(c.Name)]
			if !known {
				at[strings.ToLower(c.Name)] = len(columns)
				columns = append(columns, c)
				continue
			}
			wide := widest(columns[i].Type, c.Type)
			if (wide == "VARCHAR" || wide == "JSON") && columns[i].Type != c.Type && c.Type != noType && columns[i].Type != noType {
				mixed[columns[i].Name] = wide
			}
			columns[i].Type = wide
		}
	}
	for i, c := range columns {
		if c.Type == noType {
			columns[i].Type = "VARCHAR"
		}
	}
	for _, h := range hive {
		if i, there := at[strings.ToLower(h.Name)]; there {
			columns[i].Type = h.Type
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mixed)) {
		warnings = append(warnings, mixedTypes(name, mixed[name]))
	}
	return columns, warnings
}

func mixedTypes(name, kind string) string {
	as := "text"
	if kind == "JSON" {
		as = kind
	}
	return fmt.Sprintf("Column %s has another type in other files. It is kept as %s, so that nothing is lost.", name, as)
}

// noType is the type of a column of one file that has no value: any other's will do.
const noType = ""

// widest is a type that holds the values of both.
func widest(a, b string) string {
	whole := []string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}
	i, k := slices.Index(whole, a), slices.Index(whole, b)
	switch {
	case a == b, b == noType:
		return a
	case a == noType:
		return b
	case i >= 0 && k >= 0:
		return whole[max(i, k)]
	case (i >= 0 || a == "FLOAT" || a == "DOUBLE") && (k >= 0 || b == "FLOAT" || b == "DOUBLE"):
		return "DOUBLE"
	case (a == "DATE" && b == "TIMESTAMP") || (a == "TIMESTAMP" && b == "DATE"):
		return "TIMESTAMP"
	case a == "JSON" || b == "JSON":
		return "JSON"
	case nested(a) || nested(b):
		if one, ok := uniteNested(a, b); ok {
			return one
		}
		return "JSON"
	}
	return "VARCHAR"
}

// hiveNull is how other systems name the folder of no value.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

var (
	hiveWhole = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$|^0[0-9]$`) // also months and days as 01
	hiveDate  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// hiveColumns are the columns that the folders' names give, typed by all values.
func hiveColumns(names []string) []registry.Column {
	var columns []registry.Column
	seen := map[string][]string{}
	for _, name := range names {
		keys, values := files.HiveKeys(name)
		for i, key := range keys {
			low := strings.ToLower(key)
			if _, known := seen[low]; !known {
				columns = append(columns, registry.Column{Name: cleanName(key)})
			}
			if values[i] != hiveNull {
				seen[low] = append(seen[low], values[i])
			} else if seen[low] == nil {
				seen[low] = []string{}
			}
		}
	}
	for i, c := range columns {
		columns[i].Type = "VARCHAR"
		values := seen[strings.ToLower(c.Name)]
		badDay := func(v string) bool { _, err := time.Parse(time.DateOnly, v); return err != nil }
		for kind, form := range map[string]*regexp.Regexp{"BIGINT": hiveWhole, "DATE": hiveDate} {
			if len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !form.MatchString(v) }) {
				columns[i].Type = kind
			}
		}
		if columns[i].Type == "DATE" && slices.ContainsFunc(values, badDay) {
			columns[i].Type = "VARCHAR"
		}
	}
	return columns
}

// hiveCell is what a folder key=value says of all rows below it.
type hiveCell struct{ name, value string }

func hiveCells(name string) []hiveCell {
	keys, values := files.HiveKeys(name)
	cells := make([]hiveCell, len(keys))
	for i, key := range keys {
		cells[i] = hiveCell{cleanName(key), values[i]}
	}
	return cells
}

// literal is the value in SQL.
func (h hiveCell) literal() string {
	if h.value == hiveNull {
		return "NULL"
	}
	return quoteLiteral(unescapeHive(h.value))
}

func names(d files.Dataset) []string {
	all := make([]string, len(d.Files))
	for i, f := range d.Files {
		all[i] = f.Name
	}
	return all
}

// unescapeHive undoes what writers do to values that cannot be a folder's name.
func unescapeHive(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}
