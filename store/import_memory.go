package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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

// memories are what earlier imports kept of the rows of a batch, by their keys
// there and here.
type memories struct{ old, here map[string]*memory }

// memoriesAtOnce is how many rows one statement asks for, or keeps.
const memoriesAtOnce = 500

// recall returns what is known of rows from earlier imports. It asks for many at
// once: one by one, an import would take three times as long.
func recall(ctx context.Context, tx runner, kind string, rows []memory) (memories, error) {
	known := memories{old: map[string]*memory{}, here: map[string]*memory{}}
	for part := range slices.Chunk(rows, memoriesAtOnce) {
		olds, heres := []any{kind}, []any{kind}
		for _, m := range part {
			olds, heres = append(olds, m.old), append(heres, m.here)
		}
		for column, keys := range map[string][]any{"old_id": olds, "here": heres} {
			found, err := collect(ctx, tx, func(row scanner) (*memory, error) {
				var m memory
				return &m, row.Scan(&m.old, &m.here, &m.stamp)
			}, recallBy(column, len(part)), keys...)
			if err != nil {
				return known, fmt.Errorf("look for earlier imports: %w", err)
			}
			for _, m := range found {
				known.old[m.old], known.here[m.here] = m, m
			}
		}
	}
	return known, nil
}

// recallBy asks for rows by one of their keys. Both keys in one OR would read every
// row of the kind.
func recallBy(column string, n int) string {
	return `SELECT old_id, here, stamp FROM imported_rows WHERE kind = $1 AND ` + column + ` IN (` + placesFrom(2, n) + `)`
}

// of returns what is known of a row, or of another one that became the same row
// here; nil for nothing.
func (k memories) of(m memory) *memory { return cmp.Or(k.old[m.old], k.here[m.here]) }

func remember(ctx context.Context, tx runner, kind string, rows []memory) error {
	for part := range slices.Chunk(rows, memoriesAtOnce) {
		values, lists := []any{kind}, make([]string, len(part))
		for i, m := range part {
			lists[i] = "($1, " + placesFrom(len(values)+1, 3) + ")"
			values = append(values, m.old, m.here, m.stamp)
		}
		if _, err := tx.exec(ctx, `
			INSERT INTO imported_rows (kind, old_id, here, stamp)
			VALUES `+strings.Join(lists, ", ")+`
			ON CONFLICT (kind, old_id) DO UPDATE SET here = excluded.here, stamp = excluded.stamp`, values...); err != nil {
			return fmt.Errorf("remember rows: %w", err)
		}
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
