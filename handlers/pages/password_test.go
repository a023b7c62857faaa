package pages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/connectors/mail/mailtest"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/views"
)

const newPassword = "eleven quiet lanterns"

func newRequest(method, target string) *http.Request { return httptest.NewRequest(method, target, nil) }

func googleOnly() []views.Provider {
	return []views.Provider{{Name: "Google", URL: "/auth/google/login", Google: true}}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	u := p.withPassword("cyril@example.com")
	signIn := linkOf(t, p.nobody().asks(server, u.Email, ""))
	p.clock.advance(time.Minute)

	b := p.nobody()
	b.get("/login").wantText("Forgot the password")
	b.post("/login/forgot", url.Values{"email": {"cyril"}}).wantStatus(http.StatusUnprocessableEntity)
	b.post("/login/forgot", url.Values{"email": {u.Email}}).wantRedirect("/login/forgot/sent")
	link := linkOf(t, p.arrives(server))
	b.opens(link).wantText("Set a new password", u.Email)
	for weak, why := range map[string]string{
		"short": "at least 8", "password1": "tried first", "Sunshine2026!": "tried first", "aaaaaaaaaaaa": "tried first",
		"my-cyril-word": "your address", "agnes-rocks-on": "this product",
	} {
		b.post("/login/reset", url.Values{"password": {weak}}).wantStatus(http.StatusUnprocessableEntity).wantText(why)
	}
	b.post("/login/reset", url.Values{"password": {newPassword}, "confirm_password": {"another"}}).wantStatus(http.StatusUnprocessableEntity).wantText("differ")
	b.post("/login/reset", url.Values{"password": {newPassword}}).wantRedirect("/catalog")
	b.get("/catalog").wantStatus(http.StatusOK)

	p.nobody().get(link).wantStatus(http.StatusNotFound)
	p.nobody().get(signIn).wantStatus(http.StatusNotFound)
	after, err := p.store.GetUser(t.Context(), u.ID)
	must(t, err)
	if !after.SessionsFrom.Equal(p.clock.now()) {
		t.Errorf("older sign-ins live on: they count from %v", after.SessionsFrom)
	}
	p.nobody().post("/login", url.Values{"email": {u.Email}, "password": {password}}).wantStatus(http.StatusUnauthorized)
	p.nobody().post("/login", url.Values{"email": {u.Email}, "password": {newPassword}}).wantRedirect("/catalog")
}

// TestPasswordFormSentTooLate: the page says that nothing was saved, and asks for
// a new link with the address that is known already.
func TestPasswordFormSentTooLate(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	u := p.withPassword("cyril@example.com")
	b := p.nobody()
	b.post("/login/forgot", url.Values{"email": {u.Email}})
	b.opens(linkOf(t, p.arrives(server)))
	p.clock.advance(people.ToReset.Lifetime() + time.Minute)

	form := url.Values{"email": {u.Email}, "password": {newPassword}}
	got := b.post("/login/reset", form).wantStatus(http.StatusNotFound).wantText("was not saved")
	if got.value("form[action='/login/forgot'] [name=email]") != u.Email || strings.Contains(got.body, newPassword) {
		t.Errorf("the page asks with %q, or shows the password", got.value("[name=email]"))
	}
	b.post("/login/forgot", url.Values{"email": {u.Email}}).wantRedirect("/login/forgot/sent")
	b.opens(linkOf(t, p.arrives(server)))
	b.post("/login/reset", form).wantRedirect("/catalog")

	p.Links.Mailer = nil // then nobody can ask for one
	late := p.nobody()
	late.post("/login/reset", form).wantStatus(http.StatusNotFound).wantText("was not saved", "Ask an administrator")
	if late.get("/login/reset").wantStatus(http.StatusNotFound); strings.Contains(late.get("/login/reset").Text(), "not saved") {
		t.Error("who has sent nothing is told that it was not saved")
	}
}

// TestFormsOfTheContractInBrowsers: what a person sent is answered by a page.
func TestFormsOfTheContractInBrowsers(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withMail(mailtest.Options{})
	p.Links.Throttle = &people.Throttle{Counter: p.store}
	const accept, pages, programs = "Accept", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"
	form := url.Values{"email": {analystEmail}}
	for range people.MailTries().Free {
		p.nobody().post("/auth/password/reset", form).wantRedirect("/login/forgot/sent")
	}
	got := p.nobody().post("/auth/password/reset", form, accept, pages).wantStatus(http.StatusTooManyRequests).wantText("Too much at once", "the newest that came works once")
	if got.Header.Get("Retry-After") == "" {
		t.Errorf("the page says not when to try again: %v", got.Header)
	}
	got = p.nobody().post("/auth/password/reset", form, accept, programs).wantStatus(http.StatusTooManyRequests)
	if got.Header.Get("Content-Type") != "application/json" || !strings.Contains(got.body, `"detail"`) {
		t.Errorf("a program gets %s", got.body)
	}
	dead := "/auth/email/verify?token=wrong&email=" + analystEmail
	p.nobody().get(dead, accept, pages).wantStatus(http.StatusUnauthorized).wantText("This link does not work any more")
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	by := p.principal(p.admin).Actor()
	u := p.mustUser(people.NewUser{Email: "dee@example.com"})
	invitation, err := p.Links.Invite(t.Context(), by, u)
	must(t, err)
	if !invitation.Mailed || invitation.Problem != "" {
		t.Errorf("invitation = %+v", invitation)
	}
	mail := p.arrives(server)
	link := linkOf(t, mail)
	if base+link != invitation.URL || !strings.Contains(mail.Text, adminEmail) {
		t.Errorf("the mail says %s, the invitation %s", mail.Text, invitation.URL)
	}
	p.clock.advance(6 * 24 * time.Hour)
	b := p.nobody()
	b.opens(link).wantText("Set up your account")
	got := b.post("/login/setup", url.Values{"name": {"Dee Dee"}, "password": {"short"}}).wantStatus(http.StatusUnprocessableEntity)
	if got.value("[name=name]") != "Dee Dee" {
		t.Error("the form lost the name")
	}
	b.post("/login/setup", url.Values{"name": {" Dee Dee "}, "password": {newPassword}}).wantRedirect("/catalog")
	b.get("/catalog").wantText("Dee Dee")

	reset, err := p.Links.Reset(t.Context(), by, u)
	must(t, err)
	if link := linkOf(t, p.arrives(server)); base+link != reset.URL || !strings.HasPrefix(link, "/login/reset?") {
		t.Errorf("reset = %+v, mailed %s", reset, link)
	}
	off := false
	u, err = p.store.UpdateUser(t.Context(), audit.System("test"), u.ID, people.UserChange{Active: &off})
	must(t, err)
	p.nobody().get(strings.TrimPrefix(reset.URL, base)).wantStatus(http.StatusNotFound)
	if _, err := p.Links.Invite(t.Context(), by, u); err == nil {
		t.Error("somebody who is deactivated was invited")
	}
}

func TestWhoGetsAPasswordByMail(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	p.withPassword("cyril@example.com")
	for _, c := range []struct {
		path, email string
		mailed      string // path of the link, "" for no mail
	}{
		{"/auth/password/reset", "cyril@example.com", "/login/reset"},
		{"/auth/password/reset", analystEmail, "/login/reset"}, // has none yet
		{"/auth/password/setup/request", analystEmail, "/login/setup"},
		{"/auth/password/setup/request", "cyril@example.com", ""},
		{"/auth/password/setup/request", "dee@example.com", ""},
		{"/auth/password/reset", "no address", ""},
	} {
		p.nobody().post(c.path, url.Values{"email": {c.email}}).wantRedirect("/login/forgot/sent")
		if c.mailed == "" {
			p.nothing(server)
			continue
		}
		if link := linkOf(t, p.arrives(server)); !strings.HasPrefix(link, c.mailed+"?token=") {
			t.Errorf("%s for %s mails %s", c.path, c.email, link)
		}
	}
}

// TestFormsOfTheContract walks the addresses of contract 9.1 that browsers have.
func TestFormsOfTheContract(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	u := p.withPassword("cyril@example.com")
	tokenOf := func(m mailtest.Mail) string {
		_, token, _ := strings.Cut(linkOf(t, m), "token=")
		return token
	}
	found := func(got page, want string) {
		t.Helper()
		if got.StatusCode != http.StatusFound || got.Header.Get("Location") != want {
			t.Errorf("%d to %s, want 302 to %s; %s", got.StatusCode, got.Header.Get("Location"), want, got.body)
		}
	}

	b := p.nobody()
	found(b.post("/auth/password/login/web", url.Values{"email": {u.Email}, "password": {"wrong"}, "next": {"/docs"}}), "/login/password?error=invalid&next=%2Fdocs")
	b.get("/login/password?error=invalid&next=/docs").wantText("do not match")
	b.get("/login/password?error=deactivated").wantText("deactivated")
	b.post("/auth/password/login/web", url.Values{"email": {u.Email}, "password": {password}, "next": {"//evil.example"}}).wantRedirect("/catalog")

	token := tokenOf(p.nobody().asks(server, u.Email, "/docs"))
	for _, query := range []string{"email=eve@example.com&token=" + token, "token=" + token, "email=" + u.Email + "&token=x", ""} {
		got := p.nobody().get("/auth/email/verify?" + query).wantStatus(http.StatusUnauthorized)
		if !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") || !strings.Contains(got.body, `"detail"`) {
			t.Errorf("verify?%s answers %s", query, got.body)
		}
	}
	b = p.nobody()
	found(b.get("/auth/email/verify?email="+u.Email+"&token="+token), "/login/link/open")
	b.get("/catalog").wantStatus(http.StatusUnauthorized)
	b.post("/login/link/open", nil).wantRedirect("/docs")

	found(b.get("/auth/password/reset"), "/login/password")
	p.nobody().post("/auth/password/reset", url.Values{"email": {u.Email}})
	token = tokenOf(p.arrives(server))
	b = p.nobody()
	found(b.get("/auth/password/reset?email="+u.Email+"&token="+token), "/login/reset")
	b.get("/login/reset").wantStatus(http.StatusOK).wantText(u.Email)
	b = p.nobody()
	found(b.get("/auth/password/reset?email=eve@example.com&token="+token), "/login/reset")
	b.get("/login/reset").wantStatus(http.StatusNotFound)
	form := url.Values{"email": {u.Email}, "token": {token}, "password": {"short"}, "confirm_password": {"short"}}
	found(b.post("/auth/password/reset/confirm", form), "/login/reset")
	b.get("/login/reset").wantStatus(http.StatusOK).wantText("at least 8 characters")
	form.Set("password", newPassword)
	form.Set("confirm_password", newPassword)
	b.post("/auth/password/reset/confirm", form).wantRedirect("/catalog")
	found(p.nobody().post("/auth/password/reset/confirm", form), "/login/reset")

	p.nobody().post("/auth/password/setup/request", url.Values{"email": {analystEmail}})
	token = tokenOf(p.arrives(server))
	found(p.nobody().get("/auth/password/setup?email="+analystEmail+"&token="+token), "/login/setup")
	b = p.nobody()
	b.post("/auth/password/setup/confirm", url.Values{"email": {analystEmail}, "token": {token}, "password": {newPassword}, "name": {"Benjamin"}}).wantRedirect("/catalog")
	b.get("/catalog").wantText("Benjamin")
}

func TestMailPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	b := p.as(p.admin)
	b.get("/admin/mail").wantStatus(http.StatusOK).wantText("by SMTP", "agnes@example.com", base)
	p.as(p.analyst).get("/admin/mail").wantStatus(http.StatusForbidden)
	b.post("/admin/mail/test", nil).wantStatus(http.StatusOK).wantText("took the mail and answered: 250")
	if got := <-server.Mails; got.To != adminEmail {
		t.Errorf("the test went to %s", got.To)
	}

	p.withMail(mailtest.Options{User: "agnes", Password: "s3cret"})
	b.post("/admin/mail/test", nil).wantStatus(http.StatusServiceUnavailable).wantText("The mail server answered: 502 5.7.0 Please authenticate first.")

	p.Links.Mailer, p.Links.Outbox, p.Mail = nil, &people.Outbox{}, Mail{}
	p.nobody().post("/login/link", url.Values{"email": {analystEmail}, "next": {"/docs"}})
	p.Links.Flush(t.Context())
	got := b.get("/admin/mail").wantStatus(http.StatusOK).wantText(analystEmail)
	href := got.Find("a[href^='"+base+"/login/link/open']").AttrOr("href", "")
	if href == "" || !strings.Contains(p.log.String(), "LINK IN PLACE OF MAIL") || !strings.Contains(p.log.String(), href) {
		t.Errorf("the outbox has %q, the log %s", href, p.log)
	}
	other := p.nobody()
	other.opens(strings.TrimPrefix(href, base))
	other.post("/login/link/open", nil).wantRedirect("/docs")
	b.post("/admin/mail/test", nil).wantStatus(http.StatusServiceUnavailable)
	p.Links = nil
	b.get("/admin/mail").wantStatus(http.StatusOK).wantText("nothing is sent")
	b.post("/admin/mail/test", nil).wantStatus(http.StatusServiceUnavailable)
}

// Setting a password by a token that opens nothing leaves a row; opening an old
// mail leaves none.
func TestWrongTokensAreRecorded(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withMail(mailtest.Options{})
	failures := func() []audit.Entry {
		all, err := p.store.ListAudit(t.Context(), 100)
		must(t, err)
		return slices.DeleteFunc(all, func(e audit.Entry) bool { return e.Action != "login_failed" })
	}
	form := url.Values{"email": {analystEmail}, "token": {"wrong-token"}, "password": {newPassword}, "confirm_password": {newPassword}}
	for i, path := range []string{
		"/login/reset?token=wrong-token", "/login/setup?token=wrong-token", "/login/reset", "/login/setup", "/auth/password/reset/confirm", "/auth/password/setup/confirm",
	} {
		p.nobody().post(path, form)
		rows := failures()
		if len(rows) != i+1 || rows[0].Params["method"] != "link" || rows[0].Params["reason"] != "link_invalid" || strings.Contains(fmt.Sprint(rows[0]), "wrong-token") {
			t.Fatalf("%s leaves %+v", path, rows)
		}
	}
	form.Set("confirm_password", "another")
	p.nobody().post("/auth/password/reset/confirm", form)
	p.nobody().get("/auth/email/verify?token=wrong-token&email=" + analystEmail)
	if n := len(failures()); n != 8 {
		t.Errorf("%d failures, want 8", n)
	}
	p.nobody().get("/login/reset?token=wrong-token").wantStatus(http.StatusNotFound)
	p.nobody().get("/auth/password/setup?token=wrong-token&email=" + analystEmail)
	if n := len(failures()); n != 8 {
		t.Errorf("looking at a page left a failure: %d", n)
	}
}
