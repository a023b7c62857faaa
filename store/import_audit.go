package store

import (
	"context"

	"agnes/domain/audit"
	"agnes/domain/imports"
)

// noteImport writes down that rows changed: for the registry's readers and for the
// audit log.
func (s *Store) noteImport(ctx context.Context, tx runner, by audit.Actor, batches []imports.Batch, outcomes [][]imports.Outcome) error {
	counts := params{}
	registry := false
	for i, b := range batches {
		n := 0
		for _, o := range outcomes[i] {
			if changed(o) {
				n++
			}
		}
		if n > 0 {
			counts[b.From] = n
			registry = registry || b.Touch
		}
	}
	if len(counts) == 0 {
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
	return s.note(ctx, tx, by, "state.imported", "state", counts, nil)
}
