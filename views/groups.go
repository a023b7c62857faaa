package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/people"
)

// GroupsPerPage is how many groups a page of the list shows.
const GroupsPerPage = 50

// GroupsQuery is the state of the list that its address holds.
type GroupsQuery struct {
	Search string             // q
	Origin people.GroupOrigin // origin
	Order  people.GroupOrder  // sort; "" is by name
	Desc   bool               // desc=1
	Page   int                // page, from 1
}

// GroupsView is one page of the groups that match.
type GroupsView struct {
	Query    GroupsQuery
	Groups   []people.Group
	Matching int
	Counts   people.GroupCounts
	Now      time.Time
}

func (q GroupsQuery) page() int { return q.list().page() }

func (q GroupsQuery) at(page int) GroupsQuery {
	q.Page = page
	return q
}

func (q GroupsQuery) narrowed() bool { return q.Search != "" || q.Origin != "" }

func (q GroupsQuery) list() listing[people.GroupOrder] {
	return listing[people.GroupOrder]{q.Order, q.Desc, q.Page}
}

// sortedBy is the list sorted by a column; the same column again turns the order.
func (q GroupsQuery) sortedBy(order people.GroupOrder) GroupsQuery {
	l := q.list().sorted(order, order != people.GroupsByName)
	q.Order, q.Desc, q.Page = l.Order, l.Desc, l.Page
	return q
}

func (q GroupsQuery) ariaSort(order people.GroupOrder) string { return q.list().ariaSort(order) }

// URL is the address of the list in this state; defaults are left out.
func (q GroupsQuery) URL() string {
	return q.list().address(GroupsURL, map[string]string{"q": q.Search, "origin": string(q.Origin)})
}

type groupFacet struct {
	Origin people.GroupOrigin
	Label  string
	Count  int
}

// facets are the ways to narrow the list; those of services that keep none are
// left out.
func (v GroupsView) facets() []groupFacet {
	facets := []groupFacet{{people.AnyOrigin, "All", v.Counts.All}, {people.OriginCustom, "Made here", v.Counts.Custom}}
	kept := []groupFacet{
		{people.OriginGoogle, "Google Workspace", v.Counts.Google},
		{people.OriginOIDC, "Sign-in service", v.Counts.OIDC},
		{people.OriginSystem, "Agnes itself", v.Counts.System},
		{people.OriginPerson, "Of one person", v.Counts.Persons},
	}
	for _, f := range kept {
		if f.Count > 0 || f.Origin == v.Query.Origin {
			facets = append(facets, f)
		}
	}
	return facets
}

func (v GroupsView) facetURL(origin people.GroupOrigin) templ.SafeURL {
	q := v.Query.at(1)
	q.Origin = origin
	return templ.SafeURL(q.URL())
}

// sentence is the state of all groups.
func (v GroupsView) sentence() string {
	parts := []string{Plural(v.Counts.All, "group")}
	if n := v.Counts.Google + v.Counts.OIDC; n > 0 {
		parts = append(parts, Count(int64(n))+" kept by another service")
	}
	if n := v.Counts.Persons; n > 0 {
		parts = append(parts, Count(int64(n))+" more of one person each")
	}
	return strings.Join(parts, ", ") + "."
}

func (v GroupsView) span() string {
	first := (v.Query.page()-1)*GroupsPerPage + 1
	return Count(int64(first)) + "–" + Count(int64(first+len(v.Groups)-1)) + " of " + Count(int64(v.Matching))
}

func (v GroupsView) more() bool { return v.Query.page()*GroupsPerPage < v.Matching }

// keeperWords says who keeps a group.
func keeperWords(g people.Group) string {
	switch g.Origin() {
	case people.OriginSystem:
		return "Agnes itself"
	case people.OriginGoogle:
		return "Google Workspace"
	case people.OriginOIDC:
		return "the sign-in service"
	case people.OriginPerson:
		return "one person alone"
	case people.OriginCustom, people.AnyOrigin:
	}
	return "administrators"
}

// grantsWords says what a group opens.
func grantsWords(g people.Group) string {
	if g.Admins() {
		return "everything"
	}
	return Count(int64(g.Grants))
}

// GroupURL is the page of one group.
func GroupURL(id people.GroupID) templ.SafeURL {
	return templ.SafeURL(GroupsURL + "/" + url.PathEscape(string(id)))
}

// MemberURL is where something is done about a member of a group.
func MemberURL(id people.GroupID, user people.UserID, action string) templ.SafeURL {
	return GroupURL(id) + templ.SafeURL("/members/"+url.PathEscape(string(user))+"/"+action)
}

// BinURL lists what was deleted and can be brought back.
const BinURL = "/admin/bin"

// RestoreURL brings something of the bin back, by a post.
func RestoreURL(bin string) string { return BinURL + "/" + url.PathEscape(bin) + "/restore" }

// PeopleTab is one of the pages about people and groups.
type PeopleTab string

// The pages about people and groups.
const (
	TabPeople PeopleTab = PeopleURL
	TabGroups PeopleTab = GroupsURL
	TabBin    PeopleTab = BinURL
)
