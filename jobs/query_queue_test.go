package jobs

import (
	"fmt"
	"slices"
	"testing"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// served takes everybody out in the order of their turns, each for a moment.
func served(q *queue, perPerson int) []string {
	var order []string
	for {
		next := q.turns(perPerson)
		if len(next) == 0 {
			return order
		}
		order = append(order, next[0].run)
		q.serve(next[0])
		q.done(next[0].by)
	}
}

func queueOf(texts ...string) *queue {
	q := &queue{}
	for _, run := range texts { // a3 is the third statement of a
		q.add(&waiter{by: people.UserID(run[:1]), run: run})
	}
	return q
}

func TestPeopleTakeTurns(t *testing.T) {
	texts := []string{"a1", "a2", "a3", "a4", "b1", "b2", "c1"}
	q := queueOf(texts...)
	places := map[string]int{}
	for _, run := range texts {
		places[run] = q.place(run)
	}
	order := served(q, 1)
	if want := []string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}; !slices.Equal(order, want) {
		t.Errorf("served %v, want %v", order, want)
	}
	for i, run := range order {
		if places[run] != i+1 {
			t.Errorf("place of %s was %d, and it was served as number %d", run, places[run], i+1)
		}
	}
	if q.length != 0 || len(q.people) != 0 || len(q.ring) != 0 || q.place("a1") != 0 {
		t.Errorf("left over: %+v", q)
	}
}

func TestNobodyTakesAllChildren(t *testing.T) {
	q := queueOf("a1", "a2", "a3", "b1")
	a := q.turns(2)[0]
	q.serve(a)
	q.serve(q.of("a").waiting[0])
	if next := q.turns(2); len(next) != 1 || next[0].run != "b1" {
		t.Errorf("next are %v, want b1 only", next)
	}
	q.done("a")
	if next := q.turns(2); len(next) != 2 {
		t.Errorf("%d may go on after one of a ended, want 2", len(next))
	}
	own := queueOf("x1")
	own.add(&waiter{run: "agnes"})
	own.add(&waiter{run: "agnes2"})
	own.serve(own.of("").waiting[0])
	if next := own.turns(1); len(next) != 2 {
		t.Errorf("Agnes's own is held back: %d", len(next))
	}
}

func TestWaitersLeave(t *testing.T) {
	q := queueOf("a1", "b1")
	gone := q.of("a").waiting[0]
	if !q.remove(gone) || q.remove(gone) {
		t.Error("a waiter left twice or not at all")
	}
	if got := served(q, 1); !slices.Equal(got, []string{"b1"}) {
		t.Errorf("served %v", got)
	}
}

func versionOf(name, version string, files int) registry.Published {
	v := &registry.Version{ID: registry.VersionID(version)}
	for i := range files {
		v.Files = append(v.Files, registry.File{Key: fmt.Sprintf("%s-%s-%d.parquet", name, version, i)})
	}
	return registry.Published{Table: registry.Table{Name: name}, Version: v}
}

func TestHeldSets(t *testing.T) {
	orders, towns, never := versionOf("orders", "1", 1), versionOf("towns", "1", 1), registry.Published{Table: registry.Table{Name: "never"}}
	all := access.NewCatalog([]registry.Published{orders, towns, never})
	h, tables := holdings(all, all.Mentioned("FROM orders, never"), []string{"towns", "absent", "never"})
	if len(h) != 2 || len(tables) != 2 || tables[0].Name != "orders" {
		t.Fatalf("held %v, want the mentioned one and what was used lately", h)
	}
	newer := access.NewCatalog([]registry.Published{versionOf("orders", "2", 1), towns})
	few := access.NewCatalog([]registry.Published{orders})
	moved := orders
	moved.Version = &registry.Version{ID: "1", Files: []registry.File{{Key: "elsewhere.parquet"}}}
	cases := []struct {
		name    string
		catalog access.Catalog
		text    string
		covers  bool
		within  bool
	}{
		{"the same", all, "FROM orders JOIN towns", true, true},
		{"nothing mentioned", all, "SELECT 1", true, true},
		{"of a table without rows", all, "FROM never", true, true},
		{"another version", newer, "FROM orders", false, false},
		{"another version of what is not mentioned", newer, "FROM towns", true, false},
		{"a smaller catalog", few, "FROM orders", true, false},
		{"no catalog", access.Catalog{}, "SELECT 1", true, false},
		{"other files under the same version", access.NewCatalog([]registry.Published{moved, towns}), "FROM orders", false, false},
	}
	for _, c := range cases {
		if got := h.covers(c.catalog.Mentioned(c.text)); got != c.covers {
			t.Errorf("%s: covers %v", c.name, got)
		}
		if got := h.within(c.catalog); got != c.within {
			t.Errorf("%s: within %v", c.name, got)
		}
	}
}

func TestHoldingsAreBounded(t *testing.T) {
	var tables []registry.Published
	var recent []string
	for i := range 10_000 {
		tables = append(tables, versionOf(fmt.Sprint("t", i), "1", 1))
	}
	recent = remember(recent, tables)
	recent = remember(recent, tables[9_000:9_001])
	if len(recent) != maxRecent || recent[maxRecent-1] != "t9000" {
		t.Errorf("%d names are remembered, the last is %s", len(recent), recent[len(recent)-1])
	}
	c := access.NewCatalog(tables)
	if h, _ := holdings(c, tables[:1], recent); len(h) != maxHeld {
		t.Errorf("%d tables are held, want %d", len(h), maxHeld)
	}
	if h, _ := holdings(c, tables[:100], recent); len(h) != 100 {
		t.Errorf("%d tables are held, want the 100 that are mentioned", len(h))
	}
	many := access.NewCatalog([]registry.Published{versionOf("large", "1", 250), versionOf("other", "1", 20)})
	if h, _ := holdings(many, many.Mentioned("FROM large"), []string{"other"}); len(h) != 1 {
		t.Errorf("%d tables are held, want one: its files are as many as go in", len(h))
	}
}

func TestListing(t *testing.T) {
	with := versionOf("orders", "1", 1)
	with.Description, with.Version.Rows = "what was sold", 7
	got := listing(access.NewCatalog([]registry.Published{with, {Table: registry.Table{Name: "never"}}}))
	if len(got) != 1 || got[0].Name != "orders" || got[0].Comment != "what was sold" || got[0].Rows != 7 {
		t.Errorf("listed %+v", got)
	}
	if got := listing(access.Catalog{}); got == nil {
		t.Error("the list of no tables is nil, which means that none was sent")
	}
}
