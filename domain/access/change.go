package access

import (
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// Cell is one place of the matrix of groups and resources.
type Cell struct {
	Group        people.GroupID `json:"group_id"`
	ResourceType ResourceType   `json:"resource_type"`
	ResourceID   string         `json:"resource_id"`
}

// CellGrant is what a cell holds: a grant, or none when it is nil.
type CellGrant struct {
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

// Live reports whether the cell opens anything at that time.
func (c *CellGrant) Live(now time.Time) bool {
	return c != nil && (c.ExpiresAt == nil || now.Before(*c.ExpiresAt))
}

// Same reports whether two cells open the same at that time, for the same
// reason. A grant that ended is as good as none.
func (c *CellGrant) Same(other *CellGrant, now time.Time) bool {
	if !c.Live(now) || !other.Live(now) {
		return c.Live(now) == other.Live(now)
	}
	return c.Reason == other.Reason && sameEnd(c.ExpiresAt, other.ExpiresAt)
}

func sameEnd(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.UnixMicro() == b.UnixMicro() // what the state keeps
}

// Edit is a wish for one cell. Was is what whoever wishes saw in it.
type Edit struct {
	Cell
	Was  *CellGrant `json:"was"`
	Want *CellGrant `json:"want"`
}

// MaxEdits is how many cells one change may touch.
const MaxEdits = 10_000

// CheckEdits returns the edits with their resources parsed. It fails with
// Invalid for none or too many of them, for an unknown resource type, a blank
// id, a cell that is named twice, an end that is not in the future and a note or
// reason that is too long.
func CheckEdits(note string, edits []Edit, now time.Time) ([]Edit, error) {
	if len(edits) == 0 {
		return nil, domain.FieldError("edits", "Nothing is to be changed. Choose a cell first.")
	}
	if len(edits) > MaxEdits {
		return nil, domain.FieldError("edits", "%d changes at once are too many. Make at most %d.", len(edits), MaxEdits)
	}
	if err := checkText("note", note); err != nil {
		return nil, err
	}
	checked := make([]Edit, len(edits))
	seen := make(map[Cell]struct{}, len(edits))
	for i, e := range edits {
		kind, id, err := CheckGrant(string(e.ResourceType), e.ResourceID)
		if err != nil {
			return nil, fmt.Errorf("edit %d: %w", i+1, err)
		}
		e.ResourceType, e.ResourceID = kind, id
		if _, twice := seen[e.Cell]; twice {
			return nil, domain.FieldError("edits", "The grant of %s %s to one group is named twice.", kind, id)
		}
		seen[e.Cell] = struct{}{}
		if e.Want != nil {
			if err := CheckTerms(e.Want.ExpiresAt, e.Want.Reason, now); err != nil {
				return nil, err
			}
		}
		checked[i] = e
	}
	return checked, nil
}

// Change is a set of edits that was made together, all or none.
type Change struct {
	ID       string
	MadeAt   time.Time
	MadeBy   string // address
	Note     string
	Edits    []Edit // those that changed something; Was is what was there
	UndoneAt *time.Time
	UndoOf   string // id of the change that this one takes back; "" for others
}

// UndoFor is how long a change of the matrix can be taken back.
const UndoFor = 10 * time.Minute

// Undoable reports whether the change can be taken back at that time.
func (c Change) Undoable(now time.Time) bool {
	return c.UndoneAt == nil && !now.After(c.MadeAt.Add(UndoFor))
}

// ConflictError says that cells changed since somebody chose what to do with
// them, so that nothing was changed. It is of the kind Stale.
type ConflictError struct {
	Cells []Edit // Was is what is there now, Want what was asked
	err   *domain.Error
}

// NewConflictError makes the error of the cells that changed.
func NewConflictError(cells []Edit) *ConflictError {
	where := "One of the cells"
	if len(cells) > 1 {
		where = fmt.Sprintf("%d of the cells", len(cells))
	}
	return &ConflictError{Cells: cells, err: domain.E(domain.Stale, "cells_changed",
		"%s changed since you read them, so nothing of yours is saved yet. Look at what is there now, then apply again.", where)}
}

// Error returns the sentence.
func (e *ConflictError) Error() string { return e.err.Error() }

// Unwrap returns the error with kind and code.
func (e *ConflictError) Unwrap() error { return e.err }
