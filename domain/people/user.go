// Package people holds users, groups and how somebody proves to be a user.
package people

import (
	"net/mail"
	"slices"
	"strconv"
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
	InvitedAt    *time.Time
	LastSeenAt   *time.Time
	SSO          bool     // a directory elsewhere keeps groups of theirs
	Methods      []Method // ways in that the person has, or has used
	Groups       []Group  // joined by a row; Everyone goes without saying
	Version      int64    // counts the changes of Fields, from 1
}

// Fields are what people change of a person by forms and requests.
func (u User) Fields() domain.Fields {
	return domain.Fields{"name": u.Name, "active": strconv.FormatBool(u.Active)}
}

// Waiting reports whether the person was invited and has not come yet.
func (u User) Waiting() bool { return u.Active && u.InvitedAt != nil && u.LastSeenAt == nil }

// CheckOwnPassword fails with Conflict for somebody whose ways in are kept
// elsewhere (contract 5.6).
func (u User) CheckOwnPassword() error {
	if u.SSO {
		return domain.E(domain.Conflict, "sso_user", "%s signs in through your directory, which keeps the groups too. There is no password to set here.", u.Email)
	}
	return nil
}

// MayHavePassword fails with Conflict for somebody who gets in through a
// directory or another service only: a first password would outlive the account
// there.
func (u User) MayHavePassword() error {
	elsewhere := slices.Contains(u.Methods, ByGoogle) || slices.Contains(u.Methods, ByOIDC)
	if !u.HasPassword && elsewhere {
		return domain.E(domain.Conflict, "signs_in_elsewhere",
			"You sign in through another service. An administrator can send you a link if you need a password here.")
	}
	return u.CheckOwnPassword()
}

// UserState narrows a list of users.
type UserState string

// The states to narrow by; AnyState is all people.
const (
	AnyState         UserState = ""
	ActiveUsers      UserState = "active"
	DeactivatedUsers UserState = "deactivated"
	InvitedUsers     UserState = "invited"
	AdminUsers       UserState = "admins"
)

// UserOrder sorts a list of users; ties go by address.
type UserOrder string

// The orders; OrderByEmail is the usual one.
const (
	OrderByEmail    UserOrder = ""
	OrderByName     UserOrder = "name"
	OrderByLastSeen UserOrder = "seen"
	OrderByCreated  UserOrder = "created"
)

// UserFilter narrows, sorts and pages a list of users. Search is a part of the
// address or the name, ignoring case; Limit 0 means all.
type UserFilter struct {
	Search        string
	State         UserState
	Group         GroupID // "" for people of any; Everyone is all active people
	Order         UserOrder
	Desc          bool
	Limit, Offset int
}

// UserCounts are how many people there are of each state.
type UserCounts struct {
	All, Active, Deactivated, Invited, Admins int
}

// NewUser is what creating a user needs. PasswordHash may be empty: then the
// person cannot sign in by password. Groups are added beside Everyone.
type NewUser struct {
	Email        string
	Name         string
	PasswordHash string
	Groups       []GroupID
	Source       MemberSource
	Invited      bool // gets a link to come in by
}

// UserChange holds the fields to change; nil leaves a field as it is. Seen is the
// version that the change was made from, 0 when nobody said.
type UserChange struct {
	Name         *string
	Active       *bool
	PasswordHash *string
	Seen         int64
}

// Fields are those that the change sets.
func (c UserChange) Fields() domain.Fields {
	f := domain.Fields{}
	if c.Name != nil {
		f["name"] = *c.Name
	}
	if c.Active != nil {
		f["active"] = strconv.FormatBool(*c.Active)
	}
	return f
}

// NormalEmail returns the identity that an address stands for: trimmed, lower
// case. It fails with a FieldError when the text is not one plain address.
func NormalEmail(text string) (string, error) {
	// The Kelvin sign and the dotted I become plain letters in lower case, and so somebody else's address.
	lookalike := strings.ContainsAny(text, "\u212a\u0130")
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) > 254 { // before it is parsed, which takes long for long texts
		text = ""
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || lookalike {
		return "", domain.FieldError("email", "An e-mail address looks like name@example.com.")
	}
	return text, nil
}
