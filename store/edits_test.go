package store

import (
	"strconv"
	"testing"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/domain/registry"
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

func TestOlderFormsOfAPersonAreNoticed(t *testing.T) {
	s, _ := newStore(t)
	u := mustUser(t, s, "ada@example.com")
	hash := "x"
	same := must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Name: ptr(u.Name), PasswordHash: &hash, Seen: 1}))
	if u.Version != 1 || same.Version != 1 {
		t.Fatalf("version %d, then %d after a change of no field", u.Version, same.Version)
	}
	gone := must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(false), Seen: 1}))
	_, err := s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Name: ptr("Ada"), Seen: 1})
	stale := domain.StaleOf(err)
	if gone.Version != 2 || stale == nil || len(stale.Clashes) != 2 || stale.Clashes[0] != (domain.Clash{Field: "active", Was: "true", Theirs: "false", Yours: "true"}) {
		t.Fatalf("version %d, %v: %+v", gone.Version, err, stale)
	}
	wantError(t, "delete what was seen before", s.DeleteUser(t.Context(), admin, u.ID, 1), domain.Stale, "changed_meanwhile")
	if err := s.DeleteUser(t.Context(), admin, u.ID, 2); err != nil {
		t.Errorf("delete what was seen: %v", err)
	}
	if n := must[int64](t)(one(t.Context(), s.reader(), value[int64], `SELECT count(*) FROM edits`)); n != 0 {
		t.Errorf("%d states of a deleted person are kept", n)
	}
}

func TestOlderFormsOfATableAreNoticed(t *testing.T) {
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	change := func(c registry.TableChange) (registry.Published, error) {
		return s.UpdateTable(t.Context(), admin, "orders", c)
	}
	second := must[registry.Published](t)(change(registry.TableChange{Description: ptr("All orders."), Seen: 1}))
	if second.Revision != 2 {
		t.Fatalf("revision %d", second.Revision)
	}
	_, err := change(registry.TableChange{ShrinkGuard: ptr(5), Seen: 1})
	stale := domain.StaleOf(err)
	if stale == nil || len(stale.Clashes) != 2 || stale.Clashes[1] != (domain.Clash{Field: "shrink_guard_pct", Was: "20", Theirs: "20", Yours: "5"}) {
		t.Fatalf("%v: %+v", err, stale)
	}
	if now := must[registry.Published](t)(s.GetTable(t.Context(), "orders")); now.Guard.ShrinkPercent != 20 {
		t.Errorf("the guard is %d %%", now.Guard.ShrinkPercent)
	}
	_, err = s.Unregister(t.Context(), admin, []registry.TableID{"deals", "orders"}, 1, 1)
	wantError(t, "remove what was seen before", err, domain.Stale, "changed_meanwhile")
	must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"deals", "orders"}, 1, 2))
}

func TestDeletingAGroupThatChangedIsRefused(t *testing.T) {
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	must[people.Group](t)(s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Description: ptr("Books")}))
	_, err := s.DeleteGroup(t.Context(), admin, g.ID, g.Version)
	wantError(t, "delete what was seen before", err, domain.Stale, "changed_meanwhile")
	must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID, g.Version+1))
}
