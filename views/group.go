package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/people"
)

// MembersPerPage is how many members a page of a group shows.
const MembersPerPage = 50

// GroupForm is the form of a group's name and description.
type GroupForm struct {
	Name        string
	Description string
	Version     int64 // that the form was made from
	Errors      FieldErrors
}

// GroupFormOf shows a group.
func GroupFormOf(g people.Group) GroupForm {
	return GroupForm{Name: g.Name, Description: g.Description, Version: g.Version}
}

// AddForm is the form that adds members, with what became of the last one.
type AddForm struct {
	Who     string // one address
	Emails  string // a list
	Added   int
	Unknown []string // addresses without an account
	Errors  FieldErrors
}

// GroupView is one group with a page of its members.
type GroupView struct {
	Group    people.Group
	Form     GroupForm
	Members  []people.Member
	Matching int
	Search   string
	Page     int
	Add      AddForm
	Offered  []people.User // to choose from while typing
	Error    string        // why the last action was refused
	Stale    bool          // the viewer's proof of who they are is too old to change it
	Now      time.Time
}

func (v GroupView) page() int { return max(1, v.Page) }

func (v GroupView) more() bool { return v.page()*MembersPerPage < v.Matching }

func (v GroupView) span() string {
	first := (v.page()-1)*MembersPerPage + 1
	return Count(int64(first)) + "–" + Count(int64(first+len(v.Members)-1)) + " of " + Count(int64(v.Matching))
}

// pageURL is the group with another page of its members.
func (v GroupView) pageURL(page int) string {
	q := url.Values{}
	if v.Search != "" {
		q.Set("q", v.Search)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	at := string(GroupURL(v.Group.ID))
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	return at
}

// nameFixed says why the name stays, "" where it can change.
func (v GroupView) nameFixed() string {
	switch v.Group.Origin() {
	case people.OriginSystem:
		return "The group " + v.Group.Name + " belongs to Agnes and keeps its name."
	case people.OriginGoogle:
		return "The group follows one of Google Workspace and is renamed there."
	case people.OriginOIDC:
		return "The group follows one of the sign-in service and is renamed there."
	case people.OriginPerson:
		return "The group is of one person alone and is named after them."
	case people.OriginCustom, people.AnyOrigin:
	}
	return ""
}

// membersFixed says why nobody is added or removed here, "" where people are.
func (v GroupView) membersFixed() string {
	switch v.Group.Origin() {
	case people.OriginGoogle:
		return "The members of this group are kept by Google Workspace. Change them there; each sign-in brings them here. What the group opens is decided here."
	case people.OriginOIDC:
		return "The members of this group are kept by the sign-in service. Change them there; each sign-in brings them here. What the group opens is decided here."
	case people.OriginPerson:
		return "This group was made for one person alone, so that what only they may see has a place. Nobody joins it, and it goes with their account."
	case people.OriginSystem:
		if v.Group.Everyone() {
			return "Everybody with an active account is a member of Everyone, from their first moment until they are deactivated. That is no list to edit: what Everyone opens is open to all of them."
		}
	case people.OriginCustom, people.AnyOrigin:
	}
	return ""
}

// code is the machine's word for membersFixed, as the API gives it.
func (v GroupView) code() string {
	switch v.Group.Origin() {
	case people.OriginGoogle:
		return "google_managed_readonly"
	case people.OriginOIDC:
		return "oidc_managed_readonly"
	case people.OriginSystem, people.OriginCustom, people.OriginPerson, people.AnyOrigin:
	}
	return ""
}

// deletable reports whether the group can go.
func (v GroupView) deletable() bool {
	origin := v.Group.Origin()
	return origin == people.OriginCustom || origin == people.OriginPerson
}

// sourceWords says who made somebody a member.
func sourceWords(m people.Member) string {
	switch m.Source {
	case people.ByAdmin:
		return "by an administrator"
	case people.ByGoogleSync:
		return "from Google Workspace"
	case people.ByOIDCSync:
		return "from the sign-in service"
	case people.BySeed:
		return "at set-up"
	case people.ByBreakGlass:
		return "break-glass"
	}
	return string(m.Source)
}

// kept says why somebody cannot be removed here, "" where they can.
func (v GroupView) kept(m people.Member) string {
	switch {
	case v.Group.Everyone():
		return "everybody is"
	case m.Source == people.ByGoogleSync:
		return "removed in Google Workspace"
	case m.Source == people.ByOIDCSync:
		return "removed in the sign-in service"
	case v.Group.Person != "":
		return "theirs alone"
	}
	return ""
}

// madeBy says who added somebody, "" when no person did.
func madeBy(m people.Member) string {
	if strings.HasPrefix(m.AddedBy, "system:") {
		return ""
	}
	return m.AddedBy
}

func memberLabel(m people.Member) string {
	if m.Name == "" {
		return m.Email
	}
	return m.Name
}

// opensURL shows what the group may see.
func (v GroupView) opensURL() templ.SafeURL {
	return templ.SafeURL(AccessURL + "?" + url.Values{"view": {"group"}, "group": {string(v.Group.ID)}}.Encode())
}

// opens says what the group may see.
func (v GroupView) opens() string {
	switch {
	case v.Group.Admins():
		return "Its members see and change everything, without a grant."
	case v.Group.Grants == 0:
		return "It opens nothing yet."
	}
	return "It opens " + Plural(v.Group.Grants, "resource") + " to " + persons(v.Group.Members) + "."
}

// maxOffered is how many addresses a link to invitations carries.
const maxOffered = 50

// inviteURL invites those without an account into the group.
func (v GroupView) inviteURL() templ.SafeURL {
	emails := v.Add.Unknown[:min(len(v.Add.Unknown), maxOffered)]
	return templ.SafeURL(PeopleURL + "/invite?" + url.Values{"emails": {strings.Join(emails, "\n")}, "group": {string(v.Group.ID)}}.Encode())
}

// unknownWords names those without an account.
func (v GroupView) unknownWords() string {
	names := v.Add.Unknown
	if len(names) > 10 {
		return strings.Join(names[:10], ", ") + " and " + Count(int64(len(names)-10)) + " more have no account here."
	}
	verb := " have no account here."
	if len(names) == 1 {
		verb = " has no account here."
	}
	return strings.Join(names, ", ") + verb
}

// BinView is what was deleted and can be brought back.
type BinView struct {
	Binned []access.Binned
	Now    time.Time
}

// binWords says what something in the bin was.
func binWords(b access.Binned) string {
	switch b.Kind {
	case access.BinGroup:
		return "Group"
	case access.BinTable:
		return "Table"
	}
	return b.Kind
}

// binWith says what comes back with it.
func binWith(b access.Binned) string {
	grants := Plural(b.Grants, "grant")
	if b.Kind == access.BinGroup {
		return Plural(b.Members, "member") + ", " + grants
	}
	return grants + "; its rows with the next sync"
}
