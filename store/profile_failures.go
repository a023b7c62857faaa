package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// GetProfileFailure returns why the last try to profile a table failed;
// NotFound when it did not.
func (s *Store) GetProfileFailure(ctx context.Context, table registry.TableID) (syncs.ProfileFailure, error) {
	f, err := one(ctx, s.reader(), func(row scanner) (syncs.ProfileFailure, error) {
		var f syncs.ProfileFailure
		err := row.Scan(&f.Table, &f.Version, at{&f.At}, &f.Code, &f.Message, &f.NextStep)
		return f, err
	}, `SELECT table_id, version_id, failed_at, code, message, next_step FROM profile_failures WHERE table_id = $1`, table)
	if absent(err) {
		return f, domain.E(domain.NotFound, "profile_failure_not_found", "No profile of this table has failed.")
	}
	if err != nil {
		return f, fmt.Errorf("profile failure of %s: %w", table, explain(err))
	}
	return f, nil
}

// SaveProfileFailure keeps why a version could not be profiled, in place of the
// failure before. It fails with NotFound when the table is gone.
func (s *Store) SaveProfileFailure(ctx context.Context, f syncs.ProfileFailure) error {
	err := s.tx(ctx, func(tx runner) error {
		there, err := one(ctx, tx, value[int], `SELECT count(*) FROM table_registry WHERE id = $1`, f.Table)
		if err != nil {
			return err
		}
		if there == 0 {
			return domain.E(domain.NotFound, "table_not_found", "Table not found")
		}
		_, err = tx.exec(ctx, `
			INSERT INTO profile_failures (table_id, version_id, failed_at, code, message, next_step)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (table_id) DO UPDATE SET
				version_id = excluded.version_id, failed_at = excluded.failed_at, code = excluded.code,
				message = excluded.message, next_step = excluded.next_step`,
			f.Table, f.Version, micros(f.At), f.Code, f.Message, f.NextStep)
		return err
	})
	if err != nil {
		return fmt.Errorf("save the profile failure of %s: %w", f.Table, err)
	}
	return nil
}

// MetricsOf lists the metric definitions that name a table, in any case, as
// their own or as one of several. A definition is no content of rows: whoever
// is signed in may read it.
func (s *Store) MetricsOf(ctx context.Context, table string) ([]profile.Metric, error) {
	type definition struct {
		profile.Metric
		uses bool
	}
	all, err := collect(ctx, s.reader(), func(row scanner) (definition, error) {
		var d definition
		var id string
		var name, own, several *string
		if err := row.Scan(&id, &name, &own, &several); err != nil {
			return d, err
		}
		d.Name, d.File = id, id+".yml"
		if name != nil && *name != "" {
			d.Name = *name
		}
		var tables []string
		if several != nil && *several != "" {
			if err := json.Unmarshal([]byte(*several), &tables); err != nil {
				tables = nil // imported as it was: what is no list names no table
			}
		}
		if own != nil {
			tables = append(tables, *own)
		}
		d.uses = slices.ContainsFunc(tables, func(t string) bool { return strings.EqualFold(t, table) })
		return d, nil
	}, `SELECT id, name, table_name, tables FROM metric_definitions WHERE table_name IS NOT NULL OR tables IS NOT NULL ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", table, explain(err))
	}
	metrics := []profile.Metric{}
	for _, d := range all {
		if d.uses {
			metrics = append(metrics, d.Metric)
		}
	}
	return metrics, nil
}
