package store

import (
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func mustSession(tb testing.TB, s *Store, user people.UserID, kind people.SessionKind) people.Session {
	tb.Helper()
	return must[people.Session](tb)(s.StartSession(tb.Context(), people.NewSession{
		UserID: user, Kind: kind, Method: people.ByPassword, UserAgent: strings.Repeat("ě", 400), ExpiresAt: s.now().Add(time.Hour),
		Client: audit.Actor{ClientKind: "web", ClientIP: "192.0.2.1"},
	}))
}

func TestStartSession(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := mustUser(t, s, "ada@example.com", g.ID)
	v := mustSession(t, s, u.ID, people.BrowserSession)
	entry := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if entry.Action != "login_succeeded" || entry.Actor.Email != "ada@example.com" || entry.Actor.ClientIP != "192.0.2.1" || entry.Params["method"] != "password" || entry.Params["kind"] != "browser" {
		t.Errorf("audit row %+v", entry)
	}
	before := s.Queries()
	p, got, err := s.PrincipalBySession(t.Context(), v.ID)
	if n := s.Queries() - before; n != 1 || err != nil {
		t.Fatalf("%d statements, %v", n, err)
	}
	if got.ID != v.ID || got.FirstIP != "192.0.2.1" || got.UserAgent != strings.Repeat("ě", 256) || p.Email != u.Email || len(p.Groups) != 2 || p.Session != v.ID || !p.ProvedAt.Equal(v.ProvedAt) || !p.ExpiresAt.Equal(v.ExpiresAt) {
		t.Errorf("read %+v, %+v", p, got)
	}
	_, err = s.StartSession(t.Context(), people.NewSession{UserID: "nobody"})
	wantError(t, "a sign-in of nobody", err, domain.Unauthenticated, "user_not_found")
}

// What ends a sign-in ends it for lists and for use alike.
func TestWhatEndsSessions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(s *Store, c *clock, u people.User, v people.Session) error
		code string
	}{
		"ended": {func(s *Store, _ *clock, u people.User, v people.Session) error {
			return s.EndSession(t.Context(), admin, u.ID, v.ID)
		}, "invalid_token"},
		"all ended": {func(s *Store, _ *clock, u people.User, _ people.Session) error {
			return second(s.EndSessions(t.Context(), admin, u.ID, ""))
		}, "invalid_token"},
		"expired": {func(_ *Store, c *clock, _ people.User, _ people.Session) error {
			c.advance(time.Hour)
			return nil
		}, "invalid_token"},
		"new password": {func(s *Store, _ *clock, u people.User, _ people.Session) error {
			return second(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{PasswordHash: ptr("h")}))
		}, "invalid_token"},
		"deactivated": {func(s *Store, _ *clock, u people.User, _ people.Session) error {
			return second(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(false)}))
		}, "account_deactivated"},
		"deactivated and back": {func(s *Store, _ *clock, u people.User, _ people.Session) error {
			if _, err := s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(false)}); err != nil {
				return err
			}
			return second(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(true)}))
		}, "invalid_token"},
		"deleted": {func(s *Store, _ *clock, u people.User, _ people.Session) error {
			return s.DeleteUser(t.Context(), admin, u.ID)
		}, "invalid_token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, clock := newStore(t)
			u := mustUser(t, s, "ada@example.com")
			other := mustUser(t, s, "bob@example.com")
			v, theirs := mustSession(t, s, u.ID, people.BrowserSession), mustSession(t, s, other.ID, people.BrowserSession)
			if err := c.do(s, clock, u, v); err != nil {
				t.Fatal(err)
			}
			_, _, err := s.PrincipalBySession(t.Context(), v.ID)
			wantError(t, "the sign-in", err, domain.Unauthenticated, c.code)
			if list := must[[]people.Session](t)(s.ListSessions(t.Context(), u.ID, time.Time{})); len(list) != 0 {
				t.Errorf("still listed: %+v", list)
			}
			if name == "expired" {
				return
			}
			if _, _, err := s.PrincipalBySession(t.Context(), theirs.ID); err != nil {
				t.Errorf("another person's sign-in ended too: %v", err)
			}
		})
	}
}

func TestSessionsAreTheirPersonsOwn(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u, other := mustUser(t, s, "ada@example.com"), mustUser(t, s, "bob@example.com")
	a, b := mustSession(t, s, u.ID, people.BrowserSession), mustSession(t, s, u.ID, people.TokenSession)
	rows := len(actions(t, s, 0))
	wantError(t, "somebody else's", s.EndSession(t.Context(), admin, other.ID, a.ID), domain.NotFound, "session_not_found")
	by := audit.Actor{UserID: string(other.ID)}
	wantError(t, "somebody else's proof", s.Prove(t.Context(), by, a.ID, people.ByPassword), domain.Unauthenticated, "invalid_token")
	if got := len(actions(t, s, 0)); got != rows {
		t.Errorf("%d audit rows of what was refused", got-rows)
	}
	by.UserID = string(u.ID)
	c.advance(20 * time.Minute)
	if err := s.Prove(t.Context(), by, a.ID, people.ByPassword); err != nil {
		t.Fatal(err)
	}
	p, _, err := s.PrincipalBySession(t.Context(), a.ID)
	if err != nil || p.ProvedAt.Sub(a.ProvedAt) < 20*time.Minute || actions(t, s, 1)[0] != "identity_confirmed" {
		t.Errorf("proved at %v, %v", p.ProvedAt, err)
	}
	if n := must[int](t)(s.EndSessions(t.Context(), by, u.ID, a.ID)); n != 1 {
		t.Errorf("%d ended, want the other one", n)
	}
	if list := must[[]people.Session](t)(s.ListSessions(t.Context(), u.ID, time.Time{})); len(list) != 1 || list[0].ID != a.ID {
		t.Errorf("left %+v", list)
	}
	_, _, err = s.PrincipalBySession(t.Context(), b.ID)
	wantError(t, "the other one", err, domain.Unauthenticated, "invalid_token")
}

func TestUseSession(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u := mustUser(t, s, "ada@example.com")
	v := mustSession(t, s, u.ID, people.BrowserSession)
	changes := s.Changes()
	c.advance(10 * time.Minute)
	if err := s.UseSession(t.Context(), v, "192.0.2.9", v.UsedAt.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	_, got, err := s.PrincipalBySession(t.Context(), v.ID)
	if err != nil || got.UsedIP != "192.0.2.1" {
		t.Errorf("used %+v, %v: it was noted less than five minutes ago", got, err)
	}
	if err := s.UseSession(t.Context(), v, "192.0.2.9", s.now().Add(-5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, got, err = s.PrincipalBySession(t.Context(), v.ID); err != nil || got.UsedIP != "192.0.2.9" || got.UsedAt.Sub(v.UsedAt) < 10*time.Minute {
		t.Errorf("used %+v, %v", got, err)
	}
	if s.Changes() != changes {
		t.Error("using a sign-in counts as a change of the state")
	}
	idle := got.UsedAt.Add(time.Minute)
	if list := must[[]people.Session](t)(s.ListSessions(t.Context(), u.ID, idle)); len(list) != 0 {
		t.Errorf("an idle browser is listed: %+v", list)
	}
	c.advance(2 * time.Hour)
	if err := s.SweepSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM sign_ins`)); n != 0 {
		t.Errorf("%d sign-ins after the sweep", n)
	}
}

func TestBootstrapAdminOnce(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	by := audit.Actor{ClientIP: "192.0.2.1"}
	u := must[people.User](t)(s.BootstrapAdmin(t.Context(), by, people.NewUser{Email: "ada@example.com", PasswordHash: "h"}))
	if !u.Admin || actions(t, s, 1)[0] != "bootstrap_completed" {
		t.Errorf("made %+v, rows %v", u, actions(t, s, 0))
	}
	_, err := s.BootstrapAdmin(t.Context(), by, people.NewUser{Email: "eve@example.com", PasswordHash: "h"})
	wantError(t, "a second one", err, domain.Conflict, "first_run_over")
}

func mustToken(tb testing.TB, s *Store, id access.TokenID, user people.UserID, change func(*access.Token)) access.Token {
	tb.Helper()
	at := s.now().Add(90 * 24 * time.Hour)
	t := access.Token{ID: id, UserID: user, Name: "export", Prefix: "0198c2f4", Scopes: access.Scopes{access.ScopeRead}, CreatedAt: s.now(), ExpiresAt: &at}
	if change != nil {
		change(&t)
	}
	if err := s.CreateToken(tb.Context(), admin, t, "hash of "+string(id)); err != nil {
		tb.Fatal(err)
	}
	return t
}

// Each refusal of contract 0.1 has its own word.
func TestPrincipalByToken(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	u, gone, off := mustUser(t, s, "ada@example.com"), mustUser(t, s, "gone@example.com"), mustUser(t, s, "off@example.com")
	mustToken(t, s, "good", u.ID, nil)
	mustToken(t, s, "endless", u.ID, func(t *access.Token) { t.ExpiresAt = nil })
	mustToken(t, s, "old", u.ID, func(t *access.Token) { t.ExpiresAt = &t.CreatedAt })
	mustToken(t, s, "revoked", u.ID, nil)
	mustToken(t, s, "gone", gone.ID, nil)
	mustToken(t, s, "off", off.ID, nil)
	if err := s.RevokeToken(t.Context(), admin, u.ID, "revoked"); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteUser(t.Context(), admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	must[people.User](t)(s.UpdateUser(t.Context(), admin, off.ID, people.UserChange{Active: ptr(false)}))
	for id, want := range map[access.TokenID]string{
		"good": "", "endless": "", "old": "Token expired", "revoked": "Token revoked", "gone": "User not found", "off": "Account deactivated", "absent": "Token unknown",
	} {
		p, _, err := s.PrincipalByToken(t.Context(), id, "hash of "+string(id))
		if messageOf(err) != want || (want == "" && (err != nil || p.UserID != u.ID || p.Scopes.String() != "read")) {
			t.Errorf("%s: %+v, %v; want %q", id, p, err, want)
		}
	}
	_, _, err := s.PrincipalByToken(t.Context(), "good", "another hash")
	wantError(t, "another text", err, domain.Unauthenticated, "token_mismatch")
	must[people.User](t)(s.UpdateUser(t.Context(), admin, off.ID, people.UserChange{Active: ptr(true)}))
	_, _, err = s.PrincipalByToken(t.Context(), "off", "hash of off")
	wantError(t, "of somebody who came back", err, domain.Unauthenticated, "token_revoked")
}

// Rows of the predecessor may lack all that it did not need.
func TestImportedTokens(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	u := mustUser(t, s, "ada@example.com")
	for i, scopes := range []any{nil, "", "general", "bootstrap-analyst", "something else"} {
		id := access.TokenID(strings.Repeat("x", i+1))
		if err := s.tx(t.Context(), func(tx runner) error {
			return second(tx.exec(t.Context(), `INSERT INTO personal_access_tokens (id, user_id, token_hash, scopes) VALUES ($1, $2, 'h', $3)`, id, u.ID, scopes))
		}); err != nil {
			t.Fatal(err)
		}
		p, token, err := s.PrincipalByToken(t.Context(), id, "h")
		if err != nil || token.ExpiresAt != nil || !token.CreatedAt.IsZero() {
			t.Fatalf("scopes %v: %+v, %v", scopes, token, err)
		}
		for need, want := range map[access.Scope]bool{access.ScopeAdmin: i < 3, access.ScopeRead: i < 4, access.ScopeAny: true} {
			if got := p.Scopes.Allow(need); got != want {
				t.Errorf("scopes %v allow %s: %t, want %t", scopes, need, got, want)
			}
		}
	}
	list, total, err := s.ListAllTokens(t.Context(), 2, 1)
	if err != nil || total != 5 || len(list) != 2 || list[0].Email != "ada@example.com" {
		t.Errorf("listed %+v of %d, %v", list, total, err)
	}
}

func TestUseToken(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u := mustUser(t, s, "ada@example.com")
	token := mustToken(t, s, "t", u.ID, nil)
	for i, step := range []struct {
		after time.Duration
		ip    string
		want  string // the address that is kept
		rows  int    // of new addresses, in all
	}{
		{0, "192.0.2.1", "192.0.2.1", 0},
		{time.Second, "192.0.2.1", "192.0.2.1", 0},
		{time.Second, "192.0.2.2", "192.0.2.2", 1},
		{time.Second, "192.0.2.2", "192.0.2.2", 1},
		{2 * time.Minute, "192.0.2.1", "192.0.2.1", 2},
		{2 * time.Minute, "192.0.2.2", "192.0.2.2", 2},
		{time.Second, "192.0.2.1", "192.0.2.2", 2},
	} {
		c.advance(step.after)
		if err := s.UseToken(t.Context(), audit.Actor{UserID: string(u.ID), ClientIP: step.ip, ClientKind: "cli"}, token); err != nil {
			t.Fatal(err)
		}
		token = must[access.Token](t)(s.GetToken(t.Context(), u.ID, "t"))
		rows := 0
		for _, a := range actions(t, s, 0) {
			if a == actionNewIP {
				rows++
			}
		}
		if token.LastUsedIP != step.want || rows != step.rows {
			t.Errorf("step %d: last used from %s with %d rows, want %s and %d", i, token.LastUsedIP, rows, step.want, step.rows)
		}
	}
}
