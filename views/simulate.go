package views

import (
	"strconv"

	"agnes/domain/people"
)

// SimulateView offers the people whose eyes an administrator may look through.
type SimulateView struct {
	Search   string
	People   []people.User
	Matching int
	Self     people.UserID // of who looks at the page
}

func (v SimulateView) rest() string {
	if more := v.Matching - len(v.People); more > 0 {
		return strconv.Itoa(more) + " more match. Type more of the name or address."
	}
	return ""
}
