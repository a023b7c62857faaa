package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// mails is a mail server that keeps what it takes, or takes nothing.
type mails struct {
	sent   []people.Message
	broken bool
}

func (m *mails) Send(_ context.Context, mail people.Message) (people.Receipt, error) {
	if m.broken {
		return people.Receipt{}, domain.E(domain.Unavailable, "mail_refused", "The mail server answered 451 try later.")
	}
	m.sent = append(m.sent, mail)
	return people.Receipt{Server: "SMTP", Answer: "250 ok"}, nil
}

// to lists the subjects of what was sent to somebody.
func (m *mails) to(email string) []string {
	var subjects []string
	for _, mail := range m.sent {
		if mail.To == email {
			subjects = append(subjects, mail.Subject)
		}
	}
	return subjects
}

// asking is a portal with a table that may be asked for, one that nobody learns
// of, and an analyst whose colleague sees the first.
type asking struct {
	*portal
	finance, sales people.Group
	colleague      people.User
}

func newAsking(t *testing.T) *asking {
	t.Helper()
	a := &asking{portal: newPortal(t)}
	ctx, by := t.Context(), audit.System("test")
	var err error
	a.finance, err = a.store.CreateGroup(ctx, by, "Finance", "")
	must(t, err)
	a.sales, err = a.store.CreateGroup(ctx, by, "Sales", "")
	must(t, err)
	a.colleague = a.mustUser(people.NewUser{Email: "cy@example.com", Groups: []people.GroupID{a.finance.ID, a.sales.ID}})
	a.mustUser(people.NewUser{Email: "di@example.com", Groups: []people.GroupID{a.finance.ID}})
	_, err = a.store.AddMember(ctx, by, a.finance.ID, analystEmail, people.ByAdmin)
	must(t, err)
	a.mustRegister(registry.Table{Name: "orders", Description: "One row per order", Discoverable: true}, 3, a.sales.ID)
	a.mustTable("salaries", 3)
	a.mustTable("airports", 3, a.everyone())
	return a
}

// ask has the analyst ask for orders, and returns the request.
func (a *asking) ask() access.Request {
	a.t.Helper()
	a.as(a.analyst).post("/requests", url.Values{"table": {"orders"}, "reason": {" Monthly report "}}).wantRedirect("/requests")
	list, _, err := a.store.ListAccessRequests(a.t.Context(), access.RequestFilter{Viewer: a.analyst.ID, Mine: true, State: access.RequestOpen})
	must(a.t, err)
	if len(list) != 1 {
		a.t.Fatalf("%d open requests, want 1", len(list))
	}
	return list[0]
}

func (a *asking) get(id string) access.Request {
	a.t.Helper()
	q, err := a.store.GetAccessRequest(a.t.Context(), access.Principal{UserID: a.admin.ID, Admin: true}, id)
	must(a.t, err)
	return q
}

// sees reports whether the analyst's pages show the table.
func (a *asking) sees(name string) bool {
	a.t.Helper()
	return a.as(a.analyst).get("/tables/"+name).StatusCode == http.StatusOK
}

func approve(choice, days string, more ...string) url.Values {
	v := url.Values{"choice": {choice}, "days": {days}, "answer": {"Here you are"}, "version": {"1"}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func TestCatalogOffersWhatMayBeAskedFor(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	got := a.as(a.analyst).get("/catalog").wantText("Others you may ask for", "One row per order").wantNoText("salaries", "latitude")
	if rows := got.Find("table tbody tr").Length(); rows != 1 {
		t.Errorf("%d tables are listed, want airports alone", rows)
	}
	if form := got.Find("section[aria-labelledby=offers] form[action='/requests'][method=post]"); form.Find("input[name=table]").AttrOr("value", "") != "orders" || form.Find("textarea[name=reason][required]").Length() != 1 {
		t.Error("there is no form to ask with")
	}
	a.as(a.analyst).get("/catalog?q=airports").wantNoText("Others you may ask for")
	a.as(a.analyst).get("/catalog?q=order").wantText("Others you may ask for")
	a.as(a.colleague).get("/catalog").wantNoText("Others you may ask for")
	a.as(a.admin).get("/catalog").wantNoText("Others you may ask for")
	a.ask()
	if a.as(a.analyst).get("/catalog").wantText("Asked").Find("section[aria-labelledby=offers] form").Length() != 0 {
		t.Error("what was asked for can be asked for again")
	}
}

func TestAskingIsChecked(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	b := a.as(a.analyst)
	long := strings.Repeat("é", access.MaxRequestText+1)
	for _, tt := range []struct{ reason, want string }{{"", "Say what you need it for"}, {" \n ", "Say what you need it for"}, {long, "at most 1000 characters; this one has 1001"}} {
		got := b.post("/requests", url.Values{"table": {"orders"}, "reason": {tt.reason}}).wantStatus(http.StatusUnprocessableEntity).wantText(tt.want)
		if typed := got.value("textarea[name=reason]"); typed != strings.TrimSpace(tt.reason) && typed != tt.reason {
			t.Errorf("the form lost what was typed: %.20q", typed)
		}
	}
	// What does not exist and what does not say that it exists answer alike.
	for _, path := range []string{"/requests", "/requests/new"} {
		answer := func(table string) page {
			if path == "/requests" {
				return b.post(path, url.Values{"table": {table}, "reason": {"x"}})
			}
			return b.get(path + "?table=" + table)
		}
		hidden, absent := answer("salaries").wantStatus(http.StatusNotFound), answer("nothing1").wantStatus(http.StatusNotFound)
		if same := strings.ReplaceAll(absent.body, "nothing1", "salaries"); hidden.body != same {
			t.Errorf("%s: hidden and absent differ:\n%s\n%s", path, hidden.body, absent.body)
		}
	}
	a.ask()
	b.post("/requests", url.Values{"table": {"orders"}, "reason": {"again"}}).wantRedirect("/requests")
	b.get("/requests").wantText("You asked for this already")
	b.post("/requests", url.Values{"table": {"airports"}, "reason": {"x"}}).wantRedirect("/requests")
	b.get("/requests").wantText("You see this already")
	b.get("/requests/new?table=airports").wantRedirect("/tables/airports")
	a.as(a.admin).post("/requests", url.Values{"table": {"orders"}, "reason": {"x"}}).wantRedirect("/requests")
	if got := len(a.mails.sent); got != 1 {
		t.Errorf("%d mails, want one about the one request", got)
	}
}

func TestInboxHelpsToDecide(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	a.ask()
	if got := a.mails.to(adminEmail); !slices.Equal(got, []string{"Ben Analyst (ben@example.com) asks for orders"}) {
		t.Errorf("mails to the administrator: %v", got)
	}
	got := a.as(a.admin).get("/admin/access/requests").wantText(
		"Ben Analyst asks for orders", "Monthly report", "1 of 2 colleagues in Finance has it via Sales.",
		"Only ben@example.com", "1 person gains it", "Everybody in Finance", "2 people gain it", "Join Sales", "which opens 1 thing in all")
	if chosen := got.value("input[name=choice][checked]"); chosen != "person" {
		t.Errorf("chosen: %q", chosen)
	}
	if days := got.Find("select[name=days] option[selected]").AttrOr("value", ""); days != "90" {
		t.Errorf("expiry: %q", days)
	}
	if count := got.Find("a[href='/admin/access'] .count").First().Text(); !strings.Contains(count, "1") {
		t.Errorf("count beside Access: %q", count)
	}
	// It takes as many statements however many requests wait.
	queries := func() int64 {
		b := a.as(a.admin)
		b.get("/admin/access/requests")
		before := a.store.Queries()
		b.get("/admin/access/requests").wantStatus(http.StatusOK)
		return a.store.Queries() - before
	}
	one := queries()
	for i := range 10 {
		u := a.mustUser(people.NewUser{Email: fmt.Sprintf("p%d@example.com", i), Groups: []people.GroupID{a.finance.ID}})
		_, err := a.store.CreateAccessRequest(t.Context(), access.Principal{UserID: u.ID, Email: u.Email}, access.NewRequest{ResourceType: access.TableResource, ResourceID: "orders", Reason: "x", Origin: access.AskedByAPI})
		must(t, err)
	}
	if eleven := queries(); eleven != one {
		t.Errorf("%d statements for eleven requests, %d for one", eleven, one)
	}
	a.as(a.analyst).get("/admin/access/requests").wantStatus(http.StatusForbidden)
}

func TestApproving(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		choice func(*asking) string
		days   string
		opens  []string // who sees orders then, beside Sales
		told   string
	}{
		"only the person":   {func(*asking) string { return "person" }, "90", []string{analystEmail}, "ben@example.com sees orders via ben@example.com (only) until 20 February 2027."},
		"a group of theirs": {func(a *asking) string { return "group:" + string(a.finance.ID) }, "never", []string{analystEmail, "di@example.com"}, "ben@example.com sees orders via Finance."},
		"a group to join":   {func(a *asking) string { return "group:" + string(a.sales.ID) }, "90", []string{analystEmail}, "ben@example.com sees orders as a member of Sales."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAsking(t)
			q := a.ask()
			b := a.as(a.admin)
			b.post("/requests/"+q.ID+"/approve", approve(tt.choice(a), tt.days)).wantRedirect("/admin/access/requests")
			got := b.get("/admin/access/requests").wantText(tt.told, "Nobody waits for an answer.")
			for _, email := range []string{analystEmail, "di@example.com"} {
				users, err := a.store.UsersByEmail(t.Context(), []string{email})
				must(t, err)
				seen := a.as(users[0]).get("/tables/orders").StatusCode == http.StatusOK
				if seen != slices.Contains(tt.opens, email) {
					t.Errorf("%s sees orders: %t", email, seen)
				}
			}
			now := a.get(q.ID)
			if now.State != access.RequestApproved || now.DecidedBy != adminEmail || now.Answer != "Here you are" || now.Version != 2 {
				t.Errorf("the request is %+v", now)
			}
			if got := a.mails.to(analystEmail); !slices.Equal(got, []string{"You may see orders"}) {
				t.Errorf("mails to who asked: %v", got)
			}
			if (now.ExpiresAt != nil) != (tt.days == "90" && !now.Joined) {
				t.Errorf("it ends at %v", now.ExpiresAt)
			}

			undo := got.Find("#toasts form").AttrOr("action", "")
			b.post(undo, nil).wantRedirect("/admin/access/requests")
			if a.sees("orders") {
				t.Error("the undone approval still opens the table")
			}
			if now := a.get(q.ID); now.State != access.RequestOpen || now.GrantID != "" || now.DecidedAt != nil {
				t.Errorf("after the undo the request is %+v", now)
			}
			b.post("/requests/"+q.ID+"/undo", nil).wantStatus(http.StatusConflict)
			actions := a.actions("access_request.")
			if want := []string{"access_request.created", "access_request.approved", "access_request.reopened"}; !slices.Equal(actions, want) {
				t.Errorf("audit %v, want %v", actions, want)
			}
		})
	}
}

// actions are the audit rows of a kind, oldest first; before and after carry the
// same keys.
func (a *asking) actions(prefix string) []string {
	a.t.Helper()
	entries, err := a.store.ListAudit(a.t.Context(), 0)
	must(a.t, err)
	var actions []string
	for _, e := range slices.Backward(entries) {
		if !strings.HasPrefix(e.Action, prefix) {
			continue
		}
		actions = append(actions, e.Action)
		for key := range e.Before {
			if _, there := e.Params[key]; !there {
				a.t.Errorf("%s: %s is in what was before only", e.Action, key)
			}
		}
	}
	return actions
}

func TestTheGrantOfAnApprovalEnds(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	q := a.ask()
	a.as(a.admin).post("/requests/"+q.ID+"/approve", approve("person", "30")).wantRedirect("/admin/access/requests")
	if !a.sees("orders") {
		t.Fatal("the approval opened nothing")
	}
	a.clock.advance(30 * 24 * time.Hour)
	if a.sees("orders") {
		t.Error("the grant outlives its end")
	}
	q = a.ask()
	a.as(a.admin).post("/requests/"+q.ID+"/approve", approve("person", "365")).wantRedirect("/admin/access/requests")
	if !a.sees("orders") {
		t.Error("an ended grant is in the way of a new one")
	}
}

func TestDecisionsThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	other := a.mustUser(people.NewUser{Email: "eve@example.com"})
	q := a.ask()
	approved, refused := "/requests/"+q.ID+"/approve", "/requests/"+q.ID+"/refuse"
	admin := a.as(a.admin)
	for name, tt := range map[string]struct {
		by     *browser
		target string
		form   url.Values
		status int
		text   string
	}{
		"no choice":            {admin, approved, approve("", "90"), 422, "Choose who gets it"},
		"no such group":        {admin, approved, approve("group:none", "90"), 422, "There is no such group"},
		"everybody":            {admin, approved, approve("group:"+string(a.everyone()), "90"), 422, "is not given anything by a request"},
		"no number of days":    {admin, approved, approve("person", "soon"), 422, "1 to 3650 days"},
		"too many days":        {admin, approved, approve("person", "4000"), 422, "1 to 3650 days"},
		"a long answer":        {admin, approved, approve("person", "90", "answer", strings.Repeat("x", 1001)), 422, "at most 1000 characters"},
		"a version that is no": {admin, approved, approve("person", "90", "version", "x"), 400, ""},
		"no reason":            {admin, refused, url.Values{"version": {"1"}}, 422, "Say why"},
		"one's own":            {a.as(a.analyst), approved, approve("person", "90"), 403, "Somebody else decides"},
		"somebody else's":      {a.as(other), approved, approve("person", "90"), 404, ""},
		"nobody's":             {admin, "/requests/none/approve", approve("person", "90"), 404, ""},
		"withdrawn for them":   {admin, "/requests/" + q.ID + "/withdraw", url.Values{}, 403, "Only whoever asked"},
		"undone unanswered":    {admin, "/requests/" + q.ID + "/undo", url.Values{}, 409, "Only whoever approved"},
		"not signed in":        {a.nobody(), approved, approve("person", "90"), 401, ""},
	} {
		got := tt.by.post(tt.target, tt.form)
		if got.StatusCode != tt.status || !strings.Contains(strings.Join(strings.Fields(got.Text()), " "), tt.text) {
			t.Errorf("%s: %d, want %d with %q", name, got.StatusCode, tt.status, tt.text)
		}
	}
	if now := a.get(q.ID); now.State != access.RequestOpen || now.Version != 1 || a.sees("orders") {
		t.Errorf("the request is %+v", now)
	}
}

func TestTwoDecideAtOnce(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	q := a.ask()
	a.as(a.admin).post("/requests/"+q.ID+"/approve", approve("person", "90")).wantRedirect("/admin/access/requests")
	second := a.as(a.admin)
	second.post("/requests/"+q.ID+"/approve", approve("group:"+string(a.finance.ID), "90")).wantStatus(http.StatusPreconditionFailed).wantText("This was changed since you read it")
	second.post("/requests/"+q.ID+"/refuse", url.Values{"answer": {"No"}}).wantStatus(http.StatusConflict).wantText("This request is approved already by ada@example.com")
	if groups := a.grantsOf("orders"); !slices.Equal(groups, []string{"Sales", "ben@example.com (only)"}) {
		t.Errorf("orders is granted to %v", groups)
	}
	if got := a.mails.to(analystEmail); len(got) != 1 {
		t.Errorf("who asked got %v", got)
	}
}

func (a *asking) grantsOf(table string) []string {
	a.t.Helper()
	grants, err := a.store.ListGrants(a.t.Context(), access.GrantFilter{ResourceType: access.TableResource, ResourceID: table})
	must(a.t, err)
	var names []string
	for _, g := range grants {
		names = append(names, g.GroupName)
	}
	slices.Sort(names)
	return names
}

func TestRefusing(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	q := a.ask()
	a.as(a.admin).post("/requests/"+q.ID+"/refuse", url.Values{"version": {"1"}, "answer": {"Use orders_public"}}).wantRedirect("/admin/access/requests")
	if a.sees("orders") {
		t.Error("a refused request opened the table")
	}
	b := a.as(a.analyst)
	// The next visit tells, once; the chip stays until they look.
	b.get("/catalog").wantText("A request of yours for access is answered.")
	if count := b.get("/catalog").wantNoText("A request of yours for access is answered.").Find("a[href='/requests'] .count").Text(); !strings.Contains(count, "1") {
		t.Errorf("count beside Requests: %q", count)
	}
	b.get("/requests").wantText("Refused", "New", "Use orders_public", adminEmail)
	if got := b.get("/requests").wantNoText("New"); got.Find("a[href='/requests'] .count").Length() != 0 {
		t.Error("what was seen is still counted")
	}
	if got := a.mails.to(analystEmail); !slices.Equal(got, []string{"Your request for orders was refused"}) {
		t.Errorf("mails: %v", got)
	}
	a.ask() // who was refused may ask again
}

func TestWithdrawing(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	q := a.ask()
	b := a.as(a.analyst)
	b.post("/requests/"+q.ID+"/withdraw", url.Values{"version": {"1"}}).wantRedirect("/requests")
	b.get("/requests").wantText("Withdrawn", "Your request for orders is withdrawn.")
	b.post("/requests/"+q.ID+"/withdraw", url.Values{"version": {"1"}}).wantRedirect("/requests")
	b.get("/requests").wantText("This was changed since you read it")
	a.as(a.admin).post("/requests/"+q.ID+"/approve", approve("person", "90", "version", "")).wantStatus(http.StatusConflict).wantText("withdrawn already")
	if a.sees("orders") {
		t.Error("a withdrawn request opened the table")
	}
}

func TestOwnersDecide(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	owner := a.mustUser(people.NewUser{Email: "olga@example.com"})
	page := a.as(a.admin).get("/tables/orders")
	version := page.value("form[action='/tables/orders/reach'] input[name=version]")
	a.as(a.admin).post("/tables/orders/reach", url.Values{"version": {version}, "owner_email": {"nobody@example.com"}}).wantStatus(http.StatusUnprocessableEntity).wantText("Nobody here has the address")
	a.as(a.admin).post("/tables/orders/reach", url.Values{"version": {version}, "discoverable": {"false", "true"}, "owner_email": {" Olga@example.com "}}).wantRedirect("/tables/orders")
	a.as(a.admin).post("/tables/orders/reach", url.Values{"version": {version}, "owner_email": {""}}).wantStatus(http.StatusPreconditionFailed).wantText("olga@example.com", "Who decides")
	a.as(a.analyst).post("/tables/orders/reach", url.Values{"discoverable": {"false"}}).wantStatus(http.StatusForbidden)

	q := a.ask()
	if a.mails.to("olga@example.com") == nil || a.mails.to(adminEmail) != nil {
		t.Errorf("the owner decides, so the owner is told: %v", a.mails.sent)
	}
	o := a.as(owner)
	got := o.get("/requests").wantText("For you to decide", "Ben Analyst asks for orders").wantNoText("Join Sales")
	if count := got.Find("a[href='/requests'] .count").Text(); !strings.Contains(count, "1") {
		t.Errorf("count beside Requests: %q", count)
	}
	o.post("/requests/"+q.ID+"/approve", approve("group:"+string(a.sales.ID), "90")).wantStatus(http.StatusForbidden)
	o.post("/requests/"+q.ID+"/approve", approve("person", "90")).wantRedirect("/requests")
	if !a.sees("orders") {
		t.Error("what the owner approved opened nothing")
	}
	a.as(a.admin).get("/admin/access/requests?state=approved").wantText("olga@example.com", "ben@example.com sees orders")
}

func TestAMailThatDoesNotLeaveTakesNothingBack(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	a.mails.broken = true
	q := a.ask()
	b := a.as(a.admin)
	b.post("/requests/"+q.ID+"/approve", approve("person", "90")).wantRedirect("/admin/access/requests")
	b.get("/admin/access/requests").wantText("ben@example.com sees orders", "The mail about it did not leave: The mail server answered 451 try later.")
	if !a.sees("orders") || !strings.Contains(a.log.String(), "a mail about a request did not leave") {
		t.Error("the decision was lost, or nothing is logged")
	}
}

func TestWhatIsGoneOpensNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		then func(*asking)
		text string
	}{
		"the table": {func(a *asking) {
			_, err := a.store.Unregister(a.t.Context(), audit.System("test"), []registry.TableID{"orders"})
			must(a.t, err)
		}, "was removed meanwhile"},
		"the account": {func(a *asking) {
			off := false
			_, err := a.store.UpdateUser(a.t.Context(), audit.System("test"), a.analyst.ID, people.UserChange{Active: &off})
			must(a.t, err)
		}, "is deactivated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAsking(t)
			q := a.ask()
			tt.then(a)
			a.as(a.admin).post("/requests/"+q.ID+"/approve", approve("person", "90")).wantStatus(http.StatusConflict).wantText(tt.text)
			a.as(a.admin).post("/requests/"+q.ID+"/refuse", url.Values{"answer": {"Gone"}}).wantRedirect("/admin/access/requests")
			if got := a.get(q.ID).State; got != access.RequestRefused {
				t.Errorf("the request is %s", got)
			}
		})
	}
}
