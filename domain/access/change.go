package access

import (
	"time"

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

// Edit is a wish for one cell. Was is what whoever wishes saw in it.
type Edit struct {
	Cell
	Was  *CellGrant `json:"was"`
	Want *CellGrant `json:"want"`
}

// Change is a set of edits that was made together, all or none.
type Change struct {
	ID       string
	MadeAt   time.Time
	MadeBy   string // address
	Note     string
	Edits    []Edit
	UndoneAt *time.Time
	UndoOf   string // id of the change that this one takes back; "" for others
}

// UndoFor is how long a change of the matrix can be taken back.
const UndoFor = 10 * time.Minute
