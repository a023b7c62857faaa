package store

import (
	"slices"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := must[people.Group](t)(s.CreateGroup(t.Context(), admin, "Ärzte", "Doctors"))
	for _, name := range []string{"Ärzte", "ärzte", " ÄRZTE ", "everyone", "ADMIN"} {
		_, err := s.CreateGroup(t.Context(), admin, name, "")
		wantError(t, "create "+name, err, domain.Conflict, "group_name_taken")
	}
	other := mustGroup(t, s, "Finance")
	_, err := s.UpdateGroup(t.Context(), admin, other.ID, people.GroupChange{Name: ptr("ÄRZTE")})
	wantError(t, "rename to a taken name", err, domain.Conflict, "group_name_taken")
	g = must[people.Group](t)(s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Name: ptr("ÄRZTE")}))
	if g.Name != "ÄRZTE" || g.Description != "Doctors" {
		t.Errorf("after the rename: %+v", g)
	}
	if got := must[people.Group](t)(s.GetGroupByName(t.Context(), "ärzte")); got.ID != g.ID {
		t.Errorf("by name: %+v", got)
	}
	_, err = s.GetGroup(t.Context(), "nope")
	wantError(t, "get unknown", err, domain.NotFound, "group_not_found")
	_, err = s.UpdateGroup(t.Context(), admin, "nope", people.GroupChange{Name: ptr("x")})
	wantError(t, "update unknown", err, domain.NotFound, "group_not_found")
	wantError(t, "delete unknown", second(s.DeleteGroup(t.Context(), admin, "nope")), domain.NotFound, "group_not_found")
}

func TestSystemGroups(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	for _, id := range []people.GroupID{s.adminID, s.everyoneID} {
		_, err := s.UpdateGroup(t.Context(), admin, id, people.GroupChange{Name: ptr("Other")})
		wantError(t, "rename", err, domain.Conflict, "system_group")
		wantError(t, "delete", second(s.DeleteGroup(t.Context(), admin, id)), domain.Conflict, "system_group")
		if g := must[people.Group](t)(s.UpdateGroup(t.Context(), admin, id, people.GroupChange{Description: ptr("described")})); g.Description != "described" {
			t.Errorf("the description of %s cannot change", g.Name)
		}
	}
}

func TestDeleteGroup(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := mustUser(t, s, "ada@example.com", g.ID)
	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.TableResource, ResourceID: "orders"}))
	if got := must[people.Group](t)(s.GetGroup(t.Context(), g.ID)); got.Members != 1 || got.Grants != 1 {
		t.Errorf("counts: %+v", got)
	}
	must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID))
	if grants := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{})); len(grants) != 0 {
		t.Errorf("grants stay: %v", grants)
	}
	if got := must[people.User](t)(s.GetUser(t.Context(), u.ID)); len(got.Groups) != 0 {
		t.Errorf("memberships stay: %v", got.Groups)
	}
	want := []string{"user_group.created", "user.create", "resource_grant.created", "user_group.deleted"}
	if got := actions(t, s, 0); !slices.Equal(got, want) {
		t.Errorf("audit: %v, want %v", got, want)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := mustUser(t, s, "ada@example.com")
	m := must[people.Member](t)(s.AddMember(t.Context(), admin, g.ID, "ADA@example.com", people.ByAdmin))
	if m.UserID != u.ID || m.AddedBy != admin.Email || m.Source != people.ByAdmin {
		t.Errorf("added %+v", m)
	}
	_, err := s.AddMember(t.Context(), admin, g.ID, u.Email, people.ByAdmin)
	wantError(t, "add again", err, domain.Conflict, "already_member")
	_, err = s.AddMember(t.Context(), admin, s.everyoneID, u.Email, people.ByAdmin)
	wantError(t, "add to Everyone", err, domain.Conflict, "already_member")
	_, err = s.AddMember(t.Context(), admin, "nope", u.Email, people.ByAdmin)
	wantError(t, "add to no group", err, domain.NotFound, "group_not_found")
	_, err = s.AddMember(t.Context(), admin, g.ID, "bob@example.com", people.ByAdmin)
	wantError(t, "add nobody", err, domain.NotFound, "user_not_found")
	_, err = s.ListMembers(t.Context(), "nope")
	wantError(t, "list no group", err, domain.NotFound, "group_not_found")
	if err := s.RemoveMember(t.Context(), admin, g.ID, u.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, "remove again", s.RemoveMember(t.Context(), admin, g.ID, u.ID), domain.NotFound, "member_not_found")
	wantError(t, "remove from Everyone", s.RemoveMember(t.Context(), admin, s.everyoneID, u.ID), domain.NotFound, "member_not_found")
	must[people.Member](t)(s.AddMember(t.Context(), admin, g.ID, u.Email, people.ByGoogleSync))
	wantError(t, "remove what another source made", s.RemoveMember(t.Context(), admin, g.ID, u.ID), domain.NotFound, "member_not_found")
}

// TestRejoin: what is taken back is as it was, by whomever it was.
func TestRejoin(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := mustUser(t, s, "ada@example.com")
	first := admin
	first.Email = "eve@example.com"
	was := must[people.Member](t)(s.AddMember(t.Context(), first, g.ID, u.Email, people.ByBreakGlass))
	leave := func() {
		t.Helper()
		if err := s.RemoveMember(t.Context(), admin, g.ID, u.ID); err != nil {
			t.Fatal(err)
		}
	}

	clock.advance(time.Hour)
	leave()
	clock.advance(access.UndoFor - time.Second)
	must[people.Member](t)(s.Rejoin(t.Context(), admin, g.ID, u.ID))
	if got := must[[]people.Member](t)(s.ListMembers(t.Context(), g.ID)); len(got) != 1 || !got[0].AddedAt.Equal(was.AddedAt) || got[0].AddedBy != "eve@example.com" || got[0].Source != people.ByBreakGlass {
		t.Errorf("came back as %+v, was %+v", got, was)
	}
	_, err := s.Rejoin(t.Context(), admin, g.ID, u.ID)
	wantError(t, "put back again", err, domain.Conflict, "already_member")

	leave()
	clock.advance(access.UndoFor + time.Second)
	if got := must[people.Member](t)(s.Rejoin(t.Context(), admin, g.ID, u.ID)); got.Source != people.ByAdmin || got.AddedBy != admin.Email {
		t.Errorf("much later they come back as %+v", got)
	}
	_, err = s.Rejoin(t.Context(), admin, s.everyoneID, u.ID)
	wantError(t, "into Everyone", err, domain.Conflict, "already_member")
}

func TestEveryone(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada, bob := mustUser(t, s, "ada@example.com", s.adminID), mustUser(t, s, "bob@example.com")
	must[people.User](t)(s.UpdateUser(t.Context(), admin, bob.ID, people.UserChange{Active: ptr(false)}))
	members := must[[]people.Member](t)(s.ListMembers(t.Context(), s.everyoneID))
	if len(members) != 1 || members[0].UserID != ada.ID || members[0].Source != people.BySeed {
		t.Errorf("members of Everyone: %+v, want the one active person", members)
	}
	if g := must[people.Group](t)(s.GetGroup(t.Context(), s.everyoneID)); g.Members != 1 {
		t.Errorf("Everyone counts %d members, want 1", g.Members)
	}
	list := must[[]people.Membership](t)(s.Memberships(t.Context(), ada.ID))
	if len(list) != 2 || list[0].GroupName != "Admin" || list[1].GroupName != "Everyone" || list[1].Source != people.BySeed {
		t.Errorf("memberships: %+v", list)
	}
	_, err := s.Memberships(t.Context(), "nobody")
	wantError(t, "memberships of nobody", err, domain.NotFound, "user_not_found")
}
