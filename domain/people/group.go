package people

import (
	"strings"
	"time"

	"agnes/domain"
)

// GroupID names a group.
type GroupID string

// The two groups that always exist. Everybody is a member of Everyone without
// a membership row; members of Admin may read and do everything.
const (
	AdminGroup    = "Admin"
	EveryoneGroup = "Everyone"
)

// MemberSource says who made a membership; each source changes only its own.
type MemberSource string

// The sources of a membership.
const (
	ByAdmin      MemberSource = "admin"
	BySeed       MemberSource = "system_seed"
	ByGoogleSync MemberSource = "google_sync"
	ByOIDCSync   MemberSource = "oidc_sync"
	ByBreakGlass MemberSource = "cli_break_glass"
)

// Synced reports whether a directory elsewhere keeps the membership, so that
// nobody changes it here.
func (s MemberSource) Synced() bool { return s == ByGoogleSync || s == ByOIDCSync }

// InGroup is the value of a field that stands for a group which somebody is in.
const InGroup = "member"

// GroupsChange sets which groups people put a person into. Was is what whoever
// asks saw there; nil for whatever there is.
type GroupsChange struct {
	Want []GroupID
	Was  []GroupID
}

// Group is a set of people that share grants.
type Group struct {
	ID          GroupID
	Name        string
	Description string
	System      bool
	CreatedAt   time.Time
	CreatedBy   string
	Members     int // active people, for Everyone all of them
	Grants      int
	Version     int64  // counts the changes of name and description, from 1
	Person      UserID // whose group of one this is; "" for all others
	Mapped      string // address of the group of Google Workspace that decides who is in it; "" for all others
}

// Who creates groups that follow those of another service.
const (
	MadeByGoogle = "system:google-sync"
	MadeByOIDC   = "system:oidc-sync"
)

// GoogleManaged reports whether Google Workspace decides who is in the group
// (contract 5.3), so that nobody changes it here.
func (g Group) GoogleManaged() bool { return g.CreatedBy == MadeByGoogle || g.Mapped != "" }

// Mapping names the groups of Google Workspace that the two groups of Agnes's
// own follow; "" for none.
type Mapping struct{ Admin, Everyone string }

// Fields are what people change of a group.
func (g Group) Fields() domain.Fields {
	return domain.Fields{"name": g.Name, "description": g.Description}
}

// GroupChange changes what is not nil. Seen is the version that it was made
// from; 0 when nobody said.
type GroupChange struct {
	Name, Description *string
	Seen              int64
}

// Fields are those that the change sets.
func (c GroupChange) Fields() domain.Fields {
	f := domain.Fields{}
	if c.Name != nil {
		f["name"] = *c.Name
	}
	if c.Description != nil {
		f["description"] = *c.Description
	}
	return f
}

// Over is the group after the change.
func (c GroupChange) Over(g Group) Group {
	if c.Name != nil {
		g.Name = *c.Name
	}
	if c.Description != nil {
		g.Description = *c.Description
	}
	return g
}

// Member is one person in one group.
type Member struct {
	UserID  UserID
	Email   string
	Name    string
	Active  bool
	Source  MemberSource
	AddedAt time.Time
	AddedBy string
}

// Membership is one group of one person.
type Membership struct {
	GroupID   GroupID
	GroupName string
	System    bool
	OfOne     bool // the group of this person alone
	Source    MemberSource
	AddedAt   time.Time
	AddedBy   string
}

// GroupName returns a trimmed group name, or a FieldError for a blank or
// overlong one.
func GroupName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 128 {
		return "", domain.FieldError("name", "A group needs a name of 1 to 128 characters.")
	}
	return name, nil
}
