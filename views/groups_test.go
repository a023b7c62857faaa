package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/people"
)

func testGroups() []people.Group {
	made := noon().Add(-40 * 24 * time.Hour)
	return []people.Group{
		{ID: "1", Name: people.AdminGroup, Description: "Sees and changes everything", System: true, CreatedAt: made, Members: 2},
		{ID: "2", Name: people.EveryoneGroup, System: true, CreatedAt: made, Members: 132, Grants: 4},
		{ID: "3", Name: "Finance", Description: "Everybody who closes the books, with the auditors of the year and whoever they bring along", CreatedAt: made, CreatedBy: "petra@hollisbrandt.eu", Members: 9, Grants: 41, Version: 3},
		{ID: "4", Name: "all-staff@hollisbrandt.eu", CreatedAt: made, CreatedBy: "system:google-sync", Members: 1204, Grants: 12},
		{ID: "5", Name: "a-name-without-any-blank-that-somebody-typed-because-there-was-room-for-one-hundred-characters", CreatedAt: made, CreatedBy: "system:oidc-sync"},
	}
}

func testGroupsView() GroupsView {
	return GroupsView{Groups: testGroups(), Matching: 73, Counts: people.GroupCounts{All: 73, System: 2, Google: 12, OIDC: 1, Custom: 58, Persons: 6}, Now: noon()}
}

func testGroup(i int) GroupView {
	v := GroupView{Group: testGroups()[i], Matching: 61, Now: noon(), Offered: []people.User{{Email: "ben@hollisbrandt.eu", Name: "Ben Analyst"}}}
	for n, source := range []people.MemberSource{people.ByAdmin, people.ByGoogleSync, people.ByOIDCSync, people.BySeed, people.ByBreakGlass} {
		v.Members = append(v.Members, people.Member{
			UserID: people.UserID(fmt.Sprint("u", n)), Email: fmt.Sprintf("person%d@hollisbrandt.eu", n), Name: []string{"Jonas Weber", "", "A. Very-Long-Double-Name of the Whole Department of Controlling"}[n%3],
			Active: n != 3, Source: source, AddedAt: noon().Add(-time.Duration(n) * 26 * time.Hour), AddedBy: []string{"petra@hollisbrandt.eu", "system:google-sync"}[n%2],
		})
	}
	v.Form = GroupFormOf(v.Group)
	return v
}

func addGroups(add func(string, Chrome, string, Nav, func(Chrome) templ.Component), admin Chrome) {
	add("clash", admin, "Changed meanwhile", NavAccess, func(c Chrome) templ.Component { return ClashPage(c, testClash()) })
	add("groups", admin, "Groups", NavPeople, func(c Chrome) templ.Component { return GroupsPage(c, testGroupsView()) })
	add("groups-none", admin, "Groups", NavPeople, func(c Chrome) templ.Component {
		return GroupsPage(c, GroupsView{Query: GroupsQuery{Search: "finanze", Origin: people.OriginOIDC}, Counts: people.GroupCounts{All: 3, Custom: 1, System: 2}, Now: noon()})
	})
	add("group", admin, "Finance", NavPeople, func(c Chrome) templ.Component {
		v := testGroup(2)
		v.Add = AddForm{Added: 2, Unknown: []string{"new@example.com", "newer@example.com"}, Emails: "nonsense", Errors: FieldErrors{"emails": "nonsense: This is no e-mail address: it looks like name@example.com."}}
		return GroupPage(c, v)
	})
	add("group-admin", admin, "Admin", NavPeople, func(c Chrome) templ.Component {
		v := testGroup(0)
		v.Stale, v.Error = true, "petra@hollisbrandt.eu is the last active administrator. Make somebody else an administrator first."
		return GroupPage(c, v)
	})
	add("group-everyone", admin, "Everyone", NavPeople, func(c Chrome) templ.Component { return GroupPage(c, testGroup(1)) })
	add("group-google", admin, "all-staff", NavPeople, func(c Chrome) templ.Component {
		v := testGroup(3)
		v.Search, v.Page = "person", 2
		return GroupPage(c, v)
	})
	add("group-new", admin, "New group", NavPeople, func(c Chrome) templ.Component {
		return NewGroupPage(c, GroupForm{Name: "Finance", Description: "Books", Errors: FieldErrors{"name": "A group named Finance exists already. Choose another name."}})
	})
	add("bin", admin, "Recently deleted", NavPeople, func(c Chrome) templ.Component {
		return BinPage(c, BinView{Now: noon(), Binned: []access.Binned{
			{ID: "1", Kind: access.BinGroup, Name: "Interns", Members: 4, Grants: 1, DeletedAt: noon().Add(-2 * time.Minute), DeletedBy: "petra@hollisbrandt.eu"},
			{ID: "2", Kind: access.BinTable, Name: "orders_2019", Grants: 3, DeletedAt: noon().Add(-50 * time.Hour), DeletedBy: "petra@hollisbrandt.eu"},
		}})
	})
	add("bin-empty", admin, "Recently deleted", NavPeople, func(c Chrome) templ.Component { return BinPage(c, BinView{Now: noon()}) })
}

func TestGroupSaysWhatStaysAndWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		group                int
		add, rename, removes int // forms
		deletes              bool
		says                 string
	}{
		"made here": {2, 1, 1, 3, true, "It opens 41 resources to 9 people."},
		"Admin":     {0, 1, 0, 3, false, "see and change everything"},
		"Everyone":  {1, 0, 0, 0, false, "Everybody with an active account is a member of Everyone"},
		"Google":    {3, 0, 0, 3, false, "google_managed_readonly"},
		"OIDC":      {4, 0, 0, 3, false, "oidc_managed_readonly"},
	} {
		doc := parse(t, draw(t, GroupPage(testChrome(true), testGroup(c.group))))
		got := [3]int{doc.Find("#add-members").Length(), doc.Find("input[name=name]").Length(), doc.Find("#member-list form").Length()}
		if got != [3]int{c.add, c.rename, c.removes} || doc.Find(`form[action$="/delete"]`).Length() > 0 != c.deletes {
			t.Errorf("%s: %v forms to add, rename and remove, want %+v", name, got, c)
		}
		if text := strings.Join(strings.Fields(doc.Find("main").Text()), " "); !strings.Contains(text, c.says) {
			t.Errorf("%s lacks %q: %s", name, c.says, text)
		}
	}
}

func TestGroupsQueryURL(t *testing.T) {
	t.Parallel()
	q := GroupsQuery{Search: "a b", Origin: people.OriginCustom, Page: 3}
	for want, got := range map[string]string{
		"/admin/groups": GroupsQuery{Page: 1}.URL(),
		"/admin/groups?origin=custom&page=3&q=a+b":              q.URL(),
		"/admin/groups?desc=1&origin=custom&q=a+b&sort=members": q.sortedBy(people.GroupsByMembers).URL(),
		"/admin/groups?origin=custom&q=a+b&sort=members":        q.sortedBy(people.GroupsByMembers).sortedBy(people.GroupsByMembers).URL(),
		"/admin/people/invite?emails=x%40b.c%0Ay%40b.c&group=3": string(GroupView{Group: testGroups()[2], Add: AddForm{Unknown: []string{"x@b.c", "y@b.c"}}}.inviteURL()),
		"/admin/access?group=3&view=group":                      string(GroupView{Group: testGroups()[2]}.opensURL()),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
