package store

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// ListSources returns what is known of sources, by name.
func (s *Store) ListSources(ctx context.Context) ([]syncs.Source, error) {
	sources, err := collect(ctx, s.reader(), func(row scanner) (syncs.Source, error) {
		var src syncs.Source
		err := row.Scan(&src.Name, &src.Fingerprint, &src.State, &src.Code, &src.Message, decoded{&src.Problems},
			decoded{&src.Tables}, decoded{&src.Remote}, at{&src.CheckedAt}, maybeAt{&src.GoneAt})
		return src, err
	}, `SELECT name, fingerprint, state, code, message, problems, tables, remote, checked_at, gone_at FROM sources ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", explain(err))
	}
	registered, err := s.ListTables(ctx)
	if err != nil {
		return nil, err
	}
	there := make(map[registry.TableID]registry.Published, len(registered))
	for _, t := range registered {
		there[t.ID] = t
	}
	for _, src := range sources {
		for i := range src.Tables {
			t, known := there[src.Tables[i].ID]
			src.Tables[i].Removed, src.Tables[i].Empty, src.Tables[i].Failing = !known, known && t.Version == nil, t.Status.State == "error"
		}
	}
	return sources, nil
}

// SaveSource stores how a source's last inspection went.
func (s *Store) SaveSource(ctx context.Context, src syncs.Source) error {
	problems, perr := encoded(src.Problems, len(src.Problems))
	tables, terr := encoded(src.Tables, len(src.Tables))
	remote, rerr := encoded(src.Remote, len(src.Remote))
	if err := errors.Join(perr, terr, rerr); err != nil {
		return err
	}
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			INSERT INTO sources (name, fingerprint, state, code, message, problems, tables, remote, checked_at, gone_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (name) DO UPDATE SET
				fingerprint = excluded.fingerprint, state = excluded.state, code = excluded.code,
				message = excluded.message, problems = excluded.problems, tables = excluded.tables,
				remote = excluded.remote, checked_at = excluded.checked_at, gone_at = excluded.gone_at`,
			src.Name, src.Fingerprint, src.State, src.Code, src.Message, problems, tables, remote, micros(src.CheckedAt), microsOrNull(src.GoneAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("save source %s: %w", src.Name, err)
	}
	return nil
}

// DeleteSource forgets a source that is gone, with its claims on names. Names
// of tables that are still registered stay claimed: those tables go on serving
// their last version, and the source may come back.
func (s *Store) DeleteSource(ctx context.Context, name string) error {
	err := s.tx(ctx, func(tx runner) error {
		if _, err := tx.exec(ctx, `
			DELETE FROM view_ownership
			WHERE source_name = $1
				AND NOT EXISTS (SELECT 1 FROM table_registry t WHERE lower(t.name) = lower(view_name))`, name); err != nil {
			return err
		}
		for _, statement := range []string{
			`DELETE FROM view_aliases WHERE source = $1`, `DELETE FROM remote_aliases WHERE source = $1`, `DELETE FROM sources WHERE name = $1`,
		} {
			if _, err := tx.exec(ctx, statement, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget source %s: %w", name, err)
	}
	return nil
}

// ClaimView gives a name in SQL, in any case, to the first source that asks
// for it, and returns its owner.
func (s *Store) ClaimView(ctx context.Context, view, source string) (owner string, err error) {
	const whose = `SELECT source_name FROM view_ownership WHERE lower(view_name) = lower($1)`
	owner, err = one(ctx, s.reader(), value[string], whose, view)
	if err == nil {
		return owner, nil
	}
	if !absent(err) {
		return "", fmt.Errorf("claim the name %s: %w", view, explain(err))
	}
	err = s.tx(ctx, func(tx runner) (err error) {
		if _, err = tx.exec(ctx, `
			INSERT INTO view_ownership (view_name, source_name, registered_at) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING`, view, source, micros(s.now())); err != nil {
			return err
		}
		owner, err = one(ctx, tx, value[string], whose, view)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("claim the name %s: %w", view, err)
	}
	return owner, nil
}
