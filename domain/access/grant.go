package access

import (
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// Grant lets the members of one group read one resource.
type Grant struct {
	ID           string
	GroupID      people.GroupID
	GroupName    string
	ResourceType ResourceType
	ResourceID   string
	AssignedAt   time.Time
	AssignedBy   string
	ExpiresAt    *time.Time // it opens nothing from then on; nil: it never ends
	Reason       string
	Version      int64 // counts the changes of end and reason, from 1
}

// Fields are what people change of a grant.
func (g Grant) Fields() domain.Fields {
	f := domain.Fields{"expires_at": "", "reason": g.Reason}
	if g.ExpiresAt != nil {
		f["expires_at"] = g.ExpiresAt.UTC().Format(time.RFC3339Nano)
	}
	return f
}

// GrantChange changes what is not nil. Seen is the version that it was made
// from; 0 when nobody said.
type GrantChange struct {
	ExpiresAt **time.Time // to nil: it never ends
	Reason    *string
	Seen      int64
}

// Live reports whether the grant opens anything at that time.
func (g Grant) Live(now time.Time) bool { return g.ExpiresAt == nil || now.Before(*g.ExpiresAt) }

// CodeSystemGrant is the code of the refusal to take a system plugin away.
const CodeSystemGrant = "cannot_revoke_system_grant"

// NewGrant is a grant that is asked for.
type NewGrant struct {
	Group        people.GroupID
	ResourceType ResourceType
	ResourceID   string
	ExpiresAt    *time.Time // nil: never ends
	Reason       string
}

// GrantFilter narrows a list of grants; empty fields do not narrow.
type GrantFilter struct {
	ResourceType ResourceType
	ResourceID   string
	GroupID      people.GroupID
	Live         bool // only those that open something now
}

// Effective is one resource that a person may read, and the groups that open it.
type Effective struct {
	ResourceType ResourceType
	ResourceID   string
	Groups       []people.Group
}

// maxText is how long a reason or note may be.
const maxText = 500

func checkText(field, text string) error {
	if len(text) > maxText {
		return domain.FieldError(field, "A %s has at most %d characters.", field, maxText)
	}
	return nil
}

// CheckTerms fails with a FieldError for an end that is not in the future and a
// reason that is too long.
func CheckTerms(expires *time.Time, reason string, now time.Time) error {
	if expires != nil && !now.Before(*expires) {
		return domain.FieldError("expires_at", "The grant would have ended already. Choose a time in the future, or none for a grant that never ends.")
	}
	return checkText("reason", reason)
}
