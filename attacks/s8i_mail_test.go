//go:build duckdb_arrow

package attacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

func (v *identity) mailAttacks() []attempt {
	return []attempt{
		{"line ends and lists in an address send no mail to anybody else", func() error { return v.headersHold() }},
		{"line ends in a name stay out of the mail's headers", func() error {
			email, _, id := v.person("hana")
			must(v.admin.call(http.MethodPatch, "/api/users/"+id, map[string]string{"name": "Hana\r\nBcc: evil@example.com\r\n\r\nbody"}, nil))
			seen := len(v.post.all())
			v.asks(v.browser(), signInForm, email)
			m := v.post.next(v.c, email, seen)
			if m.Header.Get("Bcc") != "" || strings.Contains(m.Header.Get("To")+m.Header.Get("Subject"), "evil") {
				return fmt.Errorf("headers %v", m.Header)
			}
			return v.mailedOnly(seen, email)
		}},
		{"a link in a mail leads to this server, whatever Host says", func() error {
			for _, headers := range [][]string{
				{"Host", "evil.example"}, {"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "https", "X-Host", "evil.example"}, {"Forwarded", "host=evil.example"}, {"Host", "evil.example", "X-Forwarded-Server", "evil.example"},
			} {
				seen := len(v.post.all())
				b := v.browser()
				b.ask(http.MethodPost, signInForm, url.Values{"email": {annaEmail}}, headers...)
				m := v.post.next(v.c, annaEmail, seen)
				v.read(m)
				if strings.Contains(m.Raw, "evil") {
					return fmt.Errorf("with %v: %.200q", headers, m.Text)
				}
			}
			return nil
		}},
		{"an address in other letters is the same account", func() error {
			b := v.browser()
			b.must(http.StatusSeeOther, http.MethodPost, "/login", url.Values{"email": {"  ANNA@Example.COM "}, "password": {annaPassword}})
			must(b.isIn(annaEmail))
			err := v.admin.call(http.MethodPost, "/api/users", map[string]string{"email": "Anna@EXAMPLE.com"}, nil)
			var no *refused
			if !errors.As(err, &no) || no.status != http.StatusConflict {
				return fmt.Errorf("a second account: %w", err)
			}
			old := v.asks(v.browser(), signInForm, annaEmail)
			b = v.browser().opens(v.asks(v.browser(), signInForm, "ANNA@EXAMPLE.COM"))
			b.must(http.StatusSeeOther, http.MethodPost, "/login/link/open", url.Values{})
			return errors.Join(b.isIn(annaEmail), v.dead(old))
		}},
		{"addresses that look alike are not the same account", func() error {
			email, password, _ := v.person("mike")
			for _, near := range []string{"mi\u212ae@example.com", "m\u0131ke@example.com", "m\u0130ke@example.com", "mike@example\u3002com", "mike@ex\u00e4mple.com", "mike@example.com\u200b", "\uff4dike@example.com", "mike@example.com.", "mike+x@example.com", "m.ike@example.com"} {
				if got := v.tries(near, password); got == http.StatusOK {
					return fmt.Errorf("%q signs in", near)
				}
				seen := len(v.post.all())
				v.browser().ask(http.MethodPost, forgotForm, url.Values{"email": {near}})
				v.asks(v.browser(), signInForm, annaEmail) // when it is there, what was before it is too
				must(v.mailedOnly(seen, annaEmail))
			}
			return exactly(http.StatusOK, v.tries(email, password), "is the answer to the right address")
		}},
		{"asking for a link or a password answers alike for everybody", func() error { return v.sameForAll() }},
		{"a wrong password answers alike for everybody", func() error {
			email, _, id := v.person("jana")
			must(v.admin.call(http.MethodPost, "/api/users/"+id+"/deactivate", nil, nil))
			noPassword := "nopw@example.com"
			v.admin.account(noPassword, "")
			for _, path := range []string{"/login", "/auth/password/login/web"} {
				first := ""
				for _, who := range []string{annaEmail, email, noPassword, "nobody@example.com"} {
					got := v.browser().ask(http.MethodPost, path, url.Values{"email": {who}, "password": {"no password of theirs"}})
					said := fmt.Sprint(got.status, got.location(), strings.ReplaceAll(string(got.body), who, "?"))
					if first == "" {
						first = said
					} else if said != first {
						return fmt.Errorf("%s: %s is told apart", path, who)
					}
				}
			}
			return nil
		}},
	}
}

// mailedOnly fails when somebody else got a mail.
func (v *identity) mailedOnly(seen int, to string) error {
	for _, m := range v.post.all()[seen:] {
		if m.To != to || strings.Contains(m.Header.Get("To")+m.Header.Get("Cc")+m.Header.Get("Bcc"), "evil") {
			return fmt.Errorf("A MAIL TO %q, headers %v", m.To, m.Header)
		}
	}
	return nil
}

func (v *identity) headersHold() error {
	seen := len(v.post.all())
	for _, email := range []string{
		"anna@example.com\r\nBcc: evil@example.com", "anna@example.com\nevil@example.com", "anna@example.com%0d%0aBcc:evil@example.com", "anna@example.com,evil@example.com", "anna@example.com;evil@example.com",
		"anna@example.com evil@example.com", "evil@example.com <anna@example.com>", "<anna@example.com>", "anna@example.com>\r\nRCPT TO:<evil@example.com", "\"anna@example.com\r\n\"@evil.example", "anna@example.com\x00@evil.example",
		"anna@example.com\u2028Bcc: evil@example.com", "anna(@evil.example)@example.com", "@evil.example:anna@example.com", "anna@example.com ORCPT=rfc822;evil@example.com",
	} {
		for _, form := range []string{signInForm, forgotForm, "/auth/password/reset", "/auth/password/setup/request"} {
			v.browser().ask(http.MethodPost, form, url.Values{"email": {email}})
		}
		body, err := json.Marshal(map[string]string{"email": email})
		must(err)
		if _, err := v.browser().raw(http.MethodPost, "/auth/email/send-link", strings.NewReader(string(body)), string(body), "Content-Type", "application/json"); err != nil {
			return err
		}
		if err := v.admin.call(http.MethodPost, "/api/users", map[string]string{"email": email}, nil); err == nil {
			return fmt.Errorf("an account for %q", email)
		}
	}
	v.asks(v.browser(), signInForm, annaEmail)
	return v.mailedOnly(seen, annaEmail)
}

func (v *identity) sameForAll() error {
	email, _, id := v.person("kira")
	must(v.admin.call(http.MethodPost, "/api/users/"+id+"/deactivate", nil, nil))
	for _, form := range []string{signInForm, forgotForm, "/auth/password/reset", "/auth/password/setup/request", "/auth/email/send-link"} {
		first := ""
		for _, who := range []string{annaEmail, email, "nobody@example.com"} {
			b := v.browser()
			body := url.Values{"email": {who}}
			got := &answer{}
			if form == "/auth/email/send-link" {
				var err error
				text := `{"email":"` + who + `"}`
				got, err = b.raw(http.MethodPost, form, strings.NewReader(text), text, "Content-Type", "application/json")
				must(err)
			} else {
				got = b.ask(http.MethodPost, form, body)
			}
			page := ""
			if got.location() != "" {
				page = strings.ReplaceAll(string(b.must(http.StatusOK, http.MethodGet, got.location(), nil).body), who, "?")
			}
			said := fmt.Sprint(got.status, got.location(), strings.ReplaceAll(string(got.body), who, "?"), page, len(b.cookies))
			if first == "" {
				first = said
			} else if said != first {
				return fmt.Errorf("%s: %s is told apart", form, who)
			}
		}
	}
	return nil
}

// glassAttacks use the link that the server's own shell makes.
func (v *identity) glassAttacks() []attempt {
	return []attempt{
		{"a break-glass link works once, also of 20 browsers at once, and for an hour", func() error {
			link := v.breakGlass("glass@example.com")
			password := url.Values{"password": {"canary-secret-taken-18"}}
			browsers := make([]*browser, 20)
			for i := range browsers {
				browsers[i] = v.browser()
				browsers[i].must(http.StatusFound, http.MethodGet, link, nil)
			}
			in := atOnce(len(browsers), func(i int) bool {
				browsers[i].ask(http.MethodPost, "/login/setup", password)
				return browsers[i].isOut() != nil
			})
			must(exactly(1, in, "got in"))
			late := v.browser()
			late.ask(http.MethodGet, link, nil)
			late.ask(http.MethodPost, "/login/setup", password)
			must(late.isOut())
			link = v.breakGlass("glass@example.com")
			v.alter(`UPDATE one_time_links SET expires_at = ? WHERE email = ? AND purpose = 'password_setup'`, minute(-time.Second), "glass@example.com")
			late.ask(http.MethodGet, link, nil)
			late.ask(http.MethodPost, "/login/setup", password)
			return late.isOut()
		}},
		{"a newer break-glass link voids the older one, and neither opens another account", func() error {
			old := v.breakGlass("glass2@example.com")
			newer := v.breakGlass("glass2@example.com")
			b := v.browser()
			b.ask(http.MethodGet, old, nil)
			b.ask(http.MethodPost, "/login/setup", url.Values{"password": {"canary-secret-taken-18"}})
			must(b.isOut())
			b.ask(http.MethodGet, strings.Replace(newer, "glass2%40", "petra%40", 1), nil)
			b.ask(http.MethodPost, "/login/setup", url.Values{"password": {"canary-secret-taken-18"}})
			return b.isOut()
		}},
	}
}

// agnes runs the program as the operator would, on this server's data.
func (s *server) agnes(extra []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(s.c.ctx, s.c.agnes, args...)
	cmd.Dir = s.c.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + s.dir, "AGNES_METRICS_ADDR=off", "AGNES_ADDR=" + strings.TrimPrefix(s.url, "http://")}, append(secretEnvironment(), extra...)...)
	return cmd.CombinedOutput()
}

func (v *identity) breakGlass(email string) (path string) {
	out, err := v.agnes(v.extra, "admin", "break-glass", email, "--yes", "--json")
	if err != nil {
		must(fmt.Errorf("break-glass: %w: %s", err, out))
	}
	var said struct {
		URL string `json:"setup_url"`
	}
	for line := range strings.Lines(string(out)) {
		_ = json.Unmarshal([]byte(line), &said) // other lines are the log's
	}
	path, ok := strings.CutPrefix(said.URL, v.url)
	if !ok {
		must(fmt.Errorf("break-glass says %s", out))
	}
	return path
}
