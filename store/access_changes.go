package store

import (
	"context"
	"fmt"
	"slices"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
)

// changedCell is an edit as it was made, with the grant that was there, so that
// an undo puts the same one back.
type changedCell struct {
	access.Edit
	Before *access.KeptGrant `json:"before,omitempty"`
}

// ApplyAccess makes edits of the matrix, all or none, and returns those that
// changed something. It fails with Invalid for edits that cannot be, with
// Conflict when nothing would change, with NotFound for a group or table that is
// gone, and with an access.ConflictError when cells are not what whoever edits saw.
func (s *Store) ApplyAccess(ctx context.Context, by audit.Actor, note string, edits []access.Edit) (access.Change, error) {
	var change access.Change
	err := s.tx(ctx, func(tx runner) error {
		checked, err := access.CheckEdits(note, edits, s.now())
		if err != nil {
			return err
		}
		wishes := make([]changedCell, len(checked))
		for i, e := range checked {
			wishes[i].Edit = e
		}
		change, err = s.applyCells(ctx, tx, by, access.Change{Note: note}, wishes)
		return err
	})
	if err != nil {
		return access.Change{}, fmt.Errorf("change access: %w", err)
	}
	return change, nil
}

// applyCells makes edits in a transaction and records them as one change; each
// grant's audit row names it.
func (s *Store) applyCells(ctx context.Context, tx runner, by audit.Actor, c access.Change, wishes []changedCell) (access.Change, error) {
	c.ID, c.MadeAt, c.MadeBy = s.newID(), s.now(), byline(by)
	var made []changedCell
	var clashes []access.Edit
	for _, w := range wishes {
		here, err := cellGrant(ctx, tx, w.Cell)
		if err != nil {
			return c, err
		}
		var now *access.CellGrant
		if here != nil {
			now = here.Cell()
		}
		switch {
		case now.Same(w.Want, c.MadeAt):
			continue
		case !now.Same(w.Was, c.MadeAt):
			w.Was = now
			clashes = append(clashes, w.Edit)
			continue
		}
		if err := s.writeCell(ctx, tx, by, c, w, here); err != nil {
			return c, err
		}
		done := changedCell{Edit: w.Edit}
		if done.Was = now; here != nil {
			kept := here.Kept()
			done.Before = &kept
		}
		made = append(made, done)
		c.Edits = append(c.Edits, done.Edit)
	}
	if len(clashes) > 0 {
		return c, access.NewConflictError(clashes)
	}
	if len(made) == 0 {
		return c, domain.E(domain.Conflict, "nothing_changes", "All of this is as you want it already, so nothing was changed.")
	}
	return c, s.recordChange(ctx, tx, by, c, made)
}

// cellGrant is the grant in a cell, ended or not; nil when there is none.
func cellGrant(ctx context.Context, r runner, c access.Cell) (*access.Grant, error) {
	found, err := collect(ctx, r, scanGrant, `
		SELECT`+grantColumns+`
		WHERE r.group_id = $1 AND r.resource_type = $2 AND r.resource_id = $3`, c.Group, c.ResourceType, c.ResourceID)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// writeCell makes one edit: here is the grant that is there.
func (s *Store) writeCell(ctx context.Context, tx runner, by audit.Actor, c access.Change, w changedCell, here *access.Grant) error {
	about := params{"change_id": c.ID}
	if c.Note != "" {
		about["note"] = c.Note
	}
	if c.UndoOf != "" {
		about["undo_of"] = c.UndoOf
	}
	if !w.Want.Live(c.MadeAt) { // then here is live, or nothing would change
		return s.dropGrant(ctx, tx, by, *here, about)
	}
	if here != nil && here.Live(c.MadeAt) {
		_, err := s.changeGrant(ctx, tx, by, *here, *w.Want, about)
		return err
	}
	if err := tableExistsFor(ctx, tx, w.Cell); err != nil {
		return err
	}
	if w.Before != nil { // an undo: the same grant again
		return s.regrant(ctx, tx, by, *w.Before, about)
	}
	_, err := s.insertGrant(ctx, tx, by, access.NewGrant{
		Group: w.Group, ResourceType: w.ResourceType, ResourceID: w.ResourceID, ExpiresAt: w.Want.ExpiresAt, Reason: w.Want.Reason,
	}, about)
	return err
}

// tableExistsFor fails with NotFound for a cell of a table that is not
// registered, such as one that was removed while somebody looked at the matrix.
func tableExistsFor(ctx context.Context, r runner, c access.Cell) error {
	if c.ResourceType != access.TableResource {
		return nil
	}
	n, err := one(ctx, r, value[int], `SELECT count(*) FROM table_registry WHERE id = $1`, c.ResourceID)
	if err == nil && n == 0 {
		err = domain.E(domain.NotFound, "table_not_found", "There is no table %s, so nothing was changed. It may have been removed meanwhile.", c.ResourceID)
	}
	return err
}

func (s *Store) recordChange(ctx context.Context, tx runner, by audit.Actor, c access.Change, made []changedCell) error {
	cells, err := encoded(made, len(made))
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `
		INSERT INTO access_changes (id, made_at, user_id, made_by, note, cells, undo_of)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, c.ID, micros(c.MadeAt), by.UserID, c.MadeBy, c.Note, cells, c.UndoOf); err != nil {
		return fmt.Errorf("record the change: %w", err)
	}
	return nil
}

const changeColumns = ` id, made_at, made_by, note, cells, undone_at, undo_of FROM access_changes`

// scanChange reads a change and the cells with the grants that were there.
func scanChange(row scanner) (storedChange, error) {
	var c storedChange
	err := row.Scan(&c.ID, at{&c.MadeAt}, &c.MadeBy, &c.Note, decoded{&c.cells}, maybeAt{&c.UndoneAt}, &c.UndoOf)
	for _, cell := range c.cells {
		c.Edits = append(c.Edits, cell.Edit)
	}
	return c, err
}

type storedChange struct {
	access.Change
	cells []changedCell
}

// ListAccessChanges returns the newest changes that were made together, the
// newest first; limit 0 means all.
func (s *Store) ListAccessChanges(ctx context.Context, limit int) ([]access.Change, error) {
	list, err := collect(ctx, s.reader(), func(row scanner) (access.Change, error) {
		c, err := scanChange(row)
		return c.Change, err
	}, `SELECT`+changeColumns+` ORDER BY made_at DESC, id DESC LIMIT $1`, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list changes of access: %w", explain(err))
	}
	return list, nil
}

// UndoAccess takes a change back, all of it or nothing: grants that it took
// away come back as they were. It fails with NotFound, with Conflict for a
// change that was taken back already or is older than access.UndoFor, and with an
// access.ConflictError when cells changed since.
func (s *Store) UndoAccess(ctx context.Context, by audit.Actor, id string) (access.Change, error) {
	var undo access.Change
	err := s.tx(ctx, func(tx runner) error {
		c, err := one(ctx, tx, scanChange, `SELECT`+changeColumns+` WHERE id = $1`, id)
		switch {
		case absent(err):
			return domain.E(domain.NotFound, "access_change_not_found", "This change is not known.")
		case err != nil:
			return err
		case c.UndoneAt != nil:
			return domain.E(domain.Conflict, "undone_already", "This change was taken back already.")
		case !c.Undoable(s.now()):
			return domain.E(domain.Conflict, "undo_over", "A change can be taken back for 10 minutes. This one is older: make the opposite change.")
		}
		back := make([]changedCell, len(c.cells))
		for i, cell := range slices.Backward(c.cells) {
			cell.Was, cell.Want = cell.Want, cell.Was
			back[len(back)-1-i] = cell
		}
		if undo, err = s.applyCells(ctx, tx, by, access.Change{Note: c.Note, UndoOf: c.ID}, back); err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE access_changes SET undone_at = $1 WHERE id = $2`, micros(undo.MadeAt), id)
		return err
	})
	if err != nil {
		return access.Change{}, fmt.Errorf("undo change %s of access: %w", id, err)
	}
	return undo, nil
}
