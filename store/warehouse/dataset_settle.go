package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// Files are read one by one, each as it is found, so what one leaves open may be
// settled otherwise than another has it: 03/02/2024 is in March where another file
// has 01/25/2024. What the files together say is taken; what they leave open is refused.

// settle makes the files agree: on the form of dates, on columns without a value, and
// on text where types differ.
func (ps *parts) settle(ctx context.Context, item string) error {
	for _, of := range []struct {
		kind string
		form func(converted) string
	}{
		{"DATE", func(got converted) string { return got.date }},
		{"TIMESTAMP", func(got converted) string { return got.timestamp }},
	} {
		if ps.options.DateFormat != "" {
			break // it is said
		}
		if err := ps.settleDates(ctx, item, of.kind, of.form); err != nil {
			return err
		}
	}
	mixed := ps.mixed()
	if len(mixed) == 0 {
		return nil
	}
	if err := ps.emptyColumns(ctx, mixed); err != nil {
		return err
	}
	return ps.settleText(ctx)
}

// settleDates reads files anew whose dates can be read in several forms, in the one
// that the others leave no doubt about.
func (ps *parts) settleDates(ctx context.Context, item, kind string, form func(converted) string) error {
	var forms []string
	for _, p := range ps.of {
		if f := form(p.got); f != "" && slices.ContainsFunc(p.columns, func(c registry.Column) bool { return c.Type == kind }) && !slices.Contains(forms, f) {
			forms = append(forms, f)
		}
	}
	if len(forms) < 2 {
		return nil
	}
	open := make(map[int][]string, len(ps.of)) // the other forms that a file can be read in
	sure := map[string]bool{}
	for i, p := range ps.of {
		fits, err := ps.fits(ctx, p, kind, form(p.got), forms)
		if err != nil {
			return err
		}
		if open[i] = fits; len(fits) == 0 {
			sure[form(p.got)] = true
		}
	}
	for i, p := range ps.of {
		may := slices.DeleteFunc(append(slices.Clone(open[i]), form(p.got)), func(f string) bool { return !sure[f] })
		switch {
		case len(open[i]) == 0, len(may) == 1 && may[0] == form(p.got):
			continue
		case len(may) != 1:
			slices.Sort(forms)
			return refuse("files_dates_unclear", "Choose the form of dates under the corrections, or read the column as text.",
				"Dates in %s can be read in several ways, and the files of %s are written in several: %s.", p.name, item, strings.Join(forms, " and "))
		}
		o := ps.options
		o.DateFormat = may[0]
		if err := ps.convert(ctx, i, o); err != nil {
			return err
		}
		ps.of[i].reread = o.DateFormat
	}
	return nil
}

// fits are the forms, other than its own, in which all dates of a file can be read.
func (ps *parts) fits(ctx context.Context, p part, kind, own string, forms []string) ([]string, error) {
	var columns []string
	for _, c := range p.columns {
		if c.Type == kind {
			columns = append(columns, quoteIdent(c.Name))
		}
	}
	if own == "" || len(columns) == 0 {
		return nil, nil
	}
	others := slices.DeleteFunc(slices.Clone(forms), func(f string) bool { return f == own })
	which := make([]int, len(others))
	for i := range which {
		which[i] = i
	}
	fit, err := trueFor(ctx, ps.db, which, " FROM read_parquet("+quoteFile(p.place)+", hive_partitioning = false)", func(i int) string {
		tests := make([]string, len(columns))
		for k, c := range columns {
			tests[k] = fmt.Sprintf("coalesce(bool_and(NOT isfinite(%s) OR try_strptime(strftime(%[1]s, %s), %s) IS NOT NULL), true)", c, quoteLiteral(own), quoteLiteral(others[i]))
		}
		return strings.Join(tests, " AND ")
	})
	if err != nil {
		return nil, err
	}
	found := make([]string, len(fit))
	for k, i := range fit {
		found[k] = others[i]
	}
	return found, nil
}

// unclear says which dates are a guess in every file that has them.
func (ps *parts) unclear() []string {
	sure, form := map[string]bool{}, ""
	var names []string
	for _, p := range ps.of {
		for _, c := range p.columns {
			if c.Type == "DATE" || c.Type == "TIMESTAMP" {
				sure[c.Name] = sure[c.Name] || !slices.Contains(p.got.unclear, c.Name)
			}
		}
		if len(p.got.unclear) > 0 {
			form = cmp.Or(p.got.date, p.got.timestamp)
		}
		names = append(names, p.got.unclear...)
	}
	return unclearWords(form, slices.DeleteFunc(names, func(n string) bool { return sure[n] }))
}

// mixed are the columns that have several types, by their names in lower case.
func (ps *parts) mixed() map[string]bool {
	types, mixed := map[string]string{}, map[string]bool{}
	for _, p := range ps.of {
		for _, c := range p.columns {
			name := strings.ToLower(c.Name)
			if before, known := types[name]; known && before != c.Type && c.Type != noType {
				mixed[name] = true
			}
			if c.Type != noType {
				types[name] = c.Type
			}
		}
	}
	return mixed
}

// emptyColumns takes the type away from columns of a file that have no value: it
// is no more than a guess from nothing.
func (ps *parts) emptyColumns(ctx context.Context, mixed map[string]bool) error {
	for i, p := range ps.of {
		var which []int
		for k, c := range p.columns {
			if mixed[strings.ToLower(c.Name)] {
				which = append(which, k)
			}
		}
		empty, err := trueFor(ctx, ps.db, which, " FROM read_parquet("+quoteFile(p.place)+", hive_partitioning = false)", func(k int) string {
			return "count(" + quoteIdent(p.columns[k].Name) + ") = 0"
		})
		if err != nil {
			return err
		}
		ps.of[i].columns = slices.Clone(p.columns)
		for _, k := range empty {
			ps.of[i].columns[k].Type = noType
		}
	}
	return nil
}

// settleText reads those columns of delimited files as text that are text in others,
// or that hold what the type of all does not: their values stay as they are written.
func (ps *parts) settleText(ctx context.Context) error {
	mixed := ps.mixed()
	all, _ := uniteColumns(ps.of, nil)
	text, objects := map[string]bool{}, map[string]bool{}
	for _, c := range all {
		name := strings.ToLower(c.Name)
		if !mixed[name] {
			continue
		}
		if nested(c.Type) {
			lossy, err := ps.lossyNested(ctx, name, c.Type)
			if err != nil {
				return err
			}
			if lossy {
				objects[name] = true
				ps.warnings = append(ps.warnings, mixedTypes(c.Name, "JSON"))
			}
			continue
		}
		lossy, err := ps.lossy(ctx, name, c.Type)
		if err != nil {
			return err
		}
		if c.Type == "VARCHAR" || lossy {
			text[name] = true
			ps.warnings = append(ps.warnings, mixedTypes(c.Name, "VARCHAR"))
		}
	}
	ps.asJSON(objects)
	for i := range ps.of {
		if err := ps.asText(ctx, i, text); err != nil {
			return err
		}
	}
	return nil
}

// asText reads columns of one file as text.
func (ps *parts) asText(ctx context.Context, i int, text map[string]bool) error {
	p, o := &ps.of[i], ps.options
	o.Columns = slices.Clone(o.Columns)
	empty, again := map[string]bool{}, false
	for k, c := range p.columns {
		switch {
		case c.Type == noType:
			empty[c.Name] = true
		case !text[strings.ToLower(c.Name)] || c.Type == "VARCHAR":
		case !(&reader{format: ps.format}).delimited():
			p.columns[k].Type = "VARCHAR" // the cast says what the value is
		default:
			again = correctToText(&o, c.Name) || again
		}
	}
	if !again {
		return nil
	}
	if p.reread != "" {
		o.DateFormat = p.reread
	}
	if err := ps.convert(ctx, i, o); err != nil {
		return err
	}
	for k, c := range p.columns {
		if empty[c.Name] {
			p.columns[k].Type = noType
		}
	}
	return nil
}

// correctToText makes a column of options text, unless they give it a type.
func correctToText(o *files.Options, name string) bool {
	for i, c := range o.Columns {
		if strings.EqualFold(c.Name, name) || c.Name == "" && strings.EqualFold(c.Column, name) {
			if c.Type == "" {
				o.Columns[i].Type = "VARCHAR"
			}
			return c.Type == ""
		}
	}
	o.Columns = append(o.Columns, files.ColumnOption{Column: name, Type: "VARCHAR"})
	return true
}

// lossy reports whether a column that is DOUBLE among all has whole numbers
// which that does not hold.
func (ps *parts) lossy(ctx context.Context, name, kind string) (bool, error) {
	if kind != "DOUBLE" {
		return false, nil
	}
	for _, p := range ps.of {
		for k, c := range p.columns {
			if strings.ToLower(c.Name) != name || c.Type != "BIGINT" {
				continue
			}
			lost, err := trueFor(ctx, ps.db, []int{k}, " FROM read_parquet("+quoteFile(p.place)+", hive_partitioning = false)", func(int) string {
				return anyRow("CAST(CAST(" + quoteIdent(c.Name) + " AS DOUBLE) AS HUGEINT) <> " + quoteIdent(c.Name))
			})
			if err != nil || len(lost) > 0 {
				return len(lost) > 0, err
			}
		}
	}
	return false, nil
}
