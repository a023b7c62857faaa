package syncs

import (
	"context"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// Rebuild is one rebuild as it is remembered.
type Rebuild struct {
	ID         string
	StartedAt  time.Time
	FinishedAt time.Time
	State      State // OK or Failed
	Generation int64 // counts the published files
	Views      int
	Unchanged  bool // nothing had to be written
	Problems   []work.Problem
	Code       string // why it failed
	Message    string
	NextStep   string
}

// LeftOut counts the tables and sources that were not published.
func (r Rebuild) LeftOut() int {
	n := 0
	for _, p := range r.Problems {
		if !p.Served {
			n++
		}
	}
	return n
}

// Outcome is what became of a table whose current version is damaged.
type Outcome string

// The outcomes.
const (
	ServesEarlier Outcome = "earlier"   // the newest version that is whole is served
	Withdrawn     Outcome = "withdrawn" // its rows are other rows, and there is no earlier version
	KeptAsIs      Outcome = "kept"      // its file is gone or cannot be read, and there is no earlier version
)

// Damage is a version whose files are not what was published.
type Damage struct {
	Version registry.VersionID
	Table   registry.TableID
	Name    string
	Source  string
	FoundAt time.Time
	Code    string
	Message string
	Outcome Outcome
	// Serves is the version that is served instead, and when it was made.
	Serves     registry.VersionID
	ServesFrom time.Time
	ServesRows int64
}

// Rebuilds remembers rebuilds.
type Rebuilds interface {
	// SaveRebuild stores how a rebuild went and forgets all but the last hundred.
	SaveRebuild(ctx context.Context, r Rebuild) error
}
