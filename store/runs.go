package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

var _ interface {
	syncs.Runs
	syncs.Tables
} = (*Store)(nil)

// runColumns are read by scanRun.
const runColumns = `id, table_id, name, source, cause, state, phase, fraction, rows, bytes,
		code, message, next_step, started_by, version_id, report, queued_at, started_at, finished_at`

func scanRun(row scanner) (syncs.Run, error) {
	var r syncs.Run
	err := row.Scan(&r.ID, &r.Table, &r.Name, &r.Source, &r.Trigger, &r.State, &r.Phase, &r.Fraction, &r.Rows, &r.Bytes,
		&r.Code, &r.Message, &r.NextStep, &r.StartedBy, &r.Version, decoded{&r.Report}, at{&r.QueuedAt}, maybeAt{&r.StartedAt}, maybeAt{&r.FinishedAt})
	return r, err
}

func runNotFound() error {
	return domain.E(domain.NotFound, "run_not_found", "Sync not found")
}

// GetRun returns one run; NotFound.
func (s *Store) GetRun(ctx context.Context, id string) (syncs.Run, error) {
	r, err := getRun(ctx, s.reader(), id)
	if err != nil {
		return r, fmt.Errorf("get run %s: %w", id, explain(err))
	}
	return r, nil
}

func getRun(ctx context.Context, r runner, id string) (syncs.Run, error) {
	run, err := one(ctx, r, scanRun, `SELECT `+runColumns+` FROM sync_runs WHERE id = $1`, id)
	if absent(err) {
		return run, runNotFound()
	}
	return run, err
}

// ListRuns returns a page of runs, newest first, and how many match in all.
func (s *Store) ListRuns(ctx context.Context, f syncs.RunFilter) (runs []syncs.Run, total int, err error) {
	const matching = ` FROM sync_runs WHERE ($1 = '' OR table_id = $1) AND ($2 = '' OR state = $2)`
	err = s.view(ctx, func(r runner) error {
		if total, err = one(ctx, r, value[int], `SELECT count(*)`+matching, f.Table, f.State); err != nil {
			return err
		}
		runs, err = collect(ctx, r, scanRun, `SELECT `+runColumns+matching+` ORDER BY queued_at DESC, id DESC LIMIT $3 OFFSET $4`,
			f.Table, f.State, pageSize(f.Limit), f.Offset)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list runs: %w", err)
	}
	return runs, total, nil
}

// LiveRuns lists queued and running runs, oldest first.
func (s *Store) LiveRuns(ctx context.Context) ([]syncs.Run, error) {
	runs, err := collect(ctx, s.reader(), scanRun, `
		SELECT `+runColumns+` FROM sync_runs WHERE state IN ('queued', 'running') ORDER BY queued_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", explain(err))
	}
	return runs, nil
}

// stepColumns are read by scanStep, from sync_history h joined with sync_runs r.
const stepColumns = `h.id, h.run_id, r.table_id, h.phase, h.synced_at, COALESCE(h.rows, 0), h.bytes, COALESCE(h.duration_ms, 0),
			h.status, h.code, h.message`

func scanStep(row scanner) (syncs.Step, error) {
	var t syncs.Step
	var ms int64
	err := row.Scan(&t.ID, &t.RunID, &t.Table, &t.Phase, at{&t.At}, &t.Rows, &t.Bytes, &ms, &t.State, &t.Code, &t.Message)
	t.Duration = millis(ms)
	return t, err
}

// ListSteps returns the finished phases of a run in their order.
func (s *Store) ListSteps(ctx context.Context, runID string) ([]syncs.Step, error) {
	steps, err := collect(ctx, s.reader(), scanStep, `
		SELECT `+stepColumns+`
		FROM sync_history h
		JOIN sync_runs r ON r.id = h.run_id
		WHERE h.run_id = $1 AND h.phase <> ''
		ORDER BY h.synced_at, h.id`, runID)
	if err != nil {
		return nil, fmt.Errorf("list steps of run %s: %w", runID, explain(err))
	}
	return steps, nil
}

// SaveRun stores a live run's progress. It fails with NotFound for an unknown
// run and Conflict for one that has ended.
func (s *Store) SaveRun(ctx context.Context, r syncs.Run) error {
	err := s.tx(ctx, func(tx runner) error {
		n, err := tx.exec(ctx, `
			UPDATE sync_runs
			SET phase = $1, fraction = $2, rows = $3, bytes = $4, code = $5, message = $6, next_step = $7
			WHERE id = $8 AND state IN ('queued', 'running')`,
			r.Phase, r.Fraction, r.Rows, r.Bytes, r.Code, r.Message, r.NextStep, r.ID)
		if err != nil || n > 0 {
			return err
		}
		return ended(ctx, tx, r.ID)
	})
	if err != nil {
		return fmt.Errorf("save run %s: %w", r.ID, err)
	}
	return nil
}

// ended says why a run that should be live is not.
func ended(ctx context.Context, tx runner, id string) error {
	r, err := getRun(ctx, tx, id)
	if err != nil {
		return err
	}
	return domain.E(domain.Conflict, "run_ended", "This sync of %s has ended already.", r.Name)
}

// AddStep stores a finished phase.
func (s *Store) AddStep(ctx context.Context, step syncs.Step) error {
	err := s.tx(ctx, func(tx runner) error {
		r, err := getRun(ctx, tx, step.RunID)
		if err != nil {
			return err
		}
		return s.writeHistory(ctx, tx, r.Name, step)
	})
	if err != nil {
		return fmt.Errorf("save step of run %s: %w", step.RunID, err)
	}
	return nil
}

// writeHistory writes a row of sync_history: a step, or with an empty phase a
// whole run. The contract's column for failures is filled beside ours.
func (s *Store) writeHistory(ctx context.Context, tx runner, name string, step syncs.Step) error {
	if step.ID == "" {
		step.ID = s.newID()
	}
	sentence := ""
	if step.State == syncs.Failed {
		sentence = step.Message
	}
	_, err := tx.exec(ctx, `
		INSERT INTO sync_history (id, table_id, synced_at, rows, duration_ms, status, error, run_id, phase, bytes, code, message)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		step.ID, name, micros(step.At), step.Rows, step.Duration.Milliseconds(), step.State, sentence,
		step.RunID, step.Phase, step.Bytes, step.Code, step.Message)
	return err
}

// liveRun reads the queued or running run of a table; sql.ErrNoRows without one.
func liveRun(ctx context.Context, tx runner, table registry.TableID) (syncs.Run, error) {
	return one(ctx, tx, scanRun, `SELECT `+runColumns+` FROM sync_runs WHERE table_id = $1 AND state IN ('queued', 'running')`, table)
}
