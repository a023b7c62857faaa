package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain/imports"
)

// importWriter holds the statements for one target.
type importWriter struct {
	insert, find, replace string
	key                   []int // places of the key's columns
	newer                 int   // place of the column that decides, -1
	again                 bool  // brings back what was removed here
}

func writerOf(t imports.Target) importWriter {
	w := importWriter{newer: slices.Index(t.Columns, t.Newer)}
	names, places, sets, wheres := make([]string, len(t.Columns)), make([]string, len(t.Columns)), make([]string, len(t.Columns)), []string{}
	for i, column := range t.Columns {
		names[i], places[i] = quoteIdent(column), "$"+strconv.Itoa(i+1)
		sets[i] = names[i] + " = " + places[i]
	}
	for n, key := range t.Key {
		place := slices.Index(t.Columns, key)
		w.key = append(w.key, place)
		wheres = append(wheres, names[place]+" = $"+strconv.Itoa(n+1))
	}
	replaced := make([]string, len(w.key))
	for n, place := range w.key {
		replaced[n] = sets[place]
	}
	table := quoteIdent(t.Table)
	w.insert = "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(places, ", ") + ") ON CONFLICT DO NOTHING"
	w.find = "SELECT " + strings.Join(names, ", ") + " FROM " + table + " WHERE " + strings.Join(wheres, " AND ")
	w.replace = "UPDATE " + table + " SET " + strings.Join(sets, ", ") + " WHERE " + strings.Join(replaced, " AND ")
	return w
}

// writeAll writes the rows of a batch, and remembers that they were taken over.
func (w importWriter) writeAll(ctx context.Context, tx runner, b imports.Batch) ([]imports.Outcome, error) {
	rows := make([]memory, len(b.Rows))
	for i, row := range b.Rows {
		rows[i] = w.memory(row)
	}
	var known memories
	var fresh []memory
	if !b.Log {
		var err error
		if known, err = recall(ctx, tx, b.From, rows); err != nil {
			return nil, err
		}
		for _, m := range b.Merged {
			fresh = append(fresh, memory{old: m.Old, here: imports.KeyOf(m.Here)})
		}
	}
	outcomes := make([]imports.Outcome, len(b.Rows))
	for i, row := range b.Rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		before := known.of(rows[i])
		outcome, err := w.write(ctx, tx, row, before)
		if err != nil {
			return nil, fmt.Errorf("row %s of %s: %w", row.ID, b.From, err)
		}
		outcomes[i] = outcome
		there := outcome != imports.Taken && outcome != imports.Removed
		if there && (before == nil || changed(outcome)) {
			fresh = append(fresh, rows[i])
		}
	}
	if b.Log {
		return outcomes, nil
	}
	return outcomes, remember(ctx, tx, b.From, fresh)
}

// write adds a row, or compares it with the one that is here. One that was taken
// over before and is not here was removed.
func (w importWriter) write(ctx context.Context, tx runner, row imports.Row, before *memory) (imports.Outcome, error) {
	added := imports.Added
	if before != nil {
		here, err := w.read(ctx, tx, row)
		switch {
		case err == nil:
			return w.compare(ctx, tx, row, here, before)
		case !absent(err):
			return 0, err
		case !w.again:
			return imports.Removed, nil
		}
		added = imports.Back
	}
	n, err := tx.exec(ctx, w.insert, row.Values...)
	switch {
	case hasCode(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY):
		return imports.Taken, nil // what it belongs to was not taken over
	case err != nil:
		return 0, err
	case n > 0:
		return added, nil
	}
	here, err := w.read(ctx, tx, row)
	switch {
	case absent(err):
		return imports.Taken, nil
	case err != nil:
		return 0, err
	}
	return w.compare(ctx, tx, row, here, before)
}

// compare replaces the row that is here, if it is older and was not changed here
// since it was taken over.
func (w importWriter) compare(ctx context.Context, tx runner, row imports.Row, here []any, before *memory) (imports.Outcome, error) {
	switch {
	case sameRow(here, row.Values):
		return imports.Unchanged, nil
	case w.newer < 0 || !newer(row.Values[w.newer], here[w.newer]) || before.otherThan(here[w.newer]):
		return imports.Kept, nil
	}
	if _, err := tx.exec(ctx, w.replace, row.Values...); taken(err) {
		return imports.Taken, nil
	} else if err != nil {
		return 0, err
	}
	return imports.Updated, nil
}

// changed reports whether an outcome means that a row was written.
func changed(o imports.Outcome) bool {
	return o == imports.Added || o == imports.Back || o == imports.Updated
}

// read returns the row of the same key; sql.ErrNoRows.
func (w importWriter) read(ctx context.Context, r runner, row imports.Row) ([]any, error) {
	key := make([]any, len(w.key))
	for i, place := range w.key {
		key[i] = row.Values[place]
	}
	return one(ctx, r, func(sc scanner) ([]any, error) {
		here := make([]any, len(row.Values))
		into := make([]any, len(here))
		for i := range here {
			into[i] = &here[i]
		}
		return here, sc.Scan(into...)
	}, w.find, key...)
}

func sameRow(a, b []any) bool {
	return slices.EqualFunc(a, b, func(x, y any) bool { return plain(x) == plain(y) })
}

// plain makes the engine's forms of a value one.
func plain(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case []byte:
		return string(v)
	}
	return v
}

func newer(there, here any) bool {
	a, ok := there.(int64)
	b, _ := here.(int64) // a row without a time is older than any
	return ok && a > b
}
