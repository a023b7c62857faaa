package store

import (
	"slices"
	"sync"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

var visitor = audit.Actor{ClientKind: "web", ClientIP: "192.0.2.9", RequestID: "req2"}

func claims(email, subject string) people.Claims {
	return people.Claims{Provider: people.ByGoogle, Subject: subject, Email: email, EmailVerified: true, Name: "Ada L."}
}

func federated(c people.Claims, create bool) people.FederatedSignIn {
	return people.FederatedSignIn{Claims: c, Create: create}
}

func TestSignInFederated(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	u := must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), true)))
	if u.Email != "ada@example.com" || u.Name != "Ada L." || u.HasPassword || !u.Active || u.Admin || len(u.Groups) != 0 {
		t.Errorf("came as %+v", u)
	}
	again := must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), true)))
	if again.ID != u.ID {
		t.Errorf("came back as %s, was %s", again.ID, u.ID)
	}
	other := claims("ada@example.com", "o1")
	other.Provider = people.ByOIDC
	if got := must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(other, true))); got.ID != u.ID {
		t.Errorf("another service makes another account: %s and %s", got.ID, u.ID)
	}
	list := must[[]people.Identity](t)(s.ListIdentities(t.Context(), u.ID))
	if len(list) != 2 || list[0].Subject != "g1" || list[1].Provider != people.ByOIDC || !list[0].UsedAt.After(list[0].CreatedAt) {
		t.Errorf("identities: %+v", list)
	}
	want := []string{"user.create", "user.identity_linked", "user.identity_linked"}
	if got := actions(t, s, 0); !slices.Equal(got, want) {
		t.Errorf("audit: %v, want %v", got, want)
	}
	last := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if last.Actor.UserID != string(u.ID) || last.Actor.ClientIP != visitor.ClientIP || last.Params["provider"] != "oidc" {
		t.Errorf("audit row: %+v", last)
	}
}

// TestFederatedIdentity: an account goes along with a person, not with an address.
func TestFederatedIdentity(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada := mustUser(t, s, "ada@example.com")
	bob := mustUser(t, s, "bob@example.com")
	gone := mustUser(t, s, "gone@example.com")
	must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), false)))
	must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("gone@example.com", "g9"), false)))
	must[people.User](t)(s.UpdateUser(t.Context(), admin, gone.ID, people.UserChange{Active: ptr(false)}))
	for _, c := range []struct {
		name   string
		claims people.Claims
		kind   domain.Kind
		code   string
		is     people.UserID
	}{
		{"known", claims("ada@example.com", "g1"), 0, "", ada.ID},
		{"known, with an address that is nobody's yet", claims("ada.l@example.com", "g1"), 0, "", ada.ID},
		{"known, with the address of somebody else", claims("bob@example.com", "g1"), domain.Forbidden, "identity_changed", ""},
		{"a new account with a known address", claims("ada@example.com", "g2"), domain.Forbidden, "identity_changed", ""},
		{"not linked yet", claims("bob@example.com", "g3"), 0, "", bob.ID},
		{"unknown", claims("eve@example.com", "g4"), domain.NotFound, "user_not_found", ""},
		{"deactivated", claims("gone@example.com", "g9"), domain.Forbidden, "deactivated", ""},
		{"deactivated, with another address", claims("new@example.com", "g9"), domain.Forbidden, "deactivated", ""},
	} {
		for name, find := range map[string]func() (people.User, error){
			"find": func() (people.User, error) { return s.FindFederated(t.Context(), c.claims) },
			"sign in": func() (people.User, error) {
				return s.SignInFederated(t.Context(), visitor, federated(c.claims, false))
			},
		} {
			u, err := find()
			if c.code != "" {
				wantError(t, c.name+", "+name, err, c.kind, c.code)
			} else if err != nil || u.ID != c.is {
				t.Errorf("%s, %s: %s, %v; want %s", c.name, name, u.ID, err, c.is)
			}
		}
	}
}

func TestUnlinkIdentity(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada := mustUser(t, s, "ada@example.com")
	must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), false)))
	wantError(t, "another service", s.UnlinkIdentity(t.Context(), admin, ada.ID, people.ByOIDC), domain.NotFound, "identity_not_found")
	wantError(t, "nobody", s.UnlinkIdentity(t.Context(), admin, "nobody", people.ByGoogle), domain.NotFound, "user_not_found")
	if err := s.UnlinkIdentity(t.Context(), admin, ada.ID, people.ByGoogle); err != nil {
		t.Fatal(err)
	}
	must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g2"), false)))
	_, err := s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), false))
	wantError(t, "the old account", err, domain.Forbidden, "identity_changed")
	entries := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0))
	i := slices.IndexFunc(entries, func(e audit.Entry) bool { return e.Action == "user.identity_unlinked" })
	if i < 0 || entries[i].Before["subjects"] == nil || entries[i].Params["provider"] != "google" {
		t.Errorf("audit: %+v", entries)
	}
	if err := s.DeleteUser(t.Context(), admin, ada.ID); err != nil {
		t.Fatal(err)
	}
	if list := must[[]people.Identity](t)(s.ListIdentities(t.Context(), ada.ID)); len(list) != 0 {
		t.Errorf("identities of somebody deleted: %v", list)
	}
}

// TestSignInFederatedInParallel: many first sign-ins at a time make one account.
func TestSignInFederatedInParallel(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := claims("ada@example.com", "g1")
			if i%2 == 1 {
				c.Provider, c.Subject = people.ByOIDC, "o1"
			}
			if _, err := s.SignInFederated(t.Context(), visitor, federated(c, true)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := must[int](t)(s.CountUsers(t.Context())); n != 1 {
		t.Errorf("%d accounts, want 1", n)
	}
}

// A service names who has no name here, as any other change of a person: who
// edits them meanwhile is told. A name that is here stays.
func TestAServiceNamesWhoHasNoName(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	before := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ada@example.com"}))
	u := must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), false)))
	if u.Name != "Ada L." || u.Version <= before.Version {
		t.Errorf("came as %+v, was %+v", u, before)
	}
	_, err := s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Name: ptr("Ada"), Seen: before.Version})
	if stale := domain.StaleOf(err); stale == nil {
		t.Errorf("an edit of what they were before: %v", err)
	}
	must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Name: ptr("Countess"), Seen: u.Version}))
	if u = must[people.User](t)(s.SignInFederated(t.Context(), visitor, federated(claims("ada@example.com", "g1"), false))); u.Name != "Countess" {
		t.Errorf("the service renamed somebody to %q", u.Name)
	}
}
