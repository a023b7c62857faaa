//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	signInForm = "/login/link"
	forgotForm = "/login/forgot"
)

func (v *identity) linkAttacks() []attempt {
	newPassword := url.Values{"password": {"canary-secret-taken-18"}}
	return []attempt{
		{"a link signs in once, and its token not again in any browser", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			b := v.browser().opens(l)
			other := v.browser().opens(l) // opened before it is used
			b.must(http.StatusSeeOther, http.MethodPost, "/login/link/open", url.Values{})
			must(b.isIn(annaEmail))
			if got := other.ask(http.MethodPost, "/login/link/open", url.Values{}); got.status < 400 {
				return fmt.Errorf("used twice: %d", got.status)
			}
			return errors.Join(other.isOut(), v.dead(l), v.refusedByAPI(annaEmail, l.token))
		}},
		{"a link opened in 20 browsers and clicked at once signs in one", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			browsers := make([]*browser, 20)
			for i := range browsers {
				browsers[i] = v.browser().opens(l)
			}
			in := atOnce(len(browsers), func(i int) bool {
				browsers[i].ask(http.MethodPost, "/login/link/open", url.Values{})
				return browsers[i].isOut() != nil
			})
			return exactly(1, in, "got in")
		}},
		{"a link that has expired opens nothing", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			b := v.browser().opens(l)
			v.alter(`UPDATE one_time_links SET expires_at = ? WHERE email = ? AND purpose = 'sign_in'`, minute(-time.Second), annaEmail)
			if got := b.ask(http.MethodPost, "/login/link/open", url.Values{}); got.status < 400 {
				return fmt.Errorf("expired, and used: %d", got.status)
			}
			return errors.Join(b.isOut(), v.dead(l), v.refusedByAPI(annaEmail, l.token))
		}},
		{"a newer link voids the older one", func() error {
			old := v.asks(v.browser(), signInForm, annaEmail)
			v.asks(v.browser(), signInForm, annaEmail)
			return v.dead(old)
		}},
		{"a link to sign in sets no password", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			return errors.Join(v.dead(letter{path: "/login/reset?token=" + l.token}), v.dead(letter{path: "/login/setup?token=" + l.token}), v.confirmRefused(annaEmail, l.token))
		}},
		{"a link to reset neither signs in nor sets up", func() error {
			l := v.asks(v.browser(), forgotForm, annaEmail)
			return errors.Join(v.dead(letter{path: "/login/link/open?token=" + l.token}), v.dead(letter{path: "/login/setup?token=" + l.token}), v.refusedByAPI(annaEmail, l.token))
		}},
		{"opening a link for one purpose arms no form of another", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			b := v.browser().opens(l)
			if got := b.ask(http.MethodPost, "/login/reset", newPassword); got.status < 400 {
				return fmt.Errorf("a password was set: %d", got.status)
			}
			return b.isOut()
		}},
		{"a token with another address signs nobody in and stays unspent", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			must(v.refusedByAPI(adminEmail, l.token))
			b := v.browser()
			if got := b.ask(http.MethodGet, "/auth/email/verify?"+url.Values{"email": {adminEmail}, "token": {l.token}}.Encode(), nil); got.status < 400 {
				return fmt.Errorf("it opened: %d", got.status)
			}
			v.browser().opens(l)
			return b.isOut()
		}},
		{"programs that open every link of a mail spend none", func() error {
			link, reset := v.asks(v.browser(), signInForm, annaEmail), v.asks(v.browser(), forgotForm, annaEmail)
			old := "/auth/email/verify?" + url.Values{"email": {annaEmail}, "token": {link.token}}.Encode()
			for _, path := range []string{link.path, reset.path, old, "/auth/password/reset?" + url.Values{"email": {annaEmail}, "token": {reset.token}}.Encode()} {
				for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet} {
					if got := v.browser().ask(method, path, nil, "Purpose", "prefetch", "Sec-Purpose", "prefetch"); got.status >= 400 {
						return fmt.Errorf("%s %s: %d", method, strings.SplitN(path, "?", 2)[0], got.status)
					}
				}
			}
			b := v.browser().opens(link)
			b.must(http.StatusSeeOther, http.MethodPost, "/login/link/open", url.Values{})
			v.browser().opens(reset)
			return b.isIn(annaEmail)
		}},
		{"a token leaves the address bar at once and reaches no other site", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			b := v.browser()
			got := b.must(http.StatusSeeOther, http.MethodGet, l.path, nil)
			page := b.must(http.StatusOK, http.MethodGet, got.location(), nil)
			if strings.Contains(got.location(), l.token) || bytes.Contains(page.body, []byte(l.token)) {
				return errors.New("the token is still there")
			}
			for _, a := range []*answer{got, page} {
				if p := a.header.Get("Referrer-Policy"); p != "no-referrer" {
					return fmt.Errorf("Referrer-Policy %q", p)
				}
			}
			return nil
		}},
		{"what a browser's session keeps of a link opens nothing elsewhere", func() error {
			// Cookies are all that a browser holds: nothing of the link stands in them.
			l := v.asks(v.browser(), signInForm, annaEmail)
			b := v.browser().opens(l)
			for name, value := range b.cookies {
				if strings.Contains(value, l.token) {
					return fmt.Errorf("the cookie %s holds the token", name)
				}
				must(v.dead(letter{path: "/login/link/open?token=" + url.QueryEscape(value)}))
			}
			return nil
		}},
		{"a link for a password ends every other sign-in, link and code of its person", func() error {
			email, password, _ := v.person("lena")
			before, token := v.browser().signs(email, password), v.signIn(email, password).token
			pending := v.asks(v.browser(), signInForm, email)
			b := v.browser().opens(v.asks(v.browser(), forgotForm, email))
			b.must(http.StatusSeeOther, http.MethodPost, "/login/reset", url.Values{"password": {"canary-secret-taken-18"}})
			must(b.isIn(email))
			return errors.Join(before.isOut(), exactly(http.StatusUnauthorized, v.bears(token), "is the old token's answer"), v.dead(pending))
		}},
		{"wrong, empty and mangled tokens open nothing", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			for _, token := range []string{"", "a", l.token[1:], l.token + "A", l.token[:42], strings.ToUpper(l.token), strings.Repeat("A", 60_000), "%00" + l.token, l.token + "%0a", "' OR 1=1 --", "../" + l.token} {
				for _, page := range []string{"/login/link/open", "/login/reset", "/login/setup"} {
					got := v.browser().ask(http.MethodGet, page+"?token="+url.QueryEscape(token), nil)
					if got.status != http.StatusNotFound && got.status != http.StatusRequestHeaderFieldsTooLarge {
						return fmt.Errorf("%s with %.20q: %d to %q", page, token, got.status, got.location())
					}
				}
			}
			v.browser().opens(l)
			return nil
		}},
	}
}

// refusedByAPI fails when a program can sign in with a token.
func (v *identity) refusedByAPI(email, token string) error {
	err := (&client{server: v.server}).call(http.MethodPost, "/auth/email/verify", map[string]string{"email": email, "token": token}, nil)
	var no *refused
	if !errors.As(err, &no) || no.status != http.StatusUnauthorized {
		return fmt.Errorf("IT WORKS for programs: %w", err)
	}
	return nil
}

// confirmRefused fails when the older forms set a password with a token.
func (v *identity) confirmRefused(email, token string) error {
	for _, path := range []string{"/auth/password/reset/confirm", "/auth/password/setup/confirm"} {
		b := v.browser()
		b.ask(http.MethodPost, path, url.Values{"email": {email}, "token": {token}, "password": {"canary-secret-taken-18"}, "confirm_password": {"canary-secret-taken-18"}})
		if err := b.isOut(); err != nil {
			return err
		}
	}
	v.signIn(annaEmail, annaPassword) // it is still hers
	return nil
}

func (v *identity) codeAttacks() []attempt {
	code := func(b *browser, code string) *answer {
		return b.ask(http.MethodPost, "/login/code", url.Values{"code": {code}})
	}
	return []attempt{
		{"a code works in the browser that asked, and there once", func() error {
			b := v.browser()
			l := v.asks(b, signInForm, annaEmail)
			thief := b.like()
			if got := code(b, strings.ToLower(strings.ReplaceAll(l.code, "-", " "))); got.status != http.StatusSeeOther {
				return fmt.Errorf("it does not work at all: %d", got.status)
			}
			must(b.isIn(annaEmail))
			code(thief, l.code)
			return errors.Join(thief.isOut(), v.dead(l))
		}},
		{"a code does nothing in a browser that did not ask", func() error {
			l := v.asks(v.browser(), signInForm, annaEmail)
			blank := v.browser()
			code(blank, l.code)
			return blank.isOut()
		}},
		{"a code does nothing in a browser that asked for another address, or for the same one", func() error {
			email, _, _ := v.person("mona")
			eve := v.browser()
			v.asks(eve, signInForm, email)
			l := v.asks(v.browser(), signInForm, annaEmail)
			code(eve, l.code)
			must(eve.isOut())
			twin := v.browser()
			first := v.asks(twin, signInForm, annaEmail)
			second := v.asks(v.browser(), signInForm, annaEmail)
			code(twin, second.code)
			must(twin.isOut())
			code(twin, first.code) // replaced
			return twin.isOut()
		}},
		{"five wrong codes void the right one and its link", func() error {
			b := v.browser()
			l := v.asks(b, signInForm, annaEmail)
			for range 5 {
				must(code(b, "2222-2222").is(http.StatusUnauthorized, "a wrong code"))
			}
			must(code(b, l.code).is(http.StatusUnauthorized, "the right code"))
			return errors.Join(b.isOut(), v.dead(l))
		}},
		{"fifty wrong codes sent at once are counted, and void the right one", func() error {
			b := v.browser()
			l := v.asks(b, signInForm, annaEmail)
			atOnce(50, func(int) bool { code(b.like(), "2222-2222"); return false })
			code(b, l.code)
			return errors.Join(b.isOut(), v.dead(l))
		}},
		{"the right code sent twenty times at once signs in one browser", func() error {
			b := v.browser()
			l := v.asks(b, signInForm, annaEmail)
			in := atOnce(20, func(int) bool { other := b.like(); code(other, l.code); return other.isOut() != nil })
			return exactly(1, in, "got in")
		}},
	}
}
