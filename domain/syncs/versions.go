package syncs

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// heldError ends a run whose version waits for a person.
type heldError struct{ registry.Hold }

// Error returns the sentence.
func (e *heldError) Error() string { return e.Message }

// Restore queues a run that makes a kept version of a table current again. It
// pins nothing: the next sync brings newer rows as usual.
func (s *Syncer) Restore(ctx context.Context, by audit.Actor, table registry.TableID, id registry.VersionID) (Run, error) {
	s.init()
	if err := s.Writes.Err(); err != nil {
		return Run{}, err
	}
	r, err := s.Runs.QueueRestore(ctx, by, table, id)
	if err != nil {
		return Run{}, fmt.Errorf("restore version %s of %s: %w", id, table, err)
	}
	s.Feed.Tell(r)
	s.nudge()
	return r, nil
}

// PublishHeld takes a held run up again, to publish its version as it is. It
// fails with Conflict when the table's columns are frozen and the version has others.
func (s *Syncer) PublishHeld(ctx context.Context, by audit.Actor, id string) (Run, error) {
	s.init()
	if err := s.Writes.Err(); err != nil {
		return Run{}, err
	}
	if err := s.notFrozen(ctx, id); err != nil {
		return Run{}, err
	}
	r, err := s.Runs.ReleaseRun(ctx, by, id)
	if err != nil {
		return Run{}, fmt.Errorf("release run %s: %w", id, err)
	}
	s.Feed.Tell(r)
	s.nudge()
	return r, nil
}

// notFrozen refuses to publish a held version whose columns may not change.
func (s *Syncer) notFrozen(ctx context.Context, id string) error {
	r, err := s.Runs.GetRun(ctx, id)
	if err != nil {
		return fmt.Errorf("run %s: %w", id, err)
	}
	if r.State != Held {
		return nil // ReleaseRun says how it stands
	}
	t, err := s.Tables.GetTable(ctx, r.Table)
	if err != nil {
		return fmt.Errorf("table of run %s: %w", id, err)
	}
	v, err := s.Runs.GetVersion(ctx, r.Table, r.Version)
	if err != nil {
		return fmt.Errorf("version of run %s: %w", id, err)
	}
	return t.Frozen(v)
}

// DiscardHeld ends a held run: the rows from before go on being served.
func (s *Syncer) DiscardHeld(ctx context.Context, by audit.Actor, id string) (Run, error) {
	r, err := s.Runs.DiscardRun(ctx, by, id)
	if err != nil {
		return Run{}, fmt.Errorf("discard the version of run %s: %w", id, err)
	}
	s.Feed.Tell(r)
	return r, nil
}

// Writing says why nothing is published any more, nil while all is well.
func (s *Syncer) Writing() error { return s.Writes.Err() }

// hold keeps v without making it current and ends the run as held.
func (s *Syncer) hold(ctx context.Context, p *progress, v registry.Version, why registry.Hold) error {
	if err := s.Runs.KeepVersion(ctx, v); err != nil {
		return p.fail(ctx, fmt.Errorf("keep version %s: %w", v.ID, err))
	}
	p.run.Version = v.ID
	p.step(ctx, Held, why.Code, why.Message)
	return &heldError{why}
}

// publish makes v current and reads it back; when it cannot be read, undo makes
// the version before current again.
func (s *Syncer) publish(ctx context.Context, p *progress, t registry.Published, v registry.Version,
	undo func(context.Context, registry.Version, *registry.Version) error,
) error {
	if err := s.Writes.Err(); err != nil {
		return p.fail(ctx, err)
	}
	before, err := s.Runs.PublishVersion(ctx, v)
	if err != nil {
		return p.fail(ctx, fmt.Errorf("publish version %s: %w", v.ID, err))
	}
	s.at(pointPublished)
	if err := s.confirm(ctx, p, t, v); err != nil {
		if rerr := undo(context.WithoutCancel(ctx), v, before); rerr != nil {
			s.Log.Error("go back to the version before", "table_id", string(v.Table), "version_id", string(v.ID), "err", rerr)
			err = &leftError{err, func(ctx context.Context) error { return undo(ctx, v, before) }}
		}
		s.Rebuilder.Request(ctx)
		return p.fail(ctx, err)
	}
	s.at(pointReadBack)
	return p.leave(ctx)
}

// republish publishes the kept version that the run names, once its files were
// found to be what they were.
func (s *Syncer) republish(ctx context.Context, p *progress, t registry.Published) error {
	r := p.run
	p.version = r.Version
	p.enter(ctx, Publish)
	v, err := s.Runs.GetVersion(ctx, t.ID, r.Version)
	if err != nil {
		return p.fail(ctx, fmt.Errorf("version of run %s: %w", r.ID, err))
	}
	r.Rows, r.Bytes = v.Rows, v.Bytes
	if err := s.verify(ctx, v); err != nil {
		return p.fail(ctx, err)
	}
	return s.publish(ctx, p, t, v, s.Runs.UnpublishVersion)
}

// verify fails with a sentence when a file of v is not what it was.
func (s *Syncer) verify(ctx context.Context, v registry.Version) error {
	damaged, err := s.Verifier.VerifyVersions(ctx, v.Files, 0)
	if err != nil {
		return fmt.Errorf("verify version %s: %w", v.ID, err)
	}
	if len(damaged) == 0 {
		return nil
	}
	return &work.ChildError{Kind: domain.Invalid, Failure: work.Failure{
		Code:     "version_damaged",
		Message:  damaged[0].Message + " It was not published; the rows from before are served.",
		NextStep: "Choose another version, or sync the table. Have the server's disk checked.",
		Cause:    damaged[0].Key + ": " + damaged[0].Code,
	}}
}

// tellWaiting says on every queued run why it waits, while writing is stopped.
func (s *Syncer) tellWaiting(ctx context.Context) {
	why := s.Writes.Err()
	if why == nil {
		return
	}
	runs, err := s.Runs.LiveRuns(ctx)
	if err != nil {
		s.Log.Error("list the runs that wait", "err", err)
		return
	}
	for _, r := range runs {
		if r.State != Queued || r.Message != "" {
			continue
		}
		r.Code, r.Message, r.NextStep = explain(why)
		if err := s.Runs.SaveRun(ctx, r); err != nil {
			s.Log.Error("say why a run waits", "run_id", r.ID, "err", err)
			continue
		}
		s.Feed.Tell(r)
	}
}
