package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/people"
)

// PeoplePerPage is how many people a page of the list shows.
const PeoplePerPage = 50

// PeopleQuery is the state of the list that its address holds.
type PeopleQuery struct {
	Search string           // q
	State  people.UserState // state
	Group  people.GroupID   // group
	Order  people.UserOrder // sort; "" is by address
	Desc   bool             // desc=1
	Page   int              // page, from 1
}

// PeopleView is one page of the people who match.
type PeopleView struct {
	Query    PeopleQuery
	People   []people.User
	Matching int
	Counts   people.UserCounts
	Groups   []people.Group
	Now      time.Time
}

func (q PeopleQuery) page() int { return q.list().page() }

func (q PeopleQuery) at(page int) PeopleQuery {
	q.Page = page
	return q
}

// narrowed reports whether the list is not of all people.
func (q PeopleQuery) narrowed() bool { return q.Search != "" || q.State != "" || q.Group != "" }

func (q PeopleQuery) list() listing[people.UserOrder] {
	return listing[people.UserOrder]{q.Order, q.Desc, q.Page}
}

// sortedBy is the list sorted by a column; the same column again turns the order.
func (q PeopleQuery) sortedBy(order people.UserOrder) PeopleQuery {
	l := q.list().sorted(order, order == people.OrderByLastSeen || order == people.OrderByCreated)
	q.Order, q.Desc, q.Page = l.Order, l.Desc, l.Page
	return q
}

func (q PeopleQuery) ariaSort(order people.UserOrder) string { return q.list().ariaSort(order) }

// URL is the address of the list in this state; defaults are left out.
func (q PeopleQuery) URL() string {
	return q.list().address(PeopleURL, map[string]string{"q": q.Search, "state": string(q.State), "group": string(q.Group)})
}

// PeopleURL is the list of all people.
const PeopleURL = "/admin/people"

// PersonURL is the page of one person.
func PersonURL(id people.UserID) templ.SafeURL {
	return templ.SafeURL(PeopleURL + "/" + url.PathEscape(string(id)))
}

func personAction(id people.UserID, action string) templ.SafeURL {
	return PersonURL(id) + templ.SafeURL("/"+action)
}

type peopleState struct {
	State people.UserState
	Label string
	Count int
}

// states are the ways to narrow the list.
func (v PeopleView) states() []peopleState {
	return []peopleState{
		{people.AnyState, "All", v.Counts.All},
		{people.ActiveUsers, "Active", v.Counts.Active},
		{people.InvitedUsers, "Invited", v.Counts.Invited},
		{people.DeactivatedUsers, "Deactivated", v.Counts.Deactivated},
		{people.AdminUsers, "Administrators", v.Counts.Admins},
	}
}

func (v PeopleView) stateURL(state people.UserState) templ.SafeURL {
	q := v.Query.at(1)
	q.State = state
	return templ.SafeURL(q.URL())
}

// groups are those to narrow the list by; people find one person by their address.
func (v PeopleView) groups() []people.Group {
	var all []people.Group
	for _, g := range v.Groups {
		if g.Person == "" || g.ID == v.Query.Group {
			all = append(all, g)
		}
	}
	return all
}

// sentence is the state of all people.
func (v PeopleView) sentence() string {
	parts := []string{persons(v.Counts.Active) + " active"}
	if v.Counts.Invited > 0 {
		parts = append(parts, Count(int64(v.Counts.Invited))+" of them invited and not here yet")
	}
	if v.Counts.Deactivated > 0 {
		parts = append(parts, Count(int64(v.Counts.Deactivated))+" deactivated")
	}
	return strings.Join(parts, ", ") + "."
}

// span says which of the matching people the page shows.
func (v PeopleView) span() string {
	first := (v.Query.page()-1)*PeoplePerPage + 1
	return Count(int64(first)) + "–" + Count(int64(first+len(v.People)-1)) + " of " + Count(int64(v.Matching))
}

func (v PeopleView) more() bool { return v.Query.page()*PeoplePerPage < v.Matching }

// personStatus says how a person stands.
func personStatus(u people.User) Status {
	switch {
	case !u.Active:
		return Status{Class: "st-idle", Icon: "eye-off", Word: "Deactivated"}
	case u.Waiting():
		return Status{Class: "st-late", Icon: "mail", Word: "Invited"}
	}
	return Status{Class: "st-idle", Icon: "circle-check", Word: "Active"}
}

// personLabel is a name, or the address where none is known.
func personLabel(u people.User) string {
	if u.Name == "" {
		return u.Email
	}
	return u.Name
}

// waysIn are the ways in of a person, as people call them.
func waysIn(u people.User) string {
	var words []string
	for _, m := range u.Methods {
		words = append(words, methodWord(m))
	}
	return strings.Join(words, ", ")
}

// groupWords names the groups of a person, Everyone left out.
func groupWords(u people.User) string {
	names := make([]string, len(u.Groups))
	for i, g := range u.Groups {
		names[i] = g.Name
	}
	return strings.Join(names, ", ")
}
