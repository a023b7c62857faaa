package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
)

// RegisterTables adds tables, all or none, with their first grants. A table
// without an id gets that of its name. It fails with Conflict (table_exists)
// when an id or, in any case, a name is taken, and with NotFound for a group.
func (s *Store) RegisterTables(ctx context.Context, by audit.Actor, tables []registry.Registration) ([]registry.Table, error) {
	var added []registry.Table
	err := s.tx(ctx, func(tx runner) error {
		added = nil
		for _, reg := range tables {
			t, err := s.insertTable(ctx, tx, by, reg)
			if err != nil {
				return err
			}
			added = append(added, t)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("register tables: %w", err)
	}
	return added, nil
}

func (s *Store) insertTable(ctx context.Context, tx runner, by audit.Actor, reg registry.Registration) (registry.Table, error) {
	t := reg.Table
	if t.ID == "" {
		t.ID = registry.IDFor(t.Name)
	}
	t.RegisteredBy, t.RegisteredAt, t.Revision = byline(by), s.now(), 1
	_, err := tx.exec(ctx, `INSERT INTO table_registry (id, name, registered_by, registered_at) VALUES ($1, $2, $3, $4)`,
		t.ID, t.Name, t.RegisteredBy, micros(t.RegisteredAt))
	if taken(err) {
		return t, tableExists(t.Name, err)
	} else if err != nil {
		return t, err
	}
	if err := writeTable(ctx, tx, t); err != nil {
		return t, err
	}
	if err := writeReach(ctx, tx, registry.Table{}, t); err != nil {
		return t, err
	}
	if err := touch(ctx, tx, t.ID); err != nil {
		return t, err
	}
	if err := s.note(ctx, tx, by, "register_table", "table:"+string(t.ID), tableParams(t, nil), nil); err != nil {
		return t, err
	}
	for _, group := range distinct(reg.GrantTo) {
		if _, err := s.insertGrant(ctx, tx, by, access.NewGrant{Group: group, ResourceType: access.TableResource, ResourceID: string(t.ID)}, nil); err != nil {
			return t, err
		}
	}
	return t, nil
}

// writeTable stores everything of a registration but its id and its origin.
func writeTable(ctx context.Context, tx runner, t registry.Table) error {
	key, err := encoded(t.PrimaryKey, len(t.PrimaryKey))
	if err != nil {
		return err
	}
	filters, err := encoded(t.WhereFilters, len(t.WhereFilters))
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `
		UPDATE table_registry SET
			name = $1, source_type = $2, bucket = $3, source_table = $4, source_query = $5, sync_strategy = $6, query_mode = $7,
			sync_schedule = $8, profile_after_sync = $9, primary_key = $10, folder = $11, description = $12,
			incremental_window_days = $13, max_history_days = $14, initial_load_chunk_days = $15, incremental_column = $16,
			where_filters = $17, partition_by = $18, partition_granularity = $19, bq_fqn = $20, sample = $21,
			read_options = $22
		WHERE id = $23`,
		t.Name, t.SourceType, t.Bucket, t.SourceTable, t.SourceQuery, t.SyncStrategy, t.QueryMode,
		t.SyncSchedule, t.ProfileAfterSync, key, t.Folder, t.Description,
		t.IncrementalWindowDays, t.MaxHistoryDays, t.InitialLoadChunkDays, t.IncrementalColumn,
		filters, t.PartitionBy, t.PartitionGranularity, t.BQFQN, t.Sample, t.ReadOptions, t.ID)
	if taken(err) {
		return tableExists(t.Name, err)
	}
	return err
}

// writeReach stores who learns that a table exists, and who decides on requests
// for it. It fails with a FieldError for an owner who is nobody.
func writeReach(ctx context.Context, tx runner, before, t registry.Table) error {
	owner := before.Owner
	if t.OwnerEmail != before.OwnerEmail {
		owner = ""
	}
	if t.OwnerEmail != "" && owner == "" {
		u, err := getUser(ctx, tx, "email", identity(t.OwnerEmail))
		if domain.KindOf(err) == domain.NotFound {
			return domain.FieldError("owner_email", "Nobody here has the address %s. Name somebody with an account, or nobody.", t.OwnerEmail)
		} else if err != nil {
			return err
		}
		owner = u.ID
	}
	_, err := tx.exec(ctx, `UPDATE table_registry SET discoverable = $1, owner = $2 WHERE id = $3`, t.Discoverable, owner, t.ID)
	return err
}

// tableParams is a registration as audit rows show it: the named fields, or
// those that are set.
func tableParams(t registry.Table, fields []string) params {
	all := params{
		"name": t.Name, "folder": t.Folder, "sync_strategy": t.SyncStrategy, "primary_key": t.PrimaryKey, "description": t.Description,
		"source_type": t.SourceType, "bucket": t.Bucket, "source_table": t.SourceTable, "source_query": t.SourceQuery,
		"query_mode": t.QueryMode, "sync_schedule": t.SyncSchedule, "profile_after_sync": t.ProfileAfterSync,
		"incremental_window_days": t.IncrementalWindowDays, "max_history_days": t.MaxHistoryDays,
		"initial_load_chunk_days": t.InitialLoadChunkDays, "incremental_column": t.IncrementalColumn, "where_filters": t.WhereFilters,
		"partition_by": t.PartitionBy, "partition_granularity": t.PartitionGranularity, "bq_fqn": t.BQFQN,
		"read_options": t.ReadOptions,
	}
	if fields != nil { // of a registration they are the defaults
		all["shrink_guard_pct"], all["schema_policy"] = t.Guard.ShrinkPercent, t.Guard.Schema
		all["discoverable"], all["owner_email"] = t.Discoverable, t.OwnerEmail
	}
	shown := params{}
	for key, v := range all {
		text, err := json.Marshal(v)
		blank := err != nil || string(text) == `""` || string(text) == `null`
		if slices.Contains(fields, key) || (fields == nil && !blank) {
			shown[key] = v
		}
	}
	return shown
}
