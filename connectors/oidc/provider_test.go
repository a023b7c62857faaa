package oidc

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"agnes/domain"
	"agnes/domain/people"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	ada := people.Claims{Provider: people.ByOIDC, Subject: "ada", Email: "Ada@example.com", EmailVerified: true, Name: "Ada"}
	but := func(change func(*people.Claims)) people.Claims {
		c := ada
		change(&c)
		return c
	}
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, c := range map[string]struct {
		claims map[string]any
		person map[string]any
		want   people.Claims
	}{
		"honest":                       {nil, nil, ada},
		"verified as text":             {map[string]any{"email_verified": "true"}, nil, ada},
		"not verified":                 {map[string]any{"email_verified": false}, nil, but(func(c *people.Claims) { c.EmailVerified = false })},
		"not said whether verified":    {map[string]any{"email_verified": nil}, nil, but(func(c *people.Claims) { c.EmailVerified = false })},
		"verified as a number":         {map[string]any{"email_verified": 1}, nil, but(func(c *people.Claims) { c.EmailVerified = false })},
		"verified as other text":       {map[string]any{"email_verified": "yes"}, nil, but(func(c *people.Claims) { c.EmailVerified = false })},
		"no address anywhere":          {map[string]any{"email": nil}, map[string]any{"sub": "ada"}, but(func(c *people.Claims) { c.Email, c.EmailVerified = "", false })},
		"the address when asked":       {map[string]any{"email": nil, "email_verified": nil}, map[string]any{"sub": "ada", "email": "Ada@example.com", "email_verified": "true"}, ada},
		"a word of one for the other":  {map[string]any{"email": nil}, map[string]any{"sub": "ada", "email": "Ada@example.com"}, but(func(c *people.Claims) { c.EmailVerified = false })},
		"a list of groups":             {map[string]any{"groups": []string{"a", "b"}}, nil, but(func(c *people.Claims) { c.Groups, c.GroupsKnown = []string{"a", "b"}, true })},
		"one group":                    {map[string]any{"groups": "a"}, nil, but(func(c *people.Claims) { c.Groups, c.GroupsKnown = []string{"a"}, true })},
		"no groups":                    {map[string]any{"groups": []string{}}, nil, but(func(c *people.Claims) { c.Groups, c.GroupsKnown = []string{}, true })},
		"groups that are none":         {map[string]any{"groups": map[string]any{"a": 1}}, nil, ada},
		"groups when asked":            {nil, map[string]any{"sub": "ada", "groups": []string{"a"}}, but(func(c *people.Claims) { c.Groups, c.GroupsKnown = []string{"a"}, true })},
		"several clients, issued here": {map[string]any{"aud": []string{"agnes", "another"}, "azp": "agnes"}, nil, ada},
		"within the clocks' skew":      {map[string]any{"exp": at(-maxSkew), "iat": at(maxSkew), "nbf": at(maxSkew)}, nil, ada},
		"its access token":             {map[string]any{"at_hash": atHash("access")}, nil, ada},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLiar(t)
			with(c.claims)(l)
			l.person = c.person
			got, err := l.provider(nil).Claims(t.Context(), trip, "code", "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(people.Claims{}, "GroupsErr")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestGroupsThatAreNotTold: whoever has an address signs in without groups, and
// the claims tell a service that failed from one that says nothing.
func TestGroupsThatAreNotTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		person map[string]any
		told   []string // in the ID token
		why    string
	}{
		"it fails":             {nil, nil, "404"},
		"it answers badly":     {map[string]any{"sub": 5}, nil, "ask about the person"},
		"it says nothing":      {map[string]any{"sub": "ada"}, nil, ""},
		"it need not be asked": {nil, []string{"a"}, ""},
	} {
		l := newLiar(t)
		if c.told != nil {
			with(map[string]any{"groups": c.told})(l)
		}
		l.person = c.person
		got, err := l.provider(nil).Claims(t.Context(), trip, "code", "")
		if err != nil || got.GroupsKnown != (c.told != nil) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if c.why == "" && got.GroupsErr != nil || c.why != "" && (got.GroupsErr == nil || !strings.Contains(got.GroupsErr.Error(), c.why)) {
			t.Errorf("%s: why there are no groups: %v, want %q", name, got.GroupsErr, c.why)
		}
	}
}

func TestClaimsOfGoogle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		email, hosted string
		verified      bool
	}{
		"of a company":                      {"ada@example.com", "example.com", true},
		"Google's own":                      {"ada@GMAIL.com", "", true},
		"an address from elsewhere":         {"ada@example.com", "", false},
		"an address that only looks Google": {"ada@notgmail.com", "", false},
	} {
		l := newLiar(t)
		with(map[string]any{"email": c.email, "hd": c.hosted})(l)
		got, err := l.provider(func(c *Config) { c.Google = true }).Claims(t.Context(), trip, "code", "")
		if err != nil || got.Provider != people.ByGoogle || got.HostedDomain != c.hosted || got.EmailVerified != c.verified {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestSignInURL(t *testing.T) {
	t.Parallel()
	l := newLiar(t)
	l.metadata = map[string]any{"authorization_endpoint": l.URL + "/auth?tenant=1"}
	fresh := trip
	fresh.Fresh = true
	for name, c := range map[string]struct {
		trip   people.Trip
		change func(*Config)
		want   map[string]string
	}{
		"plain":           {trip, nil, map[string]string{"prompt": "", "max_age": "", "hd": "", "scope": "openid email"}},
		"fresh":           {fresh, nil, map[string]string{"prompt": "login", "max_age": "0"}},
		"Google":          {trip, func(c *Config) { c.Google, c.HostedDomains = true, []string{"example.com"} }, map[string]string{"hd": "example.com"}},
		"Google, domains": {trip, func(c *Config) { c.Google, c.HostedDomains = true, []string{"a.example", "b.example"} }, map[string]string{"hd": "*"}},
		"Google, fresh":   {fresh, func(c *Config) { c.Google = true }, map[string]string{"prompt": "select_account", "max_age": ""}},
	} {
		text, err := l.provider(c.change).SignInURL(t.Context(), c.trip)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		for key, want := range map[string]string{
			"tenant": "1", "response_type": "code", "client_id": "agnes", "state": "state", "nonce": "nonce", "redirect_uri": trip.Return, "code_challenge_method": "S256",
		} {
			if q.Get(key) != want {
				t.Errorf("%s: %s = %q, want %q", name, key, q.Get(key), want)
			}
		}
		for key, want := range c.want {
			if q.Get(key) != want {
				t.Errorf("%s: %s = %q, want %q", name, key, q.Get(key), want)
			}
		}
		if challenge := q.Get("code_challenge"); len(challenge) != 43 || strings.Contains(text, trip.Verifier) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	fresh := trip
	fresh.Fresh = true
	for name, c := range map[string]struct {
		at     any
		google bool
		code   string
	}{
		"signed in again":                {noon.Unix(), false, ""},
		"with a fraction":                {float64(noon.Unix()) + 0.5, false, ""},
		"signed in before":               {noon.Add(-2 * maxSkew).Unix(), false, "not_fresh"},
		"not said":                       {nil, false, "not_fresh"},
		"not said, as Google never does": {nil, true, ""},
		"no time":                        {"now", false, "oauth_failed"},
	} {
		l := newLiar(t)
		with(map[string]any{"auth_time": c.at})(l)
		_, err := l.provider(func(p *Config) { p.Google = c.google }).Claims(t.Context(), fresh, "code", "")
		if domain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
}

// TestProviderThatComesBack: a provider is asked when it is needed, serves on
// while it is away, and is asked again after its keys changed.
func TestProviderThatComesBack(t *testing.T) {
	t.Parallel()
	l := newLiar(t)
	down := true
	l.answer = func(w http.ResponseWriter) bool {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down
	}
	now := noon
	p := l.provider(func(c *Config) { c.Now = func() time.Time { return now } })
	if l.asked.Load() != 0 {
		t.Error("it is asked before anybody signs in")
	}
	if _, err := p.SignInURL(t.Context(), trip); domain.CodeOf(err) != "provider_unavailable" {
		t.Errorf("down: %v", err)
	}
	down = false
	if _, err := p.Claims(t.Context(), trip, "code", ""); err != nil {
		t.Errorf("back: %v", err)
	}
	asked := l.asked.Load()
	if _, err := p.SignInURL(t.Context(), trip); err != nil || l.asked.Load() != asked {
		t.Errorf("asked again for what is known: %v", err)
	}
	l.key = mustKey(t)
	l.token = func(c map[string]any) string { return l.sign(jose.RS256, l.key, "k1", c) }
	if _, err := p.Claims(t.Context(), trip, "code", ""); err != nil {
		t.Errorf("with new keys: %v", err)
	}
	down, now = true, noon.Add(2*discoveryAge)
	if _, err := p.SignInURL(t.Context(), trip); err != nil {
		t.Errorf("away, with what is known: %v", err)
	}
	if _, err := p.Claims(t.Context(), trip, "code", ""); domain.CodeOf(err) != "provider_unavailable" {
		t.Errorf("away: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"plain HTTP":         {Issuer: "http://login.example.com", ClientID: "a", ClientSecret: "b"},
		"no host":            {Issuer: "https:///x", ClientID: "a", ClientSecret: "b"},
		"another scheme":     {Issuer: "file:///etc/passwd", ClientID: "a", ClientSecret: "b"},
		"no client":          {Issuer: "https://login.example.com", ClientSecret: "b"},
		"no client's secret": {Issuer: "https://login.example.com", ClientID: "a"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
