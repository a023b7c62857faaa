package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

var nobody = audit.Actor{ClientKind: "web"}

func TestFirstRunLink(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	old, hash := []byte("old hash"), []byte("new hash")
	for _, h := range [][]byte{old, hash} {
		if err := s.ReplaceFirstRunLink(t.Context(), h, c.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, "a replaced link", s.FirstRunOpen(t.Context(), old), domain.NotFound, "link_invalid")
	wantError(t, "no link", s.FirstRunOpen(t.Context(), nil), domain.NotFound, "link_invalid")
	if err := s.FirstRunOpen(t.Context(), hash); err != nil {
		t.Errorf("the newest link: %v", err)
	}
	c.advance(2 * time.Hour)
	wantError(t, "an expired link", s.FirstRunOpen(t.Context(), hash), domain.NotFound, "link_invalid")
	_, err := s.CreateFirstAdmin(t.Context(), nobody, hash, people.NewUser{Email: "ada@example.com"})
	wantError(t, "creation by an expired link", err, domain.NotFound, "link_invalid")
	if n := must[int](t)(s.CountUsers(t.Context())); n != 0 {
		t.Errorf("%d people, want none", n)
	}
}

func TestFirstAdminOnlyOnce(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	hash := []byte("hash")
	if err := s.ReplaceFirstRunLink(t.Context(), hash, c.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var created atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			u, err := s.CreateFirstAdmin(t.Context(), nobody, hash, people.NewUser{Email: fmt.Sprintf("a%d@example.com", i), PasswordHash: "h"})
			switch {
			case err == nil && u.Admin:
				created.Add(1)
			case domain.CodeOf(err) != "first_run_over":
				t.Errorf("call %d: %+v, %v", i, u, err)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 || must[int](t)(s.CountUsers(t.Context())) != 1 {
		t.Errorf("%d administrators were created, want 1", created.Load())
	}
	wantError(t, "open afterwards", s.FirstRunOpen(t.Context(), hash), domain.Conflict, "first_run_over")
	wantError(t, "a new link afterwards", s.ReplaceFirstRunLink(t.Context(), []byte("x"), c.Now().Add(time.Hour)), domain.Conflict, "first_run_over")
	entry := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if entry.Action != "bootstrap_completed" || entry.Resource != "user:"+entry.Actor.UserID || entry.Actor.Email == "" {
		t.Errorf("audit row: %+v; the new administrator is its actor", entry)
	}
}

func TestEnsureSeedAdmin(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	for range 2 {
		if err := s.EnsureSeedAdmin(t.Context(), "Ada@example.com", "hash1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := actions(t, s, 0); len(got) != 1 {
		t.Errorf("seeding again did something: %v", got)
	}
	ada := must[people.User](t)(s.GetUserByEmail(t.Context(), "ada@example.com"))
	if !ada.Admin || !ada.HasPassword {
		t.Errorf("seeded: %+v", ada)
	}
	must[people.User](t)(s.UpdateUser(t.Context(), admin, ada.ID, people.UserChange{PasswordHash: ptr("hash2")}))
	if err := s.EnsureSeedAdmin(t.Context(), "ada@example.com", "hash1"); err != nil {
		t.Fatal(err)
	}
	if _, hash, _, err := s.PasswordHash(t.Context(), ada.Email); hash != "hash2" || err != nil {
		t.Errorf("seeding again changed the password to %q, %v", hash, err)
	}
	bob := mustUser(t, s, "bob@example.com")
	if err := s.EnsureSeedAdmin(t.Context(), bob.Email, "hash3"); err != nil {
		t.Fatal(err)
	}
	if bob = must[people.User](t)(s.GetUser(t.Context(), bob.ID)); !bob.Admin || !bob.HasPassword {
		t.Errorf("a known person was not made administrator: %+v", bob)
	}
	if err := s.RemoveMember(t.Context(), admin, s.adminID, ada.ID); err != nil {
		t.Errorf("a seeded administrator cannot be removed: %v", err)
	}
}
