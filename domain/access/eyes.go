package access

import (
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// SimulateFor is how long somebody looks through another person's eyes before
// they have to begin anew.
const SimulateFor = 30 * time.Minute

// Eyes are those of another person, through which an administrator looks.
type Eyes struct {
	User  people.UserID
	Email string
	Name  string
	Until time.Time
}

// Label is the person's name, or the address where no name is known.
func (e Eyes) Label() string {
	if e.Name != "" {
		return e.Name
	}
	return e.Email
}

// Through returns the administrator p as somebody who may read what the person
// may, and no more. The runs stay p's own, the catalog is the person's alone. It
// fails with Forbidden unless p is an administrator in a browser, and with
// Conflict for the eyes of one.
func (p Principal) Through(person Principal, until time.Time) (Principal, error) {
	switch {
	case p.Via != ViaSession || p.As != nil:
		return p, domain.E(domain.Forbidden, "session_required", "Only somebody who signed in with a browser can see as another person. A token cannot.")
	case !p.Admin:
		return p, domain.E(domain.Forbidden, "admin_required", "Admin access required")
	case person.UserID == p.UserID:
		return p, domain.E(domain.Conflict, "own_eyes", "These are your own eyes. Choose somebody else.")
	case person.Admin:
		return p, domain.E(domain.Conflict, "sees_everything", "%s is an administrator and sees everything, as you do. There is nothing to simulate.", person.Email)
	}
	p.As = &Eyes{User: person.UserID, Email: person.Email, Name: person.Name, Until: until}
	p.Admin, p.Groups = false, person.Groups
	return p, nil
}

// Owner is whose a query run is: a person's own, or an administrator's while
// they looked through somebody's eyes. The one never shows up among the other.
type Owner string

// between stands between the two ids of an owner; ids hold no blank.
const between = " as "

// OwnerOf returns the owner of runs of a person, or of one through another's
// eyes, which is "" for their own.
func OwnerOf(user, as people.UserID) Owner {
	if as == "" {
		return Owner(user)
	}
	return Owner(string(user) + between + string(as))
}

// Owner is whose runs p starts and reads.
func (p Principal) Owner() Owner {
	if p.As == nil {
		return OwnerOf(p.UserID, "")
	}
	return OwnerOf(p.UserID, p.As.User)
}

// Parts are the ids that OwnerOf was given.
func (o Owner) Parts() (user, as people.UserID) {
	u, a, _ := strings.Cut(string(o), between)
	return people.UserID(u), people.UserID(a)
}
