package store

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain"
	"agnes/domain/registry"
)

const versionColumns = ` v.id, v.table_id, v.run_id, v.files, v.columns, v.rows, v.bytes, v.md5, v.created_at FROM table_versions v`

func scanVersion(row scanner) (registry.Version, error) {
	var v registry.Version
	err := row.Scan(&v.ID, &v.Table, &v.RunID, decoded{&v.Files}, decoded{&v.Columns}, &v.Rows, &v.Bytes, &v.MD5, at{&v.CreatedAt})
	return v, err
}

// PublishVersion records v and makes it current; it returns the version that
// was current before, nil when there was none. NotFound for an unknown table.
func (s *Store) PublishVersion(ctx context.Context, v registry.Version) (*registry.Version, error) {
	files, ferr := encoded(v.Files, len(v.Files))
	columns, cerr := encoded(v.Columns, len(v.Columns))
	if err := errors.Join(ferr, cerr); err != nil {
		return nil, err
	}
	var before *registry.Version
	err := s.tx(ctx, func(tx runner) error {
		t, err := getTable(ctx, tx, v.Table)
		if err != nil {
			return err
		}
		before = t.Version
		if _, err := tx.exec(ctx, `
			INSERT INTO table_versions (id, table_id, run_id, files, columns, rows, bytes, md5, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			v.ID, v.Table, v.RunID, files, columns, v.Rows, v.Bytes, v.MD5, micros(v.CreatedAt)); err != nil {
			return err
		}
		return setCurrent(ctx, tx, v.Table, v.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("publish version %s: %w", v.ID, err)
	}
	return before, nil
}

func setCurrent(ctx context.Context, tx runner, table registry.TableID, version any) error {
	if _, err := tx.exec(ctx, `UPDATE table_registry SET current_version = $1 WHERE id = $2`, version, table); err != nil {
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

// ListVersions returns a table's versions, newest first.
func (s *Store) ListVersions(ctx context.Context, table registry.TableID) ([]registry.Version, error) {
	versions, err := collect(ctx, s.reader(), scanVersion, `SELECT`+versionColumns+` WHERE v.table_id = $1 ORDER BY v.created_at DESC, v.id DESC`, table)
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", table, explain(err))
	}
	return versions, nil
}

// PruneVersions forgets all but the newest versions of each table, never the
// current one, and returns the forgotten: their files are the caller's to
// remove.
func (s *Store) PruneVersions(ctx context.Context, keep int) ([]registry.Version, error) {
	var gone []registry.Version
	err := s.tx(ctx, func(tx runner) (err error) {
		gone, err = collect(ctx, tx, scanVersion, `
			WITH ranked AS (
				SELECT id, row_number() OVER (PARTITION BY table_id ORDER BY created_at DESC, id DESC) AS place
				FROM table_versions)
			SELECT`+versionColumns+`
			JOIN ranked r ON r.id = v.id
			JOIN table_registry t ON t.id = v.table_id
			WHERE r.place > $1 AND (t.current_version IS NULL OR t.current_version <> v.id)
			ORDER BY v.table_id, v.created_at, v.id`, keep)
		if err != nil {
			return err
		}
		for _, v := range gone {
			if _, err := tx.exec(ctx, `DELETE FROM table_versions WHERE id = $1`, v.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("prune versions: %w", err)
	}
	return gone, nil
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
