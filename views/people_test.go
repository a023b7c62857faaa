package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/people"
)

func testPeople() PeopleView {
	seen := before(3 * time.Hour)
	return PeopleView{
		People: []people.User{
			{ID: "u1", Email: "petra@hollisbrandt.eu", Name: "Petra Novak", Active: true, Admin: true, LastSeenAt: seen, CreatedAt: *before(90 * 24 * time.Hour), Methods: []people.Method{people.ByPassword, people.ByGoogle}, Groups: []people.Group{{Name: "Admin"}, {Name: "Analysts"}}},
			{ID: "u2", Email: "ben@hollisbrandt.eu", Active: true, InvitedAt: before(time.Hour), CreatedAt: *before(time.Hour)},
			{ID: "u3", Email: "cyd@hollisbrandt.eu", Name: "Cyd", CreatedAt: *before(400 * 24 * time.Hour), Methods: []people.Method{people.ByLink, people.ByOIDC}},
		},
		Matching: 3, Counts: people.UserCounts{All: 3, Active: 2, Deactivated: 1, Invited: 1, Admins: 1},
		Groups: []people.Group{{ID: "g1", Name: "Admin", System: true}, {ID: "g2", Name: "Everyone", System: true}, {ID: "g3", Name: "Analysts", Grants: 4}}, Now: noon(),
	}
}

func testPerson(change func(*PersonView)) PersonView {
	all := testPeople()
	v := PersonView{
		User: all.People[0], Groups: all.Groups, Name: "Petra Novak", Checked: []people.GroupID{"g1"}, Now: noon(),
		Memberships: []people.Membership{{GroupID: "g1", GroupName: "Admin", System: true, Source: people.ByAdmin}, {GroupID: "g3", GroupName: "Analysts", Source: people.ByOIDCSync}},
	}
	if change != nil {
		change(&v)
	}
	return v
}

func testInvite(done bool) InviteView {
	v := InviteView{Emails: "dan@hollisbrandt.eu, x", Groups: testPeople().Groups, Done: done, Guests: []people.Guest{
		{Addressee: people.Addressee{Text: "dan@hollisbrandt.eu", Email: "dan@hollisbrandt.eu"}, State: people.GuestNew},
		{Addressee: people.Addressee{Text: "x", Problem: "This is no e-mail address: it looks like name@example.com."}, State: people.GuestInvalid},
	}}
	if done {
		v.Guests[0].State, v.Guests[0].Invitation.URL = people.GuestInvited, "https://agnes.hollisbrandt.eu/x"
	}
	return v
}

// peopleGallery is every page of people in every state worth seeing.
func peopleGallery(add func(name string, title string, draw func(Chrome) templ.Component)) {
	add("people", "People", func(c Chrome) templ.Component { return PeoplePage(c, testPeople()) })
	add("people-none", "People", func(c Chrome) templ.Component {
		return PeoplePage(c, PeopleView{Query: PeopleQuery{Search: "zz"}, Counts: people.UserCounts{All: 3, Active: 3}, Now: noon()})
	})
	add("person", "Petra", func(c Chrome) templ.Component { return PersonPage(c, testPerson(nil)) })
	add("person-stale", "Petra", func(c Chrome) templ.Component {
		return PersonPage(c, testPerson(func(v *PersonView) { v.Stale = true }))
	})
	add("person-link", "Petra", func(c Chrome) templ.Component {
		return PersonPage(c, testPerson(func(v *PersonView) {
			v.Link, v.Errors = &people.Invitation{URL: "https://agnes.hollisbrandt.eu/x", Problem: "No mail is set up."}, FieldErrors{"name": "Too long.", "groups": "Gone."}
		}))
	})
	add("person-deactivated", "Cyd", func(c Chrome) templ.Component {
		return PersonPage(c, testPerson(func(v *PersonView) { v.User, v.Error = testPeople().People[2], "This cannot be done." }))
	})
	add("person-delete", "Delete", func(c Chrome) templ.Component { return PersonDeletePage(c, testPeople().People[2]) })
	add("invite", "Invite", func(c Chrome) templ.Component { return InvitePage(c, InviteView{Groups: testPeople().Groups}) })
	add("invite-error", "Invite", func(c Chrome) templ.Component {
		return InvitePage(c, InviteView{Groups: testPeople().Groups, Errors: FieldErrors{"emails": "Enter one address at least.", "groups": "Gone."}})
	})
	add("invite-preview", "Invite", func(c Chrome) templ.Component { return InvitePage(c, testInvite(false)) })
	add("invite-done", "Invite", func(c Chrome) templ.Component { return InvitePage(c, testInvite(true)) })
}

func TestPeopleQueryURL(t *testing.T) {
	t.Parallel()
	for want, q := range map[string]PeopleQuery{
		"/admin/people": {Page: 1},
		"/admin/people?desc=1&group=g1&page=3&q=a%26b&sort=seen&state=invited": {Search: "a&b", State: people.InvitedUsers, Group: "g1", Order: people.OrderByLastSeen, Desc: true, Page: 3},
	} {
		if got := q.URL(); got != want {
			t.Errorf("URL = %s, want %s", got, want)
		}
	}
	q := PeopleQuery{Order: people.OrderByName, Page: 4}.sortedBy(people.OrderByName)
	if !q.Desc || q.Page != 1 || q.sortedBy(people.OrderByLastSeen).Order != people.OrderByLastSeen {
		t.Errorf("sorted %+v", q)
	}
}

func TestPeopleWords(t *testing.T) {
	t.Parallel()
	if got := testPeople().sentence(); got != "2 people active, 1 of them invited and not here yet, 1 deactivated." {
		t.Errorf("sentence = %q", got)
	}
	if got := testInvite(true).links(); got != "dan@hollisbrandt.eu\thttps://agnes.hollisbrandt.eu/x\n" {
		t.Errorf("links = %q", got)
	}
	if got := draw(t, PersonPage(testChrome(true), testPerson(nil))); !strings.Contains(got, "kept by your directory") {
		t.Error("a membership of the directory can be changed")
	}
}
