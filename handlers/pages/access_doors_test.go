package pages

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/views"
)

func TestAccessByGroup(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	b.get("/admin/access?view=group").wantStatus(http.StatusOK).wantText("Everyone", "Finance", "Sales")
	b.get("/admin/access?view=group&q=fin").wantText("Finance").wantNoText("Sales")
	b.get("/admin/access?view=group&q=zzz").wantText("No group matches.")
	at := "/admin/access?view=group&group=" + string(c.sales)
	b.get(at).wantStatus(http.StatusOK).wantText("2 people, 1 grant", "orders", "system:test", "22 November", "without end")
	got := b.get(at + "&add=pay").wantText("payments")
	review := b.post("/admin/access/review", url.Values{"edits": {got.value("li input[name=edits]")}, "back": {at}}).wantStatus(http.StatusOK).
		wantText("1 group, 2 people gain 1 table.")
	b.post("/admin/access/apply", url.Values{"edits": {review.value("input[name=edits]")}, "back": {at}, "confirm": {"1"}}).wantRedirect(at)
	got = b.get(at).wantText("2 grants", "payments")
	b.post("/admin/access/review", url.Values{"edits": {got.Find("td input[name=edits]").First().AttrOr("value", "")}, "back": {at}}).wantStatus(http.StatusOK).wantText("orders", "loses it")
	b.get("/admin/access?view=group&group=nothing").wantStatus(http.StatusNotFound)
}

func TestAccessByTable(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	b.get("/admin/access?view=table").wantStatus(http.StatusOK).wantText("orders", "payments", "Nobody")
	b.get("/admin/access?view=table&table=orders").wantStatus(http.StatusOK).
		wantText("1 group with a grant, 3 people can see it", "Ann", "Bob", "Ada Admin", "an administrator, who sees everything",
			"member of Sales since 22 November by system:test; granted by system:test on 22 November").
		wantNoText("Ben Analyst")
	b.get("/admin/access?view=table&table=orders&q=bob").wantText("Bob").wantNoText("Ann")
	b.get("/admin/access?view=table&table=rates").wantText("4 people can see it", "Ben Analyst", "like Everyone; granted by")
	b.get("/admin/access?view=table&table=nothing").wantStatus(http.StatusNotFound)
	b.get("/tables/orders?tab=readers").wantStatus(http.StatusOK).wantText("Who can see it", "member of Sales since")
	c.as(c.ann).get("/tables/orders?tab=readers").wantStatus(http.StatusOK).wantNoText("member of Sales since")
}

func TestAccessByPersonAndItsRoots(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	c.mustApply(adds(c.finance, "orders"), adds(c.finance, "payments"))
	b.get("/admin/access?view=person").wantStatus(http.StatusOK).wantText("Ann", "Bob")
	at := "/admin/access?user=" + string(c.bob.ID) + "&view=person"
	got := b.get(at).wantStatus(http.StatusOK).
		wantText("can see 3 tables", "member of Finance since", "Take orders from Finance (1 person)", "Take orders from Sales (2 people)", "Leave Finance (1 person)", "Take rates from Everyone")
	b.post("/admin/access/review", url.Values{"edits": {got.Find("td input[name=edits]").First().AttrOr("value", "")}, "back": {at}}).wantStatus(http.StatusOK).
		wantText("orders", "Finance", "nobody gains or loses anything")

	leave := got.Find("a[href*='/admin/access/leave']").First().AttrOr("href", "")
	b.get(leave).wantStatus(http.StatusOK).wantText("Take Bob out of Finance?", "Bob loses 1 table that no other group opens for them.")
	b.post("/admin/access/leave", url.Values{"group": {string(c.finance)}, "user": {string(c.bob.ID)}, "back": {at}}).wantRedirect(at)
	back := b.get(at).wantText("bob@example.com left Finance.", "can see 2 tables").wantNoText("member of Finance")
	undo := back.Find("[data-toast] form").AttrOr("action", "")
	b.post(undo, nil).wantStatus(http.StatusSeeOther)
	b.get(at).wantText("bob@example.com is back in Finance.", "member of Finance since")
	b.get("/admin/access?view=person&user=nobody").wantStatus(http.StatusNotFound)
	b.get("/admin/access?view=person&user=" + string(c.admin.ID)).wantText("is an administrator and sees everything")

	_, err := c.store.AddMember(t.Context(), c.actor(), c.finance, c.ann.Email, people.ByGoogleSync)
	must(t, err)
	b.get("/admin/access?view=person&user=" + string(c.ann.ID)).wantText("Your directory keeps the membership.").wantNoText("Leave Finance")
}

func TestWhoIsAnAdministratorIsChangedAfterARecentSignIn(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	admins, err := c.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	b := c.as(c.admin)
	c.clock.advance(access.RecentFor + time.Minute)
	form := url.Values{"group": {string(admins.ID)}, "user": {string(c.bob.ID)}}
	for _, path := range []string{"/admin/access/leave", views.RejoinURL(admins.ID, c.bob.ID)} {
		if got := b.post(path, form); got.StatusCode < 300 {
			t.Errorf("%s answers an old sign-in with %d", path, got.StatusCode)
		}
	}
	bob, err := c.store.GetUser(t.Context(), c.bob.ID)
	must(t, err)
	if bob.Admin {
		t.Error("an old sign-in made an administrator")
	}
	c.as(c.admin).post(views.RejoinURL(admins.ID, c.bob.ID), nil).wantStatus(http.StatusSeeOther)
	if bob, err = c.store.GetUser(t.Context(), c.bob.ID); err != nil || !bob.Admin {
		t.Errorf("a recent sign-in: administrator %t, %v", bob.Admin, err)
	}
}

func TestGrantsOnTablesThatAreGone(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	partial := []string{"HX-Request", "true", "HX-Request-Type", "partial"}
	b.get("/admin/access/gone", partial...).wantNoText("gone")
	_, err := c.store.CreateGrant(t.Context(), c.actor(), access.NewGrant{Group: c.sales, ResourceType: access.TableResource, ResourceID: "old_orders"})
	must(t, err)
	b.get("/admin/access/gone", partial...).wantText("1 grant on tables that are gone")
	got := b.get("/admin/access/gone").wantStatus(http.StatusOK).wantText("old_orders", "Sales")
	b.get("/admin/access").wantNoText("old_orders")
	b.get("/admin/access?view=group&group="+string(c.sales)).wantText("old_orders", "this table is gone")
	b.post("/admin/access/apply", url.Values{"edits": {got.Find("td input[name=edits]").First().AttrOr("value", "")}, "back": {"/admin/access/gone"}, "confirm": {"1"}}).wantRedirect("/admin/access/gone")
	b.get("/admin/access/gone").wantText("There are none.")
}

func TestEndedGrantsOpenNoDoor(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	end := c.clock.now().Add(time.Hour)
	c.mustApply(access.Edit{Cell: tableCell(c.finance, "payments"), Want: &access.CellGrant{ExpiresAt: &end}})
	c.clock.advance(2 * time.Hour)
	b := c.as(c.admin)
	b.get("/admin/access?view=table&table=payments").wantText("0 groups with a grant, 1 person can see it", "ended on 22 November").wantNoText("Bob")
	b.get("/admin/access?view=person&user=" + string(c.bob.ID)).wantText("can see 2 tables").wantNoText("payments")
	b.get("/admin/access?nobody=1").wantText("payments")
}
