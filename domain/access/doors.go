package access

import (
	"time"

	"agnes/domain/people"
)

// NamedGrant is a grant with what it is called that it opens.
type NamedGrant struct {
	Grant
	Name    string // of the resource, or its id where nothing has that id any more
	Gone    bool   // nothing has that id any more
	Members int    // active people in the group
}

// GroupLine is a group with how much it opens.
type GroupLine struct {
	MatrixGroup
	Grants int // live ones
}

// TableLine is a table with how many groups it is open to.
type TableLine struct {
	MatrixTable
	Groups int // with a live grant
}

// Way is one chain from a person to a resource: the membership, then the
// grant. Of Everyone there is no membership.
type Way struct {
	Grant
	Everyone bool
	Person   bool // the group of this one person
	Members  int  // active people in the group
	Source   people.MemberSource
	Since    time.Time // the membership
	AddedBy  string
}

// Reach is one resource that a person may read, and every way to it.
type Reach struct {
	Thing
	Name string // or its id where nothing has that id any more
	Gone bool
	Ways []Way
}

// Reader is one person who may read a resource, and every way to it.
type Reader struct {
	UserID people.UserID
	Email  string
	Name   string
	Admin  bool // sees everything
	Ways   []Way
}
