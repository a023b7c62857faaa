package store

import (
	"testing"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

func TestPersonGroup(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada, bob := mustUser(t, s, "ada@example.com"), mustUser(t, s, "bob@example.com")
	mustGroup(t, s, "ada@example.com (only)") // somebody made one of that name
	g := must[people.Group](t)(s.PersonGroup(t.Context(), admin, ada.ID))
	if g.Person != ada.ID || g.Name != "ada@example.com (only) 2" || g.Members != 1 || g.Version != 1 {
		t.Errorf("made %+v", g)
	}
	if again := must[people.Group](t)(s.PersonGroup(t.Context(), admin, ada.ID)); again != g {
		t.Errorf("found %+v, made %+v", again, g)
	}
	_, err := s.PersonGroup(t.Context(), admin, "nobody")
	wantError(t, "of nobody", err, domain.NotFound, "user_not_found")

	_, err = s.AddMember(t.Context(), admin, g.ID, bob.Email, people.ByAdmin)
	wantError(t, "somebody else joins", err, domain.Conflict, "group_of_one")
	wantError(t, "its person leaves", s.RemoveMember(t.Context(), admin, g.ID, ada.ID), domain.Conflict, "group_of_one")
	_, err = s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Name: ptr("Ada")})
	wantError(t, "rename", err, domain.Conflict, "group_of_one")
	_, err = s.SetGroups(t.Context(), admin, bob.ID, people.GroupsChange{Want: []people.GroupID{g.ID}})
	wantError(t, "somebody else is put into it", err, domain.Conflict, "group_of_one")
	_, err = s.CreateUser(t.Context(), admin, people.NewUser{Email: "eve@example.com", Groups: []people.GroupID{g.ID}})
	wantError(t, "somebody new is put into it", err, domain.Conflict, "group_of_one")
	other := mustGroup(t, s, "Finance")
	if u := must[people.User](t)(s.SetGroups(t.Context(), admin, ada.ID, people.GroupsChange{Want: []people.GroupID{other.ID}, Was: []people.GroupID{}})); len(u.Groups) != 2 {
		t.Errorf("after other groups were chosen: %v", u.Groups)
	}

	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.TableResource, ResourceID: "orders"}))
	bin := must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID))
	if err := s.Restore(t.Context(), admin, bin); err != nil {
		t.Fatal(err)
	}
	if again := must[people.Group](t)(s.PersonGroup(t.Context(), admin, ada.ID)); again.ID != g.ID || again.Grants != 0 {
		t.Errorf("restored %+v", again) // its table is not registered
	}
	if err := s.DeleteUser(t.Context(), admin, ada.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.GetGroup(t.Context(), g.ID)
	wantError(t, "the group of somebody who is gone", err, domain.NotFound, "group_not_found")
	if got := actions(t, s, 2); got[0] != "user_group.deleted" || got[1] != "user.delete" {
		t.Errorf("audit: %v", got)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustTables(t, s, "orders")
	g := mustGroup(t, s, "Finance")
	ada := mustUser(t, s, "ada@example.com", g.ID)
	own := must[people.Group](t)(s.PersonGroup(t.Context(), admin, ada.ID))
	end := s.now().Add(access.UndoFor)
	for _, n := range []access.NewGrant{
		{Group: g.ID, Reason: "books", ExpiresAt: &end}, {Group: s.everyoneID}, {Group: own.ID}, {Group: mustGroup(t, s, "Growth").ID},
	} {
		n.ResourceType, n.ResourceID = access.TableResource, "orders"
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, n))
	}
	list := must[[]access.Reason](t)(s.Reasons(t.Context(), ada.ID))
	if len(list) != 3 {
		t.Fatalf("reasons %+v", list)
	}
	if w := list[0]; w.Group.ID != s.everyoneID || !w.Group.System || w.Member.Source != people.BySeed || !w.Member.AddedAt.Equal(ada.CreatedAt) {
		t.Errorf("by Everyone: %+v", w)
	}
	if w := list[1]; w.Group.Person != ada.ID || w.ResourceID != "orders" || w.Grant.AssignedBy != admin.Email {
		t.Errorf("by their own: %+v", w)
	}
	if w := list[2]; w.Group.Name != "Finance" || w.Member.Source != people.ByAdmin || w.Member.AddedBy != admin.Email || w.Grant.Reason != "books" {
		t.Errorf("by Finance: %+v", w)
	}
	if all := must[[]access.Effective](t)(s.EffectiveAccess(t.Context(), ada.ID)); len(all) != 1 || len(all[0].Groups) != 3 {
		t.Errorf("effective %+v", all)
	}
	c.advance(access.UndoFor)
	if list := must[[]access.Reason](t)(s.Reasons(t.Context(), ada.ID)); len(list) != 2 {
		t.Errorf("after one ended: %+v", list)
	}
	_, err := s.Reasons(t.Context(), "nobody")
	wantError(t, "of nobody", err, domain.NotFound, "user_not_found")
}
