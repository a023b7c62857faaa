package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/imports"
)

// importedKey is the setting that says that a predecessor's state was taken over.
const importedKey = "imported_schema"

// ImportKnown returns what an import must know of the state before it.
func (s *Store) ImportKnown(ctx context.Context) (imports.Known, error) {
	k := imports.Known{
		Users: map[string]string{}, IDs: map[string]string{}, Groups: map[string]string{}, Names: map[string]string{},
		Admin: string(s.adminID), All: string(s.everyoneID), Tables: map[string]string{}, Plain: map[string]bool{},
	}
	err := s.view(ctx, func(r runner) error {
		for statement, keep := range map[string]func(a, b string){
			`SELECT email, id FROM users`:          func(email, id string) { k.Users[email], k.IDs[id] = id, email },
			`SELECT id, name FROM user_groups`:     func(id, name string) { k.Groups[id] = name },
			`SELECT name_key, id FROM user_groups`: func(key, id string) { k.Names[key] = id },
			`SELECT id, name FROM table_registry`:  func(id, name string) { k.Tables[id] = name },
		} {
			if err := pairs(ctx, r, statement, keep); err != nil {
				return err
			}
		}
		columns, err := stateColumns(ctx, r)
		if err != nil {
			return err
		}
		for _, t := range imports.Schema() {
			k.Plain[t.Name] = !slices.ContainsFunc(t.Names(), func(c string) bool { return !columns[t.Name][c] })
		}
		return nil
	})
	if err != nil {
		return imports.Known{}, fmt.Errorf("read what the state holds: %w", err)
	}
	return k, nil
}

// pairs hands over the rows of a query of two texts.
func pairs(ctx context.Context, r runner, statement string, keep func(a, b string)) error {
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var a, b string
		err := row.Scan(&a, &b)
		keep(a, b)
		return struct{}{}, err
	}, statement)
	return err
}

// stateColumns returns the columns of each table of the state.
func stateColumns(ctx context.Context, r runner) (map[string]map[string]bool, error) {
	columns := map[string]map[string]bool{}
	err := pairs(ctx, r, `
		SELECT t.name, c.name
		FROM sqlite_master t
		JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table'`, func(table, column string) {
		if columns[table] == nil {
			columns[table] = map[string]bool{}
		}
		columns[table][column] = true
	})
	return columns, err
}

// errDryRun takes a transaction back that was only tried.
var errDryRun = errors.New("dry run")

// Import implements imports.State: it writes all batches in one transaction
// and reads every row back after it. Rows that are here already stay, unless
// the batch says when they are replaced. When nothing changes, nothing is written.
func (s *Store) Import(ctx context.Context, by audit.Actor, batches []imports.Batch, dry bool) ([][]imports.Outcome, error) {
	var outcomes [][]imports.Outcome
	err := s.tx(ctx, func(tx runner) (err error) {
		if dry { // what an earlier part would have added is not there to be pointed to
			if _, err := tx.exec(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
				return err
			}
		}
		if outcomes, err = importBatches(ctx, tx, batches); err != nil {
			return err
		}
		if err := s.noteImport(ctx, tx, by, batches, outcomes); err != nil {
			return err
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if dry && errors.Is(err, errDryRun) {
		return outcomes, nil
	}
	if err == nil {
		err = s.view(ctx, func(r runner) error { return readImported(ctx, r, batches, outcomes) })
	}
	if err != nil {
		return nil, fmt.Errorf("import rows: %w", err)
	}
	return outcomes, nil
}

func importBatches(ctx context.Context, tx runner, batches []imports.Batch) ([][]imports.Outcome, error) {
	outcomes := make([][]imports.Outcome, len(batches))
	for i, b := range batches {
		w := writerOf(b.Target)
		outcomes[i] = make([]imports.Outcome, len(b.Rows))
		for j, row := range b.Rows {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			var err error
			if outcomes[i][j], err = w.write(ctx, tx, row); err != nil {
				return nil, fmt.Errorf("row %s of %s: %w", row.ID, b.From, err)
			}
		}
	}
	return outcomes, nil
}

// importWriter holds the statements for one target.
type importWriter struct {
	insert, find, replace string
	key                   []int // places of the key's columns
	newer                 int   // place of the column that decides, -1
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

// write adds a row, or compares it with the one that is here.
func (w importWriter) write(ctx context.Context, tx runner, row imports.Row) (imports.Outcome, error) {
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
	case w.newer < 0 || !newer(row.Values[w.newer], here[w.newer]):
		return imports.Kept, nil
	}
	if _, err := tx.exec(ctx, w.replace, row.Values...); taken(err) {
		return imports.Taken, nil
	} else if err != nil {
		return 0, err
	}
	return imports.Updated, nil
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

// noteImport writes down that rows changed: for the registry's readers and for the
// audit log.
func (s *Store) noteImport(ctx context.Context, tx runner, by audit.Actor, batches []imports.Batch, outcomes [][]imports.Outcome) error {
	changed := params{}
	registry := false
	for i, b := range batches {
		n := 0
		for _, o := range outcomes[i] {
			if o == imports.Added || o == imports.Updated {
				n++
			}
		}
		if n > 0 {
			changed[b.From] = n
			registry = registry || b.Touch
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if registry {
		if err := touch(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE table_registry SET rev = (SELECT changed FROM registry_revision WHERE id = 1)`); err != nil {
			return err
		}
	}
	return s.note(ctx, tx, by, "state.imported", "state", changed, nil)
}

// readImported reads every row back.
func readImported(ctx context.Context, r runner, batches []imports.Batch, outcomes [][]imports.Outcome) error {
	for i, b := range batches {
		w := writerOf(b.Target)
		for j, row := range b.Rows {
			if outcomes[i][j] == imports.Taken {
				continue
			}
			here, err := w.read(ctx, r, row)
			wrote := outcomes[i][j] == imports.Added || outcomes[i][j] == imports.Updated
			if absent(err) || (err == nil && wrote && !sameRow(here, row.Values)) {
				return domain.E(domain.Unavailable, "import_differs",
					"A row of %s is not in the state as it was written. Stop other programs that change the state, and import again.", b.From)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// ImportDone writes down that a predecessor's state was taken over to its last
// row. Only then is its file not needed any more: a part of it may still come
// from there when an import was stopped.
func (s *Store) ImportDone(ctx context.Context) error {
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `INSERT INTO settings (key, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`,
			importedKey, strconv.Itoa(imports.SchemaVersion), micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("remember the import: %w", err)
	}
	return nil
}

// Imported reports whether a predecessor's state was taken over, all of it.
func (s *Store) Imported(ctx context.Context) (bool, error) {
	n, err := one(ctx, s.reader(), value[int], `SELECT count(*) FROM settings WHERE key = $1`, importedKey)
	if err != nil {
		return false, fmt.Errorf("look for an import: %w", explain(err))
	}
	return n > 0, nil
}
