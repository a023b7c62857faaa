package store

import (
	"context"
	"fmt"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// markUnconfirmed notes that a table's current version replaced another one and
// was not read back yet. When the one before was not either, the one before that
// is where to go back to.
func markUnconfirmed(ctx context.Context, tx runner, table registry.TableID, was *string, before *registry.Version) error {
	back := ""
	switch {
	case was != nil:
		back = *was
	case before != nil:
		back = string(before.ID)
	}
	_, err := tx.exec(ctx, `UPDATE table_registry SET replaced_version = $1 WHERE id = $2`, back, table)
	return err
}

// replacedVersion is the version that a table's unconfirmed one replaced, "" for
// none; nil when the current version is confirmed.
func replacedVersion(ctx context.Context, r runner, table registry.TableID) (*string, error) {
	return one(ctx, r, value[*string], `SELECT replaced_version FROM table_registry WHERE id = $1`, table)
}

// confirmCurrent notes that a table's current version was read back.
func confirmCurrent(ctx context.Context, tx runner, table registry.TableID) error {
	_, err := tx.exec(ctx, `UPDATE table_registry SET replaced_version = NULL WHERE id = $1 AND replaced_version IS NOT NULL`, table)
	return err
}

// ConfirmVersion notes that v was read back; if another version is current by
// now, nothing is noted.
func (s *Store) ConfirmVersion(ctx context.Context, v registry.Version) error {
	err := s.tx(ctx, func(tx runner) error {
		t, err := getTable(ctx, tx, v.Table)
		if err != nil || t.Version == nil || t.Version.ID != v.ID {
			return err
		}
		return confirmCurrent(ctx, tx, v.Table)
	})
	if err != nil {
		return fmt.Errorf("confirm version %s: %w", v.ID, err)
	}
	return nil
}

// Unconfirmed lists the tables whose current version was made current and never
// read back, with the version to go back to.
func (s *Store) Unconfirmed(ctx context.Context) ([]syncs.Unconfirmed, error) {
	var open []syncs.Unconfirmed
	err := s.view(ctx, func(r runner) error {
		open = nil
		ids, err := collect(ctx, r, value[registry.TableID], `SELECT id FROM table_registry WHERE replaced_version IS NOT NULL AND current_version IS NOT NULL ORDER BY id`)
		if err != nil {
			return err
		}
		for _, id := range ids {
			u, err := unconfirmedTable(ctx, r, id)
			if err != nil {
				return err
			}
			open = append(open, u)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list versions that were not read back: %w", err)
	}
	return open, nil
}

func unconfirmedTable(ctx context.Context, r runner, id registry.TableID) (u syncs.Unconfirmed, err error) {
	if u.Table, err = getTable(ctx, r, id); err != nil {
		return u, err
	}
	back, err := replacedVersion(ctx, r, id)
	if err != nil || back == nil || *back == "" {
		return u, err
	}
	before, err := one(ctx, r, scanVersion, `SELECT`+versionColumns+` WHERE v.id = $1 AND v.table_id = $2`, *back, id)
	if absent(err) {
		return u, nil // it is not kept any more
	}
	u.Before = &before
	return u, err
}
