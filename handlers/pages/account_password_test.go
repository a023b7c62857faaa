package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func passwords(current, next, again string) url.Values {
	return url.Values{"current": {current}, "password": {next}, "again": {again}}
}

// audited returns the audit rows of an action, the newest first.
func (p *portal) audited(action string) []audit.Entry {
	p.t.Helper()
	all, err := p.store.ListAudit(p.t.Context(), 1000)
	must(p.t, err)
	return slices.DeleteFunc(all, func(e audit.Entry) bool { return e.Action != action })
}

func TestOwnPasswordIsChanged(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	u := p.withPassword("cyril@example.com")
	p.clock.advance(time.Second)
	b, other := p.as(u), p.as(u)
	program, err := p.store.StartSession(t.Context(), people.NewSession{UserID: u.ID, Kind: people.TokenSession, Method: people.ByPassword, ExpiresAt: p.clock.now().Add(time.Hour)})
	must(t, err)
	p.clock.advance(access.RecentFor + time.Second) // the current password is proof enough
	page := b.get("/profile").wantText("Change your password")
	if page.Find("form[action='/profile/password'] [name=current]").Length() != 1 {
		t.Error("the form asks for no current password")
	}
	for name, c := range map[string]struct {
		form        url.Values
		field, says string
	}{
		"a wrong one":     {passwords("wrong", newPassword, newPassword), "current", "This is not your password."},
		"none":            {passwords("", newPassword, newPassword), "current", "This is not your password."},
		"a short one":     {passwords(password, "short", "short"), "password", "at least 8 characters"},
		"the address":     {passwords(password, "Cyril-and-a-horse", "Cyril-and-a-horse"), "password", "your address"},
		"two that differ": {passwords(password, newPassword, "another"), "again", "differ"},
	} {
		got := b.post("/profile/password", c.form).wantStatus(http.StatusUnprocessableEntity)
		if said := got.Find("#" + c.field + "-error").Text(); !strings.Contains(said, c.says) {
			t.Errorf("%s: beside %s it says %q", name, c.field, said)
		}
		if strings.Contains(got.body, newPassword) {
			t.Errorf("%s: the page holds a password", name)
		}
	}
	other.get("/catalog").wantStatus(http.StatusOK)
	if rows := p.audited("login_failed"); len(rows) != 2 || rows[0].Params["method"] != "password" {
		t.Errorf("failures %+v", rows)
	}

	before := b.cookies["session"].Value
	stolen := &browser{p: p, cookies: map[string]*http.Cookie{"session": b.cookies["session"]}}
	set := len(p.audited("user.set_password"))
	b.post("/profile/password", passwords(password, newPassword, newPassword)).wantRedirect("/profile")
	if b.cookies["session"].Value == before {
		t.Error("the session kept its token")
	}
	b.get("/profile").wantStatus(http.StatusOK).wantText("Your password is set.")
	stolen.get("/catalog").wantStatus(http.StatusUnauthorized)
	other.get("/catalog").wantStatus(http.StatusUnauthorized)
	if _, _, err := p.store.PrincipalBySession(t.Context(), program.ID); err == nil {
		t.Error("an access token works on")
	}
	if live := p.sessions(u); len(live) != 1 {
		t.Errorf("%d sign-ins left", len(live))
	}
	rows := p.audited("user.set_password")
	if len(rows) != set+1 || rows[0].Actor.UserID != string(u.ID) || rows[0].Resource != "user:"+string(u.ID) {
		t.Errorf("audit %+v", rows)
	}
	p.nobody().post("/login", url.Values{"email": {u.Email}, "password": {password}}).wantStatus(http.StatusUnauthorized)
	p.nobody().post("/login", url.Values{"email": {u.Email}, "password": {newPassword}}).wantRedirect("/catalog")
	if strings.Contains(p.log.String(), newPassword) {
		t.Error("the log holds a password")
	}
}

func TestFirstPasswordOfOnesOwn(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b, other := p.as(p.analyst), p.as(p.analyst)
	if got := b.get("/profile").wantText("Set a password"); got.Find("form[action='/profile/password'] [name=current]").Length() != 0 {
		t.Error("the form asks for a password that there is not")
	}
	p.clock.advance(access.RecentFor + time.Second)
	got := b.get("/profile").wantText("needs a sign-in of the last 15 minutes")
	if got.Find("form[action='/profile/password']").Length() != 0 || got.Find("#password-section a[href='/confirm?next=%2Fprofile']").Length() != 1 {
		t.Error("the page offers what it will not take, or no way to confirm")
	}
	form := passwords("", newPassword, newPassword)
	b.post("/profile/password", form, "Referer", "http://example.com/profile").wantRedirect("/confirm?next=%2Fprofile")
	other.get("/catalog").wantStatus(http.StatusOK)

	b = p.as(p.analyst)
	b.post("/profile/password", form).wantRedirect("/profile")
	b.get("/profile").wantText("Change your password")
	other.get("/catalog").wantStatus(http.StatusUnauthorized)
	p.nobody().post("/login", url.Values{"email": {analystEmail}, "password": {newPassword}}).wantRedirect("/catalog")
	p.nobody().post("/profile/password", form).wantStatus(http.StatusUnauthorized)
}

func TestWhoHasNoOwnPassword(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	form := passwords("", newPassword, newPassword)
	_, err := p.store.AddMember(t.Context(), p.actor(), p.group("Directory"), adminEmail, people.ByGoogleSync)
	must(t, err)
	b := p.as(p.admin)
	if b.get("/profile").Find("#password-section").Length() != 0 {
		t.Error("somebody whom a directory keeps is offered a password")
	}
	b.post("/profile/password", form).wantStatus(http.StatusConflict)

	p.SignIn.Off, p.PasswordsOff = true, true
	b = p.as(p.analyst)
	if b.get("/profile").Find("#password-section").Length() != 0 {
		t.Error("passwords are offered where they are switched off")
	}
	b.post("/profile/password", form).wantStatus(http.StatusForbidden)
	if rows := p.audited("user.set_password"); len(rows) > 0 {
		t.Errorf("set all the same: %+v", rows)
	}
}

func TestGuessingTheOwnPasswordIsBounded(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	u := p.withPassword("cyril@example.com")
	p.clock.advance(time.Second)
	p.SignIn.Throttle = &people.Throttle{Counter: p.store}
	b := p.as(u)
	for range people.AccountTries().Free {
		b.post("/profile/password", passwords("wrong", newPassword, newPassword)).wantStatus(http.StatusUnprocessableEntity)
	}
	got := b.post("/profile/password", passwords(password, newPassword, newPassword)).wantStatus(http.StatusTooManyRequests)
	if got.Header.Get("Retry-After") == "" || !strings.Contains(got.Find("#current-error").Text(), "Too many attempts") {
		t.Errorf("Retry-After %q; %.300s", got.Header.Get("Retry-After"), got.Find("#current-error").Text())
	}
}

func TestOwnName(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	b.post("/profile/name", url.Values{"name": {" Benedikt\n Analyst "}}).wantRedirect("/profile")
	got := b.get("/profile").wantText("Others see you as Benedikt Analyst.")
	if got.value("#name") != "Benedikt Analyst" {
		t.Errorf("the form says %q", got.value("#name"))
	}
	rows := p.audited("user.update")
	if len(rows) != 1 || rows[0].Actor.UserID != string(p.analyst.ID) || rows[0].Params["name"] != "Benedikt Analyst" {
		t.Errorf("audit %+v", rows)
	}
	long := strings.Repeat("ě", people.MaxName+1)
	got = b.post("/profile/name", url.Values{"name": {long}}).wantStatus(http.StatusUnprocessableEntity).wantText("at most 200 characters; this one has 201")
	if got.value("#name") != long {
		t.Error("the form forgets what was typed")
	}
	b.post("/profile/name", url.Values{"name": {""}}).wantRedirect("/profile")
	b.get("/profile").wantText("Others see you as " + analystEmail)
	p.nobody().post("/profile/name", url.Values{"name": {"x"}}).wantStatus(http.StatusUnauthorized)
}
