package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// SourceAliases returns the names that people gave to tables of a source, by
// the names that the source calls them.
func (s *Store) SourceAliases(ctx context.Context, source string) (map[string]string, error) {
	aliases := map[string]string{}
	_, err := collect(ctx, s.reader(), func(row scanner) (struct{}, error) {
		var table, alias string
		err := row.Scan(&table, &alias)
		aliases[table] = alias
		return struct{}{}, err
	}, `SELECT table_name, alias FROM view_aliases WHERE source = $1`, source)
	if err != nil {
		return nil, fmt.Errorf("names of the tables of %s: %w", source, explain(err))
	}
	return aliases, nil
}

// SetSourceAlias gives a table of a source another name in SQL; "" takes it
// back. Conflict when another table was given that name.
func (s *Store) SetSourceAlias(ctx context.Context, by audit.Actor, source, table, alias string) error {
	err := s.tx(ctx, func(tx runner) error {
		before, err := one(ctx, tx, value[string], `SELECT alias FROM view_aliases WHERE source = $1 AND table_name = $2`, source, table)
		if err != nil && !absent(err) {
			return err
		}
		if alias == "" {
			_, err = tx.exec(ctx, `DELETE FROM view_aliases WHERE source = $1 AND table_name = $2`, source, table)
		} else {
			_, err = tx.exec(ctx, `
				INSERT INTO view_aliases (source, table_name, alias, set_at, set_by) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (source, table_name) DO UPDATE SET alias = excluded.alias, set_at = excluded.set_at, set_by = excluded.set_by`,
				source, table, alias, micros(s.now()), byline(by))
		}
		if taken(err) {
			return domain.E(domain.Conflict, "table_exists", "Another table was given the name %s. Choose another one.", alias).Because(err)
		}
		if err != nil {
			return err
		}
		return s.note(ctx, tx, by, "source.rename_table", "source:"+source, params{"table": table, "name": alias}, params{"name": before})
	})
	if err != nil {
		return fmt.Errorf("name the table %s of %s: %w", table, source, err)
	}
	return nil
}

// MarkTables says how tables stand where no run did. A mark without a state
// takes an earlier one back; tables that are gone meanwhile are passed over.
func (s *Store) MarkTables(ctx context.Context, marks []syncs.TableMark) error {
	err := s.tx(ctx, func(tx runner) error {
		var marked []registry.TableID
		for _, m := range marks {
			t, err := getTable(ctx, tx, m.Table)
			if domain.KindOf(err) == domain.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			if err := markTable(ctx, tx, t.Name, m); err != nil {
				return err
			}
			marked = append(marked, m.Table)
		}
		if len(marked) == 0 {
			return nil
		}
		return touch(ctx, tx, marked...)
	})
	if err != nil {
		return fmt.Errorf("mark tables: %w", err)
	}
	return nil
}

func markTable(ctx context.Context, tx runner, name string, m syncs.TableMark) error {
	if m.State == "" {
		// A table that never synced goes back to having no state at all.
		if _, err := tx.exec(ctx, `DELETE FROM sync_state WHERE table_id = $1 AND last_sync IS NULL AND last_try IS NULL`, name); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `UPDATE sync_state SET status = 'ok', error = '', error_code = '', next_step = '' WHERE table_id = $1`, name)
		return err
	}
	_, err := tx.exec(ctx, `
		INSERT INTO sync_state (table_id, status, error, error_code, next_step) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (table_id) DO UPDATE SET
			status = excluded.status, error = excluded.error, error_code = excluded.error_code, next_step = excluded.next_step`,
		name, m.State, m.Message, m.Code, m.NextStep)
	return err
}
