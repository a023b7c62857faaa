package imports

import "fmt"

// Report says what an import did, or in a dry run would do.
type Report struct {
	DryRun bool     `json:"dry_run"`
	Schema int      `json:"schema"`
	SHA256 string   `json:"sha256"` // of the old file, without its logs
	Tables []Counts `json:"tables"`
	Issues []Issue  `json:"issues"` // every row that does not fit
	// Unknown is what no schema names, so that nothing of it is taken over.
	Unknown []Unknown `json:"unknown"`
	Notes   []string  `json:"notes"` // what is different here, in sentences
}

// Unknown is a table, or a column of a known one, that Agnes does not know.
type Unknown struct {
	Table  string `json:"table"`
	Column string `json:"column,omitempty"` // "": the whole table
	Rows   int64  `json:"rows"`             // that it has, or that have a value there
}

// Counts are the rows of one table.
type Counts struct {
	Table     string `json:"table"`
	Read      int    `json:"read"`
	Added     int    `json:"added"`
	Back      int    `json:"back"`      // removed here since, and added again because that was asked for
	Updated   int    `json:"updated"`   // newer there than here
	Unchanged int    `json:"unchanged"` // here already, the same
	Kept      int    `json:"kept"`      // here already and different: what is here stays
	Removed   int    `json:"removed"`   // taken over before and removed here since: it stays away
	Merged    int    `json:"merged"`    // part of another row here
	Needless  int    `json:"needless"`  // not needed here; a note says why
	Skipped   int    `json:"skipped"`   // does not fit; an issue says why
}

// Issue is one row that is not taken over, or not quite as it was.
type Issue struct {
	Table  string `json:"table"`
	ID     string `json:"id"`
	Status Status `json:"status"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Status is what became of a row with an issue.
type Status string

// The statuses.
const (
	StatusSkipped   Status = "skipped"
	StatusTakenOver Status = "taken_over"   // but for what the reason names
	StatusRemoved   Status = "removed_here" // taken over before, and removed here since
	StatusBack      Status = "back"         // the same, and added again
)

// words is the status in a text.
func (s Status) words() string {
	switch s {
	case StatusTakenOver:
		return "taken over"
	case StatusRemoved:
		return "removed here since"
	case StatusBack:
		return "back"
	case StatusSkipped:
	}
	return "skipped"
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
	r.Issues = append(r.Issues, Issue{Table: table, ID: id, Status: StatusSkipped, Code: code, Reason: fmt.Sprintf(format, args...)})
}

// removed records a row that was taken over before and removed here since.
func (r *Report) removed(table, id, format string, args ...any) {
	r.counts(table).Removed++
	r.Issues = append(r.Issues, Issue{Table: table, ID: id, Status: StatusRemoved, Code: "removed_here", Reason: fmt.Sprintf(format, args...)})
}

// remark records a row that is taken over with a difference.
func (r *Report) remark(table, id, code, format string, args ...any) {
	r.Issues = append(r.Issues, Issue{Table: table, ID: id, Status: StatusTakenOver, Code: code, Reason: fmt.Sprintf(format, args...)})
}

// back records a row that was removed here since, and is added again.
func (r *Report) back(table, id, format string, args ...any) {
	r.counts(table).Back++
	r.Issues = append(r.Issues, Issue{Table: table, ID: id, Status: StatusBack, Code: "back", Reason: fmt.Sprintf(format, args...)})
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Changes is how many rows were added or updated.
func (r *Report) Changes() int {
	n := 0
	for _, c := range r.Tables {
		n += c.Added + c.Back + c.Updated
	}
	return n
}

// Lost is how many unknown tables and columns hold something.
func (r *Report) Lost() int {
	n := 0
	for _, u := range r.Unknown {
		if u.Rows > 0 {
			n++
		}
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
