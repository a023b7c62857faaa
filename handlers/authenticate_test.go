package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
	"agnes/handlers"
)

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	token, other := s.mustToken(s.user), s.mustToken(s.admin)
	cookie := s.signIn(s.user)
	const refused, missing = "Invalid or expired token", "Missing or invalid Authorization header"
	tests := []struct {
		name    string
		headers []string
		status  int
		want    string // of the body, or of its detail
	}{
		{"nobody", nil, 401, missing},
		{"a bearer token", []string{"Authorization", "Bearer " + token}, 200, "ben@example.com by token, api"},
		{"a bearer token in lower case", []string{"Authorization", "bearer " + token}, 200, "ben@example.com by token, api"},
		{"the client", []string{"Authorization", "Bearer " + token, "User-Agent", "agnes/1.0 (linux)"}, 200, "ben@example.com by token, cli"},
		{"the cookie", []string{"Cookie", "access_token=" + token}, 200, "ben@example.com by token, web"},
		{"a session", []string{"Cookie", cookie}, 200, "ben@example.com by session, web"},
		{"header before cookie", []string{"Authorization", "Bearer " + token, "Cookie", "access_token=" + other}, 200, "ben@example.com by token, api"},
		{"cookie before session", []string{"Cookie", "access_token=" + other + "; " + cookie}, 200, "ada@example.com by token, web"},
		{"a wrong header with a good cookie", []string{"Authorization", "Bearer x.y.z", "Cookie", "access_token=" + token}, 401, refused},
		{"a wrong cookie with a good session", []string{"Cookie", "access_token=x; " + cookie}, 200, "ben@example.com by session, web"},
		{"a wrong cookie alone", []string{"Cookie", "access_token=x"}, 401, refused},
		{"another scheme", []string{"Authorization", "Basic YTpi"}, 401, missing},
		{"an empty token", []string{"Authorization", "Bearer "}, 401, missing},
		{"an unknown session", []string{"Cookie", "agnes_session=made-up"}, 401, missing},
		{"the scheduler", []string{"Authorization", "Bearer " + schedulerToken}, 200, "scheduler@system.local by system, scheduler"},
		{"the scheduler by cookie", []string{"Cookie", "access_token=" + schedulerToken}, 200, "scheduler@system.local by system, scheduler"},
		{"nearly the scheduler", []string{"Authorization", "Bearer " + schedulerToken + "x"}, 401, refused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.ask(http.MethodGet, "/api/mine", "", tt.headers...)
			got := w.Body.String()
			if w.Code != http.StatusOK {
				got = detail(t, w)
			}
			if w.Code != tt.status || got != tt.want {
				t.Errorf("got %d %q, want %d %q", w.Code, got, tt.status, tt.want)
			}
		})
	}
}

func TestPublicRoutesDoNotMindOldTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	w := s.ask(http.MethodGet, "/api/open", "", "Authorization", "Bearer x.y.z")
	if w.Code != http.StatusOK || w.Body.String() != "nobody" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

// Both ways in read the account anew each time, so what happened to it counts
// for sign-ins that exist.
func TestAccountsCountAtEveryRequest(t *testing.T) {
	t.Parallel()
	no, hash := false, "changed"
	tests := []struct {
		name   string
		change func(*site) error
		want   string
	}{
		{"deactivated", func(s *site) error {
			_, err := s.store.UpdateUser(s.t.Context(), tester, s.user.ID, people.UserChange{Active: &no})
			return err
		}, "Account deactivated"},
		{"deleted", func(s *site) error { return s.store.DeleteUser(s.t.Context(), tester, s.user.ID) }, "Invalid or expired token"},
		{"new password", func(s *site) error {
			_, err := s.store.UpdateUser(s.t.Context(), tester, s.user.ID, people.UserChange{PasswordHash: &hash})
			return err
		}, "Invalid or expired token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			token, cookie := s.mustToken(s.user), s.signIn(s.user)
			s.clock.advance(time.Millisecond)
			must(t, tt.change(s))
			for _, headers := range [][]string{{"Authorization", "Bearer " + token}, {"Cookie", "access_token=" + token}, {"Cookie", cookie}} {
				w := s.ask(http.MethodGet, "/api/mine", "", headers...)
				if got := detail(t, w); w.Code != http.StatusUnauthorized || got != tt.want {
					t.Errorf("%s: got %d %q, want 401 %q", headers[0], w.Code, got, tt.want)
				}
			}
			// The session is gone, not only refused.
			if w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie); detail(t, w) != "Missing or invalid Authorization header" {
				t.Errorf("the session's data is still there: %s", w.Body)
			}
		})
	}
}

func TestTokensOfTheSameSecondKeepWorking(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	hash := "changed"
	_, err := s.store.UpdateUser(t.Context(), tester, s.user.ID, people.UserChange{PasswordHash: &hash})
	must(t, err)
	s.clock.advance(time.Microsecond)
	if w := s.ask(http.MethodGet, "/api/mine", "", "Authorization", "Bearer "+s.mustToken(s.user)); w.Code != http.StatusOK {
		t.Errorf("a token issued right after a new password: %d %s", w.Code, w.Body)
	}
}

func TestSessionsEndWhenIdle(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cookie := s.signIn(s.user)
	ask := func() int { return s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie).Code }
	for range 3 { // each use begins the hours anew
		s.clock.advance(11 * time.Hour)
		if got := ask(); got != http.StatusOK {
			t.Fatalf("after 11 hours: %d", got)
		}
	}
	s.clock.advance(12 * time.Hour)
	if got := ask(); got != http.StatusUnauthorized {
		t.Errorf("after 12 hours: %d, want 401", got)
	}
}

func TestUsingASessionIsNoWriteEachTime(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cookie := s.signIn(s.user)
	began := s.clock.now()
	used := func() time.Duration {
		all, err := s.store.ListSessions(t.Context(), s.user.ID, time.Time{})
		must(t, err)
		if all[0].UsedIP != "192.0.2.7" {
			t.Errorf("used from %q", all[0].UsedIP)
		}
		return all[0].UsedAt.Sub(began)
	}
	for _, step := range []struct {
		after, want time.Duration
		queries     int64
	}{{time.Minute, 0, 2}, {time.Minute, 0, 2}, {4 * time.Minute, 6 * time.Minute, 4}, {time.Minute, 6 * time.Minute, 2}} {
		s.clock.advance(step.after)
		before := s.store.Queries()
		w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie)
		queries := s.store.Queries() - before
		if got := used(); w.Code != http.StatusOK || got != step.want || queries != step.queries || len(w.Result().Cookies()) > 0 {
			t.Errorf("%v later: %d, used %v, %d statements, cookies %v; want %v and %d", step.after, w.Code, got, queries, w.Result().Cookies(), step.want, step.queries)
		}
	}
}

func TestSessionsEndAfterTheirLifetime(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	token := "Bearer " + s.mustToken(s.user)
	s.clock.advance(24*time.Hour - time.Second)
	if got := s.ask(http.MethodGet, "/api/mine", "", "Authorization", token).Code; got != http.StatusOK {
		t.Errorf("a token just before its end: %d", got)
	}
	s.clock.advance(time.Second)
	if got := s.ask(http.MethodGet, "/api/mine", "", "Authorization", token).Code; got != http.StatusUnauthorized {
		t.Errorf("a token at its end: %d", got)
	}
	cookie := s.signIn(s.user)
	for range 7*24 - 1 {
		s.clock.advance(time.Hour)
		if got := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie).Code; got != http.StatusOK {
			t.Fatalf("a session in use: %d", got)
		}
	}
	s.clock.advance(time.Hour)
	if got := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie).Code; got != http.StatusUnauthorized {
		t.Errorf("a session after seven days: %d, although it was used all the time", got)
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for secure, name := range map[bool]string{false: "agnes_session", true: "__Host-agnes_session"} {
		m := handlers.NewSessions(s.store.Sessions(), secure, time.Hour)
		c := m.Cookie
		if c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Name != name || c.Path != "/" || c.Domain != "" || !m.HashTokenInStore || m.Lifetime != time.Hour {
			t.Errorf("secure %t: %+v", secure, c)
		}
	}
	w := s.ask(http.MethodPost, "/login", "user="+string(s.user.ID), "Content-Type", "application/x-www-form-urlencoded")
	set := w.Header().Get("Set-Cookie")
	for _, part := range []string{"agnes_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=6048"} {
		if !strings.Contains(set, part) {
			t.Errorf("Set-Cookie %q lacks %q", set, part)
		}
	}
	value := w.Result().Cookies()[0].Value
	if _, found, err := s.store.Sessions().FindCtx(t.Context(), value); err != nil || found {
		t.Errorf("the token itself is in the store (found %t, err %v), not its hash", found, err)
	}
}

// A session that an attacker planted before the sign-in is worth nothing after it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	planted := s.signIn(s.admin)
	w := s.ask(http.MethodPost, "/login", "user="+string(s.user.ID), "Content-Type", "application/x-www-form-urlencoded", "Cookie", planted)
	fresh := w.Result().Cookies()[0]
	if w.Code != http.StatusOK || fresh.Name+"="+fresh.Value == planted {
		t.Fatalf("signing in kept the cookie: %d", w.Code)
	}
	if w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", planted); w.Code != http.StatusUnauthorized {
		t.Errorf("the planted session: %d %s", w.Code, w.Body)
	}
	w = s.ask(http.MethodPost, "/login", "user="+string(s.user.ID), "Content-Type", "application/x-www-form-urlencoded", "Cookie", "agnes_session=chosen-by-somebody-else")
	if got := w.Result().Cookies()[0].Value; got == "chosen-by-somebody-else" {
		t.Error("a token that somebody chose was taken")
	}
}

// Ended is ended with the next request, whatever holds the sign-in.
func TestRevocationAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cookie := s.signIn(s.user)
	browser, err := s.store.ListSessions(t.Context(), s.user.ID, time.Time{})
	must(t, err)
	v := s.mustSession(s.user.ID, people.TokenSession)
	token, err := s.tokens.Issue(s.user, v)
	must(t, err)
	other := s.mustToken(s.user)
	for _, held := range []struct {
		id      people.SessionID
		headers []string
	}{{browser[0].ID, []string{"Cookie", cookie}}, {v.ID, []string{"Authorization", "Bearer " + token}}} {
		if got := s.ask(http.MethodGet, "/api/mine", "", held.headers...).Code; got != http.StatusOK {
			t.Errorf("before: %d", got)
		}
		must(t, s.store.EndSession(t.Context(), tester, s.user.ID, held.id))
		if w := s.ask(http.MethodGet, "/api/mine", "", held.headers...); w.Code != http.StatusUnauthorized || detail(t, w) != "Invalid or expired token" {
			t.Errorf("after: %d %s", w.Code, w.Body)
		}
	}
	if got := s.ask(http.MethodGet, "/api/mine", "", "Authorization", "Bearer "+other).Code; got != http.StatusOK {
		t.Errorf("another sign-in ended too: %d", got)
	}
}

// Tokens that we signed prove nothing without a row of their own kind and person.
func TestTokensNeedTheirRow(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	browser := s.mustSession(s.user.ID, people.BrowserSession)
	theirs := s.mustSession(s.admin.ID, people.TokenSession)
	predecessors := people.Session{ID: "00000000-0000-4000-8000-000000000000", CreatedAt: s.clock.now(), ExpiresAt: s.clock.now().Add(time.Hour)}
	for name, v := range map[string]people.Session{"of a browser": browser, "of somebody else": theirs, "of the predecessor": predecessors} {
		token, err := s.tokens.Issue(s.user, v)
		must(t, err)
		if w := s.ask(http.MethodGet, "/api/mine", "", "Authorization", "Bearer "+token); w.Code != http.StatusUnauthorized || detail(t, w) != "Invalid or expired token" {
			t.Errorf("a token with the row %s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestOneStatementSaysWhoAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, personal := s.mustPersonal(s.user, "read")
	for name, text := range map[string]string{"access token": s.mustToken(s.user), "personal token": personal} {
		s.ask(http.MethodGet, "/api/mine", "", "Authorization", "Bearer "+text) // notes its first use
		before := s.store.Queries()
		if w := s.ask(http.MethodGet, "/api/mine", "", "Authorization", "Bearer "+text); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := s.store.Queries() - before; got != 1 {
			t.Errorf("%s: %d statements, want 1", name, got)
		}
	}
}

func TestABrokenStoreIsNoSignOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *handlers.Config) { c.People = broken{} })
	cookie := s.signIn(s.user)
	w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "srv") || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if len(w.Result().Cookies()) > 0 {
		t.Error("the session was ended although nobody knows whether it should be")
	}
	if !strings.Contains(s.log.String(), "disk I/O error") {
		t.Error("the cause is not in the log")
	}
}
