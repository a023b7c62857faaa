package views

import (
	"time"

	"agnes/domain/people"
)

// PersonView is one person, and what can be done about them.
type PersonView struct {
	User        people.User
	Memberships []people.Membership
	Groups      []people.Group // all of them
	Name        string         // as it was sent, else the person's
	Version     int64          // that the forms were made from
	Checked     []people.GroupID
	Errors      FieldErrors
	Error       string             // why the last action was refused
	Link        *people.Invitation // that was just made, shown once
	Self        bool               // the viewer's own account
	Stale       bool               // the viewer's proof of who they are is too old for some of it
	Now         time.Time
}

// PersonGroup is one line of the list of groups.
type PersonGroup struct {
	Group   people.Group
	Checked bool
	Fixed   string // why it cannot be changed here; "" when it can
}

// groups are the lines of the list of groups.
func (v PersonView) groups() []PersonGroup {
	sources := map[people.GroupID]people.MemberSource{}
	for _, m := range v.Memberships {
		sources[m.GroupID] = m.Source
	}
	wanted := map[people.GroupID]bool{}
	for _, id := range v.Checked {
		wanted[id] = true
	}
	var lines []PersonGroup
	for _, g := range v.Groups {
		source, member := sources[g.ID]
		if g.Person != "" && !member {
			continue // of somebody else alone
		}
		line := PersonGroup{Group: g, Checked: wanted[g.ID]}
		switch {
		case g.System && g.Name == people.EveryoneGroup:
			line.Checked, line.Fixed = true, "everybody is"
		case member && source.Synced():
			line.Checked, line.Fixed = true, "kept by your directory"
		case g.Person != "":
			line.Checked, line.Fixed = true, "of this person alone"
		}
		lines = append(lines, line)
	}
	return lines
}

// was are the groups that the form starts from.
func (v PersonView) was() []people.GroupID { return OwnGroups(v.Memberships) }

// OwnGroups are the groups that people put somebody into here.
func OwnGroups(memberships []people.Membership) []people.GroupID {
	own := []people.GroupID{}
	for _, m := range memberships {
		if !m.Source.Synced() && !m.OfOne && (!m.System || m.GroupName != people.EveryoneGroup) {
			own = append(own, m.GroupID)
		}
	}
	return own
}

// linkVerb is what making a link does for this person.
func (v PersonView) linkVerb() string {
	if v.User.HasPassword {
		return "Send a link to set another password"
	}
	return "Send the set-up link again"
}

// linkAction is where that is posted to.
func (v PersonView) linkAction() string {
	if v.User.HasPassword {
		return "reset"
	}
	return "invite"
}
