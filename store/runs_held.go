package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// QueueRestore queues a run that makes a kept version of a table current again.
// It fails with NotFound, and with Conflict when the version is current already
// or a run of the table is under way.
func (s *Store) QueueRestore(ctx context.Context, by audit.Actor, table registry.TableID, id registry.VersionID) (syncs.Run, error) {
	var r syncs.Run
	err := s.tx(ctx, func(tx runner) error {
		t, err := getTable(ctx, tx, table)
		if err != nil {
			return err
		}
		v, err := getVersion(ctx, tx, table, id)
		if err != nil {
			return err
		}
		if t.Version != nil && t.Version.ID == id {
			return domain.E(domain.Conflict, "version_current", "This version of %s is the one that is served already.", t.Name)
		}
		if err := noLiveRun(ctx, tx, t.Table); err != nil {
			return err
		}
		if r, err = s.insertRun(ctx, tx, t.Table, syncs.Run{Trigger: syncs.ByRestore, StartedBy: by.UserID, Version: id}); err != nil {
			return err
		}
		was := params{"version": nil}
		if t.Version != nil {
			was["version"] = t.Version.ID
		}
		return s.note(ctx, tx, by, "version.restore", "table:"+string(table), params{"version": v.ID, "run_id": r.ID}, was)
	})
	if err != nil {
		return syncs.Run{}, fmt.Errorf("queue the restore of version %s: %w", id, err)
	}
	return r, nil
}

func noLiveRun(ctx context.Context, tx runner, t registry.Table) error {
	_, err := liveRun(ctx, tx, t.ID)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return domain.E(domain.Conflict, "sync_running", "%s is being synced now. Wait for that to end, or cancel it.", t.Name)
}

// HeldRuns lists the runs whose version waits for a person, oldest first.
func (s *Store) HeldRuns(ctx context.Context) ([]syncs.Run, error) {
	runs, err := collect(ctx, s.reader(), scanRun, `SELECT `+runColumns+` FROM sync_runs WHERE state = 'held' ORDER BY queued_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list held runs: %w", explain(err))
	}
	return runs, nil
}

// heldRun reads a run that must be held; NotFound, Conflict.
func heldRun(ctx context.Context, tx runner, id string) (syncs.Run, error) {
	r, err := getRun(ctx, tx, id)
	if err != nil {
		return r, err
	}
	if r.State != syncs.Held {
		return r, domain.E(domain.Conflict, "run_not_held", "The rows of this run of %s do not wait for anybody any more.", r.Name)
	}
	return r, nil
}

// ReleaseRun queues a held run again, to publish its version as it is. It fails
// with NotFound, and with Conflict when the run is not held or another run of the
// table is under way.
func (s *Store) ReleaseRun(ctx context.Context, by audit.Actor, id string) (syncs.Run, error) {
	var r syncs.Run
	err := s.tx(ctx, func(tx runner) error {
		held, err := heldRun(ctx, tx, id)
		if err != nil {
			return err
		}
		t, err := getTable(ctx, tx, held.Table)
		if err != nil {
			return err
		}
		if err := noLiveRun(ctx, tx, t.Table); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `
			UPDATE sync_runs
			SET state = 'queued', phase = '', fraction = 0, code = '', message = '', next_step = '', finished_at = NULL
			WHERE id = $1`, id); err != nil {
			return err
		}
		if r, err = getRun(ctx, tx, id); err != nil {
			return err
		}
		if err := touch(ctx, tx, r.Table); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "sync.publish_held", "table:"+string(r.Table), params{"run_id": id, "version": r.Version, "held": held.Message}, nil)
	})
	if err != nil {
		return syncs.Run{}, fmt.Errorf("release run %s: %w", id, err)
	}
	return r, nil
}

// DiscardRun ends a held run: the rows from before go on being served, and the
// version stays among those that are kept. It fails with NotFound, and with
// Conflict when the run is not held.
func (s *Store) DiscardRun(ctx context.Context, by audit.Actor, id string) (syncs.Run, error) {
	var r syncs.Run
	err := s.tx(ctx, func(tx runner) (err error) {
		if r, err = heldRun(ctx, tx, id); err != nil {
			return err
		}
		r.State, r.Code, r.NextStep = syncs.Cancelled, "held_discarded", ""
		r.Message += " Somebody kept the old rows."
		if err := endHeld(ctx, tx, r); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `
			UPDATE sync_state SET status = 'kept', error_code = '', next_step = '', last_try = $1
			WHERE table_id = $2 AND status = 'held'`, micros(s.now()), r.Name); err != nil {
			return err
		}
		if err := touch(ctx, tx, r.Table); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "sync.discard_held", "table:"+string(r.Table), params{"run_id": id, "version": r.Version}, nil)
	})
	if err != nil {
		return syncs.Run{}, fmt.Errorf("discard run %s: %w", id, err)
	}
	return r, nil
}

func endHeld(ctx context.Context, tx runner, r syncs.Run) error {
	_, err := tx.exec(ctx, `UPDATE sync_runs SET state = $1, code = $2, message = $3, next_step = $4 WHERE id = $5`,
		r.State, r.Code, r.Message, r.NextStep, r.ID)
	return err
}

// supersede ends the held runs of a table whose newer run brought rows: there is
// nothing to decide about the older ones. Going back to an older version decides
// nothing about newer rows.
func supersede(ctx context.Context, tx runner, r syncs.Run) error {
	if r.State != syncs.Held && (r.State != syncs.OK || r.Trigger == syncs.ByRestore) {
		return nil
	}
	_, err := tx.exec(ctx, `
		UPDATE sync_runs
		SET state = 'cancelled', code = 'held_superseded', next_step = '', message = 'Newer rows came before anybody decided about these.'
		WHERE table_id = $1 AND state = 'held' AND id <> $2`, r.Table, r.ID)
	return err
}

// saveHeld stores that newer rows of a table wait; what is served stays as it was.
func saveHeld(ctx context.Context, tx runner, r syncs.Run) error {
	_, err := tx.exec(ctx, `
		INSERT INTO sync_state (table_id, status, error_code, next_step, last_try)
		VALUES ($1, 'held', $2, $3, $4)
		ON CONFLICT (table_id) DO UPDATE SET
			status = excluded.status, error = '', error_code = excluded.error_code,
			next_step = excluded.next_step, last_try = excluded.last_try`, r.Name, r.Code, r.NextStep, micros(*r.FinishedAt))
	return err
}

// saveRestored stores how a table stands after somebody went back to an older
// version. It is no sync: when the next one is due counts from the last.
func saveRestored(ctx context.Context, tx runner, t registry.Published, v registry.Version, tried int64) error {
	held, err := one(ctx, tx, value[int], `SELECT count(*) FROM sync_runs WHERE table_id = $1 AND state = 'held'`, t.ID)
	if err != nil {
		return err
	}
	status := "ok"
	if held > 0 {
		status = registry.StatusHeld
	}
	_, err = tx.exec(ctx, `
		INSERT INTO sync_state (table_id, rows, file_size_bytes, columns, hash, status, last_try)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (table_id) DO UPDATE SET
			rows = excluded.rows, file_size_bytes = excluded.file_size_bytes, columns = excluded.columns, hash = excluded.hash,
			status = excluded.status, error = '', error_code = '', next_step = '', last_try = excluded.last_try`,
		t.Name, v.Rows, v.Bytes, len(v.Columns), v.MD5, status, tried)
	return err
}

// queueAgain queues what an interrupted run was at: its version, where it was to
// publish one that is kept, else a sync.
func (s *Store) queueAgain(ctx context.Context, tx runner, t registry.Table, r syncs.Run, by audit.Actor) (syncs.Run, error) {
	if r.Version == "" {
		return s.queue(ctx, tx, t, syncs.ByRestart, by)
	}
	if there, err := liveRun(ctx, tx, t.ID); !absent(err) {
		return there, err
	}
	return s.insertRun(ctx, tx, t, syncs.Run{Trigger: r.Trigger, StartedBy: r.StartedBy, Version: r.Version})
}
