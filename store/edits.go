package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
)

// keptEdits is how many states of one thing are remembered for those who send
// a form made from an older one.
const keptEdits = 20

// edited is something that people change by forms and requests, as it is now.
type edited struct {
	kind    string // group, user, table or settings
	id      string
	version int64
	fields  domain.Fields
}

// edition is one state of something edited.
type edition struct {
	version int64
	fields  domain.Fields
	at      time.Time
	by      string
}

func scanEdition(row scanner) (edition, error) {
	var e edition
	err := row.Scan(&e.version, decoded{&e.fields}, at{&e.at}, &e.by)
	return e, err
}

// unchanged fails with a domain.StaleError unless seen, the version that a
// change was made from, is that of now. Zero: whoever sends it did not say.
func (e edited) unchanged(ctx context.Context, r runner, seen int64, yours domain.Fields) error {
	if seen == 0 || seen == e.version {
		return nil
	}
	kept, err := collect(ctx, r, scanEdition, `
		SELECT version, fields, changed_at, changed_by
		FROM edits
		WHERE kind = $1 AND id = $2 AND version IN ($3, $4)`, e.kind, e.id, seen, e.version)
	if err != nil {
		return fmt.Errorf("read what %s %s was: %w", e.kind, e.id, err)
	}
	var was domain.Fields // nil when nobody remembers
	var last edition
	for _, k := range kept {
		if k.version == seen {
			was = k.fields
		} else {
			last = k
		}
	}
	return domain.NewStaleError(e.version, last.at, last.by, was, e.fields, yours)
}

// unseen fails as unchanged does for something that is about to be deleted.
func (e edited) unseen(ctx context.Context, r runner, seen []int64) error {
	if len(seen) == 0 {
		return nil
	}
	return e.unchanged(ctx, r, seen[0], domain.Fields{})
}

// next is the version of something edited that is now as fields say: the one
// that it had, where they are the same, else the following one, which is recorded.
func (s *Store) next(ctx context.Context, tx runner, by audit.Actor, e edited, fields domain.Fields) (int64, error) {
	if maps.Equal(e.fields, fields) {
		return e.version, nil
	}
	return e.version + 1, s.changed(ctx, tx, by, e, fields)
}

// changed records the next state of something edited: its row has the version
// that follows e's.
func (s *Store) changed(ctx context.Context, tx runner, by audit.Actor, e edited, now domain.Fields) error {
	for _, state := range []edition{
		{version: e.version, fields: e.fields},
		{version: e.version + 1, fields: now, at: s.now(), by: byline(by)},
	} {
		text, err := encoded(state.fields, len(state.fields))
		if err != nil {
			return err
		}
		moment := int64(0)
		if !state.at.IsZero() {
			moment = micros(state.at)
		}
		if _, err := tx.exec(ctx, `
			INSERT INTO edits (kind, id, version, fields, changed_at, changed_by)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (kind, id, version) DO NOTHING`, e.kind, e.id, state.version, text, moment, state.by); err != nil {
			return fmt.Errorf("keep what %s %s was: %w", e.kind, e.id, err)
		}
	}
	_, err := tx.exec(ctx, `DELETE FROM edits WHERE kind = $1 AND id = $2 AND version <= $3`, e.kind, e.id, e.version+1-keptEdits)
	return err
}
