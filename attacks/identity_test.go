//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"agnes/connectors/mail/mailtest"
)

// jwtKey is what the server signs with. No attacker has it: tokens are made with
// it to show that they fail by what is asked about, and by nothing else.
const jwtKey = "canary-secret-jwt-03-0123456789abcdef0123456789"

// The people of the identity server, and their password.
const (
	annaEmail    = "anna@example.com"
	annaPassword = "canary-secret-seven-17!"
)

// identity is a server with a mailbox of everybody, where tries are not
// bounded: what is tried often there would else end at the limits.
type identity struct {
	*server
	post  *postbox
	admin *client
	anna  string // id
	extra []string
}

func (c *campaign) theIdentity() *identity {
	if c.id != nil {
		return c.id
	}
	v := &identity{post: c.newPostbox()}
	trusted := filepath.Join(c.dir, "mail.pem")
	must(os.WriteFile(trusted, v.post.PEM, 0o600))
	v.extra = []string{
		"SMTP_HOST=127.0.0.1", fmt.Sprintf("SMTP_PORT=%d", v.post.Port), "SSL_CERT_FILE=" + trusted, "SMTP_USER=agnes@example.com", "SMTP_FROM=agnes@example.com",
		"AGNES_AUTH_RATELIMIT_ENABLED=false", "OIDC_ISSUER=" + c.hostileProvider(), "OIDC_CLIENT_ID=agnes",
	}
	v.server = c.launch("identity", v.extra...)
	v.admin = v.signIn(adminEmail, adminPassword)
	v.anna = v.admin.account(annaEmail, annaPassword)
	c.id = v
	return v
}

// account makes an account with a password.
func (c *client) account(email, password string) (id string) {
	var made struct{ ID string }
	must(c.call(http.MethodPost, "/api/users", map[string]any{"email": email}, &made))
	if password != "" {
		must(c.call(http.MethodPost, "/api/users/"+made.ID+"/set-password", map[string]string{"password": password}, nil))
	}
	return made.ID
}

// postbox is a real mail server, and what arrived there.
type postbox struct {
	*mailtest.Server
	mu    sync.Mutex
	mails []mailtest.Mail
}

// harness is what a server made for tests needs of a test.
type harness struct {
	testing.TB // for its type only; what is used of it is below
	c          *campaign
}

func (harness) Helper()                         {}
func (h harness) Context() context.Context      { return h.c.ctx }
func (h harness) Cleanup(do func())             { h.c.ends = append(h.c.ends, do) }
func (harness) Fatalf(text string, args ...any) { must(fmt.Errorf(text, args...)) }

func (c *campaign) newPostbox() *postbox {
	p := &postbox{Server: mailtest.New(harness{c: c}, mailtest.Options{User: "agnes@example.com", Password: "canary-secret-smtp-13"})}
	go func() {
		for m := range p.Mails {
			p.mu.Lock()
			p.mails = append(p.mails, m)
			p.mu.Unlock()
		}
	}()
	return p
}

// all returns what has arrived.
func (p *postbox) all() []mailtest.Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]mailtest.Mail(nil), p.mails...)
}

// next waits for a mail to somebody that came after those that were seen.
func (p *postbox) next(c *campaign, to string, seen int) mailtest.Mail {
	var found mailtest.Mail
	must(eventually(c.ctx, 10*time.Second, func() error {
		for _, m := range p.all()[seen:] {
			if m.To == to {
				found = m
				return nil
			}
		}
		return fmt.Errorf("no mail to %s", to)
	}))
	return found
}

var (
	linkInMail = regexp.MustCompile(`https?://\S+\?token=([A-Za-z0-9_-]+)`)
	codeInMail = regexp.MustCompile(`(?m)^\s*([2-9A-Z]{4}-[2-9A-Z]{4})\s*$`)
)

// letter is what a mail brings.
type letter struct{ path, token, code string }

func (v *identity) read(m mailtest.Mail) letter {
	found := linkInMail.FindStringSubmatch(m.Text)
	if found == nil || !strings.HasPrefix(found[0], v.url+"/") {
		must(fmt.Errorf("a mail without a link to this server: %.300q", m.Text))
	}
	l := letter{path: strings.TrimPrefix(found[0], v.url), token: found[1]}
	if code := codeInMail.FindStringSubmatch(m.Text); code != nil {
		l.code = code[1]
	}
	return l
}

// asks has a browser ask for a link by one of the forms, and reads the mail.
func (v *identity) asks(b *browser, form, email string, more ...string) letter {
	seen := len(v.post.all())
	values := url.Values{"email": {email}}
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	b.must(http.StatusSeeOther, http.MethodPost, form, values)
	return v.read(v.post.next(v.c, strings.ToLower(email), seen))
}

// browser keeps cookies, follows nothing, and takes every answer as it comes.
type browser struct {
	*server
	cookies map[string]string
	set     []*http.Cookie // by the last answer
	way     *http.Client
}

func (s *server) browser() *browser {
	return &browser{server: s, cookies: map[string]string{}, way: s.http}
}

// from is a browser at another address of this machine.
func (s *server) from(ip string) *browser {
	b := s.browser()
	dial := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	b.way = &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true}, CheckRedirect: s.http.CheckRedirect,
	}
	return b
}

// ask sends a request with the browser's cookies. A nil form sends no body.
func (b *browser) ask(method, path string, form url.Values, headers ...string) *answer {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
		headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	}
	got, err := b.raw(method, path, body, form.Encode(), headers...)
	must(err)
	return got
}

func (b *browser) raw(method, path string, body io.Reader, typed string, headers ...string) (*answer, error) {
	ctx, cancel := context.WithTimeout(b.c.ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, b.url+path, body)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := b.way.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got := &answer{status: resp.StatusCode, header: resp.Header}
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		if got.body, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
	}
	b.set = resp.Cookies()
	for _, c := range b.set {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		}
	}
	return got, b.c.seen.look(got, false, typed+path)
}

// must is ask for an answer of one status.
func (b *browser) must(status int, method, path string, form url.Values, headers ...string) *answer {
	got := b.ask(method, path, form, headers...)
	must(got.is(status, method+" "+strings.SplitN(path, "?", 2)[0]))
	return got
}

func (a *answer) is(status int, what string) error {
	if a.status != status {
		return fmt.Errorf("%s: answer %d, want %d: %s", what, a.status, status, sentenceOf(a.body))
	}
	return nil
}

func (a *answer) location() string { return a.header.Get("Location") }

// signs signs in by password.
func (b *browser) signs(email, password string) *browser {
	b.must(http.StatusSeeOther, http.MethodPost, "/login", url.Values{"email": {email}, "password": {password}})
	must(b.isIn(email))
	return b
}

// like is another browser with the same cookies: whoever copied them.
func (b *browser) like() *browser {
	other := b.browser()
	for name, value := range b.cookies {
		other.cookies[name] = value
	}
	return other
}

// isIn fails unless the browser is signed in as somebody, for pages and programs.
func (b *browser) isIn(email string) error {
	me := b.ask(http.MethodGet, "/auth/me", nil)
	if me.status != http.StatusOK || !bytes.Contains(me.body, []byte(`"email":"`+email+`"`)) {
		return fmt.Errorf("not signed in as %s: %d %s", email, me.status, sentenceOf(me.body))
	}
	return b.ask(http.MethodGet, "/catalog", nil).is(http.StatusOK, "the catalog")
}

// isOut fails when the browser is anybody.
func (b *browser) isOut() error {
	if err := b.like().ask(http.MethodGet, "/auth/me", nil).is(http.StatusUnauthorized, "/auth/me"); err != nil {
		return errors.Join(errors.New("STILL SIGNED IN"), err)
	}
	page := b.ask(http.MethodGet, "/catalog", nil)
	if page.status != http.StatusFound || !strings.HasPrefix(page.location(), "/login?") {
		return fmt.Errorf("STILL SIGNED IN: the catalog answers %d to %q", page.status, page.location())
	}
	return nil
}

// bears asks who a token is, and returns the status.
func (s *server) bears(token string) int {
	return s.browser().ask(http.MethodGet, "/auth/me", nil, "Authorization", "Bearer "+token).status
}
