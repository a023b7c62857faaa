package imports

import (
	"context"
	"time"

	"agnes/domain/audit"
	"agnes/domain/work"
)

// Row is one row as the state keeps it: a value for each column of its target,
// a string, int64, float64, bool or nil.
type Row struct {
	ID     string // as reports name it
	Old    string // its key in the predecessor's table, a JSON list
	What   string // what it is, where its id says nothing to people; may be ""
	Values []any
}

// Target is a table of the state that rows are written to.
type Target struct {
	Table   string
	From    string // the predecessor's table, as reports name it
	Columns []string
	Key     []string // what tells rows apart, part of Columns
	// Newer is the column whose larger value replaces a row that is here; without
	// it, a row that is here stays.
	Newer string
	// Touch says that the registry's readers must see the change.
	Touch bool
	// Log says that the rows only say what happened: they grow old and are
	// swept, so nobody asks which of them were taken over before.
	Log bool
}

// Batch are rows for one target.
type Batch struct {
	Target
	Rows   []Row
	Merged []Merged // the predecessor's rows that are part of others here
}

// Merged is a row of the predecessor that is part of another one here.
type Merged struct {
	Old  string
	Here []any // the key of the other
}

// Outcome is what became of a row.
type Outcome uint8

// The outcomes. A taken row meets another one that owns its name. A removed row
// was taken over before and is not here any more; it is back where that was
// asked for.
const (
	Added Outcome = iota
	Updated
	Unchanged
	Kept
	Taken
	Removed
	Back
)

// Known is what is here before an import.
type Known struct {
	Run    string            // an id for this run, which all its audit rows have
	Users  map[string]string // address → id
	IDs    map[string]string // user id → address
	Groups map[string]string // id → name
	Names  map[string]string // group name, lower case → id
	Admin  string            // ids of the two groups that always exist
	All    string
	Tables map[string]string // table id → name
	Plain  map[string]bool   // tables of the state that have the predecessor's shape
	// Gone are the predecessor's ids of users, user_groups and table_registry that
	// were taken over before and are not here any more, by table.
	Gone map[string]map[string]bool
	// Forgotten says that an import is known, but not which rows it took over.
	Forgotten bool
}

// Order says how an import goes.
type Order struct {
	By    audit.Actor
	Dry   bool // write nothing, and say what would be
	Again bool // bring back what was taken over before and removed here since
}

// State is the store that rows are written to.
type State interface {
	ImportKnown(ctx context.Context) (Known, error)
	// Import writes all batches or none, in one transaction, and reads them back; in
	// a dry run it takes everything back. It returns what became of each row.
	Import(ctx context.Context, o Order, batches []Batch) ([][]Outcome, error)
	// ImportDone writes down that every row of a predecessor's state was read, and
	// what became of them.
	ImportDone(ctx context.Context, by audit.Actor, r *Report) error
}

// Source reads a predecessor's database in a child.
type Source interface {
	// ImportSystem hands over the schema, then all rows in the order of Schema. An
	// error of rows ends it.
	ImportSystem(ctx context.Context, file string, schema func(work.StateSchema), rows func(work.StateRows) error) error
}

// plan maps rows to what the state keeps, and remembers who became whom.
type plan struct {
	report    *Report
	known     Known
	gone      map[string]map[string]bool // what of Known.Gone stays away
	otherwise int64                      // the time of rows that have none
	users     map[string]string          // the predecessor's id → the id here
	addresses map[string]string          // the predecessor's id → address
	groups    map[string]string          // the predecessor's id → the id here
	names     map[string]string          // new groups: id → name
	tables    map[string]string          // id → name, those of here too
	plugins   map[string]bool            // marketplace/plugin
}

func newPlan(report *Report, known Known, schema work.StateSchema, again bool) *plan {
	p := &plan{
		report: report, known: known, gone: known.Gone, otherwise: 1, users: map[string]string{}, addresses: map[string]string{},
		groups: map[string]string{}, names: map[string]string{}, tables: map[string]string{}, plugins: map[string]bool{},
	}
	if schema.AppliedAt.After(time.Unix(0, 0)) {
		p.otherwise = schema.AppliedAt.UnixMicro()
	}
	if again {
		p.gone = nil
	}
	for id, name := range known.Tables {
		p.tables[id] = name
	}
	return p
}

// removedHere reports a row whose user, group or table was removed here since it
// was taken over, and says whether that is so.
func (p *plan) removedHere(table, id string, of ...thing) bool {
	for _, t := range of {
		if p.gone[t.table][t.id] {
			p.report.removed(table, id, "The %s that it belongs to was removed here.", t.word())
			return true
		}
	}
	return false
}

// thing is a row of the predecessor that others belong to.
type thing struct{ table, id string }

func (t thing) word() string {
	switch t.table {
	case "users":
		return "account " + t.id
	case "user_groups":
		return "group " + t.id
	}
	return "table " + t.id
}

// user is the id here of a user of the predecessor; one that is gone keeps
// theirs.
func (p *plan) user(id string) string {
	if here, ok := p.users[id]; ok {
		return here
	}
	return id
}
