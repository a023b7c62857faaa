package views

import (
	"strconv"
	"strings"
	"time"

	"agnes/domain/profile"
)

// columnRow is one column of a table with what its profile says; without a
// profile it has its name and type.
type columnRow struct {
	Name    string
	Type    string
	Key     bool
	Profile *profile.Column
}

// columnRows joins the columns of the current version with the profile's, which
// may be of an older version.
func (v TableView) columnRows() []columnRow {
	known := map[string]*profile.Column{}
	if kept := v.Profile.Kept; kept != nil {
		for i := range kept.Profile.Columns {
			c := &kept.Profile.Columns[i]
			known[strings.ToLower(c.Name)] = c
		}
	}
	rows := make([]columnRow, len(v.Table.Version.Columns))
	for i, c := range v.Table.Version.Columns {
		rows[i] = columnRow{Name: c.Name, Type: c.Type}
		for _, k := range v.Table.PrimaryKey {
			rows[i].Key = rows[i].Key || strings.EqualFold(k, c.Name)
		}
		if p := known[strings.ToLower(c.Name)]; p != nil && p.Category == profile.CategoryOf(c.Type) {
			rows[i].Profile = p
		}
	}
	return rows
}

// note says what of a column deserves a look and is not seen elsewhere in its row.
func (r columnRow) note() string {
	c := r.Profile
	if c == nil {
		return ""
	}
	var parts []string
	switch {
	case c.Has(profile.Unique):
		parts = append(parts, "Every value is different")
	case c.Has(profile.Constant):
		parts = append(parts, "Every value is the same")
	case c.Has(profile.Zeros):
		parts = append(parts, "0 in "+Percent(c.Numeric.ZerosPct/100)+" of the rows")
	}
	return strings.Join(append(parts, unbounded(*c)...), " · ")
}

// unbounded says how many values of a column are no number, or infinite, and so
// in no figure and no chart.
func unbounded(c profile.Column) (words []string) {
	count := func(n int64, word string) {
		if n > 0 {
			words = append(words, Count(n)+word)
		}
	}
	switch {
	case c.Numeric != nil && c.Numeric.NaN+c.Numeric.Infinite == 0: // also of profiles that do not tell them apart
		count(c.Numeric.NonFinite, " not a number or infinite")
	case c.Numeric != nil:
		count(c.Numeric.NaN, " not a number (NaN)")
		count(c.Numeric.Infinite, " infinite")
	case c.Date != nil:
		count(c.Date.Infinite, " infinite")
	}
	return words
}

// hasProfile says whether anything is known of the columns.
func (v TableView) hasProfile() bool { return v.Profile.Kept != nil }

// wait is the state of a profile that is not of the rows that are read now.
func (v TableView) wait() string {
	switch kept := v.Profile.Kept; {
	case v.Profile.Counting && kept == nil:
		return "Counting what is in the columns…"
	case v.Profile.Counting && !v.Profile.Current:
		return "Counting the new rows. Until then this is of " + v.profiledVersion() + "."
	case v.Profile.Counting:
		return "Counting again…"
	case kept != nil && !v.Profile.Current:
		return "This is of " + v.profiledVersion() + ". The newest rows are not counted."
	case kept == nil && v.Profile.Failure == nil:
		return "What is in the columns is not counted yet."
	}
	return ""
}

func (v TableView) profiledVersion() string {
	at := v.Profile.Kept.VersionAt
	if at.IsZero() {
		return "an older version"
	}
	if v.Now.Sub(at) < 24*time.Hour && at.UTC().Day() == v.Now.UTC().Day() {
		return "the version from " + Clock(at) + " UTC"
	}
	return "the version from " + Date(v.Now, at)
}

// profileNote says what the figures are of.
func (v TableView) profileNote() string {
	p := v.Profile.Kept.Profile
	parts := []string{Count(p.RowCount) + " rows"}
	switch {
	case p.Sampled && p.CountedRows < p.RowCount:
		parts[0] = "A sample of " + Count(p.SampledRows) + " of " + Count(p.RowCount) + " rows"
	case p.Sampled:
		parts = append(parts, "charts and shares of a sample of "+Count(p.SampledRows))
	}
	parts = append(parts, Percent(1-p.MissingCellsPct/100)+" of the cells have a value")
	duplicates := "no duplicate rows"
	if p.DuplicateRows > 0 {
		duplicates = Plural(int(p.DuplicateRows), "duplicate row")
	}
	if p.Sampled {
		duplicates += " in the sample"
	}
	parts = append(parts, duplicates)
	if p.ColumnsLeftOut > 0 {
		parts = append(parts, Plural(p.ColumnsLeftOut, "column")+" not counted")
	}
	if p.Incomplete {
		parts = append(parts, "the time did not suffice for every chart")
	}
	return strings.Join(parts, " · ") + "."
}

// missing is a column's share of missing values.
type missing struct {
	Word  string
	Width string // of the bar, of 40
	Many  bool
	None  bool
}

func missingOf(c profile.Column) missing {
	part := 1 - c.CompletenessPct/100
	m := missing{Word: Percent(part), Width: pixels(40 * part), Many: c.Has(profile.HighMissing), None: c.NullCount == 0}
	switch {
	case m.None:
		m.Word = "none"
	case c.CompletenessPct == 0:
		m.Word = "all"
	case m.Word == "100 %":
		m.Word = ">99 %"
	}
	return m
}

// distinctWord is how many values differ; an estimate says so.
func distinctWord(c profile.Column) string {
	if !c.UniqueExact && c.UniqueCount > 0 {
		return "≈ " + Count(c.UniqueCount)
	}
	return Count(c.UniqueCount)
}

// pixels is a length in an SVG, with one decimal.
func pixels(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

func distinctTitle(c profile.Column) string {
	if !c.UniqueExact && c.UniqueCount > 0 {
		return "An estimate: there are too many to count one by one"
	}
	return ""
}

// phoneWords are the two last columns where there is no room for them.
func phoneWords(c profile.Column) string {
	words := distinctWord(c) + " different"
	if m := missingOf(c); !m.None {
		words = m.Word + " missing · " + words
	}
	return words
}
