package access

import (
	"time"

	"agnes/domain/people"
)

// The kinds of things that a bin keeps.
const (
	BinGroup = "group"
	BinTable = "table"
)

// KeptFor is how long what was deleted can be brought back.
const KeptFor = 30 * 24 * time.Hour

// Binned is something that was deleted and may come back as it was.
type Binned struct {
	ID         string
	Kind       string // BinGroup or BinTable
	ResourceID string
	Name       string
	Members    int // of a group
	Grants     int
	DeletedAt  time.Time
	DeletedBy  string
	RestoredAt *time.Time
}

// KeptGrant is a grant as it was, to be put back.
type KeptGrant struct {
	ID           string         `json:"id"`
	GroupID      people.GroupID `json:"group_id"`
	ResourceType ResourceType   `json:"resource_type"`
	ResourceID   string         `json:"resource_id"`
	AssignedAt   time.Time      `json:"assigned_at"`
	AssignedBy   string         `json:"assigned_by"`
	ExpiresAt    *time.Time     `json:"expires_at,omitempty"`
	Reason       string         `json:"reason,omitempty"`
	Version      int64          `json:"version"`
}

// Kept is the grant to keep.
func (g Grant) Kept() KeptGrant {
	return KeptGrant{g.ID, g.GroupID, g.ResourceType, g.ResourceID, g.AssignedAt, g.AssignedBy, g.ExpiresAt, g.Reason, g.Version}
}

// Cell is what the matrix shows of the grant.
func (g Grant) Cell() *CellGrant { return &CellGrant{ExpiresAt: g.ExpiresAt, Reason: g.Reason} }
