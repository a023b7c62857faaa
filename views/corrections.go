package views

import (
	"strconv"
	"strings"

	"agnes/domain/files"
)

// choice is one entry of a list to choose from.
type choice struct{ Value, Label string }

func headerChoices() []choice {
	return []choice{{"", "As found"}, {"yes", "The first line names the columns"}, {"no", "There is no such line"}}
}

func encodingChoices() []choice {
	return []choice{{"", "UTF-8"}, {"windows-1252", "Windows-1252, Latin-1"}, {"utf-16", "UTF-16"}}
}

func decimalChoices() []choice { return []choice{{"", "Point: 1.5"}, {",", "Comma: 1,5"}} }

func misfitChoices() []choice {
	return []choice{
		{"", "Take nothing until all rows fit"}, {"skip", "Leave those rows out, keep them for download"}, {"null_cell", "Make the cell NULL and count it"},
	}
}

// typeChoices are the types for a column; one that was given by other means stays.
func typeChoices(found, given string) []choice {
	all := []choice{{"", found + ", as found"}}
	known := given == ""
	for _, t := range files.ColumnTypes() {
		all = append(all, choice{t, t})
		known = known || t == given
	}
	if !known {
		all = append(all, choice{given, given})
	}
	return all
}

// correction is what the form shows of one column of the file.
func (v PreviewView) correction(column string) files.ColumnOption {
	o, _ := v.Options.Column(column)
	if o.Name == "" {
		o.Name = column
	}
	return o
}

func (v PreviewView) text() bool {
	return v.Preview.Format.Text() || v.Preview.Format == ""
}

func (v PreviewView) delimited() bool {
	f := v.Preview.Format
	return f == files.CSV || f == files.TSV || f == ""
}

func (v PreviewView) nullWords() string { return strings.Join(v.Options.Nulls, " ") }

// correctionsOpen folds the form out where it is wanted.
func (v PreviewView) correctionsOpen() bool {
	if v.Failed != "" || v.Options.String() != "" || v.Preview.Misfits.Count > 0 {
		return true
	}
	for field := range v.Errors {
		if field != "name" && field != "description" {
			return true
		}
	}
	return false
}

// correctionsNote says what the folded part is for, or that it is in use.
func (v PreviewView) correctionsNote() string {
	if v.Options.String() != "" {
		return "in use"
	}
	return "types, separator, names"
}

func shownDelimiter(d string) string {
	if d == "\t" {
		return "tab"
	}
	return d
}

// misfitWords says how many rows do not fit, and what becomes of them.
func (v PreviewView) misfitWords() string {
	m := v.Preview.Misfits
	where := ""
	if v.Preview.Partial {
		where = " of the part that was looked at"
	}
	verb := " do not fit."
	if m.Count == 1 {
		verb = " does not fit."
	}
	said := rowsWord(m.Count) + where + verb
	switch v.Options.Policy() {
	case files.SkipRows:
		return said + " The others become the table; these are kept aside for download."
	case files.NullCells:
		return said + " No cell can be made NULL for them, so nothing is taken until they are corrected or left out."
	case files.RejectAll:
	}
	return said + " Nothing is taken until they are corrected or you choose what becomes of them."
}

// lossWords says which cells come to nothing.
func lossWords(l files.Loss) string {
	noun := " values become NULL"
	if l.Count == 1 {
		noun = " value becomes NULL"
	}
	return Count(l.Count) + noun + ", such as “" + l.Example + "”"
}

func skipText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// separatorWords says what the first line of a file says of its separator.
func (v PreviewView) separatorWords() string {
	return "The first line of the file, sep=" + shownDelimiter(v.Preview.Separator) + ", names the separator. It is no row. What is set here goes before it."
}
