package store

import (
	"fmt"
	"slices"
	"testing"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

func TestListGroupsPage(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	sales, books := mustGroup(t, s, "Sales"), mustGroup(t, s, "Bücher")
	must[people.Group](t)(s.UpdateGroup(t.Context(), admin, books.ID, people.GroupChange{Description: ptr("100% of it")}))
	ada := mustUser(t, s, "ada@example.com", sales.ID)
	mustUser(t, s, "ben@example.com")
	must[people.Group](t)(s.PersonGroup(t.Context(), admin, ada.ID))
	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: books.ID, ResourceType: access.TableResource, ResourceID: "orders"}))
	if _, err := s.writer.ExecContext(t.Context(), `INSERT INTO user_groups (id, name, name_key, created_at, created_by) VALUES ('g', 'Staff', 'staff', 1, 'system:google-sync')`); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    people.GroupFilter
		want []string
	}{
		"all but those of one person": {people.GroupFilter{}, []string{"Admin", "Everyone", "Bücher", "Sales", "Staff"}},
		"by name, down":               {people.GroupFilter{Desc: true}, []string{"Staff", "Sales", "Everyone", "Bücher", "Admin"}},
		"by members":                  {people.GroupFilter{Order: people.GroupsByMembers, Desc: true}, []string{"Everyone", "Sales", "Admin", "Bücher", "Staff"}},
		"by grants":                   {people.GroupFilter{Order: people.GroupsByGrants, Desc: true, Limit: 2}, []string{"Bücher", "Admin"}},
		"the second page":             {people.GroupFilter{Limit: 2, Offset: 2}, []string{"Bücher", "Sales"}},
		"of one person":               {people.GroupFilter{Origin: people.OriginPerson}, []string{"ada@example.com (only)"}},
		"of Agnes":                    {people.GroupFilter{Origin: people.OriginSystem}, []string{"Admin", "Everyone"}},
		"of Google":                   {people.GroupFilter{Origin: people.OriginGoogle}, []string{"Staff"}},
		"of the sign-in service":      {people.GroupFilter{Origin: people.OriginOIDC}, nil},
		"made here":                   {people.GroupFilter{Origin: people.OriginCustom}, []string{"Bücher", "Sales"}},
		"a name, in any case":         {people.GroupFilter{Search: "BÜCH"}, []string{"Bücher"}},
		"a description":               {people.GroupFilter{Search: "00%"}, []string{"Bücher"}},
		"nothing":                     {people.GroupFilter{Search: "%%"}, nil},
	} {
		groups, _, err := s.ListGroupsPage(t.Context(), c.f)
		var got []string
		for _, g := range groups {
			got = append(got, g.Name)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
	_, total, err := s.ListGroupsPage(t.Context(), people.GroupFilter{Limit: 1})
	counts := must[people.GroupCounts](t)(s.CountGroups(t.Context()))
	if want := (people.GroupCounts{All: 5, System: 2, Google: 1, Custom: 2, Persons: 1}); err != nil || total != 5 || counts != want {
		t.Errorf("%d groups, %v; counts %+v, want %+v", total, err, counts, want)
	}
}

func TestListMembersPage(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Sales")
	for i := range 5 {
		mustUser(t, s, fmt.Sprintf("p%d@example.com", i), g.ID)
	}
	gone := mustUser(t, s, "gone@example.com", g.ID)
	must[people.User](t)(s.UpdateUser(t.Context(), admin, gone.ID, people.UserChange{Active: ptr(false), Name: ptr("Ann O_Tool")}))
	for name, c := range map[string]struct {
		id    people.GroupID
		f     people.MemberFilter
		total int
		first string
		rows  int
	}{
		"all":                    {g.ID, people.MemberFilter{}, 6, "gone@example.com", 6},
		"a page":                 {g.ID, people.MemberFilter{Limit: 2, Offset: 4}, 6, "p3@example.com", 2},
		"a name":                 {g.ID, people.MemberFilter{Search: "o_t"}, 1, "gone@example.com", 1},
		"Everyone, active only":  {s.everyoneID, people.MemberFilter{Limit: 3}, 5, "p0@example.com", 3},
		"in Everyone by address": {s.everyoneID, people.MemberFilter{Search: "P3@"}, 1, "p3@example.com", 1},
	} {
		members, total, err := s.ListMembersPage(t.Context(), c.id, c.f)
		if err != nil || total != c.total || len(members) != c.rows || members[0].Email != c.first {
			t.Errorf("%s: %d of %d, %v: %+v", name, len(members), total, err, members)
		}
	}
	_, _, err := s.ListMembersPage(t.Context(), "nope", people.MemberFilter{})
	wantError(t, "no group", err, domain.NotFound, "group_not_found")
}

func TestAddMembers(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Sales")
	mustUser(t, s, "ada@example.com", g.ID)
	mustUser(t, s, "ben@example.com")
	before := len(must[[]people.Member](t)(s.ListMembers(t.Context(), g.ID)))
	got := must[people.Joined](t)(s.AddMembers(t.Context(), admin, g.ID, []string{"ben@example.com", "ada@example.com", "cyd@example.com", "ben@example.com"}))
	if before != 1 || len(got.Added) != 1 || got.Added[0].Email != "ben@example.com" || len(got.Already) != 1 || !slices.Equal(got.Unknown, []string{"cyd@example.com"}) {
		t.Errorf("joined %+v", got)
	}
	for name, c := range map[string]struct {
		id   people.GroupID
		kind domain.Kind
		code string
	}{
		"Everyone": {s.everyoneID, domain.Conflict, "system_group"},
		"no group": {"nope", domain.NotFound, "group_not_found"},
	} {
		_, err := s.AddMembers(t.Context(), admin, c.id, []string{"ben@example.com"})
		wantError(t, name, err, c.kind, c.code)
	}
}
