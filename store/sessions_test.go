package store

import (
	"bytes"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"agnes/domain/audit"
	"agnes/domain/people"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	b := s.Sessions()
	data := []byte{0, 1, 2, 0xff, 'x'}
	if err := b.Commit("h1", []byte("old"), c.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit("h1", data, c.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit("h3", []byte("x"), c.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got, found, err := b.Find("h1"); !found || err != nil || !bytes.Equal(got, data) {
		t.Errorf("found %v %v %v, want %v", got, found, err, data)
	}
	if _, found, err := b.Find("nope"); found || err != nil {
		t.Errorf("an unknown session: %v %v", found, err)
	}
	c.advance(2 * time.Minute)
	if _, found, err := b.Find("h3"); found || err != nil {
		t.Errorf("an expired session: %v %v", found, err)
	}
	if err := s.SweepSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM sessions`)); n != 1 {
		t.Errorf("%d sessions after the sweep, want 1", n)
	}
	for range 2 {
		if err := b.Delete("h1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := b.Find("h1"); found || err != nil {
		t.Errorf("a deleted session: %v %v", found, err)
	}
}

// TestSessionManager: what the manager puts in comes out in the next request,
// and its token is not in the state.
func TestSessionManager(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	c.advance(-20 * 365 * 24 * time.Hour) // the manager reckons with the real time
	m := scs.New()
	m.Store, m.HashTokenInStore = s.Sessions(), true
	ctx, err := m.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	m.Put(ctx, "user", "ada")
	token, _, err := m.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if ctx, err = m.Load(t.Context(), token); err != nil || m.GetString(ctx, "user") != "ada" {
		t.Errorf("the next request finds %q, %v", m.GetString(ctx, "user"), err)
	}
	if kept := must[string](t)(one(t.Context(), s.reader(), value[string], `SELECT token_hash FROM sessions`)); kept == token {
		t.Error("the state holds the token itself")
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada := mustUser(t, s, "ada@example.com")
	by := audit.Actor{UserID: string(ada.ID), Email: ada.Email, ClientKind: "api", ClientIP: "192.0.2.1", RequestID: "r"}
	if err := s.Audit(t.Context(), audit.Entry{Actor: by, Action: "catalog.list", Result: "success", Params: map[string]any{"n": 1.0}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Audit(t.Context(), audit.Entry{Action: "catalog.list"}); err == nil {
		t.Error("a row by nobody was written")
	}
	if err := s.TouchPull(t.Context(), by, ada.ID); err != nil {
		t.Fatal(err)
	}
	entries := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 2))
	if entries[0].Action != "manifest.fetch" || entries[0].Resource != "manifest" || entries[0].Result != "ok" || entries[1].Actor != by || entries[1].Params["n"] != 1.0 {
		t.Errorf("entries: %+v", entries)
	}
	if u := must[people.User](t)(s.GetUser(t.Context(), ada.ID)); u.LastPullAt == nil {
		t.Error("the pull was not recorded")
	}
	if err := s.TouchPull(t.Context(), by, "nobody"); err == nil {
		t.Error("the pull of nobody was recorded")
	}
}
