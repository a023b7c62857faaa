// Package people holds users, groups and how somebody proves to be a user.
package people

import (
	"net/mail"
	"strings"
	"time"

	"agnes/domain"
)

// UserID names a user, a UUID in text.
type UserID string

// User is one person, or one automation account.
type User struct {
	ID            UserID
	Email         string // lower case; the identity
	Name          string
	HasPassword   bool
	Admin         bool // member of the Admin group
	Active        bool
	CreatedAt     time.Time
	UpdatedAt     time.Time
	DeactivatedAt *time.Time
	LastPullAt    *time.Time
	// SessionsFrom ends all older sign-ins: a token issued before it is void.
	SessionsFrom time.Time
	Groups       []Group // joined by a row; Everyone goes without saying
}

// UserFilter narrows and pages a list of users. Search is a part of the
// address or the name, ignoring case; Limit 0 means all.
type UserFilter struct {
	Search        string
	Limit, Offset int
}

// NewUser is what creating a user needs. PasswordHash may be empty: then the
// person cannot sign in by password. Groups are added beside Everyone.
type NewUser struct {
	Email        string
	Name         string
	PasswordHash string
	Groups       []GroupID
	Source       MemberSource
}

// UserChange holds the fields to change; nil leaves a field as it is.
type UserChange struct {
	Name         *string
	Active       *bool
	PasswordHash *string
}

// NormalEmail returns the identity that an address stands for: trimmed, lower
// case. It fails with a FieldError when the text is not one plain address.
func NormalEmail(text string) (string, error) {
	// The Kelvin sign and the dotted I become plain letters in lower case, and so somebody else's address.
	lookalike := strings.ContainsAny(text, "\u212a\u0130")
	text = strings.ToLower(strings.TrimSpace(text))
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || len(text) > 254 || lookalike {
		return "", domain.FieldError("email", "An e-mail address looks like name@example.com.")
	}
	return text, nil
}
