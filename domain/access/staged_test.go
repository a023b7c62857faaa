package access_test

import (
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
)

func cell(group people.GroupID, table string) access.Cell {
	return access.Cell{Group: group, ResourceType: access.TableResource, ResourceID: table}
}

func add(group people.GroupID, table string) access.Edit {
	return access.Edit{Cell: cell(group, table), Want: &access.CellGrant{}}
}

func take(group people.GroupID, table string) access.Edit {
	return access.Edit{Cell: cell(group, table), Was: &access.CellGrant{}}
}

func TestForesee(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	gone := now.Add(-time.Hour)
	// Four of ten people: ann in a, bob in a and b, cyd in b, dan in none.
	basis := func(grants ...access.Cell) access.Basis {
		return access.Basis{
			Grants: grants, Everyone: "all", Total: 10,
			People: map[people.UserID][]people.GroupID{"ann": {"a"}, "bob": {"a", "b"}, "cyd": {"b"}, "dan": nil},
		}
	}
	for name, c := range map[string]struct {
		basis access.Basis
		edits []access.Edit
		want  string
		asks  bool
	}{
		"a table for two":                    {basis(), []access.Edit{add("a", "t")}, "1 change: 1 group, 2 people gain 1 table.", false},
		"who has it by another group":        {basis(cell("b", "t")), []access.Edit{add("a", "t")}, "1 change: 1 group, 1 person gains 1 table.", false},
		"who keeps it by another group":      {basis(cell("a", "t"), cell("b", "t")), []access.Edit{take("a", "t")}, "1 change: 1 group, 1 person loses 1 table.", false},
		"from one group to another":          {basis(cell("a", "t")), []access.Edit{take("a", "t"), add("b", "t")}, "2 changes: 2 groups, 1 person gains 1 table, 1 person loses 1.", false},
		"several tables":                     {basis(), []access.Edit{add("a", "t"), add("a", "u"), add("b", "u")}, "3 changes: 2 groups, 3 people gain up to 2 tables.", false},
		"what Everyone has":                  {basis(cell("all", "t")), []access.Edit{add("a", "t")}, "1 change: 1 group, nobody gains or loses anything.", false},
		"for Everyone":                       {basis(), []access.Edit{add("all", "t")}, "1 change: 1 group, 4 people gain 1 table.", true},
		"a grant that ended opens nothing":   {basis(), []access.Edit{{Cell: cell("a", "t"), Want: &access.CellGrant{ExpiresAt: &gone}}}, "1 change: 1 group, nobody gains or loses anything.", false},
		"a new end takes nothing away today": {basis(cell("a", "t")), []access.Edit{{Cell: cell("a", "t"), Was: &access.CellGrant{}, Want: &access.CellGrant{Reason: "x"}}}, "1 change: 1 group, nobody gains or loses anything.", false},
		"a group without people":             {basis(), []access.Edit{add("empty", "t")}, "1 change: 1 group, nobody gains or loses anything.", false},
	} {
		got := access.Foresee(c.basis, c.edits, now)
		if got.Sentence() != c.want || got.Asks() != c.asks {
			t.Errorf("%s: %q, asks %t; want %q, %t", name, got.Sentence(), got.Asks(), c.want, c.asks)
		}
	}
}

func TestForeseeAsksAboutMostPeople(t *testing.T) {
	t.Parallel()
	b := access.Basis{People: map[people.UserID][]people.GroupID{"ann": {"a"}, "bob": {"a"}, "cyd": {"b"}}, Total: 3}
	c := access.Foresee(b, []access.Edit{add("a", "t")}, time.Now())
	if want := "This concerns more than half: 2 of 3 people."; !c.Asks() || c.Question() != want {
		t.Errorf("asks %t: %q, want %q", c.Asks(), c.Question(), want)
	}
	b.Total = 4
	if c := access.Foresee(b, []access.Edit{add("a", "t")}, time.Now()); c.Asks() {
		t.Error("half of the people is asked about")
	}
	b.Everyone = "all"
	c = access.Foresee(b, []access.Edit{add("all", "t")}, time.Now())
	if want := "This changes what Everyone sees: 3 of 4 people."; !c.Asks() || c.Question() != want {
		t.Errorf("asks %t: %q, want %q", c.Asks(), c.Question(), want)
	}
}
