package query

import (
	"context"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// Origin says through which door a query came.
type Origin string

// The origins.
const (
	FromAPI        Origin = "api"
	FromConsole    Origin = "console"
	FromExport     Origin = "export"
	FromSample     Origin = "sample"
	FromBackground Origin = "background" // nobody waits for it; its rows are read later
)

// State is how a query run stands.
type State string

// The states.
const (
	Running   State = "running" // or waiting for its turn; Runner.Live tells
	OK        State = "ok"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Record is one row of query_runs.
type Record struct {
	ID         string
	By         access.Principal
	Origin     Origin
	SQL        string
	State      State
	Tables     []string           // that the text mentions and its author may read; the first in the text is first
	TableIDs   []registry.TableID // of Tables, in their order; known while the run is under way
	Columns    []registry.Column
	MaxRows    int64 // asked for; 0: all
	Rows       int64
	Bytes      int64 // of the rows in memory
	More       bool  // rows beyond MaxRows existed
	Code       string
	Message    string
	Line       int // of an error in the text, from 1; 0 when unknown
	Column     int
	Kept       Kept
	Stored     *Stored // where the rows are, while Kept is KeptWhole
	StartedAt  time.Time
	FinishedAt *time.Time
}

// Duration is how long the query ran, or 0 while it does.
func (r Record) Duration() time.Duration {
	if r.FinishedAt == nil {
		return 0
	}
	return r.FinishedAt.Sub(r.StartedAt)
}

// Kept says what became of a run's rows.
type Kept string

// What can become of rows.
const (
	KeptNot      Kept = ""          // nobody asked for it, or the run did not end well
	KeptWhole    Kept = "kept"      // they can be read again
	KeptTooLarge Kept = "too_large" // they are more than one result may keep
	KeptFailed   Kept = "failed"    // they could not be written
	KeptExpired  Kept = "expired"   // their time was up
	KeptEvicted  Kept = "evicted"   // newer results of the same person took their place
	KeptLost     Kept = "lost"      // their file is gone or damaged
)

// Sentence says it to people, with what to do next.
func (k Kept) Sentence() string {
	switch k {
	case KeptWhole:
		return "The rows are kept."
	case KeptTooLarge:
		return "The rows were not kept: they are more than one result may hold. Ask for fewer, or download them while the query runs."
	case KeptFailed:
		return "The rows were not kept, because they could not be written. Run the query again; if it stays, tell an administrator."
	case KeptExpired:
		return "The rows were kept for their time and are gone. Run the query again."
	case KeptEvicted:
		return "The rows are gone, because your newer results needed their place. Run the query again."
	case KeptLost:
		return "The kept rows are gone or damaged. Run the query again."
	case KeptNot:
	}
	return "The rows were not kept."
}

// Log keeps query runs. FinishQuery writes the audit row in the same transaction.
type Log interface {
	// StartQuery records a query before it runs, unless its author has reached
	// a limit: then it fails with a *LimitError.
	StartQuery(ctx context.Context, r Record, limits PersonLimits) error
	// FinishQuery records how it ended, with what of its rows is kept.
	FinishQuery(ctx context.Context, r Record) error
	// EvictResults forgets the oldest kept results of a person beyond so many
	// bytes and results, and returns whose files can go.
	EvictResults(ctx context.Context, by people.UserID, bytes int64, results int) (runs []string, err error)
}
