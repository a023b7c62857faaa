package store

import (
	"context"
	"fmt"
	"slices"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
)

// keptTable is a registration in the bin. Its versions are not kept with it:
// their files are removed.
type keptTable struct {
	Table        registry.Table     `json:"table"`
	Version      int64              `json:"version"`
	Discoverable bool               `json:"discoverable"`
	Owner        string             `json:"owner"`
	Grants       []access.KeptGrant `json:"grants"`
}

// Unregister removes tables, all or none, with their grants, versions, names,
// state and history, and returns them as they were: their files are the
// caller's to remove. Bin is the id by which Restore brings back the
// registration and the grants; sample tables, whose files go too, have none. seen
// are the revisions that whoever asks saw, in the order of ids; none, or 0:
// whatever they are. It fails with NotFound, with Stale, and with Conflict while one of them is being synced; a
// sync that only waits goes with its table.
func (s *Store) Unregister(ctx context.Context, by audit.Actor, ids []registry.TableID, seen ...int64) ([]registry.Removed, error) {
	var removed []registry.Removed
	err := s.tx(ctx, func(tx runner) error {
		removed = nil
		for _, id := range distinct(ids) {
			at := slices.Index(ids, id)
			t, err := s.unregister(ctx, tx, by, id, seen[min(at, len(seen)):])
			if err != nil {
				return err
			}
			removed = append(removed, t)
		}
		if len(removed) == 0 {
			return nil
		}
		_, err := tx.exec(ctx, `UPDATE registry_revision SET changed = changed + 1, removed = removed + 1 WHERE id = 1`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("unregister tables: %w", err)
	}
	return removed, nil
}

func (s *Store) unregister(ctx context.Context, tx runner, by audit.Actor, id registry.TableID, seen []int64) (registry.Removed, error) {
	t, err := getTable(ctx, tx, id)
	if err != nil {
		return registry.Removed{}, err
	}
	if err := (edited{"table", string(id), t.Revision, t.Fields()}).unseen(ctx, tx, seen); err != nil {
		return registry.Removed{}, err
	}
	if err := notSyncing(t, "removed"); err != nil {
		return registry.Removed{}, err
	}
	kept, err := keepTable(ctx, tx, t.Table)
	if err != nil {
		return registry.Removed{}, err
	}
	if err := deleteTable(ctx, tx, t.Table); err != nil {
		return registry.Removed{}, err
	}
	removed := registry.Removed{Published: t}
	if !t.Sample {
		if removed.Bin, err = s.intoBin(ctx, tx, by, binned{access.BinTable, string(id), t.Name, kept}); err != nil {
			return registry.Removed{}, err
		}
	}
	was := tableParams(t.Table, nil)
	was["grants"] = len(kept.Grants)
	return removed, s.note(ctx, tx, by, "unregister_table", "table:"+string(id), nil, was)
}

// keepTable reads what the bin keeps of a table.
func keepTable(ctx context.Context, tx runner, t registry.Table) (keptTable, error) {
	kept := keptTable{Table: t}
	if _, err := one(ctx, tx, func(row scanner) (struct{}, error) {
		return struct{}{}, row.Scan(&kept.Version, &kept.Discoverable, &kept.Owner)
	}, `SELECT version, discoverable, owner FROM table_registry WHERE id = $1`, t.ID); err != nil {
		return kept, err
	}
	var err error
	kept.Grants, err = keptGrants(ctx, tx, `r.resource_type = 'table' AND r.resource_id = $1`, t.ID)
	return kept, err
}

// restoreTable registers a table again as it was, without rows, and returns how
// many of its grants came back.
func restoreTable(ctx context.Context, tx runner, k keptTable) (grants int, err error) {
	_, err = tx.exec(ctx, `
		INSERT INTO table_registry (id, name, registered_by, registered_at, version, discoverable, owner)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		k.Table.ID, k.Table.Name, k.Table.RegisteredBy, micros(k.Table.RegisteredAt), k.Version, k.Discoverable, k.Owner)
	if taken(err) {
		return 0, tableExists(k.Table.Name, err)
	} else if err != nil {
		return 0, err
	}
	if err := writeTable(ctx, tx, k.Table); err != nil {
		return 0, err
	}
	if err := writeGuard(ctx, tx, k.Table); err != nil {
		return 0, err
	}
	if err := touch(ctx, tx, k.Table.ID); err != nil {
		return 0, err
	}
	return putBack(ctx, tx, k.Grants)
}

func deleteTable(ctx context.Context, tx runner, t registry.Table) error {
	for _, d := range []struct {
		statement string
		key       any
	}{
		{`DELETE FROM resource_grants WHERE resource_type = 'table' AND resource_id = $1`, t.ID},
		{`DELETE FROM table_versions WHERE table_id = $1`, t.ID},
		{`DELETE FROM sync_history WHERE run_id IN (SELECT id FROM sync_runs WHERE table_id = $1)`, t.ID},
		{`DELETE FROM sync_runs WHERE table_id = $1`, t.ID},
		{`DELETE FROM sync_state WHERE table_id = $1`, t.Name},
		{`DELETE FROM view_ownership WHERE lower(view_name) = lower($1)`, t.Name},
		{`DELETE FROM edits WHERE kind = 'table' AND id = $1`, t.ID},
		{`DELETE FROM table_registry WHERE id = $1`, t.ID},
	} {
		if _, err := tx.exec(ctx, d.statement, d.key); err != nil {
			return fmt.Errorf("delete table %s: %w", t.ID, err)
		}
	}
	return nil
}
