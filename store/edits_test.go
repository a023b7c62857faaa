package store

import (
	"strconv"
	"testing"

	"agnes/domain"
	"agnes/domain/people"
)

func TestOlderFormsOfAGroupAreNoticed(t *testing.T) {
	s, _ := newStore(t)
	g := must[people.Group](t)(s.CreateGroup(t.Context(), admin, "finance", "books"))
	change := func(seen int64, name, about string) (people.Group, error) {
		return s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Name: &name, Description: &about, Seen: seen})
	}
	second := must[people.Group](t)(change(g.Version, "finance", "all books"))
	if second.Version != g.Version+1 {
		t.Fatalf("version %d after %d", second.Version, g.Version)
	}

	_, err := change(g.Version, "accounts", "books")
	stale := domain.StaleOf(err)
	if stale == nil || domain.KindOf(err) != domain.Stale {
		t.Fatalf("a form of version %d over %d: %v", g.Version, second.Version, err)
	}
	want := []domain.Clash{{Field: "description", Was: "books", Theirs: "all books", Yours: "books"}, {Field: "name", Was: "finance", Theirs: "finance", Yours: "accounts"}}
	if len(stale.Clashes) != 2 || stale.Clashes[0] != want[0] || stale.Clashes[1] != want[1] || stale.Version != second.Version || stale.ChangedBy != admin.Email {
		t.Errorf("stale %+v, want %+v", stale, want)
	}
	if now := must[people.Group](t)(s.GetGroup(t.Context(), g.ID)); now.Name != "finance" {
		t.Errorf("the group is called %s", now.Name)
	}
	must[people.Group](t)(change(0, "accounts", "books")) // nobody said which version
}

func TestEditionsAreForgottenInOrder(t *testing.T) {
	s, _ := newStore(t)
	g := must[people.Group](t)(s.CreateGroup(t.Context(), admin, "g", "0"))
	for i := range keptEdits + 5 {
		about := strconv.Itoa(i + 1)
		g = must[people.Group](t)(s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Description: &about, Seen: g.Version}))
	}
	n, err := one(t.Context(), s.reader(), value[int64], `SELECT count(*) FROM edits WHERE kind = 'group' AND id = $1`, g.ID)
	if err != nil || n != keptEdits {
		t.Errorf("%d editions are kept, %v; want %d", n, err, keptEdits)
	}
	yours := "mine"
	_, err = s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Description: &yours, Seen: 1})
	if stale := domain.StaleOf(err); stale == nil || len(stale.Clashes) != 1 || stale.Clashes[0].Theirs != g.Description {
		t.Errorf("a form older than what is kept: %v", err)
	}
}
