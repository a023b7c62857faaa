package store

import (
	"context"
	"fmt"

	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// expect notes that a table has new rows which its live run may not read: it has
// begun, or publishes a version that is kept.
func expect(ctx context.Context, tx runner, live syncs.Run, trigger syncs.Trigger, by audit.Actor) error {
	if !trigger.NewRows() || live.State == syncs.Queued && live.Version == "" {
		return nil
	}
	_, err := tx.exec(ctx, `
		INSERT INTO sync_again (table_id, cause, started_by)
		VALUES ($1, $2, $3)
		ON CONFLICT (table_id) DO UPDATE SET cause = excluded.cause, started_by = excluded.started_by`, live.Table, trigger, by.UserID)
	return err
}

// unexpect forgets what is expected of a table: a sync that begins reads it.
func unexpect(ctx context.Context, tx runner, table registry.TableID) error {
	_, err := tx.exec(ctx, `DELETE FROM sync_again WHERE table_id = $1`, table)
	return err
}

// follow queues the sync of a table that got new rows while its run was under
// way; that run has ended. Nobody else would ask for those rows again.
func (s *Store) follow(ctx context.Context, tx runner, table registry.TableID) error {
	next, err := one(ctx, tx, func(row scanner) (r syncs.Run, err error) {
		return r, row.Scan(&r.Trigger, &r.StartedBy)
	}, `SELECT cause, started_by FROM sync_again WHERE table_id = $1`, table)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := getTable(ctx, tx, table)
	if err != nil {
		return err
	}
	if _, err := s.insertRun(ctx, tx, t.Table, next); err != nil {
		return err
	}
	return unexpect(ctx, tx, table)
}

// LiveRun returns the queued or running run of a table; NotFound.
func (s *Store) LiveRun(ctx context.Context, table registry.TableID) (syncs.Run, error) {
	r, err := liveRun(ctx, s.reader(), table)
	if absent(err) {
		return r, runNotFound()
	}
	if err != nil {
		return r, fmt.Errorf("live run of %s: %w", table, explain(err))
	}
	return r, nil
}

// NoteRead stores what a table's file is like as a sync begins to read it.
func (s *Store) NoteRead(ctx context.Context, table registry.TableID, fingerprint string) error {
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			INSERT INTO files_read (table_id, fingerprint)
			VALUES ($1, $2)
			ON CONFLICT (table_id) DO UPDATE SET fingerprint = excluded.fingerprint`, table, fingerprint)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what is read of %s: %w", table, err)
	}
	return nil
}

// FilesRead returns, by table, what its file was like when its last sync began
// to read it.
func (s *Store) FilesRead(ctx context.Context) (map[registry.TableID]string, error) {
	read := map[registry.TableID]string{}
	_, err := collect(ctx, s.reader(), func(row scanner) (struct{}, error) {
		var id registry.TableID
		var fingerprint string
		err := row.Scan(&id, &fingerprint)
		read[id] = fingerprint
		return struct{}{}, err
	}, `SELECT table_id, fingerprint FROM files_read`)
	if err != nil {
		return nil, fmt.Errorf("list what was read: %w", explain(err))
	}
	return read, nil
}
