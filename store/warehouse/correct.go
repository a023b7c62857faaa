package warehouse

import (
	"fmt"
	"slices"
	"strings"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// correct applies the corrections of columns: other names, other types, left out.
// A column that they name and the file does not have is refused: the file is not
// the one that they were made for.
func (r *reader) correct(rel relation) (relation, error) {
	r.found = slices.Clone(rel.columns)
	rel.names = make([]string, len(rel.columns))
	for i, c := range rel.columns {
		rel.names[i] = c.Name
	}
	rel.columns = slices.Clone(rel.columns)
	rel.tries, rel.drops = map[int]bool{}, map[int]bool{}
	if err := r.correctColumns(&rel); err != nil {
		return relation{}, err
	}
	rel.hive = r.hive
	for i, c := range rel.columns {
		for _, h := range r.hive { // the folder's name says it
			if strings.EqualFold(h.name, c.Name) && !rel.drops[i] {
				rel.drops[i] = true
				rel.warnings = append(rel.warnings, fmt.Sprintf("Column %s is named by folders as well. The folders' values are taken, and those in the files are left out.", c.Name))
			}
		}
	}
	rel.warnings = append(rel.warnings, reservedNames(rel.kept())...)
	if len(rel.kept()) == 0 {
		return relation{}, refuse("file_no_columns", "Keep at least one column.", "All columns of %s are left out.", r.name())
	}
	if err := r.doubled(rel); err != nil {
		return relation{}, err
	}
	if r.delimited() {
		r.typeCSV(&rel)
	}
	return rel, nil
}

func (r *reader) correctColumns(rel *relation) error {
	for _, c := range r.options.Columns {
		i := slices.IndexFunc(rel.names, func(n string) bool { return strings.EqualFold(n, c.Column) })
		switch {
		case i < 0 && (c.Drop || r.among):
			continue
		case i < 0:
			return refuse("file_column_missing", "Take the correction of that column back, or send a file that has it.",
				"%s has no column %s, which the table's corrections name.", r.name(), shorten(c.Column, 80))
		case c.Drop:
			rel.drops[i] = true
		}
		if c.Name != "" {
			rel.columns[i].Name = c.Name
		}
		if c.Type != "" && c.Type != rel.columns[i].Type {
			r.retypeColumn(rel, i, c.Type)
		}
	}
	return nil
}

// correctedSomewhere refuses corrections of a column that none of several files
// has.
func correctedSomewhere(o files.Options, found []registry.Column, key string) error {
	for _, c := range o.Columns {
		if !c.Drop && !slices.ContainsFunc(found, func(f registry.Column) bool { return strings.EqualFold(f.Name, c.Column) }) {
			return refuse("file_column_missing", "Take the correction of that column back, or send files that have it.",
				"No file of %s has a column %s, which the table's corrections name.", strings.TrimPrefix(key, filesDir+"/"), shorten(c.Column, 80))
		}
	}
	return nil
}

// retypeColumn makes a column another type. Of a delimited file the engine's
// parser does that, see typeCSV.
func (r *reader) retypeColumn(rel *relation, i int, kind string) {
	was := rel.columns[i].Type
	rel.columns[i].Type = kind
	if r.delimited() {
		return
	}
	inner, stored := rel.reads[i]
	if !stored {
		inner = "{}"
	}
	if was == "JSON" && kind != "JSON" {
		inner, was = "("+inner+" ->> '$')", "VARCHAR"
	}
	rel.reads[i], rel.tries[i] = r.try(inner, was, kind), true
}

// try is a value as another type, NULL when it does not fit.
func (r *reader) try(value, was, kind string) string {
	cast := r.tryCast(value, was, kind)
	loses := ""
	switch {
	case was != "VARCHAR" && narrows(was, kind):
		loses = fmt.Sprintf("TRY_CAST(%s AS %s) IS DISTINCT FROM %s", cast, was, value)
	case was == "VARCHAR" && (r.delimited() || r.options.DateFormat == "" || numeric(kind)):
		loses = r.loses(value, kind)
	}
	if loses != "" {
		return "CASE WHEN " + loses + " THEN NULL ELSE " + cast + " END"
	}
	return cast
}

// narrows reports whether the engine's cast from a type that is no text may drop
// part of a value: a fraction, digits, hours.
func narrows(was, kind string) bool {
	number := func(kind string) bool { return numeric(kind) && kind != "FLOAT" }
	switch {
	case number(was):
		return number(kind) || kind == "BOOLEAN"
	case strings.HasPrefix(was, "TIMESTAMP"):
		return kind == "DATE" || kind == "TIMESTAMP"
	}
	return false
}

func (r *reader) tryCast(value, was, kind string) string {
	dates, decimal := r.options.DateFormat, r.options.Decimal
	if r.delimited() {
		decimal = r.csv.decimal
		if kind == "DATE" {
			dates = r.csv.dateFormat
		} else {
			dates = r.csv.timestamp
		}
	}
	text := was == "VARCHAR"
	if text && dates != "" && r.delimited() && isZoned(kind) { // as the form says, or as zones are written
		return fmt.Sprintf("coalesce(CASE WHEN NOT %s THEN TRY_CAST(try_strptime(%s, %s) AS %s) END, TRY_CAST(%[2]s AS %[4]s))", isDateWord(value), value, quoteLiteral(dates), kind)
	}
	switch {
	case text && dates != "" && (kind == "DATE" || strings.HasPrefix(kind, "TIMESTAMP")):
		return fmt.Sprintf("CASE WHEN %s THEN TRY_CAST(%s AS %s) ELSE TRY_CAST(try_strptime(%[2]s, %[4]s) AS %[3]s) END", isDateWord(value), value, kind, quoteLiteral(dates))
	case text && decimal == "," && numeric(kind):
		return fmt.Sprintf("CASE WHEN contains(%s, '.') THEN NULL ELSE TRY_CAST(replace(%[1]s, ',', '.') AS %s) END", value, kind)
	}
	return fmt.Sprintf("TRY_CAST(%s AS %s)", value, kind)
}

func numeric(kind string) bool {
	return kind == "DOUBLE" || kind == "FLOAT" || strings.HasPrefix(kind, "DECIMAL") || strings.HasSuffix(kind, "INT") || kind == "INTEGER"
}

// typeCSV gives the engine's parser the types. Where a cell that does not fit
// shall become NULL, it reads text, and the types are tried after.
func (r *reader) typeCSV(rel *relation) {
	d := r.csv
	d.columns = slices.Clone(rel.columns)
	for i := range d.columns {
		d.columns[i].Name = rel.names[i]
		if rel.drops[i] {
			d.columns[i].Type = "VARCHAR"
		}
	}
	if d.dateFormat == "" && d.timestamp == "" && r.options.DateFormat != "" {
		if strings.HasPrefix(dateOption(r.options.DateFormat), "date") {
			d.dateFormat = r.options.DateFormat
		} else {
			d.timestamp = r.options.DateFormat
		}
	}
	r.csv = d
	if r.options.Policy() != files.NullCells {
		rel.from = d.from()
		return
	}
	text := d.asText()
	text.rejects = d.rejects
	rel.from = text.from()
	for i, c := range rel.columns {
		if c.Type != "VARCHAR" && !rel.drops[i] {
			rel.reads[i], rel.tries[i] = r.try("{}", "VARCHAR", c.Type), true
		}
	}
}

// doubled refuses new names that are another column's.
func (r *reader) doubled(rel relation) error {
	taken := map[string]bool{}
	for _, c := range rel.kept() {
		if key := strings.ToLower(c.Name); taken[key] {
			return refuse("file_columns_doubled", "Give each column a name of its own.", "Two columns of %s would be called %s.", r.name(), shorten(c.Name, 80))
		}
		taken[strings.ToLower(c.Name)] = true
	}
	return nil
}
