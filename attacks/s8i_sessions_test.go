//go:build duckdb_arrow

package attacks

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const sessionCookie = "agnes_session"

func (v *identity) sessionAttacks() []attempt {
	return []attempt{
		{"a cookie that was planted before a sign-in is worth nothing after it", func() error {
			eve := v.browser() // gets a session of nobody, and plants it
			eve.must(http.StatusSeeOther, http.MethodPost, signInForm, url.Values{"email": {annaEmail}})
			planted := eve.cookies[sessionCookie]
			if planted == "" {
				return errors.New("there is no cookie to plant")
			}
			victim := eve.like().signs(annaEmail, annaPassword)
			if victim.cookies[sessionCookie] == planted {
				return errors.New("the cookie is still the planted one")
			}
			return eve.isOut()
		}},
		{"the same by a link, and by a code in the browser that asked", func() error {
			for _, byCode := range []bool{false, true} {
				eve := v.browser()
				l := v.asks(eve, signInForm, annaEmail)
				victim := eve.like()
				if byCode {
					victim.must(http.StatusSeeOther, http.MethodPost, "/login/code", url.Values{"code": {l.code}})
				} else {
					victim.opens(l).must(http.StatusSeeOther, http.MethodPost, "/login/link/open", url.Values{})
				}
				must(victim.isIn(annaEmail))
				must(eve.isOut())
			}
			return nil
		}},
		{"a made-up cookie becomes nobody's session", func() error {
			b := v.browser()
			b.cookies[sessionCookie] = strings.Repeat("A", 43)
			must(b.isOut())
			b.ask(http.MethodPost, signInForm, url.Values{"email": {annaEmail}})
			if b.cookies[sessionCookie] == strings.Repeat("A", 43) {
				return errors.New("it was taken over")
			}
			return nil
		}},
		{"who signs in over somebody else's session ends that one", func() error {
			email, password, _ := v.person("ines")
			b := v.browser().signs(email, password)
			before := b.like()
			b.signs(annaEmail, annaPassword)
			return before.isOut()
		}},
		{"signing out ends the session on the server: its cookie is dead", func() error {
			for _, path := range []string{"/logout", "/auth/logout"} {
				b := v.browser().signs(annaEmail, annaPassword)
				copied := b.like()
				if got := b.ask(http.MethodPost, path, url.Values{}); got.status >= 400 {
					return fmt.Errorf("%s: %d", path, got.status)
				}
				must(copied.isOut())
			}
			return nil
		}},
		{"signing out everywhere ends sessions and access tokens of all devices", func() error {
			email, password, _ := v.person("otta")
			one, two, token := v.browser().signs(email, password), v.browser().signs(email, password), v.signIn(email, password).token
			one.must(http.StatusSeeOther, http.MethodPost, "/profile/sessions/all/end", url.Values{})
			return errors.Join(one.isOut(), two.isOut(), exactly(http.StatusUnauthorized, v.bears(token), "is the token's answer"))
		}},
		{"nobody ends the session of somebody else", func() error {
			email, password, id := v.person("pia")
			pia := v.browser().signs(email, password)
			eve := v.browser().signs(annaEmail, annaPassword)
			for _, session := range v.idsOf("sign_ins", id) {
				if got := eve.ask(http.MethodPost, "/profile/sessions/"+session+"/end", url.Values{}); got.status < 400 {
					return fmt.Errorf("answer %d", got.status)
				}
			}
			return pia.isIn(email)
		}},
		{"the cookie's value is not what the state keeps", func() error {
			b := v.browser().signs(annaEmail, annaPassword)
			return v.notInState(b.cookies[sessionCookie])
		}},
		{"credentials in an address sign nobody in", func() error {
			b := v.browser()
			q := url.Values{"email": {annaEmail}, "password": {annaPassword}}
			b.ask(http.MethodGet, "/login?"+q.Encode(), nil)
			b.ask(http.MethodPost, "/login?"+q.Encode(), url.Values{})
			b.ask(http.MethodPost, "/auth/password/login/web?"+q.Encode(), url.Values{})
			token := v.signIn(annaEmail, annaPassword).token
			for _, name := range []string{"access_token", "token", "jwt"} {
				if got := v.browser().ask(http.MethodGet, "/auth/me?"+name+"="+token, nil); got.status != http.StatusUnauthorized {
					return fmt.Errorf("?%s= is taken: %d", name, got.status)
				}
			}
			return b.isOut()
		}},
		{"nobody becomes the first administrator of a server that has one", func() error {
			err := (&client{server: v.server}).call(http.MethodPost, "/auth/bootstrap", map[string]string{"email": "eve@example.com", "password": "canary-secret-osm-19"}, nil)
			var no *refused
			if !errors.As(err, &no) || no.status != http.StatusForbidden {
				return fmt.Errorf("bootstrap: %w", err)
			}
			got := v.browser().ask(http.MethodPost, "/first-run", url.Values{"token": {"x"}, "email": {"eve@example.com"}, "password": {"canary-secret-osm-19"}, "name": {"Eve"}})
			if got.status < 300 || got.status < 400 && !strings.HasPrefix(got.location(), "/login") {
				return fmt.Errorf("first run: %d to %q", got.status, got.location())
			}
			return exactly(http.StatusUnauthorized, v.tries("eve@example.com", "canary-secret-osm-19"), "is the answer to signing in")
		}},
		{"other sites post to no form of somebody who is not signed in", func() error {
			forms := map[string]url.Values{
				"/login": {"email": {annaEmail}, "password": {annaPassword}}, "/auth/password/login/web": {"email": {annaEmail}, "password": {annaPassword}},
				signInForm: {"email": {annaEmail}}, forgotForm: {"email": {annaEmail}}, "/auth/password/reset": {"email": {annaEmail}},
				"/auth/password/setup/request": {"email": {annaEmail}}, "/login/link/open": {}, "/login/code": {"code": {"2222-2222"}}, "/login/reset": {}, "/login/setup": {}, "/logout": {}, "/theme": {},
			}
			for path, form := range forms {
				for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
					b := v.browser()
					if got := b.ask(http.MethodPost, path, form, headers...); got.status != http.StatusForbidden || len(b.cookies) > 0 {
						return fmt.Errorf("%s with %v: %d, cookies %v", path, headers, got.status, b.cookies)
					}
				}
			}
			return nil
		}},
		{"another site's page cannot read who is signed in", func() error {
			b := v.browser().signs(annaEmail, annaPassword)
			for _, origin := range []string{"https://evil.example", "null", v.url + ".evil.example"} {
				got := b.ask(http.MethodGet, "/auth/me", nil, "Origin", origin)
				if got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("Access-Control-Allow-Credentials") != "" {
					return fmt.Errorf("for %s: %v", origin, got.header)
				}
			}
			return nil
		}},
	}
}

// tries is the status of signing in for a token.
func (s *server) tries(email, password string) int {
	err := (&client{server: s}).call(http.MethodPost, "/auth/token", map[string]string{"email": email, "password": password}, nil)
	var no *refused
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &no):
		return no.status
	}
	must(err)
	return 0
}

// redirectAttacks asks every way in to go on to each hostile place.
func (v *identity) redirectAttacks() []attempt {
	host := strings.TrimPrefix(v.url, "http://")
	var all []attempt
	for _, next := range []string{
		"//evil.example", "///evil.example", "////evil.example/%2f..", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "%2f%2fevil.example", "/%2fevil.example",
		"/%2F%2Fevil.example", "/%5cevil.example", "/%5Cevil.example/", "/x/..//evil.example", "/..//evil.example", "/./" + "/evil.example", "https://evil.example", "HTTPS:evil.example", "https:/evil.example", "https:///evil.example",
		"http://" + host + "@evil.example", "//" + host + "@evil.example/", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "mailto:x@evil.example",
		"/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "/catalog\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:a=b", "/%09/evil.example", "/\x00/evil.example", " //evil.example", "\t//evil.example", "evil.example", ".evil.example",
		"@evil.example", "//evil。example", "/\u2028/evil.example", "/\u3000/evil.example", "?next=//evil.example", "#//evil.example", "//[::1]", "//2130706433",
	} {
		all = append(all, attempt{fmt.Sprintf("after a sign-in nobody is sent to %q", next), func() error { return v.staysHere(next) }})
	}
	return all
}

func (v *identity) staysHere(next string) error {
	answers := map[string]*answer{}
	form := url.Values{"email": {annaEmail}, "password": {annaPassword}, "next": {next}}
	b := v.browser()
	answers["/login"] = b.must(http.StatusSeeOther, http.MethodPost, "/login", form)
	answers["/login while signed in"] = b.ask(http.MethodGet, "/login?"+url.Values{"next": {next}}.Encode(), nil)
	answers["/confirm"] = b.ask(http.MethodPost, "/confirm", form)
	answers["the old form"] = v.browser().ask(http.MethodPost, "/auth/password/login/web", form)
	form.Set("password", "wrong-password")
	answers["the old form, refused"] = v.browser().ask(http.MethodPost, "/auth/password/login/web", form)
	asking := v.browser()
	l := v.asks(asking, signInForm, annaEmail, "next", next)
	answers["a link"] = v.browser().opens(l).must(http.StatusSeeOther, http.MethodPost, "/login/link/open", url.Values{})
	service := v.browser()
	service.ask(http.MethodGet, "/auth/oidc/login?"+url.Values{"next": {next}}.Encode(), nil)
	answers["another service, refused"] = service.ask(http.MethodGet, "/auth/oidc/callback?state=x&code=x", nil)
	for way, got := range answers {
		to := got.location()
		u, err := url.Parse(to)
		switch {
		case got.status < 300 || got.status > 399:
			return fmt.Errorf("%s: answer %d", way, got.status)
		case err != nil, u.IsAbs(), u.Host != "", !strings.HasPrefix(to, "/"), strings.HasPrefix(to, "//"), strings.ContainsAny(to, "\\\r\n\t"):
			return fmt.Errorf("%s: SENT TO %q", way, to)
		case strings.Contains(u.Path, "evil"), strings.HasPrefix(u.Path, "/%2"), len(got.header.Values("Set-Cookie")) > 1:
			return fmt.Errorf("%s: sent to %q with %q", way, to, got.header.Values("Set-Cookie"))
		}
		if carried := u.Query().Get("next"); carried != "" && (!strings.HasPrefix(carried, "/") || strings.Contains(carried, "evil")) {
			return fmt.Errorf("%s: carries %q on", way, carried)
		}
	}
	return nil
}
