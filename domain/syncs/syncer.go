package syncs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
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

	once sync.Once
	wake chan struct{}
	mu   sync.Mutex
	live map[string]context.CancelCauseFunc // run id → stop
}

func (s *Syncer) init() {
	s.once.Do(func() {
		s.wake = make(chan struct{}, 1)
		s.live = map[string]context.CancelCauseFunc{}
	})
}

// Trigger queues a run for each table; nil means every table that is copied
// here. Tables that are already queued or running keep that run.
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
	s.mu.Lock()
	stop := s.live[id]
	s.mu.Unlock()
	if stop != nil {
		stop(domain.E(domain.Cancelled, "sync_cancelled", "The sync was cancelled. The previous version is still served."))
	}
	s.Feed.Tell(r)
	return r, nil
}

// Work recovers interrupted runs, then carries queued runs out until ctx ends.
// It returns when the runs under way have stopped.
func (s *Syncer) Work(ctx context.Context) error {
	s.init()
	recovered, err := s.Runs.RecoverRuns(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recover runs: %w", err)
	}
	if len(recovered) > 0 {
		s.Log.Info("interrupted syncs are taken up again", "runs", len(recovered))
	}
	free := make(chan struct{}, max(1, s.Workers))
	var under sync.WaitGroup
	defer under.Wait()
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		r, err := s.claim(ctx)
		if err != nil {
			return nil // only the end of ctx stops claiming
		}
		under.Go(func() {
			defer func() { <-free }()
			s.run(ctx, r)
		})
	}
}

// claim waits for a queued run. Failures of the store are logged and tried
// again at the next nudge or poll; only the end of ctx is returned.
func (s *Syncer) claim(ctx context.Context) (Run, error) {
	poll := time.NewTicker(5 * time.Second) // for runs that another process queued
	defer poll.Stop()
	for {
		r, ok := s.tryClaim(ctx)
		if ok {
			s.nudge() // there may be more for the other workers
			return r, nil
		}
		if ctx.Err() != nil {
			return Run{}, ctx.Err()
		}
		select {
		case <-s.wake:
		case <-poll.C:
		case <-ctx.Done():
			return Run{}, ctx.Err()
		}
	}
}

// tryClaim claims the oldest queued run, if there is one and writing goes on.
func (s *Syncer) tryClaim(ctx context.Context) (Run, bool) {
	if s.Writes.Err() != nil {
		return Run{}, false
	}
	r, err := s.Runs.ClaimRun(ctx)
	if err != nil && ctx.Err() == nil && domain.KindOf(err) != domain.NotFound {
		s.Log.Error("claim a sync run", "err", err)
	}
	return r, err == nil
}

// run carries one run out and records how it ended.
func (s *Syncer) run(ctx context.Context, r Run) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.mu.Lock()
	s.live[r.ID] = stop
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.live, r.ID)
		s.mu.Unlock()
	}()
	r.Code, r.Message, r.NextStep = "", "", "" // why it waited
	err := s.carry(ctx, &r)
	if ctx.Err() != nil && err != nil && context.Cause(ctx) == context.Canceled { //nolint:errorlint // the exact cause: the server is stopping
		return // stays "running"; RecoverRuns takes it up again at the next start
	}
	s.finish(context.WithoutCancel(ctx), &r, err, context.Cause(ctx))
}

// finish gives the run its outcome.
func (s *Syncer) finish(ctx context.Context, r *Run, err, cause error) {
	at := s.Now()
	r.FinishedAt = &at
	r.State, r.Code, r.Message, r.NextStep = OK, "", "", ""
	var wait *heldError
	if errors.As(err, &wait) {
		r.State, r.Code, r.Message, r.NextStep = Held, wait.Code, wait.Message, wait.NextStep
		s.Log.Info("new rows wait for a person", "run_id", r.ID, "table_id", string(r.Table), "code", r.Code)
	} else if err != nil {
		r.State = Failed
		if domain.KindOf(cause) == domain.Cancelled && domain.CodeOf(cause) != "" {
			err, r.State = cause, Cancelled
		}
		r.Code, r.Message, r.NextStep = explain(err)
		s.Log.Warn("sync ended without a new version", "run_id", r.ID, "table_id", string(r.Table), "code", r.Code, "err", err)
	}
	if ferr := s.Runs.FinishRun(ctx, *r); ferr != nil {
		s.Log.Error("record the end of a sync", "run_id", r.ID, "err", ferr)
	}
	s.Feed.Tell(*r)
	if s.Profiler != nil && r.State == OK {
		s.Profiler.Request(r.Table)
	}
	if s.Writes.Trip(err) {
		s.Log.Error("the disk did not confirm a write: nothing is published any more until the next start", "run_id", r.ID)
	}
	s.tellWaiting(ctx)
}

// explain turns an error into what the run's row says.
func explain(err error) (code, message, next string) {
	var child *work.ChildError
	if errors.As(err, &child) {
		return child.Failure.Code, child.Failure.Message, child.Failure.NextStep
	}
	var known *domain.Error
	if errors.As(err, &known) {
		return known.Code, known.Message, ""
	}
	return "internal", "The sync failed inside Agnes. The previous version is still served.", "Look for this run in the server's log."
}

// carry takes the run through its phases.
func (s *Syncer) carry(ctx context.Context, r *Run) error {
	t, err := s.Tables.GetTable(ctx, r.Table)
	if err != nil {
		return fmt.Errorf("table of run %s: %w", r.ID, err)
	}
	p := &progress{syncer: s, run: r, since: s.Now()}
	if r.Version != "" {
		return s.republish(ctx, p, t)
	}
	got, err := s.extract(ctx, p, t)
	if err != nil {
		return p.fail(ctx, err)
	}
	p.enter(ctx, Publish)
	v := registry.Version{
		ID: p.version, Table: t.ID, RunID: r.ID, Files: got.Files, Columns: got.Columns,
		Rows: got.Rows, Bytes: got.Bytes, MD5: got.MD5, CreatedAt: s.Now(), Cause: string(r.Trigger), MadeBy: r.StartedBy,
	}
	r.Rows, r.Bytes = got.Rows, got.Bytes
	if hold := t.Review(v); hold != nil {
		return s.hold(ctx, p, v, *hold)
	}
	return s.publish(ctx, p, t, v, s.Runs.RevertVersion)
}

// extract runs the child that writes the version.
func (s *Syncer) extract(ctx context.Context, p *progress, t registry.Published) (work.Extracted, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, domain.E(domain.Unavailable, "extract_timeout",
		"The extraction was stopped after its limit of %s. The previous version is still served.", s.Timeout))
	defer cancel()
	p.version = registry.VersionID(s.NewID())
	p.enter(ctx, Extract)
	options, err := files.ParseOptions(t.ReadOptions)
	if err != nil {
		return work.Extracted{}, fmt.Errorf("corrections of %s: %w", t.Name, err)
	}
	got, err := s.Extractor.Extract(ctx, work.ExtractJob{
		Connector: connectorOf(t.Table), Source: t.Source(), Item: t.Item(), Table: t.Name, VersionID: p.version, RunID: p.run.ID, Options: options,
	}, func(e work.Event) { p.event(ctx, e) })
	p.run.Report.Warnings = got.Warnings
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return got, err
}

func connectorOf(t registry.Table) string {
	if t.Foreign() {
		return registry.SourceCustom
	}
	return "files"
}

// confirm publishes the artifacts and reads the new version back as analysts would.
func (s *Syncer) confirm(ctx context.Context, p *progress, t registry.Published, v registry.Version) error {
	report, err := s.Rebuilder.Rebuild(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	for _, problem := range report.Problems {
		if problem.Source == t.Source() && problem.Table == t.Name {
			return domain.E(domain.Unavailable, problem.Code, "%s", problem.Message)
		}
	}
	p.enter(ctx, ReadBack)
	t.Version = &v
	rows, err := s.Reader.CountRows(ctx, access.NewCatalog([]registry.Published{t}), t.Name)
	if err != nil {
		return fmt.Errorf("read %s back: %w", t.Name, err)
	}
	if rows != v.Rows {
		return domain.E(domain.Unavailable, "read_back_differs",
			"The published table has %d rows where %d were written. The previous version is still served.", rows, v.Rows)
	}
	return nil
}
