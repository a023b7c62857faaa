package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/registry"
)

const versionColumns = ` v.id, v.table_id, v.run_id, v.files, v.columns, v.rows, v.bytes, v.md5, v.created_at,
	v.cause, v.made_by, COALESCE(u.email, ''), v.published_at, v.made, v.turn
	FROM table_versions v LEFT JOIN users u ON u.id = v.made_by`

func scanVersion(row scanner) (registry.Version, error) {
	var v registry.Version
	err := row.Scan(&v.ID, &v.Table, &v.RunID, decoded{&v.Files}, decoded{&v.Columns}, &v.Rows, &v.Bytes, &v.MD5, at{&v.CreatedAt},
		&v.Cause, &v.MadeBy, &v.Maker, maybeAt{&v.PublishedAt}, &v.Made, &v.Turn)
	return v, err
}

// PublishVersion records v, unless it is kept already, and makes it current, but
// unconfirmed until its run ends well; it returns the version that was current
// before, nil when there was none. NotFound for an unknown table.
func (s *Store) PublishVersion(ctx context.Context, v registry.Version) (*registry.Version, error) {
	var before *registry.Version
	err := s.tx(ctx, func(tx runner) error {
		t, err := getTable(ctx, tx, v.Table)
		if err != nil {
			return err
		}
		before = t.Version
		added, err := keepVersion(ctx, tx, v)
		if err != nil {
			return err
		}
		if err := s.takeTurn(ctx, tx, v, added); err != nil {
			return err
		}
		was, err := replacedVersion(ctx, tx, v.Table)
		if err != nil {
			return err
		}
		if err := setCurrent(ctx, tx, v.Table, v.ID); err != nil {
			return err
		}
		return markUnconfirmed(ctx, tx, v.Table, was, before)
	})
	if err != nil {
		return nil, fmt.Errorf("publish version %s: %w", v.ID, err)
	}
	return before, nil
}

// takeTurn notes that a version becomes current; fresh: it was just recorded.
func (s *Store) takeTurn(ctx context.Context, tx runner, v registry.Version, fresh bool) error {
	if fresh {
		_, err := tx.exec(ctx, `UPDATE table_versions SET published_at = created_at WHERE id = $1`, v.ID)
		return err
	}
	_, err := tx.exec(ctx, `
		UPDATE table_versions
		SET published_at = $1, forgotten_at = NULL, turn = (SELECT max(o.turn) + 1 FROM table_versions o WHERE o.table_id = $2)
		WHERE id = $3`, micros(s.now()), v.Table, v.ID)
	return err
}

// setCurrent makes a version current; nil: none. It counts as confirmed.
func setCurrent(ctx context.Context, tx runner, table registry.TableID, version any) error {
	if _, err := tx.exec(ctx, `UPDATE table_registry SET current_version = $1, replaced_version = NULL WHERE id = $2`, version, table); err != nil {
		return err
	}
	return touch(ctx, tx, table)
}

// RevertVersion makes `to` current again (nil: none) and forgets the bad
// version. If another version is current by now, that one stays. It fails with
// NotFound when the table or `to` is gone.
func (s *Store) RevertVersion(ctx context.Context, bad registry.Version, to *registry.Version) error {
	err := s.tx(ctx, func(tx runner) error {
		t, err := getTable(ctx, tx, bad.Table)
		if err != nil {
			return err
		}
		if t.Version != nil && t.Version.ID == bad.ID {
			if err := revertTo(ctx, tx, bad.Table, to); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, `DELETE FROM table_versions WHERE id = $1`, bad.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("revert version %s: %w", bad.ID, err)
	}
	return nil
}

func revertTo(ctx context.Context, tx runner, table registry.TableID, to *registry.Version) error {
	if to == nil {
		return setCurrent(ctx, tx, table, nil)
	}
	there, err := one(ctx, tx, value[int], `SELECT count(*) FROM table_versions WHERE id = $1 AND table_id = $2`, to.ID, table)
	if err != nil {
		return err
	}
	if there == 0 {
		return domain.E(domain.NotFound, "version_not_found", "The version to go back to is not kept any more.")
	}
	return setCurrent(ctx, tx, table, to.ID)
}

// ListVersions returns a table's kept versions, the one that was made last first.
func (s *Store) ListVersions(ctx context.Context, table registry.TableID) ([]registry.Version, error) {
	versions, err := collect(ctx, s.reader(), scanVersion, `SELECT`+versionColumns+` WHERE v.table_id = $1 AND v.forgotten_at IS NULL ORDER BY v.made DESC, v.id DESC`, table)
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", table, explain(err))
	}
	return versions, nil
}

// VersionKeys returns the place of every file that a version names, so that
// what no version names can be swept.
func (s *Store) VersionKeys(ctx context.Context) (map[string]struct{}, error) {
	keys := map[string]struct{}{}
	_, err := collect(ctx, s.reader(), func(row scanner) (struct{}, error) {
		var files []registry.File
		err := row.Scan(decoded{&files})
		for _, f := range files {
			keys[f.Key] = struct{}{}
		}
		return struct{}{}, err
	}, `SELECT files FROM table_versions`)
	if err != nil {
		return nil, fmt.Errorf("list the files of versions: %w", explain(err))
	}
	return keys, nil
}
