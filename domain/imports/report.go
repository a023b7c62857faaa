package imports

import (
	"fmt"
	"strings"
)

// Report says what an import did, or in a dry run would do.
type Report struct {
	DryRun bool     `json:"dry_run"`
	Schema int      `json:"schema"`
	Tables []Counts `json:"tables"`
	Issues []Issue  `json:"issues"` // every row that does not fit
	Notes  []string `json:"notes"`  // what is different here, in sentences
}

// Counts are the rows of one table.
type Counts struct {
	Table     string `json:"table"`
	Read      int    `json:"read"`
	Added     int    `json:"added"`
	Updated   int    `json:"updated"`   // newer there than here
	Unchanged int    `json:"unchanged"` // here already, the same
	Kept      int    `json:"kept"`      // here already and different: what is here stays
	Merged    int    `json:"merged"`    // part of another row here
	Needless  int    `json:"needless"`  // not needed here; a note says why
	Skipped   int    `json:"skipped"`   // does not fit; an issue says why
}

// Issue is one row that does not fit, or not quite.
type Issue struct {
	Table  string `json:"table"`
	ID     string `json:"id"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
	// Taken says that the row was taken over all the same, but for what the
	// reason names.
	Taken bool `json:"taken"`
}

// counts returns the counts of a table, which it adds when they are new.
func (r *Report) counts(table string) *Counts {
	for i := range r.Tables {
		if r.Tables[i].Table == table {
			return &r.Tables[i]
		}
	}
	r.Tables = append(r.Tables, Counts{Table: table})
	return &r.Tables[len(r.Tables)-1]
}

// skip records a row that is left out.
func (r *Report) skip(table, id, code, format string, args ...any) {
	r.counts(table).Skipped++
	r.Issues = append(r.Issues, Issue{Table: table, ID: id, Code: code, Reason: fmt.Sprintf(format, args...)})
}

// remark records a row that is taken over with a difference.
func (r *Report) remark(table, id, code, format string, args ...any) {
	r.Issues = append(r.Issues, Issue{Table: table, ID: id, Code: code, Reason: fmt.Sprintf(format, args...), Taken: true})
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Changes is how many rows were added or updated.
func (r *Report) Changes() int {
	n := 0
	for _, c := range r.Tables {
		n += c.Added + c.Updated
	}
	return n
}

// Left is how many rows were left out because they do not fit.
func (r *Report) Left() int {
	n := 0
	for _, c := range r.Tables {
		n += c.Skipped
	}
	return n
}

// String is the report for a terminal.
func (r *Report) String() string {
	var b strings.Builder
	verb := "added"
	if r.DryRun {
		verb = "would add"
		b.WriteString("Dry run: nothing was changed.\n")
	}
	fmt.Fprintf(&b, "%-32s %9s %9s %9s %9s %9s %9s %9s\n", "table", "read", verb, "update", "same", "kept", "not used", "skipped")
	for _, c := range r.Tables {
		if c.Read == 0 {
			continue
		}
		fmt.Fprintf(&b, "%-32s %9d %9d %9d %9d %9d %9d %9d\n", c.Table, c.Read, c.Added, c.Updated, c.Unchanged, c.Kept, c.Merged+c.Needless, c.Skipped)
	}
	for _, i := range r.Issues {
		what := "skipped"
		if i.Taken {
			what = "taken over"
		}
		fmt.Fprintf(&b, "%s %s (%s, %s): %s\n", i.Table, clean(i.ID), what, i.Code, clean(i.Reason))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "Note: %s\n", clean(n))
	}
	return b.String()
}

// clean keeps foreign text from steering a terminal.
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || (c >= 0x7f && c < 0xa0) {
			return '·'
		}
		return c
	}, text)
}
