package store

import (
	"context"
	"fmt"
	"strconv"

	"agnes/domain/audit"
	"agnes/domain/imports"
)

// noteImport writes down that rows changed: for the registry's readers and for
// the audit log.
func (s *Store) noteImport(ctx context.Context, tx runner, by audit.Actor, batches []imports.Batch, outcomes [][]imports.Outcome) error {
	for i, b := range batches {
		n := written{}
		n.count(outcomes[i])
		if n == (written{}) {
			continue
		}
		if b.Touch {
			if err := touch(ctx, tx); err != nil {
				return err
			}
			if _, err := tx.exec(ctx, `UPDATE table_registry SET rev = (SELECT changed FROM registry_revision WHERE id = 1)`); err != nil {
				return err
			}
		}
		if err := s.noteWritten(ctx, tx, by, b.From, n); err != nil {
			return err
		}
	}
	return nil
}

// written counts the rows of one table that an import wrote.
type written struct {
	Added, Back, Updated int
}

func (w *written) count(outcomes []imports.Outcome) {
	for _, o := range outcomes {
		switch o {
		case imports.Added:
			w.Added++
		case imports.Back:
			w.Back++
		case imports.Updated:
			w.Updated++
		case imports.Unchanged, imports.Kept, imports.Taken, imports.Removed:
		}
	}
}

// noteWritten keeps one audit row for each table and run, however many parts the
// table comes in: each part adds to it in its own transaction, so the row is right
// when the import is stopped between two.
func (s *Store) noteWritten(ctx context.Context, tx runner, by audit.Actor, table string, n written) error {
	id := by.RequestID + ":" + table
	var before written
	_, err := one(ctx, tx, func(row scanner) (struct{}, error) {
		return struct{}{}, row.Scan(decoded{&before})
	}, `SELECT params FROM audit_log WHERE id = $1`, id)
	if absent(err) {
		return s.writeEntry(ctx, tx, audit.Entry{
			ID: id, Actor: by, Action: "state.imported", Resource: "state:" + table, Params: n.params(), Result: "success",
		})
	}
	if err != nil {
		return fmt.Errorf("read the audit row of %s: %w", table, err)
	}
	sum := written{before.Added + n.Added, before.Back + n.Back, before.Updated + n.Updated}
	text, err := encoded(sum.params(), 1)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE audit_log SET params = $1 WHERE id = $2`, text, id); err != nil {
		return fmt.Errorf("audit the rows of %s: %w", table, err)
	}
	return nil
}

func (w written) params() params {
	p := params{}
	for name, n := range map[string]int{"added": w.Added, "back": w.Back, "updated": w.Updated} {
		if n > 0 {
			p[name] = n
		}
	}
	return p
}

// ImportDone writes down that a predecessor's state was taken over to its last
// row. Only then is its file not needed any more: a part of it may still come
// from there when an import was stopped.
func (s *Store) ImportDone(ctx context.Context, by audit.Actor, r *imports.Report) error {
	err := s.tx(ctx, func(tx runner) error {
		first, err := tx.exec(ctx, `INSERT INTO settings (key, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`,
			importedKey, strconv.Itoa(imports.SchemaVersion), micros(s.now()))
		if err != nil || first == 0 && r.Changes() == 0 {
			return err
		}
		sum := imports.Counts{}
		for _, c := range r.Tables {
			sum.Added, sum.Back, sum.Updated = sum.Added+c.Added, sum.Back+c.Back, sum.Updated+c.Updated
			sum.Removed, sum.Skipped = sum.Removed+c.Removed, sum.Skipped+c.Skipped
		}
		return s.note(ctx, tx, by, "state.import_finished", "state", params{
			"schema": r.Schema, "sha256": r.SHA256, "added": sum.Added, "back": sum.Back, "updated": sum.Updated,
			"removed_here": sum.Removed, "skipped": sum.Skipped, "unknown": r.Lost(),
		}, nil)
	})
	if err != nil {
		return fmt.Errorf("remember the import: %w", err)
	}
	return nil
}
