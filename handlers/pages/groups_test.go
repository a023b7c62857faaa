package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
)

func (p *portal) groupAt(id people.GroupID) string { return "/admin/groups/" + string(id) }

func (p *portal) members(id people.GroupID) []string {
	p.t.Helper()
	list, err := p.store.ListMembers(p.t.Context(), id)
	must(p.t, err)
	var emails []string
	for _, m := range list {
		emails = append(emails, m.Email)
	}
	return emails
}

func TestGroupsPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	p.group("Books")
	p.mustUser(people.NewUser{Email: "cyd@example.com", Groups: []people.GroupID{sales}})
	_, err := p.store.PersonGroup(t.Context(), p.actor(), p.analyst.ID)
	must(t, err)
	b := p.as(p.admin)
	for query, want := range map[string][]string{
		"":                                    {"Admin", "Everyone", "Books", "Sales"},
		"?q=SAL":                              {"Sales"},
		"?origin=system":                      {"Admin", "Everyone"},
		"?origin=person":                      {"ben@example.com (only)"},
		"?sort=members&desc=1":                {"Everyone", "Admin", "Sales", "Books"},
		"?origin=nonsense&page=x&sort=&desc=": {"Admin", "Everyone", "Books", "Sales"},
	} {
		if rows := rowsOf(b.get("/admin/groups" + query).wantStatus(http.StatusOK)); !slices.Equal(rows, want) {
			t.Errorf("%s: %v, want %v", query, rows, want)
		}
	}
	b.get("/admin/groups").wantText("4 groups, 1 more of one person each.", "Of one person", "everything", "administrators", "Agnes itself")
	b.get("/admin/groups?q=zzz").wantText("No group matches.", "Show all 4")
	b.get("/admin/groups?page=9").wantText("This page is past the end.")
	if n := b.get("/admin/people").Find(`a[href="/admin/groups"]`).Length(); n == 0 {
		t.Error("no way from people to groups")
	}
	if got := b.get("/admin/people"); strings.Contains(got.Find("#people-group").Text(), "(only)") {
		t.Error("people can be narrowed by a group of one of them")
	}
}

func TestGroupPagesAreForAdministrators(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	at := p.groupAt(p.group("Sales"))
	for _, path := range []string{"/admin/groups", "/admin/groups/new", at, at + "/candidates", "/admin/bin"} {
		p.as(p.analyst).get(path).wantStatus(http.StatusForbidden)
		p.nobody().get(path).wantStatus(http.StatusUnauthorized)
	}
	b := p.as(p.admin)
	user := "/members/" + string(p.analyst.ID)
	for _, action := range []string{"", "/members", user + "/remove", user + "/add", "/delete"} {
		p.as(p.analyst).post(at+action, nil).wantStatus(http.StatusForbidden)
		b.post("/admin/groups/nothing"+action, url.Values{"name": {"x"}, "who": {"ben@example.com"}}).wantStatus(http.StatusNotFound)
	}
	b.get("/admin/groups/nothing").wantStatus(http.StatusNotFound)
	b.post(at+"/members/nobody/remove", nil).wantStatus(http.StatusNotFound)
	b.post("/admin/bin/nothing/restore", nil).wantStatus(http.StatusNotFound)
	p.as(p.analyst).post("/admin/bin/nothing/restore", nil).wantStatus(http.StatusForbidden)
}

func TestPagesOfGroupsTakeAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	b := p.as(p.admin)
	paths := []string{"/admin/groups", p.groupAt(sales), "/admin/bin"}
	count := func() []int64 {
		var counts []int64
		for _, path := range paths {
			before := p.store.Queries()
			b.get(path).wantStatus(http.StatusOK)
			counts = append(counts, p.store.Queries()-before)
		}
		return counts
	}
	few := count()
	for i := range 60 {
		p.mustUser(people.NewUser{Email: fmt.Sprintf("p%d@example.com", i), Groups: []people.GroupID{sales, p.group(fmt.Sprintf("g%d", i))}})
		_, err := p.store.DeleteGroup(t.Context(), p.actor(), p.group(fmt.Sprintf("gone%d", i)))
		must(t, err)
	}
	if many := count(); !slices.Equal(many, few) {
		t.Errorf("%v statements with many, %v with few", many, few)
	}
	if rows := rowsOf(b.get(p.groupAt(sales) + "?page=2")); len(rows) != 10 {
		t.Errorf("page 2 has %d members, want 10", len(rows))
	}
	if rows := rowsOf(b.get(p.groupAt(sales) + "?q=P59")); len(rows) != 1 {
		t.Errorf("a search finds %v", rows)
	}
}

func TestGroupIsMadeAndChanged(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	for _, name := range []string{" ", "ADMIN", strings.Repeat("x", 129)} {
		got := b.post("/admin/groups", url.Values{"name": {name}, "description": {"kept"}}).wantStatus(http.StatusUnprocessableEntity)
		if got.value("#name") != name || got.value("#description") != "kept" || got.Find("#name-error").Length() != 1 {
			t.Errorf("%q: what was typed is lost, or nothing says what is wrong", name)
		}
	}
	b.post("/admin/groups", url.Values{"name": {" Sales "}, "description": {"Sells"}}).wantStatus(http.StatusSeeOther)
	g, err := p.store.GetGroupByName(t.Context(), "Sales")
	must(t, err)
	at := p.groupAt(g.ID)
	page := b.get(at).wantText("The group Sales is made.", "Nobody is in this group yet.", "It opens nothing yet.")
	version := page.value(`input[name=version]`)

	b.post(at, url.Values{"version": {version}, "description": {"Sells things"}}).wantRedirect(at) // the name was not sent, and stays
	if g, err = p.store.GetGroup(t.Context(), g.ID); err != nil || g.Name != "Sales" || g.Description != "Sells things" {
		t.Errorf("after the change: %+v, %v", g, err)
	}
	got := b.post(at, url.Values{"version": {"2"}, "name": {"everyone"}, "description": {"typed"}}).wantStatus(http.StatusUnprocessableEntity)
	if got.value("#name") != "everyone" || got.value("#description") != "typed" || got.value("input[name=version]") != "2" {
		t.Error("what was typed is lost")
	}
	if rows := p.audited("user_group.updated"); len(rows) != 1 || rows[0].Before["description"] != "Sells" || rows[0].Params["description"] != "Sells things" {
		t.Errorf("audit rows %+v", rows)
	}
}

func TestClashOfAGroupIsDecided(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]string{keepTheirs: "Sales EU: all of it", saveMine: "Sales & Co: all of it"} {
		p := newPortal(t)
		sales := p.group("Sales")
		b, at, theirs := p.as(p.admin), p.groupAt(sales), "Sales EU"
		_, err := p.store.UpdateGroup(t.Context(), p.actor(), sales, people.GroupChange{Name: &theirs})
		must(t, err)
		got := b.post(at, url.Values{"version": {"1"}, "name": {"Sales & Co"}, "description": {"all of it"}}).
			wantStatus(http.StatusPreconditionFailed).wantText("This group was changed meanwhile", "Sales EU", "Sales & Co", "changed by both", "system:test changed it")
		b.sendAs(got, verb).wantRedirect(at)
		if g, err := p.store.GetGroup(t.Context(), sales); err != nil || g.Name+": "+g.Description != want {
			t.Errorf("%s: %+v, %v, want %s", verb, g, err, want)
		}
	}
}

func TestMembersAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	cyd := p.mustUser(people.NewUser{Email: "cyd@example.com", Name: "Cyd"})
	b, at := p.as(p.admin), p.groupAt(sales)

	for form, want := range map[string]string{
		"who=":               "Name somebody by their address",
		"who=ben":            "ben: This is no e-mail address",
		"emails=cyd@,+ben":   "This is no e-mail address",
		"emails=+%2C+&who=+": "Enter one address at least.",
	} {
		values, err := url.ParseQuery(form)
		must(t, err)
		b.post(at+"/members", values).wantStatus(http.StatusUnprocessableEntity).wantText(want)
	}
	b.post(at+"/members", url.Values{"who": {"CYD@example.com"}}).wantRedirect(at)
	b.get(at).wantText("Cyd is in Sales now.", "by an administrator")
	got := b.post(at+"/members", url.Values{"emails": {"Ben <ben@example.com>; cyd@example.com, ben@example.com\nnew@example.com newer@example.com"}}).
		wantStatus(http.StatusUnprocessableEntity).wantText("1 person joined.", "new@example.com, newer@example.com have no account here.", "Invite them into this group")
	if members := p.members(sales); !slices.Equal(members, []string{"ben@example.com", "cyd@example.com"}) {
		t.Errorf("members %v", members)
	}
	invite := b.get(got.Find("#unknown a").AttrOr("href", "")).wantStatus(http.StatusOK)
	if invite.value("#emails") != "new@example.com\nnewer@example.com" || invite.Find(`input[value="`+string(sales)+`"][checked]`).Length() != 1 {
		t.Errorf("the invitation starts with %q", invite.value("#emails"))
	}
	b.post(at+"/members", url.Values{"who": {"cyd@example.com"}}).wantRedirect(at)
	b.get(at).wantText("Cyd is in Sales already.")

	b.post(at+"/members/"+string(cyd.ID)+"/remove", nil).wantRedirect(at)
	undo := b.get(at).wantText("Cyd is out of Sales.").Find("[data-toast] form").AttrOr("action", "")
	if members := p.members(sales); !slices.Equal(members, []string{"ben@example.com"}) {
		t.Errorf("after the removal: %v", members)
	}
	b.post(undo, nil).wantRedirect(at)
	if members := p.members(sales); len(members) != 2 {
		t.Errorf("after the undo: %v", members)
	}
	if added, removed := p.audited("user_group.member_added"), p.audited("user_group.member_removed"); len(added) != 3 || len(removed) != 1 || removed[0].Actor.UserID != string(p.admin.ID) {
		t.Errorf("%d rows of joining, %d of leaving", len(added), len(removed))
	}
	options := b.get(at + "/candidates?who=CY").wantStatus(http.StatusOK)
	if options.Find("option").Length() != 1 || options.Find("option").AttrOr("value", "") != "cyd@example.com" || strings.Contains(options.body, "<nav") {
		t.Errorf("candidates: %s", options.body)
	}
}

func TestMembersThatStay(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	_, err := p.store.AddMember(t.Context(), p.actor(), sales, analystEmail, people.ByGoogleSync)
	must(t, err)
	alone, err := p.store.PersonGroup(t.Context(), p.actor(), p.analyst.ID)
	must(t, err)
	admins, err := p.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	b, ben := p.as(p.admin), "/members/"+string(p.analyst.ID)

	b.get(p.groupAt(sales)).wantText("from Google Workspace", "removed in Google Workspace")
	b.post(p.groupAt(sales)+ben+"/remove", nil).wantStatus(http.StatusNotFound).wantText("has no membership of Sales that can be removed here", "Members")
	b.post(p.groupAt(admins.ID)+"/members/"+string(p.admin.ID)+"/remove", nil).wantStatus(http.StatusConflict).wantText("is the last active administrator")
	b.get(p.groupAt(alone.ID)).wantText("This group was made for one person alone", "theirs alone")
	b.post(p.groupAt(alone.ID)+"/members", url.Values{"who": {adminEmail}}).wantStatus(http.StatusConflict).wantText("of one person alone")

	everyone := p.groupAt(p.everyone())
	if rows := rowsOf(b.get(everyone).wantText("Everybody with an active account is a member of Everyone")); !slices.Equal(rows, []string{"Ada Admin", "Ben Analyst"}) {
		t.Errorf("Everyone has %v", rows)
	}
	b.post(everyone+"/members", url.Values{"who": {analystEmail}}).wantStatus(http.StatusConflict).wantText("so nobody is added to it")
	b.post(everyone+ben+"/remove", nil).wantStatus(http.StatusNotFound).wantText("can be removed here")
	for _, id := range []people.GroupID{p.everyone(), admins.ID} {
		b.post(p.groupAt(id)+"/delete", nil).wantStatus(http.StatusConflict).wantText("cannot be deleted")
		b.post(p.groupAt(id), url.Values{"name": {"Other"}}).wantStatus(http.StatusUnprocessableEntity)
	}
}

func TestWhoIsAnAdministratorChangesAfterARecentSignIn(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	admins, err := p.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	sales := p.group("Sales")
	b, at := p.as(p.admin), p.groupAt(admins.ID)
	b.post(at+"/members", url.Values{"who": {analystEmail}}).wantRedirect(at)
	p.clock.advance(access.RecentFor + time.Minute)
	b.get(at).wantText("only after a sign-in of the last 15 minutes")
	for _, action := range []string{"/members", "/members/" + string(p.analyst.ID) + "/remove", "/members/" + string(p.analyst.ID) + "/add"} {
		got := b.post(at+action, url.Values{"who": {"x@example.com"}}, "Referer", "http://example.com"+at)
		if got.wantStatus(http.StatusSeeOther).Header.Get("Location") != "/confirm?next="+url.QueryEscape(at) {
			t.Errorf("%s leads to %s", action, got.Header.Get("Location"))
		}
	}
	if members := p.members(admins.ID); len(members) != 2 {
		t.Errorf("administrators: %v", members)
	}
	b.post(p.groupAt(sales)+"/members", url.Values{"who": {analystEmail}}).wantRedirect(p.groupAt(sales))
}

func TestDeletedGroupsComeBack(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	p.mustTable("orders", 3, sales)
	b, at := p.as(p.admin), p.groupAt(sales)
	b.post(at+"/members", url.Values{"who": {analystEmail}}).wantRedirect(at)

	b.post(at+"/delete", nil).wantRedirect("/admin/groups")
	undo := b.get("/admin/groups").wantText("The group Sales is deleted, with its grants.").Find("[data-toast] form").AttrOr("action", "")
	b.get(at).wantStatus(http.StatusNotFound)
	b.get("/admin/bin").wantText("Sales", "Group", "1 member, 1 grant", adminEmail, "Bring back")
	b.post(undo, nil).wantRedirect(at)
	b.get(at).wantText("The group Sales is back, with its members and grants.", "Ben Analyst", "It opens 1 resource to 1 person.")
	b.post(undo, nil).wantRedirect("/admin/bin")
	b.get("/admin/bin").wantText("Sales was brought back already.", "Nothing was deleted in the last 30 days.")
	p.as(p.analyst).get("/tables/orders").wantStatus(http.StatusOK)

	b.post(at+"/delete", nil).wantRedirect("/admin/groups")
	p.group("sales")
	b.post(p.bin(), nil).wantRedirect("/admin/bin")
	b.get("/admin/bin").wantText("exists already")
}

// bin is where the newest thing of the bin is brought back.
func (p *portal) bin() string {
	p.t.Helper()
	list, err := p.store.ListBin(p.t.Context(), 1)
	must(p.t, err)
	return "/admin/bin/" + list[0].ID + "/restore"
}

func TestRemovedTablesComeBack(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("orders", 3, p.everyone())
	b := p.as(p.admin)
	b.post("/tables/orders/remove", nil).wantStatus(http.StatusSeeOther)
	undo := b.get("/catalog").wantText("orders is removed").Find("[data-toast] form").AttrOr("action", "")
	if undo != p.bin() {
		t.Fatalf("undo posts to %q", undo)
	}
	b.post(undo, nil).wantRedirect("/tables/orders")
	b.get("/tables/orders").wantText("orders is registered again, with its grants.")
	p.as(p.analyst).get("/tables/orders").wantStatus(http.StatusOK)
}

func TestGroupsOfABrokenStore(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.groupAt(p.group("Sales"))
	b := p.as(p.admin)
	p.Groups = brokenGroups{Groups: p.store}
	for _, path := range []string{"/admin/groups", sales, "/admin/bin"} {
		b.get(path).wantStatus(http.StatusInternalServerError).wantNoText("disk I/O", "system.db")
	}
}
