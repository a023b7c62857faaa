package api_test

import (
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"agnes/connectors/mail"
	"agnes/connectors/mail/mailtest"
	"agnes/domain/people"
	"agnes/handlers/api"
	"agnes/views/letters"
)

var tokenPattern = regexp.MustCompile(`token=(\S+)`)

// mailed is a site with mail, and the server that takes it.
func mailed(t *testing.T) (*site, *people.Links, func() string) {
	t.Helper()
	server := mailtest.New(t, mailtest.Options{})
	links := &people.Links{Compose: letters.Compose, BaseURL: func() string { return "https://agnes.example" }}
	s := newSiteWith(t, func(d *api.Deps) { d.Links = links })
	sender, err := mail.NewSMTP(mail.SMTPConfig{Host: server.Host, Port: server.Port, From: "agnes@example.com", Now: s.clock.now, Roots: server.Roots})
	must(t, err)
	links.Store, links.Mailer, links.Now, links.Log = s.store, sender, s.clock.now, slog.New(slog.NewTextHandler(s.log, nil))
	return s, links, func() string {
		t.Helper()
		links.Flush(t.Context())
		if n := len(server.Mails); n != 1 {
			t.Fatalf("%d mails arrived, want 1; log: %s", n, s.log)
		}
		got := <-server.Mails
		if strings.Contains(got.Text, "code") {
			t.Error("a mail for a program has a code, which works in browsers only")
		}
		return tokenPattern.FindStringSubmatch(got.Text)[1]
	}
}

func TestSignInByLinkOverTheAPI(t *testing.T) {
	t.Parallel()
	s, _, arrives := mailed(t)
	post := func(path string, body map[string]string) reply {
		return s.as(people.User{}, http.MethodPost, path, body)
	}
	known := post("/auth/email/send-link", map[string]string{"email": " BEN@example.com"})
	known.is(http.StatusOK)
	token := arrives()
	for _, email := range []string{"nobody@example.com", "no address", ""} {
		if got := post("/auth/email/send-link", map[string]string{"email": email}); got.Body.String() != known.Body.String() || got.Code != http.StatusOK {
			t.Errorf("send-link for %q answers %d %s", email, got.Code, got.Body)
		}
	}
	for name, body := range map[string]map[string]string{
		"another address": {"email": "ada@example.com", "token": token},
		"another token":   {"email": "ben@example.com", "token": token + "x"},
		"no token":        {"email": "ben@example.com", "token": ""},
	} {
		if got := post("/auth/email/verify", body).is(http.StatusUnauthorized); got["detail"] == "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	got := post("/auth/email/verify", map[string]string{"email": "Ben@example.com", "token": token}).is(http.StatusOK)
	if got["token_type"] != "bearer" || got["email"] != "ben@example.com" || got["role"] != "user" || got["user_id"] != string(s.analyst.ID) || len(got) != 5 {
		t.Errorf("verify = %v", got)
	}
	s.as(people.User{}, http.MethodGet, "/api/catalog/tables", nil, "Authorization", "Bearer "+got["access_token"].(string)).is(http.StatusOK)
	post("/auth/email/verify", map[string]string{"email": "ben@example.com", "token": token}).is(http.StatusUnauthorized)
	failed := s.audited("login_failed")
	if len(failed) != 4 || failed[0].Params["method"] != "link" {
		t.Errorf("audit = %+v, want four failures", failed)
	}
	for _, e := range append(failed, s.audited("link_asked")...) {
		for _, v := range e.Params {
			if text, ok := v.(string); ok && strings.Contains(text, token) {
				t.Error("an audit row holds a token")
			}
		}
	}
}

func TestPasswordOverTheAPI(t *testing.T) {
	t.Parallel()
	s, links, arrives := mailed(t)
	post := func(path string, body map[string]string) reply {
		return s.as(people.User{}, http.MethodPost, path, body)
	}
	_, err := links.Invite(t.Context(), tester, s.analyst)
	must(t, err)
	token := arrives()
	form := func(email, token, password string) map[string]string {
		return map[string]string{"email": email, "token": token, "password": password}
	}
	post("/auth/password/setup", form("nobody@example.com", token, password)).is(http.StatusBadRequest)
	post("/auth/password/setup", form("ben@example.com", "x", password)).is(http.StatusBadRequest)
	post("/auth/password/setup", form("ben@example.com", token, "short")).is(http.StatusBadRequest)
	got := post("/auth/password/setup", form("ben@example.com", token, password)).is(http.StatusOK)
	if got["token_type"] != "bearer" || got["message"] == "" || len(got) != 3 {
		t.Errorf("setup = %v", got)
	}
	s.as(people.User{}, http.MethodGet, "/api/catalog/tables", nil, "Authorization", "Bearer "+got["access_token"].(string)).is(http.StatusOK)
	post("/auth/password/setup", form("ben@example.com", token, password)).is(http.StatusBadRequest)

	got = post("/auth/password/login", map[string]string{"email": "ben@example.com", "password": password}).is(http.StatusOK)
	if got["token_type"] != "bearer" || got["email"] != "ben@example.com" || got["role"] != "user" || got["access_token"] == "" || len(got) != 5 {
		t.Errorf("login = %v", got)
	}
	wrong := post("/auth/password/login", map[string]string{"email": "ben@example.com", "password": "wrong"})
	unknown := post("/auth/password/login", map[string]string{"email": "nobody@example.com", "password": "wrong"})
	if wrong.Code != http.StatusUnauthorized || wrong.Body.String() != unknown.Body.String() {
		t.Errorf("a wrong password answers %d %s, an unknown address %s", wrong.Code, wrong.Body, unknown.Body)
	}

	links.NoLink, links.NoPassword = true, true
	post("/auth/email/send-link", map[string]string{"email": "ben@example.com"}).is(http.StatusForbidden)
	post("/auth/email/verify", map[string]string{"email": "ben@example.com", "token": "x"}).is(http.StatusForbidden)
	post("/auth/password/setup", form("ben@example.com", token, password)).is(http.StatusForbidden)
}
