// Package syncs brings tables' rows here: runs, their steps, and the use case
// that carries a run through them. (Named so because "sync" is Go's own.)
package syncs

import (
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// State is how a run stands.
type State string

// The states. Failed and held runs carry a code, a sentence and a next step; a
// held run has made a version that waits for a person.
const (
	Queued    State = "queued"
	Running   State = "running"
	OK        State = "ok"
	Held      State = "held"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Phase is where a running run is.
type Phase string

// The phases, in order.
const (
	Extract  Phase = "extract"
	Convert  Phase = "convert"
	Publish  Phase = "publish"
	ReadBack Phase = "read_back"
)

// Phases lists the phases in order.
func Phases() []Phase { return []Phase{Extract, Convert, Publish, ReadBack} }

// Trigger says why a run began.
type Trigger string

// The triggers.
const (
	ByPerson   Trigger = "person"
	ByUpload   Trigger = "upload"
	BySchedule Trigger = "schedule"
	ByWatch    Trigger = "watch"   // a custom extract changed
	ByRestart  Trigger = "restart" // taken up again after the server stopped
	ByRestore  Trigger = "restore" // somebody goes back to an older version
	ByCheck    Trigger = "check"   // a check of what is published found it damaged
)

// NewRows reports whether a run that begins for it must read what is there now:
// one that is under way may have read the rows from before.
func (t Trigger) NewRows() bool { return t == ByUpload || t == ByWatch }

// Run is one sync of one table.
type Run struct {
	ID         string
	Table      registry.TableID
	Name       string // the table's name in SQL
	Source     string
	Trigger    Trigger
	State      State
	Phase      Phase
	Fraction   float64 // of the phase, 0 to 1; 0 when unknown
	Rows       int64
	Bytes      int64
	Code       string
	Message    string
	NextStep   string
	StartedBy  string             // user id
	Report     Report             // what of the source did not fit
	Version    registry.VersionID // that is held, or that the run publishes instead of making one
	QueuedAt   time.Time
	StartedAt  *time.Time
	FinishedAt *time.Time
}

// Report is what a run has to say of the rows that it read.
type Report struct {
	Warnings []string `json:"warnings,omitempty"`
	files.Report
}

// Size is how many things it says; nothing is kept of an empty one.
func (r Report) Size() int { return len(r.Warnings) + len(r.Losses) + int(min(r.Misfits.Count, 1)) }

// Live reports whether the run can still change.
func (r Run) Live() bool { return r.State == Queued || r.State == Running }

// Elapsed is how long the run has been at work, or was.
func (r Run) Elapsed(now time.Time) time.Duration {
	if r.StartedAt == nil {
		return 0
	}
	if r.FinishedAt != nil {
		return r.FinishedAt.Sub(*r.StartedAt)
	}
	return now.Sub(*r.StartedAt)
}

// RunFilter narrows and pages a list of runs; empty fields do not narrow.
type RunFilter struct {
	Table         registry.TableID
	State         State
	Limit, Offset int
}

// Step is one finished phase of a run: a row of sync_history.
type Step struct {
	ID       string
	RunID    string
	Table    registry.TableID
	Phase    Phase
	At       time.Time // when it ended
	Rows     int64
	Bytes    int64
	Duration time.Duration
	State    State
	Code     string
	Message  string
}

// Source is a folder under extracts/ and how its last inspection went.
type Source struct {
	Name        string
	Fingerprint string // of the files, when last inspected whole
	State       string // ok, broken, or gone from disk
	Code        string
	Message     string
	Problems    []Problem
	Tables      []SourceName
	Remote      []Remote
	CheckedAt   time.Time
	GoneAt      *time.Time
}

// The states of a source.
const (
	SourceOK     = "ok"
	SourceBroken = "broken"
	SourceGone   = "gone"
)

// SourceName is one table of a source and the name it is served under.
type SourceName struct {
	Table string           `json:"table"` // as the source calls it
	Name  string           `json:"name"`  // in SQL
	ID    registry.TableID `json:"id"`
	Mode  string           `json:"mode"`
	Gone  bool             `json:"gone,omitempty"` // the extract does not offer it any more
	// How it stands in the registry, which may have changed since the extract was
	// looked at: removed by somebody, without rows here, its last sync failed.
	Removed bool `json:"-"`
	Empty   bool `json:"-"`
	Failing bool `json:"-"`
}

// Remote is an outside system that an extract names; Code is "" when it answered.
type Remote struct {
	Alias     string `json:"alias"`
	Extension string `json:"extension"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"` // for administrators
	// Owner is the source that has the alias, where that is the problem.
	Owner string `json:"owner,omitempty"`
}

// Problem is one table of a source that is not served, and why.
type Problem struct {
	Table   string `json:"table"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Owner is the source that has the name, where that is the problem.
	Owner string    `json:"owner,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// Streak is an unbroken row of failures of one table.
type Streak struct {
	Since time.Time // of the first failure after the last success
	Tries int
}
