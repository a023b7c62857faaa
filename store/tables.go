package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// publishedColumns are read by scanPublished.
const publishedColumns = ` ` + tableColumns + `,
		v.id, v.run_id, v.files, v.columns, v.rows, v.bytes, v.md5, v.created_at, v.cause, v.made_by, v.published_at, v.made, v.turn,
		s.status, s.last_sync, s.last_try, s.error, s.error_code, s.next_step, l.state
	FROM table_registry t
	LEFT JOIN users w ON w.id = t.owner
	LEFT JOIN table_versions v ON v.id = t.current_version
	LEFT JOIN sync_state s ON s.table_id = t.name
	LEFT JOIN sync_runs l ON l.table_id = t.id AND l.state IN ('queued', 'running')`

const tableColumns = `t.id, t.version, t.name, t.source_type, t.bucket, t.source_table, t.source_query, t.sync_strategy, t.query_mode,
		t.sync_schedule, t.profile_after_sync, t.primary_key, t.folder, t.description, t.registered_by, t.registered_at,
		t.incremental_window_days, t.max_history_days, t.initial_load_chunk_days, t.incremental_column, t.where_filters,
		t.partition_by, t.partition_granularity, t.bq_fqn, t.read_options, t.sample, t.shrink_guard_pct, t.schema_policy,
		t.discoverable, COALESCE(w.id, ''), COALESCE(w.email, '')`

func scanPublished(row scanner) (registry.Published, error) {
	var p registry.Published
	t := &p.Table
	v := registry.Version{}
	var id, runID, md5, cause, by, status, sentence, code, next, live *string
	var rows, bytes, made, turn *int64
	err := row.Scan(&t.ID, &t.Revision, &t.Name, &t.SourceType, &t.Bucket, &t.SourceTable, &t.SourceQuery, &t.SyncStrategy, &t.QueryMode,
		&t.SyncSchedule, &t.ProfileAfterSync, decoded{&t.PrimaryKey}, &t.Folder, &t.Description, &t.RegisteredBy, at{&t.RegisteredAt},
		&t.IncrementalWindowDays, &t.MaxHistoryDays, &t.InitialLoadChunkDays, &t.IncrementalColumn, decoded{&t.WhereFilters},
		&t.PartitionBy, &t.PartitionGranularity, &t.BQFQN, &t.ReadOptions, &t.Sample, &t.Guard.ShrinkPercent, &t.Guard.Schema,
		&t.Discoverable, &t.Owner, &t.OwnerEmail,
		&id, &runID, decoded{&v.Files}, decoded{&v.Columns}, &rows, &bytes, &md5, at{&v.CreatedAt}, &cause, &by, maybeAt{&v.PublishedAt}, &made, &turn,
		&status, maybeAt{&p.Status.LastSync}, maybeAt{&p.Status.LastTry}, &sentence, &code, &next, &live)
	if err != nil {
		return p, err
	}
	if id != nil {
		v.ID, v.Table, v.RunID, v.Rows, v.Bytes, v.MD5 = registry.VersionID(*id), t.ID, *runID, *rows, *bytes, *md5
		v.Cause, v.MadeBy, v.Made, v.Turn = *cause, *by, *made, *turn
		p.Version = &v
	}
	p.Status.State = "never"
	if status != nil {
		p.Status.State, p.Status.Error, p.Status.ErrorCode, p.Status.NextStep = *status, *sentence, *code, *next
	}
	if live != nil {
		p.Status.State = *live
	}
	return p, nil
}

func tableNotFound() error {
	return domain.E(domain.NotFound, "table_not_found", "Table not found")
}

// ListTables returns every table with its current version, by name.
func (s *Store) ListTables(ctx context.Context) ([]registry.Published, error) {
	var all []registry.Published
	err := s.view(ctx, func(r runner) error {
		tables, err := s.tables(ctx, r)
		all = append(all, tables...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return all, nil
}

// GetTable returns one table with its current version; NotFound.
func (s *Store) GetTable(ctx context.Context, id registry.TableID) (registry.Published, error) {
	t, err := getTable(ctx, s.reader(), id)
	if err != nil {
		return t, fmt.Errorf("get table %s: %w", id, explain(err))
	}
	return t, nil
}

func getTable(ctx context.Context, r runner, id registry.TableID) (registry.Published, error) {
	t, err := one(ctx, r, scanPublished, `SELECT`+publishedColumns+` WHERE t.id = $1`, id)
	if absent(err) {
		return t, tableNotFound()
	}
	return t, err
}

// notSyncing fails with Conflict while a sync of the table is running.
func notSyncing(t registry.Published, attempt string) error {
	if t.Status.State == string(syncs.Running) {
		return domain.E(domain.Conflict, "sync_running", "%s is being synced, so it cannot be %s now. Wait for the sync to end, or cancel it.", t.Name, attempt)
	}
	return nil
}

// UpdateTable changes a table's registration and returns it as it is now. A
// new name takes the sync state and history along. It fails with NotFound, with
// Stale when the registration changed since c.Seen, and with Conflict when the name is taken or a rename meets a running sync.
func (s *Store) UpdateTable(ctx context.Context, by audit.Actor, id registry.TableID, c registry.TableChange) (registry.Published, error) {
	var after registry.Published
	err := s.tx(ctx, func(tx runner) error {
		before, err := getTable(ctx, tx, id)
		if err != nil {
			return err
		}
		t := before.Table
		fields := c.Apply(&t)
		state := edited{"table", string(id), before.Revision, before.Fields()}
		if err := state.unchanged(ctx, tx, c.Seen, t.Fields().Only(fields...)); err != nil {
			return err
		}
		if t.Name != before.Name {
			if err := notSyncing(before, "renamed"); err != nil {
				return err
			}
			if err := renameTable(ctx, tx, before.Name, t.Name); err != nil {
				return err
			}
		}
		if err := s.nextRevision(ctx, tx, by, state, t); err != nil {
			return err
		}
		if err := writeTable(ctx, tx, t); err != nil {
			return err
		}
		if err := writeGuard(ctx, tx, t); err != nil {
			return err
		}
		if err := writeReach(ctx, tx, before.Table, t); err != nil {
			return err
		}
		if err := touch(ctx, tx, id); err != nil {
			return err
		}
		if after, err = getTable(ctx, tx, id); err != nil {
			return err
		}
		asked, was := tableParams(t, fields), tableParams(before.Table, fields)
		return s.note(ctx, tx, by, "update_table", "table:"+string(id), asked, was)
	})
	if err != nil {
		return registry.Published{}, fmt.Errorf("change table %s: %w", id, err)
	}
	return after, nil
}

// nextRevision records what the registration is now, where it changed.
func (s *Store) nextRevision(ctx context.Context, tx runner, by audit.Actor, was edited, t registry.Table) error {
	version, err := s.next(ctx, tx, by, was, t.Fields())
	if err != nil || version == was.version {
		return err
	}
	_, err = tx.exec(ctx, `UPDATE table_registry SET version = $1 WHERE id = $2`, version, t.ID)
	return err
}

// renameTable moves what is kept by view name.
func renameTable(ctx context.Context, tx runner, from, to string) error {
	for _, statement := range []string{
		`UPDATE sync_state SET table_id = $1 WHERE table_id = $2`,
		`UPDATE sync_history SET table_id = $1 WHERE table_id = $2`,
		`UPDATE sync_runs SET name = $1 WHERE name = $2`,
		`DELETE FROM view_ownership WHERE lower(view_name) = lower($2) AND lower($1) <> lower($2)`,
	} {
		_, err := tx.exec(ctx, statement, to, from)
		if taken(err) {
			return tableExists(to, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func tableExists(name string, cause error) error {
	return domain.E(domain.Conflict, "table_exists", "A table named %s is registered already. Choose another name.", name).Because(cause)
}
