package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain/imports"
)

// importWriter holds the statements for one target.
type importWriter struct {
	insert, find, replace string
	kind                  string // what the rows are remembered as, "" for rows that are not
	key                   []int  // places of the key's columns
	newer                 int    // place of the column that decides, -1
	again                 bool   // brings back what was removed here
}

func writerOf(t imports.Target) importWriter {
	w := importWriter{newer: slices.Index(t.Columns, t.Newer)}
	if !t.Log {
		w.kind = t.From
	}
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

// write adds a row, or compares it with the one that is here, and remembers that
// it was taken over.
func (w importWriter) write(ctx context.Context, tx runner, row imports.Row) (imports.Outcome, error) {
	if w.kind == "" {
		return w.put(ctx, tx, row, nil)
	}
	next := w.memory(row)
	before, err := remembered(ctx, tx, w.kind, next)
	if err != nil {
		return 0, err
	}
	if before != nil {
		if _, err := w.read(ctx, tx, row); absent(err) && !w.again {
			return imports.Removed, nil
		} else if err != nil && !absent(err) {
			return 0, err
		}
	}
	outcome, err := w.put(ctx, tx, row, before)
	if err != nil || outcome == imports.Taken {
		return outcome, err
	}
	if before != nil && outcome == imports.Added {
		outcome = imports.Back
	}
	if before == nil || changed(outcome) {
		err = remember(ctx, tx, w.kind, next)
	}
	return outcome, err
}

// put adds a row, or compares it with the one that is here. What was changed here
// since it was taken over stays.
func (w importWriter) put(ctx context.Context, tx runner, row imports.Row, before *memory) (imports.Outcome, error) {
	n, err := tx.exec(ctx, w.insert, row.Values...)
	switch {
	case hasCode(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY):
		return imports.Taken, nil // what it belongs to was not taken over
	case err != nil:
		return 0, err
	case n > 0:
		return imports.Added, nil
	}
	here, err := w.read(ctx, tx, row)
	switch {
	case absent(err):
		return imports.Taken, nil
	case err != nil:
		return 0, err
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
