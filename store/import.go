package store

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain"
	"agnes/domain/imports"
)

// importedKey is the setting that says that a predecessor's state was taken over.
const importedKey = "imported_schema"

// errDryRun takes a transaction back that was only tried.
var errDryRun = errors.New("dry run")

// Import implements imports.State: it writes all batches in one transaction
// and reads every row back after it. Rows that are here already stay, unless
// the batch says when they are replaced; rows that were removed here since an
// earlier import stay away. When nothing changes, nothing is written.
func (s *Store) Import(ctx context.Context, o imports.Order, batches []imports.Batch) ([][]imports.Outcome, error) {
	var outcomes [][]imports.Outcome
	err := s.tx(ctx, func(tx runner) (err error) {
		if o.Dry { // what an earlier part would have added is not there to be pointed to
			if _, err := tx.exec(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
				return err
			}
		}
		if outcomes, err = importBatches(ctx, tx, batches, o.Again); err != nil {
			return err
		}
		if err := s.noteImport(ctx, tx, o.By, batches, outcomes); err != nil {
			return err
		}
		if o.Dry {
			return errDryRun
		}
		return nil
	})
	if o.Dry && errors.Is(err, errDryRun) {
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

func importBatches(ctx context.Context, tx runner, batches []imports.Batch, again bool) ([][]imports.Outcome, error) {
	outcomes := make([][]imports.Outcome, len(batches))
	for i, b := range batches {
		w := writerOf(b.Target)
		w.again = again
		var err error
		if outcomes[i], err = w.writeAll(ctx, tx, b); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// readImported reads every row back.
func readImported(ctx context.Context, r runner, batches []imports.Batch, outcomes [][]imports.Outcome) error {
	for i, b := range batches {
		w := writerOf(b.Target)
		for j, row := range b.Rows {
			if outcomes[i][j] == imports.Taken || outcomes[i][j] == imports.Removed {
				continue
			}
			here, err := w.read(ctx, r, row)
			wrote := changed(outcomes[i][j])
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

// Imported reports whether a predecessor's state was taken over, all of it.
func (s *Store) Imported(ctx context.Context) (bool, error) {
	n, err := one(ctx, s.reader(), value[int], `SELECT count(*) FROM settings WHERE key = $1`, importedKey)
	if err != nil {
		return false, fmt.Errorf("look for an import: %w", explain(err))
	}
	return n > 0, nil
}
