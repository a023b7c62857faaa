package pages

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/views"
)

func (p *portal) sessions(u people.User) []people.Session {
	p.t.Helper()
	list, err := p.store.ListSessions(p.t.Context(), u.ID, time.Time{})
	must(p.t, err)
	return list
}

func TestAccountPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	got := b.get("/profile").wantStatus(http.StatusOK).wantText("Ben Analyst", analystEmail, "Where you are signed in", "This one", "No token yet", "You have no password here")
	if n := got.Find("a[href='/profile']").Length(); n != 1 {
		t.Errorf("%d links to the account in the navigation, want 1", n)
	}
	if n := got.Find("select[name=scope] option[value*=sync]").Length(); n != 0 {
		t.Error("an analyst is offered syncs, which they may not do")
	}
	p.as(p.analyst)
	got = b.get("/profile").wantText("Sign out all others")
	if n := got.Find("table[aria-label='Sign-ins'] tbody tr").Length(); n != 2 {
		t.Errorf("%d sign-ins, want 2", n)
	}
	p.nobody().get("/profile").wantStatus(http.StatusUnauthorized)
}

func TestSessionsAreEnded(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	mine, other, third, theirs := p.as(p.analyst), p.as(p.analyst), p.as(p.analyst), p.as(p.admin)
	current := mine.get("/profile").Find("tr:contains('This one') form").AttrOr("action", "")
	foreign := string(p.sessions(p.admin)[0].ID)
	mine.post("/profile/sessions/"+foreign+"/end", nil).wantStatus(http.StatusNotFound)
	theirs.get("/catalog").wantStatus(http.StatusOK)

	for _, v := range p.sessions(p.analyst) {
		action := "/profile/sessions/" + string(v.ID) + "/end"
		if action != current && len(p.sessions(p.analyst)) == 3 {
			mine.post(action, nil).wantRedirect("/profile")
		}
	}
	if n := len(p.sessions(p.analyst)); n != 2 {
		t.Fatalf("%d sign-ins left, want 2", n)
	}
	mine.post("/profile/sessions/others/end", nil).wantRedirect("/profile")
	mine.get("/profile").wantText("You are signed in here only.")
	other.get("/catalog").wantStatus(http.StatusUnauthorized)
	third.get("/catalog").wantStatus(http.StatusUnauthorized)

	again := p.as(p.analyst)
	mine.post("/profile/sessions/all/end", nil).wantRedirect("/login")
	for _, b := range []*browser{mine, again} {
		b.get("/catalog").wantStatus(http.StatusUnauthorized)
	}
	theirs.get("/catalog").wantStatus(http.StatusOK)
}

func TestSigningOutEndsTheSignIn(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	stolen := &browser{p: p, cookies: map[string]*http.Cookie{}}
	for name, c := range b.cookies {
		stolen.cookies[name] = c
	}
	b.post("/logout", nil).wantRedirect("/login")
	stolen.get("/catalog").wantStatus(http.StatusUnauthorized)
	if n := len(p.sessions(p.analyst)); n != 0 {
		t.Errorf("%d sign-ins after signing out", n)
	}
}

// Signing in on top of a sign-in leaves no sign-in behind that nobody sees.
func TestSigningInAgainEndsTheOneBefore(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	cy := p.withPassword("cy@example.com")
	b := p.nobody()
	form := url.Values{"email": {"cy@example.com"}, "password": {password}}
	b.post("/login", form, "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0").wantRedirect("/catalog")
	b.get("/profile").wantText("Firefox on Linux", "Password")
	b.post("/login", form).wantRedirect("/catalog")
	if n := len(p.sessions(cy)); n != 1 {
		t.Errorf("%d sign-ins of one browser", n)
	}
	// A program that sends a token of its own ends nothing by this.
	b.post("/login", form, "Authorization", "Bearer its-own").wantRedirect("/catalog")
	if n := len(p.sessions(cy)); n != 2 {
		t.Errorf("%d sign-ins after that of a program", n)
	}
}

func TestTokensOnTheAccountPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	b.post("/profile/tokens", url.Values{"name": {"nightly export"}, "scope": {"read query"}, "days": {"30"}}).wantRedirect("/profile")
	text := b.get("/profile").wantText("nightly export", "shown this once").value("#made-token")
	b.get("/profile").wantNoText("shown this once")
	tokens, err := p.store.ListTokens(t.Context(), p.analyst.ID)
	must(t, err)
	if len(tokens) != 1 || tokens[0].Scopes.String() != "read query" || tokens[0].ExpiresAt.Sub(tokens[0].CreatedAt) != 30*24*time.Hour {
		t.Fatalf("made %+v", tokens)
	}
	if _, _, err := p.store.PrincipalByToken(t.Context(), tokens[0].ID, access.HashToken(text)); err != nil {
		t.Errorf("the token does not work: %v", err)
	}
	if again := b.get("/profile"); strings.Contains(again.body, text) {
		t.Error("the token is shown twice")
	}
	if strings.Contains(p.log.String(), text) {
		t.Error("the token is in the log")
	}

	b.post("/profile/tokens/"+string(tokens[0].ID)+"/rotate", nil).wantRedirect("/profile")
	rotated := b.get("/profile").wantText("works for another day", "Replaced").value("#made-token")
	if rotated == text {
		t.Error("rotating gave the same token")
	}
	b.post("/profile/tokens/"+string(tokens[0].ID)+"/revoke", nil).wantRedirect("/profile#tokens")
	b.get("/profile").wantText("Revoked")

	b.post("/profile/tokens", url.Values{"name": {" "}, "scope": {"read"}, "days": {""}}).wantStatus(http.StatusUnprocessableEntity).wantText("A token needs a name")
	b.post("/profile/tokens", url.Values{"name": {"x"}, "scope": {"all"}, "days": {"7"}}).wantStatus(http.StatusUnprocessableEntity).wantText("none of them")
	b.post("/profile/tokens", url.Values{"name": {"x"}, "scope": {"read"}, "days": {"12"}}).wantStatus(http.StatusBadRequest)
	b.post("/profile/tokens", url.Values{"name": {"x"}, "scope": {"admin"}, "days": {"7"}}).wantStatus(http.StatusForbidden)
	p.as(p.admin).post("/profile/tokens/"+string(tokens[0].ID)+"/rotate", nil).wantStatus(http.StatusNotFound)
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	hash, err := people.HashPassword(password)
	must(t, err)
	_, err = p.store.UpdateUser(t.Context(), audit.System("test"), p.admin.ID, people.UserChange{PasswordHash: &hash})
	must(t, err)
	p.clock.advance(time.Second)
	b := p.as(p.admin)
	powerful := url.Values{"name": {"ops"}, "scope": {"general"}, "days": {"7"}}
	p.clock.advance(access.RecentFor + time.Second)
	const asked = "/confirm?next=%2Fprofile"
	b.post("/profile/tokens", powerful, "Referer", "http://example.com/profile").wantRedirect(asked)
	got := b.post("/profile/tokens", powerful, "HX-Request", "true", "HX-Current-URL", "http://example.com/profile").wantStatus(http.StatusOK)
	if to := got.Header.Get("HX-Redirect"); to != asked {
		t.Errorf("htmx is sent to %q", to)
	}
	if tokens, err := p.store.ListTokens(t.Context(), p.admin.ID); err != nil || len(tokens) > 0 {
		t.Fatalf("made %v, %v", tokens, err)
	}

	b.get(asked).wantStatus(http.StatusOK).wantText("Confirm that it is you", adminEmail)
	b.post("/confirm", url.Values{"password": {"wrong"}, "next": {"/profile"}}).wantStatus(http.StatusUnprocessableEntity).wantText("This is not your password.")
	b.post("/profile/tokens", powerful, "Referer", "http://example.com/profile").wantRedirect(asked)
	before := b.cookies["session"].Value
	b.post("/confirm", url.Values{"password": {password}, "next": {"//evil.example"}}).wantRedirect("/catalog")
	if b.cookies["session"].Value == before {
		t.Error("the session kept its token")
	}
	b.post("/profile/tokens", powerful).wantRedirect("/profile")
	entries, err := p.store.ListAudit(t.Context(), 10)
	must(t, err)
	seen := map[string]bool{}
	for _, e := range entries {
		seen[e.Action] = true
	}
	if !seen["identity_confirmed"] || !seen["login_failed"] || !seen["token.create"] {
		t.Errorf("audit rows %v", seen)
	}
}

func TestConfirmWithoutAPassword(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.Fresh = []views.Provider{{Name: "Example ID", URL: "/auth/oidc/login"}}
	b := p.as(p.analyst)
	got := b.get("/confirm?next=/console").wantStatus(http.StatusOK)
	if got.Find("input[name=password]").Length() != 0 {
		t.Error("asks somebody without a password for it")
	}
	if href := got.Find("a.btn-lg").AttrOr("href", ""); href != "/auth/oidc/login?fresh=1&next=%2Fconsole" {
		t.Errorf("the service is at %q", href)
	}
	b.post("/confirm", url.Values{"password": {""}}).wantStatus(http.StatusUnprocessableEntity)
	b.post("/confirm/again", url.Values{"next": {"/console"}}).wantRedirect("/login?next=%2Fconsole")
	b.get("/catalog").wantStatus(http.StatusUnauthorized)
}
