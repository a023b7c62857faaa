package query

import (
	"context"
	"time"

	"agnes/domain"
	"agnes/domain/access"
)

// HistoryFilter selects runs of one person.
type HistoryFilter struct {
	By     access.Owner
	State  State  // "": all
	Origin Origin // "": all
	Text   string // that the SQL contains, ignoring case
	Kept   bool   // only those whose rows are kept
	After  string // id of the last run of the page before; "": from the newest on
	Limit  int    // 0: all
}

// Usage is what a person's queries returned in a day.
type Usage struct {
	Queries int64
	Rows    int64
	Bytes   int64
}

// History reads and forgets runs.
type History interface {
	QueryHistory(ctx context.Context, f HistoryFilter) ([]Record, error)
	// GetQueryRun fails with NotFound for a run that is not of that owner.
	GetQueryRun(ctx context.Context, by access.Owner, id string) (Record, error)
	// ForgetQueryRun fails with Conflict for a run under way.
	ForgetQueryRun(ctx context.Context, by access.Owner, id string) error
	LoseResult(ctx context.Context, run string) error
	ExpireResults(ctx context.Context, before time.Time) (runs []string, err error)
	// PruneQueryRuns forgets runs that ended before a time, some at once, and
	// returns them: their files can go.
	PruneQueryRuns(ctx context.Context, before time.Time) (runs []string, err error)
	KeptResults(ctx context.Context) (map[string]struct{}, error)
	SweepUsage(ctx context.Context, before time.Time) error
}

// StillRunning says that a run has to end before it can be forgotten.
func StillRunning() error {
	return domain.E(domain.Conflict, "query_running", "This query still runs. Cancel it first.")
}
