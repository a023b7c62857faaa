package syncs

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain/registry"
)

// Interrupted is the code of a run that a stop of the server ended.
const Interrupted = "interrupted"

// The points of publishing in the serving process; children have their own.
const (
	pointPublished = "server:published" // current, and not read back yet
	pointReadBack  = "server:read-back" // read back, and not recorded yet
)

// at tells whoever listens that a point was reached.
func (s *Syncer) at(point string) {
	if s.Reached != nil {
		s.Reached(point)
	}
}

// Unconfirmed is a table whose current version was made current and then, because
// the server stopped, never read back.
type Unconfirmed struct {
	Table  registry.Published
	Before *registry.Version // the last version that was read back; nil: there was none
}

// confirmPublished brings what an earlier process published to its end: each
// version that was never read back is read back now, or the one before it is
// made current again. Their runs say so.
func (s *Syncer) confirmPublished(ctx context.Context) error {
	open, err := s.Runs.Unconfirmed(ctx)
	if err != nil {
		return fmt.Errorf("versions that were not read back: %w", err)
	}
	if len(open) == 0 {
		return nil
	}
	live, err := s.Runs.LiveRuns(ctx)
	if err != nil {
		return fmt.Errorf("runs of versions that were not read back: %w", err)
	}
	running := map[registry.TableID]*Run{}
	for _, r := range live {
		if r.State == Running {
			running[r.Table] = &r
		}
	}
	for _, u := range open {
		if err := s.confirmLate(ctx, u, running[u.Table.ID]); err != nil {
			if ctx.Err() != nil {
				return err
			}
			// It stays unconfirmed: the next sync of the table, or the next start, settles it.
			s.Log.Error("settle a version that was not read back", "table_id", string(u.Table.ID), "version_id", string(u.Table.Version.ID), "err", err)
		}
	}
	return nil
}

// confirmLate reads one version back, or makes the one before current again; r
// is the run that published it, if it is known.
func (s *Syncer) confirmLate(ctx context.Context, u Unconfirmed, r *Run) error {
	v := *u.Table.Version
	var p *progress
	if r != nil {
		p = &progress{syncer: s, run: r, version: v.ID, since: s.Now()}
		r.Rows, r.Bytes = v.Rows, v.Bytes
	}
	why := s.confirm(ctx, p, u.Table, v)
	if why != nil && ctx.Err() != nil {
		return why // stopped before anything could be told
	}
	if why == nil {
		s.Log.Info("a version that was published before the stop was read back", "table_id", string(v.Table), "version_id", string(v.ID))
		return s.confirmed(ctx, p, v)
	}
	s.Log.Warn("a version that was published before the stop is taken back", "table_id", string(v.Table), "version_id", string(v.ID), "err", why)
	undo := s.Runs.UnpublishVersion
	if !v.Again() { // it was new
		undo = s.Runs.RevertVersion
	}
	v.PublishedAt, v.Turn = nil, v.Made
	if err := undo(ctx, v, u.Before); err != nil {
		return errors.Join(fmt.Errorf("go back from version %s: %w", v.ID, err), why)
	}
	s.Rebuilder.Request(ctx)
	return s.takenBack(ctx, p, why, u.Before != nil)
}

// confirmed ends the run of a version that was read back late.
func (s *Syncer) confirmed(ctx context.Context, p *progress, v registry.Version) error {
	if p == nil {
		return s.Runs.ConfirmVersion(ctx, v) //nolint:wrapcheck // says which version
	}
	if err := p.leave(ctx); err != nil {
		return err
	}
	at := s.Now()
	p.run.State, p.run.FinishedAt = OK, &at
	p.run.Code, p.run.NextStep = "", ""
	p.run.Message = "Agnes stopped before the new rows were read back. After its start they were, and they are served."
	if err := s.Runs.FinishRun(ctx, *p.run); err != nil {
		return fmt.Errorf("end run %s: %w", p.run.ID, err)
	}
	s.Feed.Tell(*p.run)
	if s.Profiler != nil {
		s.Profiler.Request(v.Table)
	}
	return nil
}

// takenBack says on the run of a version that was taken back what happened;
// RecoverRuns then ends it and queues another.
func (s *Syncer) takenBack(ctx context.Context, p *progress, why error, rows bool) error {
	if p == nil {
		return nil
	}
	code, message, _ := explain(why)
	p.step(ctx, Failed, code, message)
	p.run.Code, p.run.NextStep = Interrupted, "Nothing: the table is queued again."
	p.run.Message = "Agnes stopped before the new rows were read back, and after its start they could not be. They were taken back; the table has no rows until it is synced again."
	if rows {
		p.run.Message = "Agnes stopped before the new rows were read back, and after its start they could not be. They were taken back; the rows from before are served."
	}
	if err := s.Runs.SaveRun(ctx, *p.run); err != nil {
		return fmt.Errorf("say on run %s what became of its rows: %w", p.run.ID, err)
	}
	return nil
}
