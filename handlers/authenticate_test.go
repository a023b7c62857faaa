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
		{"deleted", func(s *site) error { return s.store.DeleteUser(s.t.Context(), tester, s.user.ID) }, "User not found"},
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
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{time.Minute, 0}, {time.Minute, 0}, {4 * time.Minute, 1}, {time.Minute, 0}} {
		s.clock.advance(tt.after)
		w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie)
		if got := len(w.Result().Cookies()); w.Code != http.StatusOK || got != tt.want {
			t.Errorf("%v later: %d, %d cookies set, want %d", tt.after, w.Code, got, tt.want)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, secure := range []bool{false, true} {
		m := handlers.NewSessions(s.store.Sessions(), secure)
		if m.Cookie.Secure != secure || !m.Cookie.HttpOnly || m.Cookie.SameSite != http.SameSiteLaxMode || m.Cookie.Name != "agnes_session" || !m.HashTokenInStore {
			t.Errorf("secure %t: %+v", secure, m.Cookie)
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
