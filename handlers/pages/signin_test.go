package pages

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/people"
)

const password = "correct horse"

// withPassword adds somebody who can sign in by password.
func (p *portal) withPassword(email string) people.User {
	p.t.Helper()
	hash, err := people.HashPassword(password)
	must(p.t, err)
	return p.mustUser(people.NewUser{Email: email, Name: "Cy", PasswordHash: hash})
}

func TestHomeLeadsToTheCatalog(t *testing.T) {
	t.Parallel()
	newPortal(t).nobody().get("/").wantRedirect("/catalog")
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withPassword("cy@example.com")
	b := p.nobody()
	got := b.get("/login?next=/console%3Ftable%3Dt").wantStatus(http.StatusOK).wantNoText("Ada")
	if next := got.value("input[name=next]"); next != "/console?table=t" {
		t.Errorf("next = %q", next)
	}
	if got := got.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q, want no-store", got)
	}
	before := b.cookies["session"]

	b.post("/login", url.Values{"email": {" CY@example.com"}, "password": {password}, "next": {"/console?table=t"}}).wantRedirect("/console?table=t")
	if after := b.cookies["session"]; after == nil || before != nil && before.Value == after.Value {
		t.Error("the session kept its token")
	}
	b.get("/catalog").wantStatus(http.StatusOK)
	b.get("/login?next=/docs").wantRedirect("/docs")
}

func TestSignInGoesNowhereElse(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withPassword("cy@example.com")
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, ""} {
		p.nobody().post("/login", url.Values{"email": {"cy@example.com"}, "password": {password}, "next": {next}}).wantRedirect("/catalog")
	}
}

func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	gone := p.withPassword("gone@example.com")
	p.withPassword("cy@example.com")
	off := false
	_, err := p.store.UpdateUser(t.Context(), audit.System("test"), gone.ID, people.UserChange{Active: &off})
	must(t, err)
	const wrong = "E-mail and password do not match."
	for name, c := range map[string]struct{ email, password, want string }{
		"wrong password":      {"cy@example.com", "nope nope", wrong},
		"unknown":             {"dee@example.com", password, wrong},
		"no address":          {"<script>", password, wrong},
		"nothing":             {"", "", wrong},
		"without password":    {analystEmail, "", wrong},
		"deactivated, wrong":  {"gone@example.com", "nope nope", wrong},
		"deactivated, proven": {"gone@example.com", password, "This account is deactivated."},
	} {
		t.Run(name, func(t *testing.T) {
			b := p.nobody()
			got := b.post("/login", url.Values{"email": {c.email}, "password": {c.password}, "next": {"/docs"}}).
				wantStatus(http.StatusUnauthorized).wantText(c.want)
			if got.value("input[name=email]") != c.email || got.value("input[name=next]") != "/docs" {
				t.Error("the form lost what was typed")
			}
			if strings.Contains(got.body, password) {
				t.Error("the page holds the password")
			}
			b.get("/catalog").wantStatus(http.StatusUnauthorized)
		})
	}
	entries, err := p.store.ListAudit(t.Context(), 1)
	must(t, err)
	if len(entries) != 1 || entries[0].Action != "login_failed" {
		t.Errorf("audit = %+v, want a failed sign-in", entries)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	b.get("/catalog").wantStatus(http.StatusOK)
	got := b.post("/logout", nil)
	got.wantRedirect("/login")
	if got.Header.Get("Clear-Site-Data") != `"storage"` {
		t.Error("drafts stay in the browser")
	}
	b.get("/catalog").wantStatus(http.StatusUnauthorized)
}

func TestFirstRun(t *testing.T) {
	t.Parallel()
	p := emptyPortal(t)
	token, err := p.SignIn.FirstRunToken(t.Context())
	must(t, err)
	b := p.nobody()

	b.get("/first-run?token=" + token).wantRedirect("/first-run")
	got := b.get("/first-run").wantStatus(http.StatusOK)
	if strings.Contains(got.body, token) {
		t.Error("the page holds the token")
	}

	form := url.Values{"name": {"Ada"}, "email": {"ada@example.com"}, "password": {"short"}}
	again := b.post("/first-run", form).wantStatus(http.StatusUnprocessableEntity).wantText("at least 8 characters")
	if again.value("input[name=name]") != "Ada" || again.value("input[name=email]") != "ada@example.com" {
		t.Error("the form lost what was typed")
	}

	form.Set("password", password)
	b.post("/first-run", form).wantRedirect("/catalog")
	b.get("/syncs").wantStatus(http.StatusOK).wantText("Ada")

	p.nobody().get("/first-run?token="+token).wantStatus(http.StatusNotFound).wantText("restart Agnes", "sign in")
	p.nobody().post("/first-run", url.Values{"token": {token}, "email": {"eve@example.com"}, "password": {password}}).
		wantStatus(http.StatusNotFound).wantText("has been used")
}

func TestFirstRunWithoutItsLink(t *testing.T) {
	t.Parallel()
	p := emptyPortal(t)
	old, err := p.SignIn.FirstRunToken(t.Context())
	must(t, err)
	token, err := p.SignIn.FirstRunToken(t.Context())
	must(t, err)
	for name, target := range map[string]string{"none": "/first-run", "made up": "/first-run?token=abc", "replaced": "/first-run?token=" + old} {
		t.Run(name, func(t *testing.T) {
			p.nobody().get(target).wantStatus(http.StatusNotFound).wantText("open the link that it prints")
		})
	}
	p.clock.advance(people.FirstRunLifetime)
	p.nobody().get("/first-run?token=" + token).wantStatus(http.StatusNotFound).wantText("within an hour")
}
