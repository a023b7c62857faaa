package store

import (
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func never(string) bool { return false }

// mustLink stores a link of an address that works for an hour.
func mustLink(t *testing.T, s *Store, c *clock, hash, email string, change func(*people.NewLink)) {
	t.Helper()
	l := people.NewLink{Hash: []byte(hash), Purpose: people.ToSignIn, Email: email, Next: "/docs", ExpiresAt: c.Now().Add(time.Hour)}
	if change != nil {
		change(&l)
	}
	if err := s.ReplaceLink(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

func TestLinkIsSpentOnce(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ben@example.com"}))
	mustLink(t, s, c, "h1", " Ben@Example.com", nil)
	l := must[people.Link](t)(s.FindLink(t.Context(), people.ToSignIn, []byte("h1")))
	if want := (people.Link{Purpose: people.ToSignIn, UserID: u.ID, Email: "ben@example.com", Next: "/docs"}); l != want {
		t.Errorf("FindLink = %+v, want %+v", l, want)
	}
	_, err := s.FindLink(t.Context(), people.ToReset, []byte("h1"))
	wantError(t, "a link of another purpose", err, domain.Unauthenticated, "link_invalid")

	errs := make([]error, 20)
	var done sync.WaitGroup
	for i := range errs {
		done.Go(func() { _, _, errs[i] = s.SpendSignIn(t.Context(), nobody, []byte("h1"), never) })
	}
	done.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantError(t, "a spent link", err, domain.Unauthenticated, "link_invalid")
	}
	if won != 1 {
		t.Errorf("%d of %d spent one link", won, len(errs))
	}
}

func TestLinkIsReplacedByANewerOne(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ben@example.com"}))
	mustLink(t, s, c, "reset", "ben@example.com", func(l *people.NewLink) { l.Purpose = people.ToReset })
	mustLink(t, s, c, "other", "cy@example.com", nil)
	mustLink(t, s, c, "old", "ben@example.com", nil)
	mustLink(t, s, c, "new", "ben@example.com", nil)
	_, _, err := s.SpendSignIn(t.Context(), nobody, []byte("old"), never)
	wantError(t, "an older link", err, domain.Unauthenticated, "link_invalid")
	for purpose, hash := range map[people.Purpose]string{people.ToReset: "reset", people.ToSignIn: "new"} {
		if _, err := s.FindLink(t.Context(), purpose, []byte(hash)); err != nil {
			t.Errorf("the link %s: %v", hash, err)
		}
	}
	c.advance(time.Hour)
	_, _, err = s.SpendSignIn(t.Context(), nobody, []byte("new"), never)
	wantError(t, "an expired link", err, domain.Unauthenticated, "link_invalid")
}

func TestCodesCount(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ben@example.com"}))
	coded := func(l *people.NewLink) { l.RequestHash, l.CodeHash = []byte("r"), []byte("c") }
	try := func(request, code string) error {
		_, _, err := s.SpendCode(t.Context(), nobody, []byte(request), []byte(code), never)
		return err
	}
	mustLink(t, s, c, "h1", "ben@example.com", coded)
	for range 7 {
		wantError(t, "the code of another browser", try("other", "c"), domain.Unauthenticated, "code_wrong")
	}
	for range 4 {
		wantError(t, "a wrong code", try("r", "x"), domain.Unauthenticated, "code_wrong")
	}
	if err := try("r", "c"); err != nil {
		t.Errorf("the right code after four wrong ones: %v", err)
	}
	wantError(t, "a code that was used", try("r", "c"), domain.Unauthenticated, "code_wrong")

	mustLink(t, s, c, "h2", "ben@example.com", coded)
	for range 5 {
		wantError(t, "a wrong code", try("r", "x"), domain.Unauthenticated, "code_wrong")
	}
	wantError(t, "the right code after five wrong ones", try("r", "c"), domain.Unauthenticated, "code_wrong")
	_, err := s.FindLink(t.Context(), people.ToSignIn, []byte("h2"))
	wantError(t, "its link", err, domain.Unauthenticated, "link_invalid")

	mustLink(t, s, c, "h3", "nobody@example.com", coded)
	wantError(t, "the code of an address that nobody has", try("r", "c"), domain.Unauthenticated, "link_invalid")
	mustLink(t, s, c, "h4", "nobody@example.com", nil)
	_, _, err = s.SpendCode(t.Context(), nobody, nil, nil, never)
	wantError(t, "no request and no code", err, domain.Unauthenticated, "code_wrong")
}

func TestPasswordByLink(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ben@example.com"}))
	reset := func(l *people.NewLink) { l.Purpose = people.ToReset }
	mustLink(t, s, c, "in", u.Email, nil)
	mustLink(t, s, c, "reset", u.Email, reset)
	c.advance(time.Minute)
	now := c.Now()
	after := must[people.User](t)(s.SpendPassword(t.Context(), nobody, people.ToReset, []byte("reset"), people.SetPassword{Name: "Ben", Hash: "a hash"}))
	if after.Name != "Ben" || !after.HasPassword || after.SessionsFrom.Before(now) {
		t.Errorf("person = %+v", after)
	}
	_, err := s.FindLink(t.Context(), people.ToSignIn, []byte("in"))
	wantError(t, "a link from before the password", err, domain.Unauthenticated, "link_invalid")
	_, err = s.SpendPassword(t.Context(), nobody, people.ToReset, []byte("reset"), people.SetPassword{Hash: "another"})
	wantError(t, "a spent link", err, domain.Unauthenticated, "link_invalid")

	mustLink(t, s, c, "reset2", u.Email, reset)
	off := false
	must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: &off}))
	_, err = s.FindLink(t.Context(), people.ToReset, []byte("reset2"))
	wantError(t, "a link from before deactivation", err, domain.Unauthenticated, "link_invalid")
	mustLink(t, s, c, "reset3", u.Email, reset)
	_, err = s.SpendPassword(t.Context(), nobody, people.ToReset, []byte("reset3"), people.SetPassword{Hash: "another"})
	wantError(t, "somebody who is deactivated", err, domain.Forbidden, "deactivated")
	_, _, err = s.SpendSignIn(t.Context(), nobody, []byte("none"), never)
	wantError(t, "no link", err, domain.Unauthenticated, "link_invalid")

	entries := countAction(t, s, "user.set_password")
	if entries != 1 {
		t.Errorf("%d audit rows of passwords, want 1", entries)
	}
}

func TestAccountByLink(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustLink(t, s, c, "h1", "dee@example.com", nil)
	u, next, err := s.SpendSignIn(t.Context(), audit.Actor{UserID: "anonymous", ClientKind: "web"}, []byte("h1"), func(email string) bool { return email == "dee@example.com" })
	if err != nil || u.Email != "dee@example.com" || u.Admin || next != "/docs" {
		t.Errorf("SpendSignIn = %+v, %s, %v", u, next, err)
	}
	uses := must[bool](t)(s.UsesService(t.Context(), u.ID))
	if uses {
		t.Error("somebody who came by mail uses a service")
	}
}

func countAction(t *testing.T, s *Store, action string) int {
	t.Helper()
	n := 0
	for _, e := range must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0)) {
		if e.Action == action {
			n++
		}
	}
	return n
}
