//go:build duckdb_arrow

package attacks

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
)

// limited is a server as people run it: tries are bounded, and it is reached by HTTPS.
type limited struct{ *server }

func (c *campaign) theLimited() *limited {
	if c.bounded == nil {
		c.bounded = &limited{c.launch("limited", "SERVER_URL=https://agnes.example.com", "SENDGRID_API_KEY=canary-secret-sendgrid-16", "SMTP_FROM=agnes@example.com")}
		admin := c.bounded.signIn(adminEmail, adminPassword)
		for _, name := range []string{"anna", "bert", "carl", "dave"} {
			admin.account(name+"@example.com", annaPassword)
		}
	}
	return c.bounded
}

func (l *limited) cookieAttacks() []attempt {
	return []attempt{
		{"behind HTTPS the cookie is __Host-, Secure, HttpOnly, SameSite and for no other host", func() error {
			b := l.fresh()
			b.must(http.StatusSeeOther, http.MethodPost, "/login", url.Values{"email": {adminEmail}, "password": {adminPassword}})
			if len(b.set) != 1 {
				return fmt.Errorf("%d cookies", len(b.set))
			}
			c := b.set[0]
			if c.Name != "__Host-agnes_session" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || len(c.Value) < 43 {
				return fmt.Errorf("it is %s", strings.Replace(c.String(), c.Value, "…", 1))
			}
			return nil
		}},
		{"without HTTPS the cookie is HttpOnly, SameSite and for no other host", func() error {
			b := l.c.theIdentity().browser().signs(annaEmail, annaPassword)
			b.must(http.StatusSeeOther, http.MethodPost, "/login", url.Values{"email": {annaEmail}, "password": {annaPassword}})
			c := b.set[0]
			if len(b.set) != 1 || c.Name != sessionCookie || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				return fmt.Errorf("it is %s", strings.Replace(c.String(), c.Value, "…", 1))
			}
			return nil
		}},
		{"a cookie of the other name, as one without HTTPS may plant, is nobody", func() error {
			b := l.fresh()
			b.must(http.StatusSeeOther, http.MethodPost, "/login", url.Values{"email": {adminEmail}, "password": {adminPassword}})
			must(b.isIn(adminEmail))
			planted := l.fresh()
			for _, value := range b.cookies {
				planted.cookies[sessionCookie], planted.cookies["__Secure-"+sessionCookie] = value, value
			}
			return planted.isOut()
		}},
		{"browsers are told to come by HTTPS only", func() error {
			if h := l.fresh().ask(http.MethodGet, "/login", nil).header.Get("Strict-Transport-Security"); !strings.HasPrefix(h, "max-age=31536000") {
				return fmt.Errorf("Strict-Transport-Security %q", h)
			}
			return nil
		}},
	}
}

// fresh is a browser at an address that has not tried anything yet.
func (s *server) fresh() *browser {
	s.c.addresses++
	return s.from(fmt.Sprintf("127.1.%d.%d", s.c.addresses/250, s.c.addresses%250+1))
}

// wrong tries a wrong password, and fails at any answer but these.
func wrong(b *browser, email string, headers ...string) *answer {
	return b.ask(http.MethodPost, "/login", url.Values{"email": {email}, "password": {"no password of theirs"}}, headers...)
}

func tooMany(got *answer, what string) error {
	if err := got.is(http.StatusTooManyRequests, what); err != nil {
		return err
	}
	if after, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || after < 1 || after > 900 {
		return fmt.Errorf("%s: Retry-After %q", what, got.header.Get("Retry-After"))
	}
	return nil
}

func (l *limited) guesses() []attempt {
	// eleven tries from addresses that each try once, so that the account alone counts.
	elevenOn := func(email string) (last *answer, err error) {
		for i := range 10 {
			if err := wrong(l.fresh(), email).is(http.StatusUnauthorized, fmt.Sprint("try ", i+1)); err != nil {
				return nil, err
			}
		}
		last = wrong(l.fresh(), email)
		return last, tooMany(last, "try 11")
	}
	return []attempt{
		{"the eleventh wrong password of an account is told 429 with Retry-After, alike for one that nobody has", func() error {
			known, err := elevenOn(annaEmail)
			if err != nil {
				return err
			}
			unknown, err := elevenOn(unknownEmail)
			if err != nil {
				return err
			}
			if a, b := string(known.body), alikeText(string(unknown.body)); a != b || known.header.Get("Retry-After") != unknown.header.Get("Retry-After") {
				return fmt.Errorf("told apart: %q and %q", sentenceOf(known.body), sentenceOf(unknown.body))
			}
			return nil
		}},
		{"an account that waits answers the right password as a wrong one", func() error {
			got := l.fresh().ask(http.MethodPost, "/login", url.Values{"email": {annaEmail}, "password": {annaPassword}})
			return tooMany(got, "the right password")
		}},
		{"an account that waits for pages waits for programs, and in other letters", func() error {
			for _, path := range []string{"/auth/token", "/auth/password/login"} {
				body := `{"email":" ANNA@example.com","password":"` + annaPassword + `"}`
				got, err := l.fresh().raw(http.MethodPost, path, strings.NewReader(body), body, "Content-Type", "application/json")
				must(err)
				must(tooMany(got, path))
			}
			return tooMany(wrong(l.fresh(), "Anna@Example.com"), "in other letters")
		}},
		{"another account is not held up by that", func() error {
			l.fresh().must(http.StatusSeeOther, http.MethodPost, "/login", url.Values{"email": {"bert@example.com"}, "password": {annaPassword}})
			return nil
		}},
		{"sixty tries at once on one account compare ten passwords at most", func() error {
			var compared atomic.Int32
			browsers := make([]*browser, 60)
			for i := range browsers {
				browsers[i] = l.fresh()
			}
			atOnce(len(browsers), func(i int) bool {
				if wrong(browsers[i], "carl@example.com").status == http.StatusUnauthorized {
					compared.Add(1)
				}
				return false
			})
			return exactly(10, int(compared.Load()), "were compared")
		}},
		{"one address that tries one password on many accounts is told 429 at the eleventh", func() error {
			b := l.fresh()
			for i := range 10 {
				must(wrong(b, fmt.Sprintf("many%d@example.com", i)).is(http.StatusUnauthorized, fmt.Sprint("account ", i+1)))
			}
			return tooMany(wrong(b, "many10@example.com"), "account 11")
		}},
		{"headers that name another address do not help it", func() error {
			b := l.fresh()
			last := (*answer)(nil)
			for i := range 11 {
				ip := fmt.Sprintf("198.51.100.%d", i+1)
				last = wrong(b, fmt.Sprintf("forwarded%d@example.com", i), "X-Forwarded-For", ip, "X-Real-IP", ip, "Forwarded", "for="+ip, "True-Client-IP", ip, "CF-Connecting-IP", ip, "X-Client-IP", ip, "Client-IP", ip)
			}
			return tooMany(last, "the eleventh")
		}},
		{"headers that name another address are not written into the audit log", func() error {
			found := 0
			l.readState(`SELECT id FROM audit_log WHERE client_ip LIKE '198.51.100.%'`, func(string) { found++ })
			return exactly(0, found, "rows name it")
		}},
		{"asking for mail, codes and links is bounded by address too", func() error {
			for path, form := range map[string]url.Values{signInForm: {"email": {unknownEmail}}, forgotForm: {"email": {unknownEmail}}, "/login/code": {"code": {"2222-2222"}}, "/login/link/open": {}, "/auth/password/reset": {"email": {unknownEmail}}} {
				b := l.fresh()
				for range 10 {
					b.ask(http.MethodPost, path, form)
				}
				must(tooMany(b.ask(http.MethodPost, path, form), path))
			}
			return nil
		}},
		{"a restart forgets no try", func() error {
			l.kill()
			l.server = l.c.launch("limited", "SERVER_URL=https://agnes.example.com", "SENDGRID_API_KEY=canary-secret-sendgrid-16", "SMTP_FROM=agnes@example.com")
			return tooMany(wrong(l.fresh(), annaEmail), "after a restart")
		}},
	}
}
