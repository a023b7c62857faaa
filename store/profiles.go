package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/profile"
	"agnes/domain/registry"
)

// GetProfile returns a table's newest profile, of whichever version; NotFound
// when there is none. Who may see it is decided by the caller's catalog.
func (s *Store) GetProfile(ctx context.Context, table registry.TableID) (profile.Kept, error) {
	var text string
	kept, err := one(ctx, s.reader(), func(row scanner) (profile.Kept, error) {
		var k profile.Kept
		var versionAt *time.Time
		err := row.Scan(&k.Table, &text, at{&k.ProfiledAt}, &k.Version, maybeAt{&versionAt})
		if versionAt != nil {
			k.VersionAt = *versionAt
		}
		return k, err
	}, `SELECT table_id, profile, profiled_at, version_id, version_at FROM table_profiles WHERE table_id = $1`, table)
	if absent(err) {
		return profile.Kept{}, profileNotFound()
	}
	if err != nil {
		return profile.Kept{}, fmt.Errorf("profile of %s: %w", table, explain(err))
	}
	if err := json.Unmarshal([]byte(text), &kept.Profile); err != nil {
		// Another program's, such as an imported one: as good as none, and replaced by the next.
		return profile.Kept{}, profileNotFound().Because(err)
	}
	return kept, nil
}

func profileNotFound() *domain.Error {
	return domain.E(domain.NotFound, "profile_not_found", "This table has no profile yet. It gets one after its next sync, or when its profile is refreshed.")
}

// SaveProfile keeps a table's profile in place of the one before. It fails with
// NotFound when the table is gone.
func (s *Store) SaveProfile(ctx context.Context, k profile.Kept) error {
	text, err := encoded(k.Profile, 1)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(tx runner) error {
		there, err := one(ctx, tx, value[int], `SELECT count(*) FROM table_registry WHERE id = $1`, k.Table)
		if err != nil {
			return err
		}
		if there == 0 {
			return domain.E(domain.NotFound, "table_not_found", "Table not found")
		}
		_, err = tx.exec(ctx, `
			INSERT INTO table_profiles (table_id, profile, profiled_at, version_id, version_at)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (table_id) DO UPDATE SET
				profile = excluded.profile, profiled_at = excluded.profiled_at,
				version_id = excluded.version_id, version_at = excluded.version_at`,
			k.Table, text, micros(k.ProfiledAt), k.Version, micros(k.VersionAt))
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `DELETE FROM profile_failures WHERE table_id = $1`, k.Table)
		return err
	})
	if err != nil {
		return fmt.Errorf("save the profile of %s: %w", k.Table, err)
	}
	return nil
}

// UnprofiledTables lists the tables that are profiled after a sync and have no
// profile of their current version, but for those whose version could not be
// counted: they wait for the next one, or for a person.
func (s *Store) UnprofiledTables(ctx context.Context) ([]registry.TableID, error) {
	ids, err := collect(ctx, s.reader(), value[registry.TableID], `
		SELECT t.id
		FROM table_registry t
		LEFT JOIN table_profiles p ON p.table_id = t.id
		WHERE t.profile_after_sync AND t.current_version IS NOT NULL AND (p.version_id IS NULL OR p.version_id <> t.current_version)
			AND NOT EXISTS (SELECT 1 FROM profile_failures f WHERE f.table_id = t.id AND f.version_id = t.current_version)
		ORDER BY t.name`)
	if err != nil {
		return nil, fmt.Errorf("list tables without a profile: %w", explain(err))
	}
	return ids, nil
}
