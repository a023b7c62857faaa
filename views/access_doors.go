package views

import (
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/people"
)

// DoorQuery is the state of a list of access that its address holds.
type DoorQuery struct {
	View   AccessTab // view
	ID     string    // group, table or user; "" for the list of them
	Search string    // q
	Add    string    // add: what is searched for to be added
	Page   int       // page, from 1
}

// Window is the part of the list that the page shows.
func (q DoorQuery) Window() access.Window {
	return access.Window{Limit: AccessPerPage, Offset: (max(1, q.Page) - 1) * AccessPerPage}
}

// idName is what the address calls the id.
func (q DoorQuery) idName() string {
	if q.View == AccessByPerson {
		return "user"
	}
	return string(q.View)
}

// URL is the address of the list in this state; defaults are left out.
func (q DoorQuery) URL() string {
	v := url.Values{"view": {string(q.View)}}
	for name, value := range map[string]string{q.idName(): q.ID, "q": q.Search, "add": q.Add} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	return withQuery(AccessURL, v)
}

func (q DoorQuery) at(page int) DoorQuery {
	q.Page = page
	return q
}

// DoorView is what the pages of the three doors share.
type DoorView struct {
	Query  DoorQuery
	Totals access.Totals
	All    int // that match
	Shown  int
	Now    time.Time
}

func (v DoorView) sentence() string { return totalsSentence(v.Totals) }
func (v DoorView) span() string     { return span(v.Query.Page, AccessPerPage, v.Shown, v.All) }
func (v DoorView) more() bool       { return max(1, v.Query.Page)*AccessPerPage < v.All }

// GroupsDoorView lists the groups to choose from.
type GroupsDoorView struct {
	DoorView
	Groups []access.GroupLine
}

// GroupDoorView is what one group opens.
type GroupDoorView struct {
	DoorView
	Group  people.Group
	Grants []access.NamedGrant
	Found  []access.MatrixTable // that can be added
}

// TablesView lists the tables to choose from.
type TablesView struct {
	DoorView
	Tables []access.TableLine
}

// ReadersView is who can see one table.
type ReadersView struct {
	DoorView
	Table   access.MatrixTable
	Grants  []access.NamedGrant
	Groups  int // with a grant, in all
	Readers []access.Reader
}

// summary counts whom the table is open to.
func (v ReadersView) summary() string {
	live := 0
	for _, g := range v.Grants {
		if g.Live(v.Now) {
			live++
		}
	}
	if v.Query.Search != "" {
		return Plural(live, "group") + " with a grant"
	}
	return Plural(live, "group") + " with a grant, " + persons(v.All) + " can see it"
}

// PersonsView lists the people to choose from.
type PersonsView struct {
	DoorView
	People []people.User
}

// ReachView is what one person can see, and why.
type ReachView struct {
	DoorView
	Person people.User
	Reach  []access.Reach
}

// GoneView lists grants on tables that are no more.
type GoneView struct {
	Grants []access.Grant
	Now    time.Time
}

// words is the link to the list.
func (v GoneView) words() string {
	if len(v.Grants) >= access.GoneShown {
		return Count(access.GoneShown) + " or more grants on tables that are gone"
	}
	return Plural(len(v.Grants), "grant") + " on tables that are gone"
}

// LeaveView asks whether a person shall leave a group.
type LeaveView struct {
	Person people.User
	Group  people.Group
	Lost   int // what they cannot see any more
	Back   string
}

func (v LeaveView) consequence() string {
	name := personLabel(v.Person)
	if v.Lost == 0 {
		return name + " loses nothing: all of it stays open through another group."
	}
	return name + " loses " + Plural(v.Lost, "table") + " that no other group opens for them. Nobody else loses anything."
}

// removal is the edit that takes a grant away, as a form carries it.
func removal(g access.Grant) string {
	return EditsText([]access.Edit{{Cell: g.Place(), Was: g.Cell()}})
}

// addition is the edit that grants a table to a group.
func addition(group people.GroupID, t access.MatrixTable) string {
	return EditsText([]access.Edit{{
		Cell: access.Cell{Group: group, ResourceType: access.TableResource, ResourceID: string(t.ID)}, Want: &access.CellGrant{},
	}})
}

// wayWords is the chain of a way in words: the membership, then the grant.
func wayWords(now time.Time, w access.Way) string {
	words := "member of " + w.GroupName + " since " + day(now, w.Since) + " by " + byWhom(w.AddedBy)
	switch {
	case w.Everyone:
		words = "like Everyone"
	case w.Person:
		words = "by a grant for this person alone"
	}
	return words + "; " + grantWords(now, w.Grant)
}

// takeLabel names what taking a grant away does, and to how many.
func takeLabel(w access.Way, name string) string {
	if w.Everyone {
		return "Take " + name + " from Everyone (" + persons(w.Members) + ")"
	}
	if w.Person {
		return "Take " + name + " from this person"
	}
	return "Take " + name + " from " + w.GroupName + " (" + persons(w.Members) + ")"
}

func leaveURL(w access.Way, user people.UserID, back string) templ.SafeURL {
	return templ.SafeURL(withQuery(AccessURL+"/leave", url.Values{"group": {string(w.GroupID)}, "user": {string(user)}, "back": {back}}))
}

// RejoinURL takes back that somebody left a group, by a post.
func RejoinURL(group people.GroupID, user people.UserID) string {
	return withQuery(AccessURL+"/rejoin", url.Values{"group": {string(group)}, "user": {string(user)}})
}

func resourceURL(r access.Thing) templ.SafeURL {
	return templ.SafeURL(AccessURL + "?view=table&table=" + url.QueryEscape(r.ID))
}
