package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
)

// keepVersion records a version; one that is recorded stays as it is.
func keepVersion(ctx context.Context, tx runner, v registry.Version) (added bool, err error) {
	files, ferr := encoded(v.Files, len(v.Files))
	columns, cerr := encoded(v.Columns, len(v.Columns))
	if err := errors.Join(ferr, cerr); err != nil {
		return false, err
	}
	n, err := tx.exec(ctx, `
		INSERT INTO table_versions (id, table_id, run_id, files, columns, rows, bytes, md5, created_at, cause, made_by, made, turn)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, COALESCE(max(turn), 0) + 1, COALESCE(max(turn), 0) + 1
		FROM table_versions WHERE table_id = $2
		ON CONFLICT (id) DO NOTHING`,
		v.ID, v.Table, v.RunID, files, columns, v.Rows, v.Bytes, v.MD5, micros(v.CreatedAt), v.Cause, v.MadeBy)
	return n > 0, err
}

// KeepVersion records v without making it current; NotFound for an unknown table.
func (s *Store) KeepVersion(ctx context.Context, v registry.Version) error {
	err := s.tx(ctx, func(tx runner) error {
		if _, err := getTable(ctx, tx, v.Table); err != nil {
			return err
		}
		_, err := keepVersion(ctx, tx, v)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep version %s: %w", v.ID, err)
	}
	return nil
}

// GetVersion returns a kept version of a table; NotFound.
func (s *Store) GetVersion(ctx context.Context, table registry.TableID, id registry.VersionID) (registry.Version, error) {
	v, err := getVersion(ctx, s.reader(), table, id)
	if err != nil {
		return v, fmt.Errorf("get version %s of %s: %w", id, table, explain(err))
	}
	return v, nil
}

func getVersion(ctx context.Context, r runner, table registry.TableID, id registry.VersionID) (registry.Version, error) {
	v, err := one(ctx, r, scanVersion, `SELECT`+versionColumns+` WHERE v.id = $1 AND v.table_id = $2 AND v.forgotten_at IS NULL`, id, table)
	if absent(err) {
		return v, domain.E(domain.NotFound, "version_not_found", "This version is not kept any more. Choose another one.")
	}
	return v, err
}

// UnpublishVersion makes `to` current again (nil: none) and keeps v as it was
// before it was published. If another version is current by now, that one
// stays. NotFound when the table or `to` is gone.
func (s *Store) UnpublishVersion(ctx context.Context, v registry.Version, to *registry.Version) error {
	err := s.tx(ctx, func(tx runner) error {
		t, err := getTable(ctx, tx, v.Table)
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE table_versions SET published_at = $1, turn = $2 WHERE id = $3`, microsOrNull(v.PublishedAt), v.Turn, v.ID); err != nil {
			return err
		}
		if t.Version == nil || t.Version.ID != v.ID {
			return nil
		}
		return revertTo(ctx, tx, v.Table, to)
	})
	if err != nil {
		return fmt.Errorf("unpublish version %s: %w", v.ID, err)
	}
	return nil
}

// Retention says which versions stay: the Keep that were made or published last,
// of those that were so after Since, and always the current one, the one before
// it and those that are held. Which was last is counted, not told by the clock.
// Age is: it counts up to the last version, so that a clock that jumps ahead ends
// none by itself, and none is older than one that came before it. Since zero
// means any age. What is forgotten is removed once it was so before Removed:
// readers may have just opened it.
type Retention struct {
	Keep    int
	Since   time.Time
	Removed time.Time
}

// PruneVersions forgets the versions that r does not keep, and drops those that
// were forgotten long enough ago; their files are the sweep's to remove. It
// returns how many were forgotten.
func (s *Store) PruneVersions(ctx context.Context, r Retention) (forgotten int, err error) {
	err = s.tx(ctx, func(tx runner) error {
		ids, err := collect(ctx, tx, value[registry.VersionID], `
			WITH ranked AS (
				SELECT v.id, t.current_version, v.published_at,
					max(COALESCE(v.published_at, v.created_at)) OVER (PARTITION BY v.table_id ORDER BY v.turn) AS moment,
					first_value(COALESCE(v.published_at, v.created_at)) OVER (PARTITION BY v.table_id ORDER BY v.turn DESC) AS newest,
					row_number() OVER (PARTITION BY v.table_id ORDER BY v.turn DESC) AS place,
					row_number() OVER (
						PARTITION BY v.table_id
						ORDER BY CASE WHEN t.current_version = v.id OR v.published_at IS NULL THEN 1 ELSE 0 END, v.turn DESC) AS before
				FROM table_versions v
				JOIN table_registry t ON t.id = v.table_id
				WHERE v.forgotten_at IS NULL)
			SELECT id
			FROM ranked
			WHERE (place > $1 OR moment < $2 - CASE WHEN newest < $3 THEN $3 - newest ELSE 0 END)
				AND (current_version IS NULL OR current_version <> id)
				AND NOT (before = 1 AND published_at IS NOT NULL)
				AND NOT EXISTS (SELECT 1 FROM table_registry b WHERE b.replaced_version = ranked.id)
				AND NOT EXISTS (SELECT 1 FROM sync_runs h WHERE h.version_id = ranked.id AND h.state IN ('held', 'queued', 'running'))
			ORDER BY id`, r.Keep, micros(r.Since), micros(s.now()))
		if err != nil {
			return err
		}
		forgotten = len(ids)
		now := micros(s.now())
		for _, id := range ids {
			if _, err := tx.exec(ctx, `UPDATE table_versions SET forgotten_at = $1 WHERE id = $2`, now, id); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, `
			DELETE FROM table_versions
			WHERE forgotten_at < $1 AND id NOT IN (SELECT current_version FROM table_registry WHERE current_version IS NOT NULL)`, micros(r.Removed))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune versions: %w", err)
	}
	return forgotten, nil
}

// writeGuard stores which new versions of a table wait for a person.
func writeGuard(ctx context.Context, tx runner, t registry.Table) error {
	_, err := tx.exec(ctx, `UPDATE table_registry SET shrink_guard_pct = $1, schema_policy = $2 WHERE id = $3`,
		t.Guard.ShrinkPercent, t.Guard.Schema, t.ID)
	return err
}
