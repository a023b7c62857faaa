package syncs

import (
	"context"
	"errors"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// finish gives the run its outcome, and tells of it once the state has it: nobody
// hears that a run has ended while its table is still taken.
func (s *Syncer) finish(server context.Context, r *Run, err, cause error, release func()) {
	s.outcome(r, err, cause)
	if s.Writes.Trip(err) {
		s.Log.Error("the disk did not confirm a write: nothing is published any more until the next start", "run_id", r.ID)
	}
	ctx := context.WithoutCancel(server)
	defer s.tellWaiting(ctx)
	var left *leftError
	if errors.As(err, &left) {
		if s.insist(server, r, release, left.undo) != nil {
			return // the next start takes both up
		}
		s.Rebuilder.Request(ctx)
	}
	if s.insist(server, r, release, func(ctx context.Context) error { return s.Runs.FinishRun(ctx, *r) }) != nil {
		return
	}
	s.Feed.Tell(*r)
	if s.Profiler != nil && r.State == OK {
		s.Profiler.Request(r.Table)
	}
	s.tellNext(ctx, r.Table)
}

// tellNext tells of the run that follows one that has ended, if one does.
func (s *Syncer) tellNext(ctx context.Context, table registry.TableID) {
	next, err := s.Runs.LiveRun(ctx, table)
	if err != nil {
		if domain.KindOf(err) != domain.NotFound {
			s.Log.Error("look for the run that follows", "table_id", string(table), "err", err)
		}
		return
	}
	s.Feed.Tell(next)
	s.nudge()
}

// outcome words how the run ended.
func (s *Syncer) outcome(r *Run, err, cause error) {
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
