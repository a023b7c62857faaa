package views

import (
	"net/url"

	"github.com/a-h/templ"

	"agnes/domain/people"
	"agnes/domain/registry"
)

// AccessTab is a way to look at access.
type AccessTab string

// The ways to look at access.
const (
	AccessMatrix   AccessTab = "matrix"
	AccessByGroup  AccessTab = "group"
	AccessByTable  AccessTab = "table"
	AccessByPerson AccessTab = "person"
	AccessRequests AccessTab = "requests"
)

// The pages beside the matrix.
const (
	AccessRequestsURL = AccessURL + "/requests"
	SimulateURL       = AccessURL + "/simulate"
)

type accessTab struct {
	Tab   AccessTab
	Label string
	URL   templ.SafeURL
}

func accessTabs() []accessTab {
	return []accessTab{
		{AccessMatrix, "Matrix", AccessURL},
		{AccessByGroup, "By group", AccessURL + "?view=group"},
		{AccessByTable, "By table", AccessURL + "?view=table"},
		{AccessByPerson, "By person", AccessURL + "?view=person"},
		{AccessRequests, "Requests", AccessRequestsURL},
	}
}

// AccessTableURL shows who can see a table.
func AccessTableURL(id registry.TableID) templ.SafeURL {
	return templ.SafeURL(AccessURL + "?view=table&table=" + url.QueryEscape(string(id)))
}

// AccessGroupURL shows what a group opens.
func AccessGroupURL(id people.GroupID) templ.SafeURL {
	return templ.SafeURL(AccessURL + "?view=group&group=" + url.QueryEscape(string(id)))
}

// AccessPersonURL shows what a person can see, and why.
func AccessPersonURL(id people.UserID) templ.SafeURL {
	return templ.SafeURL(AccessURL + "?view=person&user=" + url.QueryEscape(string(id)))
}

// ChangeUndoURL takes a change back, by a post.
func ChangeUndoURL(id string) string { return AccessURL + "/changes/" + url.PathEscape(id) + "/undo" }

func changeUndoURL(id string) templ.SafeURL { return templ.SafeURL(ChangeUndoURL(id)) }
