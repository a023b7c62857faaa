package views

import (
	"time"

	"agnes/domain/access"
)

// StagedView is what somebody is about to change, and what it does to people.
type StagedView struct {
	Edits       []access.Edit
	Consequence access.Consequence
	Basis       access.Basis
	Back        string // the page to come back to
	Staged      bool   // the edits are kept by the browser until they are applied
	Note        string
	EndsOn      string
	Reason      string
	Errors      FieldErrors // note, ends_on, reason, confirm
	Error       string
	Now         time.Time
}

type editLine struct {
	Table string
	Gone  bool // the table
	Group string
	What  string
	Loses bool
}

// name is what a resource is called; gone when nothing has its id any more.
func (v StagedView) name(e access.Edit) (name string, gone bool) {
	if n, ok := v.Basis.Names[e.Thing()]; ok {
		return n, false
	}
	return e.ResourceID, e.ResourceType == access.TableResource
}

func (v StagedView) group(e access.Edit) string {
	if g, ok := v.Basis.Groups[e.Group]; ok {
		return g.Name
	}
	return "a group that is gone"
}

// lines are the changes as a person reads them.
func (v StagedView) lines() []editLine {
	lines := make([]editLine, len(v.Edits))
	for i, e := range v.Edits {
		name, gone := v.name(e)
		lines[i] = editLine{Table: name, Gone: gone, Group: v.group(e), What: v.what(e), Loses: !e.Want.Live(v.Now)}
	}
	return lines
}

func (v StagedView) what(e access.Edit) string {
	was, want := e.Was.Live(v.Now), e.Want.Live(v.Now)
	switch {
	case want && !was:
		return "gets it" + until(v.Now, e.Want)
	case want:
		return "keeps it" + until(v.Now, e.Want) + ", before" + until(v.Now, e.Was)
	}
	return "loses it"
}

func until(now time.Time, c *access.CellGrant) string {
	if c == nil || c.ExpiresAt == nil {
		return " without end"
	}
	return " until " + day(now, *c.ExpiresAt)
}

// held words what a cell holds.
func held(now time.Time, c *access.CellGrant) string {
	switch {
	case c == nil:
		return "no access"
	case !c.Live(now):
		return "ended on " + day(now, *c.ExpiresAt)
	}
	words := "granted" + until(now, c)
	if c.Reason != "" {
		words += ": " + c.Reason
	}
	return words
}

// ClashingView shows the cells that changed while somebody changed them too.
type ClashingView struct {
	StagedView
	Cells []ClashingCell
}

// ClashingCell is one of them. At is its place among the edits.
type ClashingCell struct {
	At    int
	Seen  *access.CellGrant // when the edit was made
	There *access.CellGrant // now
}

func (v ClashingView) others() int { return len(v.Edits) - len(v.Cells) }

// ChangedWords says what one change of several cells was.
func changedWords(c access.Change) string {
	words := Plural(len(c.Edits), "change")
	if c.UndoOf != "" {
		words += " taken back"
	}
	if c.Note != "" {
		words += ": " + c.Note
	}
	return words
}
