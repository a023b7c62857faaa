package views

import "github.com/a-h/templ"

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
