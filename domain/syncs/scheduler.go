package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
)

// Scheduler starts the syncs that are due.
type Scheduler struct {
	Tables Tables
	Syncer *Syncer
	Now    func() time.Time
	Log    *slog.Logger
}

// retryFailed is how long a scheduled table that failed rests, unless its own
// schedule is shorter.
const retryFailed = 10 * time.Minute

// Tick queues a run for every table whose schedule is due. Due-ness counts
// from the last success; a table that failed is tried again the same day.
func (s *Scheduler) Tick(ctx context.Context) error {
	tables, err := s.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var due []registry.TableID
	now := s.Now()
	for _, t := range tables {
		if s.due(t, now) {
			due = append(due, t.ID)
		}
	}
	if len(due) == 0 {
		return nil
	}
	s.Log.Info("syncs are due", "tables", len(due))
	_, err = s.Syncer.Trigger(ctx, audit.System("schedule"), BySchedule, due)
	return err
}

func (s *Scheduler) due(t registry.Published, now time.Time) bool {
	if t.SyncSchedule == "" || t.QueryMode == registry.ModeRemote || t.Status.ErrorCode == GoneUpstream {
		return false
	}
	schedule, ok := registry.ParseSchedule(t.SyncSchedule)
	if !ok {
		s.Log.Warn("a stored schedule cannot be read; the table is not synced by itself", "table_id", string(t.ID))
		return false
	}
	last := t.Status.LastSync
	switch t.Status.State {
	case registry.StatusHeld:
		return false // a person decides first
	case registry.StatusKept:
		last = t.Status.LastTry // somebody looked at the newest rows and kept the old ones
	}
	if !schedule.Due(now, last) {
		return false
	}
	rest := retryFailed
	if schedule.Every > 0 {
		rest = min(rest, schedule.Every)
	}
	return t.Status.LastTry == nil || now.Sub(*t.Status.LastTry).Abs() >= rest // also when the clock was set back
}
