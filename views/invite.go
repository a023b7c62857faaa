package views

import (
	"strings"

	"agnes/domain/people"
)

// InviteView is a list of people to invite: as a form, as a preview of what will
// happen, or with what happened.
type InviteView struct {
	Emails  string // as pasted
	Checked []people.GroupID
	Groups  []people.Group
	Errors  FieldErrors
	Guests  []people.Guest // of a preview or of what was done
	Done    bool
}

// choices are the groups to put new people into.
func (v InviteView) choices() []PersonGroup {
	wanted := map[people.GroupID]bool{}
	for _, id := range v.Checked {
		wanted[id] = true
	}
	var lines []PersonGroup
	for _, g := range v.Groups {
		if g.Everyone() || g.Person != "" {
			continue
		}
		lines = append(lines, PersonGroup{Group: g, Checked: wanted[g.ID]})
	}
	return lines
}

func (v InviteView) count(states ...people.GuestState) int {
	n := 0
	for _, g := range v.Guests {
		for _, s := range states {
			if g.State == s {
				n++
			}
		}
	}
	return n
}

// sentence sums up a preview, or what was done.
func (v InviteView) sentence() string {
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, Count(int64(n))+" "+many)
		}
	}
	add(v.count(people.GuestNew), "person will be invited", "people will be invited")
	add(v.count(people.GuestInvited), "person was invited", "people were invited")
	add(v.count(people.GuestNoLink), "account has no link yet", "accounts have no link yet")
	add(v.count(people.GuestFailed), "was not made", "were not made")
	add(v.count(people.GuestKnown), "is known already", "are known already")
	add(v.count(people.GuestInvalid), "cannot be read", "cannot be read")
	return strings.Join(parts, ", ") + "."
}

// links are those that have to be handed over, one a line with the address.
func (v InviteView) links() string {
	var b strings.Builder
	for _, g := range v.Guests {
		if g.State == people.GuestInvited && !g.Invitation.Mailed && g.Invitation.URL != "" {
			b.WriteString(g.Email + "\t" + g.Invitation.URL + "\n")
		}
	}
	return b.String()
}

// guestStatus says what becomes, or became, of a line.
func guestStatus(g people.Guest) Status {
	switch g.State {
	case people.GuestNew:
		return Status{Class: "st-idle", Icon: "plus", Word: "New"}
	case people.GuestInvited:
		if g.Invitation.Mailed {
			return Status{Class: "st-ok", Icon: "mail", Word: "Mailed"}
		}
		return Status{Class: "st-late", Icon: "link-2", Word: "Made"}
	case people.GuestNoLink:
		return Status{Class: "st-late", Icon: "triangle-alert", Word: "No link"}
	case people.GuestKnown:
		return Status{Class: "st-idle", Icon: "circle-check", Word: "Known"}
	case people.GuestInvalid, people.GuestFailed:
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Not made"}
	}
	return Status{Class: "st-idle", Icon: "circle-dashed", Word: string(g.State)}
}

// guestNote is the reason beside it.
func guestNote(g people.Guest) string {
	switch {
	case g.Problem != "":
		return g.Problem
	case g.State == people.GuestKnown && g.User.ID != "" && !g.User.Active:
		return "The account is deactivated. Reactivate it on its page."
	case g.State == people.GuestKnown:
		return "Has an account: nothing is changed."
	case g.State == people.GuestInvited && !g.Invitation.Mailed:
		return "The link below is to be handed over."
	}
	return ""
}

// persons counts people.
func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return Count(int64(n)) + " people"
}
