package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/settings"
)

// settingsKind is what rows of edits call the overlay's states. Their version is
// made of the overlay's text, so it says nothing of their order: the time does.
const settingsKind = "settings"

// SettingsEditions are the remembered states of the overlay, newest first.
func (s *Store) SettingsEditions(ctx context.Context) ([]settings.Edition, error) {
	all, err := collect(ctx, s.reader(), func(row scanner) (settings.Edition, error) {
		e, err := scanEdition(row)
		return settings.Edition{Version: e.version, Fields: e.fields, At: e.at, By: e.by}, err
	}, `
		SELECT version, fields, changed_at, changed_by
		FROM edits
		WHERE kind = $1 AND id = $2
		ORDER BY changed_at DESC, version`, settingsKind, settings.ID)
	if err != nil {
		return nil, fmt.Errorf("read what the settings were: %w", explain(err))
	}
	return all, nil
}

// SaveSettings records a revision, and calls put as the last step before it
// commits. It fails with Stale when r.Seen is another state than r.Before.
func (s *Store) SaveSettings(ctx context.Context, by audit.Actor, r settings.Revision, put func() error) error {
	err := s.tx(ctx, func(tx runner) error {
		state := edited{settingsKind, settings.ID, r.Before.Version, r.Before.Fields}
		if err := state.unchanged(ctx, tx, r.Seen, r.Yours()); err != nil {
			return err
		}
		if err := s.keepEdition(ctx, tx, r.Before); err != nil {
			return err
		}
		r.After.At, r.After.By = s.now(), byline(by)
		if err := s.keepEdition(ctx, tx, r.After); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `
			DELETE FROM edits
			WHERE kind = $1 AND id = $2 AND version NOT IN (
				SELECT version FROM edits WHERE kind = $1 AND id = $2 ORDER BY changed_at DESC, version LIMIT $3)`,
			settingsKind, settings.ID, keptEdits); err != nil {
			return fmt.Errorf("forget old settings: %w", err)
		}
		asked, before := params{"diff": r.Diff}, params{"diff": r.Diff}
		for _, d := range r.Diff {
			asked[d.Path], before[d.Path] = d.After, d.Before
		}
		if err := s.note(ctx, tx, by, "instance_config.update", "instance_config", asked, before); err != nil {
			return err
		}
		return put()
	})
	if err != nil {
		return fmt.Errorf("save settings: %w", err)
	}
	return nil
}

// keepEdition remembers a state; one that comes back is as new as it is now.
func (s *Store) keepEdition(ctx context.Context, tx runner, e settings.Edition) error {
	fields := e.Fields
	if fields == nil { // nothing is set, which is not the same as forgotten
		fields = domain.Fields{}
	}
	text, err := encoded(fields, 1)
	if err != nil {
		return err
	}
	moment := int64(0)
	if !e.At.IsZero() {
		moment = micros(e.At)
	}
	if _, err := tx.exec(ctx, `
		INSERT INTO edits (kind, id, version, fields, changed_at, changed_by)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, id, version) DO UPDATE SET
			fields = excluded.fields, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
		settingsKind, settings.ID, e.Version, text, moment, e.By); err != nil {
		return fmt.Errorf("keep what the settings were: %w", err)
	}
	return nil
}
