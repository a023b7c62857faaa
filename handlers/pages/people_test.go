package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// inviter makes links; it mails them when it can, and fails for some addresses.
type inviter struct {
	mails bool
	fails map[string]bool
	sent  []string
}

func (i *inviter) link(kind string, u people.User) (people.Invitation, error) {
	if i.fails[u.Email] {
		return people.Invitation{}, domain.E(domain.Unavailable, "mail_refused", "The mail server did not take the mail.")
	}
	i.sent = append(i.sent, kind+" "+u.Email)
	if i.mails {
		return people.Invitation{Mailed: true}, nil
	}
	return people.Invitation{URL: "https://agnes.example/" + kind + "/" + u.Email, Problem: "No mail is set up."}, nil
}

func (i *inviter) Invite(_ context.Context, _ audit.Actor, u people.User) (people.Invitation, error) {
	return i.link("invite", u)
}

func (i *inviter) Reset(_ context.Context, _ audit.Actor, u people.User) (people.Invitation, error) {
	return i.link("reset", u)
}

func (p *portal) group(name string) people.GroupID {
	p.t.Helper()
	g, err := p.store.CreateGroup(p.t.Context(), p.actor(), name, "")
	must(p.t, err)
	return g.ID
}

func rowsOf(p page) []string {
	return p.Find("tbody th a").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
}

func TestPeoplePage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	p.mustUser(people.NewUser{Email: "cyd@example.com", Groups: []people.GroupID{sales}, Invited: true})
	b := p.as(p.admin)
	for query, want := range map[string][]string{
		"":                            {"Ada Admin", "Ben Analyst", "cyd@example.com"},
		"?q=BEN":                      {"Ben Analyst"},
		"?state=invited":              {"cyd@example.com"},
		"?state=admins":               {"Ada Admin"},
		"?group=" + string(sales):     {"cyd@example.com"},
		"?sort=name&desc=1":           {"cyd@example.com", "Ben Analyst", "Ada Admin"},
		"?state=nonsense&page=x&sort": {"Ada Admin", "Ben Analyst", "cyd@example.com"},
	} {
		got := b.get("/admin/people" + query).wantStatus(http.StatusOK)
		if rows := rowsOf(got); !slices.Equal(rows, want) {
			t.Errorf("%s: %v, want %v", query, rows, want)
		}
	}
	b.get("/admin/people").wantText("3 people active, 1 of them invited and not here yet.", "Sales", "Invited")
	b.get("/admin/people?q=zzz").wantText("Nobody matches.", "Show all 3")
	b.get("/admin/people?page=9").wantText("This page is past the end.")
	fragment := b.get("/admin/people?q=ben", "HX-Request", "true", "HX-Request-Type", "partial")
	if strings.Contains(fragment.body, "<html") || !strings.Contains(fragment.body, "Ben Analyst") {
		t.Errorf("fragment: %.200s", fragment.body)
	}
	for _, path := range []string{"/admin/people", "/admin/people/invite", "/admin/people/" + string(p.analyst.ID)} {
		p.as(p.analyst).get(path).wantStatus(http.StatusForbidden)
		p.nobody().get(path).wantStatus(http.StatusUnauthorized)
	}
}

func TestPeoplePageTakesAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	count := func() int64 {
		before := p.store.Queries()
		b.get("/admin/people?sort=seen").wantStatus(http.StatusOK)
		return p.store.Queries() - before
	}
	few := count()
	for i := range 120 {
		p.mustUser(people.NewUser{Email: fmt.Sprintf("p%d@example.com", i), Groups: []people.GroupID{p.group(fmt.Sprintf("g%d", i))}})
	}
	if many := count(); many != few {
		t.Errorf("%d statements for 122 people, %d for 2", many, few)
	}
	if rows := rowsOf(b.get("/admin/people?page=3")); len(rows) != 22 {
		t.Errorf("page 3 has %d people, want 22", len(rows))
	}
}

func TestPersonIsChanged(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales, synced := p.group("Sales"), p.group("Directory")
	_, err := p.store.AddMember(t.Context(), p.actor(), synced, analystEmail, people.ByGoogleSync)
	must(t, err)
	b, at := p.as(p.admin), "/admin/people/"+string(p.analyst.ID)

	got := b.get(at).wantStatus(http.StatusOK).wantText("Ben Analyst", "kept by your directory", "everybody is", "signs in through your directory")
	if _, fixed := got.Find(`input[value="` + string(synced) + `"]`).Attr("disabled"); !fixed {
		t.Error("a group of the directory can be ticked")
	}
	b.post(at, url.Values{"name": {" Ben\tB. "}}).wantRedirect(at)
	b.get(at).wantText("ben@example.com is shown as Ben B.")
	long := strings.Repeat("x", 201)
	if got := b.post(at, url.Values{"name": {long}}).wantStatus(http.StatusUnprocessableEntity); got.value("#name") != long {
		t.Error("what was typed is lost")
	}
	b.post(at+"/groups", url.Values{"group": {string(sales)}}).wantRedirect(at)
	b.post(at+"/groups", url.Values{"group": {}}).wantStatus(http.StatusPreconditionFailed).wantText("Somebody changed it", "Sales")
	b.post(at+"/groups", url.Values{"group": {string(sales), "gone"}, "was": {string(sales)}}).wantStatus(http.StatusUnprocessableEntity).wantText("Group not found")

	b.post(at+"/deactivate", nil).wantRedirect(at)
	page := b.get(at).wantText("Ben B. is deactivated and signed out everywhere.", "Undo", "Reactivate")
	if action := page.Find("[data-toast] form").AttrOr("action", ""); action != at+"/reactivate?version=3" {
		t.Errorf("undo posts to %q", action)
	}
	b.post(at+"/invite", nil).wantStatus(http.StatusConflict).wantText("Reactivate the account first")
	b.post(at+"/reactivate", nil).wantRedirect(at)
	b.post(at+"/reset", nil).wantStatus(http.StatusConflict).wantText("There is no password to set here")
	b.post(at+"/delete", nil).wantStatus(http.StatusConflict).wantText("Deactivate the account instead")
	b.get("/admin/people/nobody").wantStatus(http.StatusNotFound)
	for _, action := range []string{"", "/groups", "/deactivate", "/invite", "/delete"} {
		b.post("/admin/people/nobody"+action, nil).wantStatus(http.StatusNotFound)
		p.as(p.analyst).post(at+action, nil).wantStatus(http.StatusForbidden)
	}
}

func TestPersonIsDeletedOnlyAfterAQuestion(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b, at := p.as(p.admin), "/admin/people/"+string(p.analyst.ID)
	b.get(at+"/delete").wantStatus(http.StatusOK).wantText("Delete Ben Analyst?", "cannot be undone")
	b.post(at+"/delete", nil).wantRedirect("/admin/people")
	b.get("/admin/people").wantText("The account of ben@example.com is deleted.")
	b.get(at).wantStatus(http.StatusNotFound)
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b, at := p.as(p.admin), "/admin/people/"+string(p.admin.ID)
	admins, err := p.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	b.get(at).wantText("This is your own account").wantNoText("Deactivate ")
	b.post(at+"/groups", url.Values{"was": {string(admins.ID)}}).wantStatus(http.StatusUnprocessableEntity).wantText("last active administrator")
	b.post(at+"/deactivate", nil).wantStatus(http.StatusConflict).wantText("You cannot deactivate yourself")
	b.post(at+"/delete", nil).wantStatus(http.StatusConflict).wantText("You cannot delete yourself")
	b.get("/admin/people").wantStatus(http.StatusOK)
}

func TestLinksOfAPerson(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b, at := p.as(p.admin), "/admin/people/"+string(p.analyst.ID)
	got := b.post(at+"/invite", nil).wantStatus(http.StatusOK).wantText("No mail is set up.", "It is shown once.")
	if link := got.value("#link"); link != "https://agnes.example/invite/ben@example.com" {
		t.Errorf("link = %q", link)
	}
	b.get(at).wantNoText("agnes.example")
	p.inviter.mails = true
	b.post(at+"/reset", nil).wantRedirect(at)
	b.get(at).wantText("A link to set a password was mailed to ben@example.com.")
	p.inviter.fails = map[string]bool{analystEmail: true}
	b.post(at+"/reset", nil).wantStatus(http.StatusServiceUnavailable).wantText("The mail server did not take the mail.", "Ben Analyst")
}

func TestInvite(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales := p.group("Sales")
	b := p.as(p.admin)
	p.inviter.fails = map[string]bool{"dan@example.com": true}
	form := url.Values{"emails": {"Cyd C <cyd@example.com>; ben@example.com, nonsense\ndan@example.com"}, "group": {string(sales)}}

	b.get("/admin/people/invite").wantStatus(http.StatusOK).wantText("Sales", "See what will happen")
	preview := b.post("/admin/people/invite", form).wantStatus(http.StatusOK).
		wantText("2 people will be invited, 1 is known already, 1 cannot be read.", "Cyd C", "Has an account", "This is no e-mail address", "Invite 2 people")
	if got := preview.value("#emails"); got != form.Get("emails") {
		t.Errorf("the list is lost: %q", got)
	}
	if _, ticked := preview.Find(`input[value="` + string(sales) + `"]`).Attr("checked"); !ticked {
		t.Error("the group is lost")
	}
	if _, total, err := p.store.ListUsers(t.Context(), people.UserFilter{}); err != nil || total != 2 {
		t.Errorf("a preview made people: %d, %v", total, err)
	}

	form.Set("do", "invite")
	done := b.post("/admin/people/invite", form).wantStatus(http.StatusOK).
		wantText("1 person was invited, 1 account has no link yet, 1 is known already, 1 cannot be read.", "The mail server did not take the mail.")
	if got := done.value("#links"); got != "cyd@example.com\thttps://agnes.example/invite/cyd@example.com\n" {
		t.Errorf("links: %q", got)
	}
	cyd, err := p.store.GetUserByEmail(t.Context(), "cyd@example.com")
	must(t, err)
	if cyd.Name != "Cyd C" || !cyd.Waiting() || len(cyd.Groups) != 1 || cyd.Groups[0].ID != sales {
		t.Errorf("made %+v", cyd)
	}
	b.post("/admin/people/invite", form).wantText("3 are known already, 1 cannot be read.")

	for name, wrong := range map[string]url.Values{
		"Enter one address at least.": {"emails": {" , "}},
		"One of the groups is gone.":  {"emails": {"x@example.com"}, "group": {"gone"}, "do": {"invite"}},
	} {
		b.post("/admin/people/invite", wrong).wantStatus(http.StatusUnprocessableEntity).wantText(name)
	}
	p.as(p.analyst).post("/admin/people/invite", form).wantStatus(http.StatusForbidden)
}

func TestSignInsAreAudited(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	hash, err := people.HashPassword("correct horse")
	must(t, err)
	p.mustUser(people.NewUser{Email: "cyd@example.com", PasswordHash: hash})
	p.SignIn.Throttle = &people.Throttle{Counter: p.store}
	b := p.nobody()
	try := func(password string) page {
		return b.post("/login", url.Values{"email": {"cyd@example.com"}, "password": {password}})
	}
	try("correct horse").wantStatus(http.StatusSeeOther)
	b.post("/logout", nil).wantStatus(http.StatusSeeOther)
	for range 10 {
		try("wrong-secret").wantStatus(http.StatusUnauthorized)
	}
	last := try("correct horse").wantStatus(http.StatusTooManyRequests).wantText("Too many attempts to sign in to this account. Wait a minute")
	if last.Header.Get("Retry-After") != "60" || last.value("#account") != "cyd@example.com" {
		t.Errorf("headers %v", last.Header)
	}
	entries, err := p.store.ListAudit(t.Context(), 100)
	must(t, err)
	counts := map[string]int{}
	for _, e := range entries {
		counts[fmt.Sprint(e.Action, " ", e.Params["reason"])]++
		if strings.Contains(fmt.Sprint(e.Params), "wrong-secret") {
			t.Errorf("a password is in the audit log: %+v", e)
		}
	}
	for row, want := range map[string]int{"login_succeeded <nil>": 1, "logout <nil>": 1, "login_failed invalid_credentials": 10, "login_failed too_many_attempts": 1} {
		if counts[row] != want {
			t.Errorf("%d rows %s, want %d", counts[row], row, want)
		}
	}
}
