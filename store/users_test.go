package store

import (
	"slices"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func ptr[T any](v T) *T { return &v }

func emails(users []people.User) []string {
	var list []string
	for _, u := range users {
		list = append(list, u.Email)
	}
	return list
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{
		Email: " Ada@Example.COM ", Name: "Ada", PasswordHash: "hash", Groups: []people.GroupID{g.ID, s.everyoneID},
	}))
	if u.Email != "ada@example.com" || !u.HasPassword || !u.Active || u.Admin || !u.SessionsFrom.IsZero() || groupNames(u.Groups)[0] != "Finance" {
		t.Errorf("created %+v", u)
	}
	_, err := s.CreateUser(t.Context(), admin, people.NewUser{Email: "ADA@example.com"})
	wantError(t, "same address", err, domain.Conflict, "user_exists")
	_, err = s.CreateUser(t.Context(), admin, people.NewUser{Email: "bob@example.com", Groups: []people.GroupID{"nope"}})
	wantError(t, "unknown group", err, domain.NotFound, "group_not_found")
	if n := must[int](t)(s.CountUsers(t.Context())); n != 1 {
		t.Errorf("%d people, want 1: a failed creation must leave nothing", n)
	}
	id, hash, active, err := s.PasswordHash(t.Context(), "Ada@example.com")
	if id != u.ID || hash != "hash" || !active || err != nil {
		t.Errorf("PasswordHash: %v %v %v %v", id, hash, active, err)
	}
	_, _, _, err = s.PasswordHash(t.Context(), "bob@example.com")
	wantError(t, "hash of nobody", err, domain.NotFound, "user_not_found")
	entry := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if entry.Action != "user.create" || entry.Actor != admin || entry.Params["email"] != "ada@example.com" || entry.Params["password"] != nil {
		t.Errorf("audit row: %+v", entry)
	}
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	for _, email := range []string{"carol@example.com", "ada@example.com", "bob_1@example.com", "bobx1@example.com"} {
		mustUser(t, s, email, g.ID)
	}
	mustUser(t, s, "zoe@example.com", s.adminID, g.ID)
	for _, c := range []struct {
		name  string
		f     people.UserFilter
		want  []string
		total int
	}{
		{"all", people.UserFilter{}, []string{"ada@example.com", "bob_1@example.com", "bobx1@example.com", "carol@example.com", "zoe@example.com"}, 5},
		{"page", people.UserFilter{Limit: 2, Offset: 1}, []string{"bob_1@example.com", "bobx1@example.com"}, 5},
		{"part of the address", people.UserFilter{Search: "CAROL"}, []string{"carol@example.com"}, 1},
		{"an underscore is itself", people.UserFilter{Search: "b_1"}, []string{"bob_1@example.com"}, 1},
		{"a percent sign is itself", people.UserFilter{Search: "%"}, nil, 0},
		{"beyond the end", people.UserFilter{Limit: 10, Offset: 50}, nil, 5},
	} {
		before := s.Queries()
		users, total, err := s.ListUsers(t.Context(), c.f)
		if err != nil || !slices.Equal(emails(users), c.want) || total != c.total {
			t.Errorf("%s: got %v of %d, %v; want %v of %d", c.name, emails(users), total, err, c.want, c.total)
		}
		if used := s.Queries() - before; used != 3 {
			t.Errorf("%s took %d statements, want 3", c.name, used)
		}
		for _, u := range users {
			want := []string{"Finance"}
			if u.Admin {
				want = []string{"Admin", "Finance"}
			}
			if !slices.Equal(groupNames(u.Groups), want) {
				t.Errorf("%s: groups of %s are %v, want %v", c.name, u.Email, groupNames(u.Groups), want)
			}
		}
	}
}

// Another hash of the same password changes nothing that anybody sees, and never
// takes back a new password.
func TestRenewPasswordHash(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	u := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ada@example.com", PasswordHash: "old"}))
	for i, c := range []struct{ old, renewed, want string }{{"old", "renewed", "renewed"}, {"old", "late", "renewed"}} {
		if err := s.RenewPasswordHash(t.Context(), u.ID, c.old, c.renewed); err != nil {
			t.Fatal(err)
		}
		if _, hash, _, err := s.PasswordHash(t.Context(), "ada@example.com"); err != nil || hash != c.want {
			t.Errorf("%d: hash %q, %v; want %q", i, hash, err, c.want)
		}
	}
	if after := must[people.User](t)(s.GetUser(t.Context(), u.ID)); !after.SessionsFrom.Equal(u.SessionsFrom) {
		t.Error("a renewed hash ends sign-ins")
	}
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u := mustUser(t, s, "ada@example.com")
	u = must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Name: ptr("Ada L.")}))
	if u.Name != "Ada L." || !u.SessionsFrom.IsZero() {
		t.Errorf("after a new name: %+v", u)
	}
	u = must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{PasswordHash: ptr("h1")}))
	first := u.SessionsFrom
	if !u.HasPassword || first.IsZero() {
		t.Errorf("after a password: %+v", u)
	}
	c.advance(time.Hour)
	u = must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(false)}))
	if u.Active || u.DeactivatedAt == nil || !u.SessionsFrom.After(first) {
		t.Errorf("after deactivation: %+v", u)
	}
	_, err := s.Principal(t.Context(), u.ID)
	wantError(t, "principal of somebody inactive", err, domain.Unauthenticated, "account_deactivated")
	ended := u.SessionsFrom
	u = must[people.User](t)(s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(true)}))
	if !u.Active || u.DeactivatedAt != nil || !u.SessionsFrom.Equal(ended) {
		t.Errorf("after activation: %+v; old sign-ins must stay ended", u)
	}
	_, err = s.UpdateUser(t.Context(), admin, "nobody", people.UserChange{})
	wantError(t, "unknown person", err, domain.NotFound, "user_not_found")
	want := []string{"user.create", "user.update", "user.set_password", "user.update", "user.update"}
	if got := actions(t, s, 0); !slices.Equal(got, want) {
		t.Errorf("audit: %v, want %v", got, want)
	}
}

// TestLastAdmin: there is no way to be left without an active administrator.
func TestLastAdmin(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada := mustUser(t, s, "ada@example.com", s.adminID)
	bob := mustUser(t, s, "bob@example.com", s.adminID)
	as := func(u people.User) audit.Actor {
		return audit.Actor{UserID: string(u.ID), Email: u.Email, ClientKind: "web"}
	}
	off := people.UserChange{Active: ptr(false)}

	_, err := s.UpdateUser(t.Context(), as(ada), ada.ID, off)
	wantError(t, "deactivate oneself", err, domain.Conflict, "own_account")
	wantError(t, "delete oneself", s.DeleteUser(t.Context(), as(ada), ada.ID), domain.Conflict, "own_account")
	must[people.User](t)(s.UpdateUser(t.Context(), as(ada), bob.ID, off))
	for what, err := range map[string]error{
		"delete":     s.DeleteUser(t.Context(), admin, ada.ID),
		"take away":  s.RemoveMember(t.Context(), admin, s.adminID, ada.ID),
		"deactivate": func() error { _, err := s.UpdateUser(t.Context(), admin, ada.ID, off); return err }(),
	} {
		wantError(t, what+" the last active administrator", err, domain.Conflict, "last_admin")
	}
	if err := s.DeleteUser(t.Context(), as(ada), bob.ID); err != nil {
		t.Errorf("an inactive administrator is not the last: %v", err)
	}
}

func TestLastAdminInParallel(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	var admins []people.User
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		admins = append(admins, mustUser(t, s, name+"@example.com", s.adminID))
	}
	var wg sync.WaitGroup
	for i, u := range admins {
		wg.Go(func() {
			var err error
			switch i % 3 {
			case 0:
				err = s.DeleteUser(t.Context(), admin, u.ID)
			case 1:
				err = s.RemoveMember(t.Context(), admin, s.adminID, u.ID)
			default:
				_, err = s.UpdateUser(t.Context(), admin, u.ID, people.UserChange{Active: ptr(false)})
			}
			if err != nil && domain.CodeOf(err) != "last_admin" {
				t.Errorf("remove %s: %v", u.Email, err)
			}
		})
	}
	wg.Wait()
	active := 0
	for _, m := range must[[]people.Member](t)(s.ListMembers(t.Context(), s.adminID)) {
		if m.Active {
			active++
		}
	}
	if active != 1 {
		t.Errorf("%d active administrators are left, want 1", active)
	}
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := mustUser(t, s, "ada@example.com", g.ID)
	if err := s.DeleteUser(t.Context(), admin, u.ID); err != nil {
		t.Fatal(err)
	}
	_, err := s.GetUser(t.Context(), u.ID)
	wantError(t, "get", err, domain.NotFound, "user_not_found")
	_, err = s.GetUserByEmail(t.Context(), u.Email)
	wantError(t, "get by address", err, domain.NotFound, "user_not_found")
	wantError(t, "delete again", s.DeleteUser(t.Context(), admin, u.ID), domain.NotFound, "user_not_found")
	if members := must[[]people.Member](t)(s.ListMembers(t.Context(), g.ID)); len(members) != 0 {
		t.Errorf("the membership stays: %v", members)
	}
	again := mustUser(t, s, "ada@example.com")
	if again.ID == u.ID || len(again.Groups) != 0 {
		t.Errorf("created again with the old identity: %+v", again)
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	u := mustUser(t, s, "ada@example.com", g.ID)
	before := s.Queries()
	p := must[access.Principal](t)(s.Principal(t.Context(), u.ID))
	if used := s.Queries() - before; used != 1 {
		t.Errorf("Principal took %d statements, want 1", used)
	}
	if p.Email != u.Email || p.Name != u.Name || p.Admin || !slices.Contains(p.Groups, g.ID) || !slices.Contains(p.Groups, s.everyoneID) {
		t.Errorf("principal: %+v", p)
	}
	must[people.Member](t)(s.AddMember(t.Context(), admin, s.adminID, u.Email, people.ByAdmin))
	if p = must[access.Principal](t)(s.Principal(t.Context(), u.ID)); !p.Admin {
		t.Error("a member of Admin is no administrator")
	}
	_, err := s.Principal(t.Context(), "nobody")
	wantError(t, "principal of nobody", err, domain.Unauthenticated, "user_not_found")
}
