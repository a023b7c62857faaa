package pages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
	"agnes/views"
)

// TestServiceSignIn goes the whole way through two real providers: one person
// stays one account, whatever the case of the address.
func TestServiceSignIn(t *testing.T) {
	t.Parallel()
	f := newFederal(t, "gmail.com", "example.com")
	f.google.add("ada", "ada.l@gmail.com", true)
	f.oidc.add("lovelace", "Ada.L@GMAIL.com", true)
	f.oidc.groups = []string{"Sales"}

	v := f.visitor()
	if end := v.signsIn("/auth/google/login?next=%2Fconsole%3Ftable%3Dt", "ada"); end != "/console?table=t" || !v.signedIn() {
		t.Fatalf("ends at %q", end)
	}
	u, err := f.store.GetUserByEmail(t.Context(), "ada.l@gmail.com")
	must(t, err)
	if u.Name != "Ada Lovelace" || u.HasPassword || u.Admin {
		t.Errorf("made %+v", u)
	}
	for range 2 {
		other := f.visitor()
		if end := other.signsIn("/auth/oidc/login", "lovelace"); end != "/catalog" || !other.signedIn() {
			t.Errorf("by another service: ends at %q", end)
		}
	}
	if again, err := f.store.GetUserByEmail(t.Context(), "ada.l@gmail.com"); err != nil || again.ID != u.ID || len(again.Groups) != 1 || again.Groups[0].Name != "Sales" {
		t.Errorf("is %+v, %v; was %s", again, err, u.ID)
	}
	if n, err := f.store.CountUsers(t.Context()); err != nil || n != 3 {
		t.Errorf("%d people, %v; want 3", n, err)
	}
	list, err := f.store.ListIdentities(t.Context(), u.ID)
	if err != nil || len(list) != 2 {
		t.Errorf("identities %+v, %v", list, err)
	}
}

func TestServiceRefusals(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.add("ada", adminEmail, true)
	f.oidc.add("unsure", analystEmail, false)
	f.oidc.add("nobody", "", true)
	f.oidc.add("stranger", "eve@example.com", true)
	f.oidc.add("second", strings.ToUpper(adminEmail), true)
	if end := f.visitor().signsIn("/auth/oidc/login", "ada"); end != "/catalog" {
		t.Fatalf("ends at %q", end)
	}
	for user, code := range map[string]string{
		"unsure": "email_not_verified", "nobody": "no_email", "stranger": "not_invited", "second": "identity_changed",
	} {
		v := f.visitor()
		if end := v.signsIn("/auth/oidc/login?next=%2Fdocs", user); end != "/login?error="+code+"&next=%2Fdocs" || v.signedIn() {
			t.Errorf("%s ends at %q, want %s", user, end, code)
		}
		entries, err := f.store.ListAudit(t.Context(), 1)
		must(t, err)
		if e := entries[0]; e.Action != "login_failed" || e.Params["reason"] != code || e.Params["method"] != "oidc" || e.Actor.ClientIP == "" {
			t.Errorf("%s: audit row %+v", user, e)
		}
	}
	f.nobody().get("/login?error=not_invited").wantStatus(http.StatusOK).wantText("Ask an administrator to invite you.")
	f.nobody().get("/login?error=call+555").wantStatus(http.StatusOK).wantText("Nobody was signed in.").wantNoText("555")
	f.as(f.analyst).get("/login?error=not_fresh&next=/docs").wantStatus(http.StatusOK).wantText("did not ask you to sign in again")
}

// TestSessionFixation: the cookie from before the sign-in is worth nothing after it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.add("ada", adminEmail, true)
	v := f.visitor()
	back := v.leave("/auth/oidc/login", "ada")
	planted := v.cookie()
	if planted == "" {
		t.Fatal("the browser that leaves holds no session")
	}
	v.open(back)
	if after := v.cookie(); after == planted || !v.signedIn() {
		t.Errorf("the session kept its token")
	}
	eve := f.visitor()
	here, err := url.Parse(f.site.URL)
	must(t, err)
	eve.Jar.SetCookies(here, []*http.Cookie{{Name: f.Sessions.Cookie.Name, Value: planted}})
	if eve.signedIn() {
		t.Error("a planted cookie opens the session")
	}
}

// TestAttacksOnTheCallback takes honest ways back and bends them.
func TestAttacksOnTheCallback(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.add("ada", adminEmail, true)
	f.google.add("ada", adminEmail, true)
	bend := func(change func(q url.Values)) func(*visitor, string) string {
		return func(_ *visitor, back string) string {
			u, err := url.Parse(back)
			must(t, err)
			q := u.Query()
			change(q)
			u.RawQuery = q.Encode()
			return u.String()
		}
	}
	for name, c := range map[string]struct {
		bend func(v *visitor, back string) string
		code string
	}{
		"nothing":                  {func(_ *visitor, _ string) string { return "/auth/oidc/callback" }, "oauth_failed"},
		"no state":                 {bend(func(q url.Values) { q.Del("state") }), "oauth_failed"},
		"an empty state":           {bend(func(q url.Values) { q.Set("state", "") }), "oauth_failed"},
		"another state":            {bend(func(q url.Values) { q.Set("state", "A"+q.Get("state")[1:]+"A") }), "oauth_failed"},
		"two states":               {bend(func(q url.Values) { q.Add("state", "x") }), "oauth_failed"},
		"no code":                  {bend(func(q url.Values) { q.Del("code") }), "oauth_failed"},
		"two codes":                {bend(func(q url.Values) { q.Add("code", "x") }), "oauth_failed"},
		"a made-up code":           {bend(func(q url.Values) { q.Set("code", "x") }), "oauth_failed"},
		"another issuer":           {bend(func(q url.Values) { q.Set("iss", "https://evil.example") }), "oauth_failed"},
		"an error and a code":      {bend(func(q url.Values) { q.Set("error", "server_error") }), "oauth_failed"},
		"stopped there":            {bend(func(q url.Values) { q.Set("error", "access_denied"); q.Del("code") }), "access_denied"},
		"an error without state":   {bend(func(q url.Values) { q.Set("error", "access_denied"); q.Del("state") }), "oauth_failed"},
		"the other service's door": {func(_ *visitor, back string) string { return strings.Replace(back, "/auth/oidc/", "/auth/google/", 1) }, "oauth_failed"},
		"used already": {func(v *visitor, back string) string {
			v.open(back)
			v.send(http.MethodPost, "/logout", nil)
			return back
		}, "sign_in_expired"},
		"spent by a failure": {func(v *visitor, back string) string { v.open(back + "&state=x"); return back }, "sign_in_expired"},
		"of somebody else, who is on the way too": {func(v *visitor, _ string) string {
			other := f.visitor()
			return other.leave("/auth/oidc/login", "ada")
		}, "oauth_failed"},
		"a code of somebody else under the own state": {func(v *visitor, back string) string {
			mine, err := url.Parse(back)
			must(t, err)
			theirs, err := url.Parse(f.visitor().leave("/auth/oidc/login", "ada"))
			must(t, err)
			return bend(func(q url.Values) { q.Set("code", theirs.Query().Get("code")) })(v, mine.String())
		}, "oauth_failed"},
		"a code of the other service": {func(v *visitor, back string) string {
			theirs, err := url.Parse(f.visitor().leave("/auth/google/login", "ada"))
			must(t, err)
			return bend(func(q url.Values) { q.Set("code", theirs.Query().Get("code")) })(v, back)
		}, "oauth_failed"},
		"a way begun at the other service": {func(v *visitor, _ string) string {
			back := v.leave("/auth/google/login", "ada")
			return strings.Replace(back, "/auth/google/", "/auth/oidc/", 1)
		}, "oauth_failed"},
	} {
		v := f.visitor()
		target := c.bend(v, v.leave("/auth/oidc/login", "ada"))
		if status, end := v.open(target); status != http.StatusFound || end != "/login?error="+c.code || v.signedIn() {
			t.Errorf("%s: %d %q, want %s", name, status, end, c.code)
		}
	}
	stranger := f.visitor()
	back := f.visitor().leave("/auth/oidc/login", "ada")
	if _, end := stranger.open(back); end != "/login?error=sign_in_expired" || stranger.signedIn() {
		t.Errorf("another browser ends at %q", end)
	}
}

// TestMixUp: a way back serves at the door that it began at only, even where
// both doors lead to the same provider.
func TestMixUp(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.google.add("ada", adminEmail, true)
	f.Services[1].Client = f.Services[0].Client
	v := f.visitor()
	back := v.leave("/auth/google/login", "ada")
	if _, end := v.open(strings.Replace(back, "/auth/google/", "/auth/oidc/", 1)); end != "/login?error=oauth_failed" || v.signedIn() {
		t.Errorf("at another door: ends at %q", end)
	}
}

func TestTripExpires(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.add("ada", adminEmail, true)
	for wait, want := range map[time.Duration]string{people.TripLifetime: "/docs", people.TripLifetime + time.Second: "/login?error=sign_in_expired&next=%2Fdocs"} {
		v := f.visitor()
		back := v.leave("/auth/oidc/login?next=/docs", "ada")
		f.clock.advance(wait)
		if _, end := v.open(back); end != want {
			t.Errorf("after %s: %q, want %q", wait, end, want)
		}
	}
}

func TestServiceGoesNowhereElse(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.add("ada", adminEmail, true)
	for _, next := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "/%2fevil.example", "/%5cevil.example", "///evil.example", "/\t/evil.example",
		"/.//evil.example", "javascript:alert(1)", "evil.example", "/\r\nSet-Cookie: a=b", "https:evil.example", "/..//evil.example", "/%09/evil.example",
	} {
		v := f.visitor()
		if end := v.signsIn("/auth/oidc/login?next="+url.QueryEscape(next), "ada"); end != "/catalog" {
			t.Errorf("next %q ends at %q", next, end)
		}
		_, end := v.open("/auth/oidc/callback?next=" + url.QueryEscape(next))
		if end != "/login?error=sign_in_expired" {
			t.Errorf("next %q of a callback ends at %q", next, end)
		}
	}
}

func TestServiceFresh(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.add("ada", adminEmail, true)
	v := f.visitor()
	if end := v.signsIn("/auth/oidc/login", "ada"); end != "/catalog" {
		t.Fatalf("ends at %q", end)
	}
	_, there := v.open("/auth/oidc/login?fresh=1&next=/docs")
	q, err := url.Parse(there)
	must(t, err)
	if q.Query().Get("prompt") != "login" || q.Query().Get("max_age") != "0" {
		t.Errorf("asks for %s", there)
	}
	if _, end := v.open(v.signInAt(there, "ada")); end != "/docs" {
		t.Errorf("ends at %q", end)
	}
}

// TestServicesThatAreNotThere: what is not configured, and what is down.
func TestServicesThatAreNotThere(t *testing.T) {
	t.Parallel()
	f := newFederal(t)
	f.oidc.Close()
	v := f.visitor()
	for path, code := range map[string]string{"/auth/oidc/login?next=/docs": "provider_unavailable&next=%2Fdocs", "/auth/oidc/callback?code=a&state=b": "sign_in_expired"} {
		if status, end := v.open(path); status != http.StatusFound || end != "/login?error="+code {
			t.Errorf("%s: %d %q, want %s", path, status, end, code)
		}
	}
	f.Services = nil
	for _, method := range []string{"google", "oidc"} {
		for _, path := range []string{"/auth/" + method + "/login", "/auth/" + method + "/callback?code=a&state=b"} {
			if status, end := v.open(path); status != http.StatusFound || end != "/login?error="+method+"_not_configured" {
				t.Errorf("%s: %d %q", path, status, end)
			}
		}
	}
}

func TestCallbackBase(t *testing.T) {
	t.Parallel()
	s := &Server{}
	r := httptest.NewRequest(http.MethodGet, "http://agnes.example.com/auth/oidc/login", nil)
	secure := httptest.NewRequest(http.MethodGet, "https://agnes.example.com/auth/oidc/login", nil)
	if got := s.base(r); got != "http://agnes.example.com" {
		t.Errorf("base = %q", got)
	}
	if got := s.base(secure); got != "https://agnes.example.com" {
		t.Errorf("base = %q", got)
	}
	s.CallbackBase = "https://public.example.com"
	if got := s.base(r); got != s.CallbackBase {
		t.Errorf("base = %q", got)
	}
}

func TestServiceButtons(t *testing.T) {
	t.Parallel()
	got := ServiceButtons([]Service{{Method: people.ByGoogle, Name: "Google"}, {Method: people.ByOIDC, Name: "Example SSO"}})
	want := []views.Provider{{Name: "Google", URL: "/auth/google/login", Google: true}, {Name: "Example SSO", URL: "/auth/oidc/login"}}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("buttons %+v, want %+v", got, want)
		}
	}
}
