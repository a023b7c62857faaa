package syncs

import (
	"context"
	"errors"

	"agnes/domain"
	"agnes/domain/work"
)

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
	s.follow(ctx, r.Table)
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
