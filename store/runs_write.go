package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// QueueRuns queues one run a table and returns them; a table that already has
// a live run gets that one returned; where it may not read the rows that the
// trigger tells of, another follows it. Unknown tables fail with NotFound, and then
// nothing is queued.
func (s *Store) QueueRuns(ctx context.Context, by audit.Actor, trigger syncs.Trigger, tables []registry.TableID) ([]syncs.Run, error) {
	if len(tables) == 0 {
		return nil, nil
	}
	var runs []syncs.Run
	err := s.tx(ctx, func(tx runner) error {
		runs = nil
		for _, id := range distinct(tables) {
			t, err := getTable(ctx, tx, id)
			if err != nil {
				return err
			}
			r, err := s.queue(ctx, tx, t.Table, trigger, by)
			if err != nil {
				return err
			}
			if err := expect(ctx, tx, r, trigger, by); err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return s.note(ctx, tx, by, "sync.trigger", "sync", params{"tables": tables, "trigger": trigger}, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("queue runs: %w", err)
	}
	return runs, nil
}

func (s *Store) queue(ctx context.Context, tx runner, t registry.Table, trigger syncs.Trigger, by audit.Actor) (syncs.Run, error) {
	there, err := liveRun(ctx, tx, t.ID)
	if !absent(err) {
		return there, err
	}
	return s.insertRun(ctx, tx, t, syncs.Run{Trigger: trigger, StartedBy: by.UserID})
}

// insertRun queues r, a run of t; whoever calls knows that t has no live run.
func (s *Store) insertRun(ctx context.Context, tx runner, t registry.Table, r syncs.Run) (syncs.Run, error) {
	r = syncs.Run{
		ID: s.newID(), Table: t.ID, Name: t.Name, Source: t.Source(), Trigger: r.Trigger, State: syncs.Queued,
		StartedBy: r.StartedBy, Version: r.Version, QueuedAt: s.now().UTC().Truncate(time.Microsecond),
	}
	if _, err := tx.exec(ctx, `
		INSERT INTO sync_runs (id, table_id, name, source, cause, state, started_by, version_id, queued_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.ID, r.Table, r.Name, r.Source, r.Trigger, r.State, r.StartedBy, r.Version, micros(r.QueuedAt)); err != nil {
		return r, err
	}
	return r, touch(ctx, tx, t.ID)
}

// ClaimRun turns the oldest queued run into a running one; NotFound when none
// is queued.
func (s *Store) ClaimRun(ctx context.Context) (syncs.Run, error) {
	var r syncs.Run
	err := s.tx(ctx, func(tx runner) (err error) {
		r, err = one(ctx, tx, scanRun, `
			UPDATE sync_runs
			SET state = 'running', started_at = $1
			WHERE id = (SELECT id FROM sync_runs WHERE state = 'queued' ORDER BY queued_at, id LIMIT 1)
			RETURNING `+runColumns, micros(s.now()))
		if absent(err) {
			return domain.E(domain.NotFound, "queue_empty", "No sync is waiting.")
		} else if err != nil {
			return err
		}
		if r.Version == "" {
			if err := unexpect(ctx, tx, r.Table); err != nil {
				return err
			}
		}
		return touch(ctx, tx, r.Table)
	})
	if err != nil {
		return syncs.Run{}, fmt.Errorf("claim a run: %w", err)
	}
	return r, nil
}

// FinishRun stores how a run ended, a row of its history and the table's sync
// state, and queues the run that follows it, if one does. It fails with NotFound
// for an unknown run and Conflict for one that has ended before.
func (s *Store) FinishRun(ctx context.Context, r syncs.Run) error {
	err := s.tx(ctx, func(tx runner) error {
		if err := s.endRun(ctx, tx, r); err != nil {
			return err
		}
		return s.follow(ctx, tx, r.Table)
	})
	if err != nil {
		return fmt.Errorf("finish run %s: %w", r.ID, err)
	}
	return nil
}

func (s *Store) endRun(ctx context.Context, tx runner, r syncs.Run) error {
	if r.Live() {
		return fmt.Errorf("run %s cannot end as %s", r.ID, r.State)
	}
	now := s.now()
	if r.FinishedAt == nil {
		r.FinishedAt = &now
	}
	report, err := encoded(r.Report, r.Report.Size())
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, `
		UPDATE sync_runs
		SET state = $1, phase = $2, fraction = $3, rows = $4, bytes = $5, code = $6, message = $7, next_step = $8, finished_at = $9, version_id = $10, report = $11
		WHERE id = $12 AND state IN ('queued', 'running')`,
		r.State, r.Phase, r.Fraction, r.Rows, r.Bytes, r.Code, r.Message, r.NextStep, micros(*r.FinishedAt), r.Version, report, r.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return ended(ctx, tx, r.ID)
	}
	if err := s.writeHistory(ctx, tx, r.Name, syncs.Step{
		RunID: r.ID, At: *r.FinishedAt, Rows: r.Rows, Bytes: r.Bytes, Duration: r.Elapsed(now), State: r.State, Code: r.Code, Message: r.Message,
	}); err != nil {
		return err
	}
	if err := supersede(ctx, tx, r); err != nil {
		return err
	}
	if r.State == syncs.OK { // its rows were read back
		if err := confirmCurrent(ctx, tx, r.Table); err != nil {
			return err
		}
	}
	if err := saveState(ctx, tx, r); err != nil {
		return err
	}
	return touch(ctx, tx, r.Table)
}

// saveState stores how the table stands after a run: only a success moves
// last_sync, and a cancelled run says nothing about the table.
func saveState(ctx context.Context, tx runner, r syncs.Run) error {
	tried := micros(*r.FinishedAt)
	switch r.State {
	case syncs.Cancelled:
		_, err := tx.exec(ctx, `UPDATE sync_state SET last_try = $1 WHERE table_id = $2`, tried, r.Name)
		return err
	case syncs.Held:
		return saveHeld(ctx, tx, r)
	case syncs.Failed:
		if r.Trigger == syncs.ByRestore {
			return nil // nothing came of it, and the table is as good as before
		}
		_, err := tx.exec(ctx, `
			INSERT INTO sync_state (table_id, status, error, error_code, next_step, last_try)
			VALUES ($1, 'error', $2, $3, $4, $5)
			ON CONFLICT (table_id) DO UPDATE SET
				status = excluded.status, error = excluded.error, error_code = excluded.error_code,
				next_step = excluded.next_step, last_try = excluded.last_try`, r.Name, r.Message, r.Code, r.NextStep, tried)
		return err
	default:
		return saveServed(ctx, tx, r, tried)
	}
}

// saveServed stores how a table stands once the rows of a run are served.
func saveServed(ctx context.Context, tx runner, r syncs.Run, tried int64) error {
	t, err := getTable(ctx, tx, r.Table)
	if err != nil {
		return err
	}
	v := registry.Version{}
	if t.Version != nil {
		v = *t.Version
	}
	save := saveSynced
	if r.Trigger == syncs.ByRestore {
		save = saveRestored
	}
	if err := save(ctx, tx, t, v, tried); err != nil {
		return err
	}
	if r.Version == "" || t.Status.ErrorCode != syncs.GoneUpstream {
		return nil
	}
	// Rows that were here already do not bring the table back in its source.
	return markTable(ctx, tx, t.Name, syncs.TableMark{State: "error", Code: syncs.GoneUpstream, Message: t.Status.Error, NextStep: t.Status.NextStep})
}

func saveSynced(ctx context.Context, tx runner, t registry.Published, v registry.Version, tried int64) error {
	_, err := tx.exec(ctx, `
		INSERT INTO sync_state (table_id, last_sync, rows, file_size_bytes, columns, hash, status, last_try)
		VALUES ($1, $2, $3, $4, $5, $6, 'ok', $2)
		ON CONFLICT (table_id) DO UPDATE SET
			last_sync = excluded.last_sync, rows = excluded.rows, file_size_bytes = excluded.file_size_bytes,
			columns = excluded.columns, hash = excluded.hash, status = excluded.status,
			error = '', error_code = '', next_step = '', last_try = excluded.last_try`,
		t.Name, tried, v.Rows, v.Bytes, len(v.Columns), v.MD5)
	return err
}

// interrupt ends a run that a stop of the server interrupted; one that says
// already what became of its rows keeps its words.
func interrupt(r *syncs.Run) {
	r.State = syncs.Failed
	if r.Code == syncs.Interrupted {
		return
	}
	r.Code = syncs.Interrupted
	r.Message = "Agnes stopped while this sync ran. The previous version is still served."
	r.NextStep = "Nothing: the table is queued again."
}

// RecoverRuns ends the runs that a stop of the server interrupted, saying so,
// and queues their tables again; it returns the new runs. Runs that were only
// queued stay so.
func (s *Store) RecoverRuns(ctx context.Context) ([]syncs.Run, error) {
	by := audit.System("restart")
	var again []syncs.Run
	err := s.tx(ctx, func(tx runner) error {
		again = nil
		interrupted, err := collect(ctx, tx, scanRun, `SELECT `+runColumns+` FROM sync_runs WHERE state = 'running' ORDER BY queued_at, id`)
		if err != nil {
			return err
		}
		for _, r := range interrupted {
			interrupt(&r)
			if err := s.endRun(ctx, tx, r); err != nil {
				return err
			}
			t, err := getTable(ctx, tx, r.Table)
			if err != nil {
				return err
			}
			next, err := s.queueAgain(ctx, tx, t.Table, r, by)
			if err != nil {
				return err
			}
			again = append(again, next)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recover runs: %w", err)
	}
	return again, nil
}

// CancelRun ends a queued run, or returns a running one for the caller to
// stop. It fails with NotFound for an unknown run and Conflict for one that
// has ended.
func (s *Store) CancelRun(ctx context.Context, by audit.Actor, id string) (syncs.Run, error) {
	var r syncs.Run
	err := s.tx(ctx, func(tx runner) (err error) {
		if r, err = getRun(ctx, tx, id); err != nil {
			return err
		}
		switch r.State {
		case syncs.Queued:
			now := s.now().UTC().Truncate(time.Microsecond)
			r.State, r.Code, r.Message, r.FinishedAt = syncs.Cancelled, "sync_cancelled", "The sync was cancelled before it began.", &now
			if err := s.endRun(ctx, tx, r); err != nil {
				return err
			}
			if err := s.follow(ctx, tx, r.Table); err != nil {
				return err
			}
		case syncs.Running:
		default:
			return ended(ctx, tx, id)
		}
		return s.note(ctx, tx, by, "sync.cancel", "table:"+string(r.Table), params{"run_id": id}, nil)
	})
	if err != nil {
		return syncs.Run{}, fmt.Errorf("cancel run %s: %w", id, err)
	}
	return r, nil
}
