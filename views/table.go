package views

import (
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// TableTab is one of the tabs of a table's page, as ?tab= names it.
type TableTab string

// The tabs.
const (
	TabColumns TableTab = "columns"
	TabSample  TableTab = "sample"
	TabRuns    TableTab = "runs"
	// TabVersions lists what can be gone back to.
	TabVersions TableTab = "versions"
	// TabReaders is who can see it, for administrators.
	TabReaders TableTab = "readers"
)

// ParseTableTab reads a tab from the address; unknown text is TabColumns.
func ParseTableTab(text string) TableTab {
	switch t := TableTab(text); t {
	case TabSample, TabRuns, TabVersions, TabReaders:
		return t
	default:
		return TabColumns
	}
}

// RunSteps is a run with what each of its phases did.
type RunSteps struct {
	syncs.Run
	Steps []syncs.Step
}

// TableView is the page of one table.
type TableView struct {
	Table       registry.Published
	Tab         TableTab
	Sample      *Grid  // the first rows; nil while there are none
	SampleError string // why the sample cannot be shown
	Runs        []RunSteps
	RunCount    int // of all runs kept
	Versions    []VersionRow
	Held        *syncs.Run  // its rows wait for a person; nil when none do
	Guard       GuardForm   // for administrators
	Reach       FieldErrors // of the form that says who may ask for it
	Profile     syncs.ProfileView
	Readers     *ReadersView // who can see it; nil on other tabs
	Admin       bool
	Simulated   bool // through other eyes, to which downloads are closed
	Now         time.Time
}

// fact is one entry of the strip under a table's name.
type fact struct {
	Label  string
	Value  string
	Detail string
	At     *time.Time // when Value is a point in time
}

func (v TableView) facts() []fact {
	habit, detail := Habit(v.Table.Table)
	facts := []fact{{Label: "How it gets here", Value: habit, Detail: detail}}
	version := v.Table.Version
	if version == nil {
		return append([]fact{{Label: "Rows", Value: "none yet"}}, facts...)
	}
	at := arrived(v.Table)
	return append([]fact{
		{Label: "Rows", Value: Count(version.Rows)},
		{Label: "Size", Value: Bytes(version.Bytes), Detail: "as Parquet"},
	}, append(facts,
		fact{Label: "Updated", Value: Ago(v.Now, at), At: &at},
		fact{Label: "Columns", Value: Count(int64(len(version.Columns)))})...)
}

func (v TableView) columnCount() int {
	if v.Table.Version == nil {
		return 0
	}
	return len(v.Table.Version.Columns)
}

func (v TableView) tabLabel() string {
	switch v.Tab {
	case TabSample:
		return "Sample"
	case TabRuns:
		return "Runs"
	case TabVersions:
		return "Versions"
	case TabReaders:
		return "Who can see it"
	default:
		return "Columns"
	}
}

func (v TableView) sampleNote() string {
	shown := Count(int64(len(v.Sample.Rows)))
	if v.Table.Version == nil || v.Table.Version.Rows <= int64(len(v.Sample.Rows)) {
		return "All " + shown + " rows."
	}
	return "The first " + shown + " of " + Count(v.Table.Version.Rows) + " rows."
}

// outside reports whether nothing of the table is here: it is never synced.
func (v TableView) outside() bool {
	return v.Table.QueryMode == registry.ModeRemote && v.Table.Version == nil
}

// removeConsequence says what goes when the table is removed.
func (v TableView) removeConsequence() string {
	lost := "Its registration goes."
	if v.Table.Version != nil {
		lost = "Its " + Count(v.Table.Version.Rows) + " rows here go, " + Bytes(v.Table.Version.Bytes) + "."
	}
	who := " Nobody but administrators reads it now."
	if n := len(v.Table.GrantedTo); n > 0 {
		who = " " + Plural(n, "group") + " will not see it any more."
	}
	return lost + who + " Queries that name it will fail. This cannot be undone."
}

// movedWord says how many rows a run or step moved; one that did not end well
// and moved none says nothing.
func movedWord(state syncs.State, rows int64) string {
	if rows == 0 && state != syncs.OK {
		return ""
	}
	return rowsWord(rows)
}

func rowsWord(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return Count(n) + " rows"
}

// sizeWord leaves out the size of what wrote nothing.
func sizeWord(n int64) string {
	if n == 0 {
		return ""
	}
	return Bytes(n)
}
