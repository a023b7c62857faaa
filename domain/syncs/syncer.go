package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/guard"
	"agnes/domain/registry"
)

// Syncer carries runs through their phases: extract and convert in a child,
// publish, read back. A run is ok only after its rows were counted through the
// analysts' path; a failed run leaves the previous version in place.
type Syncer struct {
	Runs      Runs
	Tables    Tables
	Extractor Extractor
	Rebuilder *Rebuilder
	Reader    Reader
	Verifier  Verifier
	Writes    *Latch // shared with the Rebuilder
	Feed      *Feed
	Profiler  *Profiler     // asked after each success; nil: nobody is
	Timeout   time.Duration // of one extraction
	Workers   int           // runs at a time
	Now       func() time.Time
	NewID     func() string // unique, grows with time
	Log       *slog.Logger
	Guard     *guard.Guard
	Reached   func(point string)                   // hears of the points of publishing; nil: nobody does
	After     func(time.Duration) <-chan time.Time // for rests between tries; nil: time.After
	Files     FileStates                           // what the files of tables are like; nil: nobody asks

	once sync.Once
	wake chan struct{}
	mu   sync.Mutex
	live map[string]context.CancelCauseFunc // run id → stop
	open map[string]unwritten               // run id → an end that the state does not know yet
}

func (s *Syncer) init() {
	s.once.Do(func() {
		s.wake = make(chan struct{}, 1)
		s.live = map[string]context.CancelCauseFunc{}
		s.open = map[string]unwritten{}
	})
}

// Trigger queues a run for each table; nil means every table that is copied
// here. Tables that are already queued or running keep that run; where new rows
// came while it was running, another follows it.
func (s *Syncer) Trigger(ctx context.Context, by audit.Actor, why Trigger, tables []registry.TableID) ([]Run, error) {
	s.init()
	if tables == nil {
		all, err := s.Tables.ListTables(ctx)
		if err != nil {
			return nil, fmt.Errorf("list tables to sync: %w", err)
		}
		for _, t := range all {
			if t.QueryMode != registry.ModeRemote && t.Status.ErrorCode != GoneUpstream {
				tables = append(tables, t.ID)
			}
		}
	}
	runs, err := s.Runs.QueueRuns(ctx, by, why, tables)
	if err != nil {
		return nil, fmt.Errorf("queue runs: %w", err)
	}
	for _, r := range runs {
		s.Feed.Tell(r)
	}
	s.tellWaiting(ctx)
	s.nudge()
	return runs, nil
}

// SyncUploads queues runs for tables whose file is new.
func (s *Syncer) SyncUploads(ctx context.Context, by audit.Actor, tables []registry.TableID) error {
	_, err := s.Trigger(ctx, by, ByUpload, tables)
	return err
}

func (s *Syncer) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Busy reports whether any run is queued or running.
func (s *Syncer) Busy(ctx context.Context) (bool, error) {
	runs, err := s.Runs.LiveRuns(ctx)
	return len(runs) > 0, err
}

// Cancel ends a queued run at once and stops a running one.
func (s *Syncer) Cancel(ctx context.Context, by audit.Actor, id string) (Run, error) {
	s.init()
	r, err := s.Runs.CancelRun(ctx, by, id)
	if err != nil {
		return Run{}, fmt.Errorf("cancel run %s: %w", id, err)
	}
	s.nudge()                                    // another run may follow it
	if r.State == Cancelled && r.Version == "" { // nothing takes up again what somebody does not want
		t, err := s.Tables.GetTable(ctx, r.Table)
		if err != nil {
			s.Log.Warn("note the file of a cancelled sync", "table_id", string(r.Table), "err", err)
		} else {
			s.noteRead(ctx, t.Table)
		}
	}
	s.mu.Lock()
	stop := s.live[id]
	s.mu.Unlock()
	if stop != nil {
		stop(domain.E(domain.Cancelled, "sync_cancelled", "The sync was cancelled. The previous version is still served."))
	}
	s.Feed.Tell(r)
	return r, nil
}
