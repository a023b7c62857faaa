package access

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"agnes/domain/people"
)

// Thing is something that can be granted.
type Thing struct {
	Type ResourceType
	ID   string
}

// Thing is what the cell's row is of.
func (c Cell) Thing() Thing { return Thing{Type: c.ResourceType, ID: c.ResourceID} }

// Basis is what the consequence of edits is worked out from: the live grants
// on what they name, and who is in the groups concerned.
type Basis struct {
	Grants   []Cell                             // live ones
	People   map[people.UserID][]people.GroupID // active people in the edited groups, administrators left out
	Total    int                                // active people, administrators left out
	Everyone people.GroupID
	Groups   map[people.GroupID]MatrixGroup // that the edits name
	Names    map[Thing]string               // of what the edits name; what is no more is not in it
}

// Consequence is what edits do to people, by effective access: somebody who
// keeps a table through another group loses nothing.
type Consequence struct {
	Changes  int
	Groups   int
	Gain     int // people who can see more
	GainMost int // resources that one of them gains at most
	Lose     int
	LoseMost int
	Touched  int // people who gain, lose or both
	People   int // in all, administrators left out
	Adds     int // edits that end in a grant
	Everyone bool
}

// Asks reports whether so many are concerned that a person confirms it.
func (c Consequence) Asks() bool { return c.Everyone || 2*c.Touched > c.People && c.Touched > 1 }

// Question is what that person confirms.
func (c Consequence) Question() string {
	if c.Everyone {
		return fmt.Sprintf("This changes what Everyone sees: %d of %s.", c.Touched, persons(c.People))
	}
	return fmt.Sprintf("This concerns more than half: %d of %s.", c.Touched, persons(c.People))
}

// Sentence says it all: "7 changes: 3 groups, 12 people gain up to 5 tables,
// 2 people lose 1."
func (c Consequence) Sentence() string { return c.Count() + ": " + c.Effect() }

// Count is the first half of the sentence.
func (c Consequence) Count() string { return plural(c.Changes, "change") }

// Effect is the second half of the sentence.
func (c Consequence) Effect() string {
	parts := []string{plural(c.Groups, "group")}
	if c.Gain > 0 {
		parts = append(parts, persons(c.Gain)+verb(c.Gain, " gain")+upTo(c.Gain, c.GainMost)+tables(c.GainMost))
	}
	if c.Lose > 0 {
		loss := persons(c.Lose) + verb(c.Lose, " lose") + upTo(c.Lose, c.LoseMost)
		if c.Gain == 0 {
			loss += tables(c.LoseMost)
		} else {
			loss += " " + strconv.Itoa(c.LoseMost)
		}
		parts = append(parts, loss)
	}
	if c.Touched == 0 {
		parts = append(parts, "nobody gains or loses anything")
	}
	return strings.Join(parts, ", ") + "."
}

func verb(n int, plural string) string {
	if n == 1 {
		return plural + "s"
	}
	return plural
}

func upTo(n, most int) string {
	if n > 1 && most > 1 {
		return " up to"
	}
	return ""
}

func tables(n int) string { return " " + plural(n, "table") }

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return strconv.Itoa(n) + " people"
}

// Foresee works out what edits do, without doing it.
func Foresee(b Basis, edits []Edit, now time.Time) Consequence {
	c := Consequence{Changes: len(edits), People: b.Total}
	before, after := map[Thing]groupSet{}, map[Thing]groupSet{}
	for _, cell := range b.Grants {
		put(before, cell)
		put(after, cell)
	}
	groups := groupSet{}
	for _, e := range edits {
		groups[e.Group] = struct{}{}
		c.Everyone = c.Everyone || e.Group == b.Everyone
		if e.Want != nil {
			c.Adds++
		}
		if e.Want.Live(now) {
			put(after, e.Cell)
		} else {
			delete(after[e.Thing()], e.Group)
		}
	}
	c.Groups = len(groups)
	var changed []Thing
	for _, e := range edits {
		if r := e.Thing(); !before[r].equal(after[r]) {
			changed = append(changed, r)
		}
	}
	changed = distinct(changed)
	for _, mine := range b.People {
		c.count(mine, b.Everyone, changed, before, after)
	}
	return c
}

// count adds what the edits do to one person.
func (c *Consequence) count(mine []people.GroupID, everyone people.GroupID, changed []Thing, before, after map[Thing]groupSet) {
	gain, lose := 0, 0
	for _, r := range changed {
		had, has := before[r].opens(mine, everyone), after[r].opens(mine, everyone)
		switch {
		case has && !had:
			gain++
		case had && !has:
			lose++
		}
	}
	if gain > 0 {
		c.Gain++
		c.GainMost = max(c.GainMost, gain)
	}
	if lose > 0 {
		c.Lose++
		c.LoseMost = max(c.LoseMost, lose)
	}
	if gain+lose > 0 {
		c.Touched++
	}
}

type groupSet map[people.GroupID]struct{}

func (s groupSet) opens(mine []people.GroupID, everyone people.GroupID) bool {
	if _, all := s[everyone]; all {
		return true
	}
	for _, g := range mine {
		if _, ok := s[g]; ok {
			return true
		}
	}
	return false
}

func (s groupSet) equal(other groupSet) bool {
	if len(s) != len(other) {
		return false
	}
	for g := range s {
		if _, ok := other[g]; !ok {
			return false
		}
	}
	return true
}

func put(sets map[Thing]groupSet, c Cell) {
	r := c.Thing()
	if sets[r] == nil {
		sets[r] = groupSet{}
	}
	sets[r][c.Group] = struct{}{}
}

func distinct(list []Thing) []Thing {
	seen := make(map[Thing]struct{}, len(list))
	var out []Thing
	for _, r := range list {
		if _, ok := seen[r]; !ok {
			seen[r] = struct{}{}
			out = append(out, r)
		}
	}
	return out
}
