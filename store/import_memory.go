package store

import (
	"context"
	"encoding/json"
	"fmt"

	"agnes/domain/imports"
)

// memory is what is kept of a row that was taken over.
type memory struct {
	old, here string // its keys, there and here
	stamp     any    // when it was changed last, there; nil where that is not known
}

// memory is what is to be kept of a row.
func (w importWriter) memory(row imports.Row) memory {
	key := make([]any, len(w.key))
	for i, place := range w.key {
		key[i] = row.Values[place]
	}
	m := memory{old: row.Old, here: imports.KeyOf(key)}
	if w.newer >= 0 {
		m.stamp = row.Values[w.newer]
	}
	return m
}

// otherThan reports whether a row was changed here after it was taken over: it
// has another time of its last change than it had then.
func (m *memory) otherThan(stamp any) bool { return m != nil && m.stamp != nil && m.stamp != stamp }

// remembered returns what is known of an earlier import of a row, or of another
// one that became the same row here; nil for nothing.
func remembered(ctx context.Context, tx runner, kind string, m memory) (*memory, error) {
	before, err := one(ctx, tx, func(row scanner) (*memory, error) {
		var m memory
		return &m, row.Scan(&m.old, &m.here, &m.stamp)
	}, `
		SELECT old_id, here, stamp
		FROM imported_rows
		WHERE kind = $1 AND (old_id = $2 OR here = $3)
		ORDER BY (old_id = $2) DESC
		LIMIT 1`, kind, m.old, m.here)
	if absent(err) {
		return nil, nil //nolint:nilnil // nothing is known
	}
	if err != nil {
		return nil, fmt.Errorf("look for an earlier import: %w", err)
	}
	return before, nil
}

func remember(ctx context.Context, tx runner, kind string, m memory) error {
	_, err := tx.exec(ctx, `
		INSERT INTO imported_rows (kind, old_id, here, stamp)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, old_id) DO UPDATE SET here = excluded.here, stamp = excluded.stamp`, kind, m.old, m.here, m.stamp)
	if err != nil {
		return fmt.Errorf("remember a row: %w", err)
	}
	return nil
}

// goneSince returns the predecessor's ids of the rows of a kind that were taken
// over before and are not among those that are here.
func goneSince[T any](ctx context.Context, r runner, kind string, here map[string]T) (map[string]bool, error) {
	gone := map[string]bool{}
	var failed error
	err := pairs(ctx, r, `SELECT old_id, here FROM imported_rows WHERE kind = '`+kind+`'`, func(old, now string) {
		var from, to [1]string
		if err := json.Unmarshal([]byte(old), &from); err != nil {
			failed = fmt.Errorf("read the key of a row that was taken over: %w", err)
		}
		if err := json.Unmarshal([]byte(now), &to); err != nil {
			failed = fmt.Errorf("read the key of a row that was taken over: %w", err)
		}
		if _, there := here[to[0]]; !there {
			gone[from[0]] = true
		}
	})
	if err == nil {
		err = failed
	}
	return gone, err
}
