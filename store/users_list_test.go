package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func TestListUsersFilters(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	g := mustGroup(t, s, "Finance")
	ada := mustUser(t, s, "ada@example.com", s.adminID)
	c.advance(time.Hour)
	ben := mustUser(t, s, "ben@example.com", g.ID)
	cyd := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "cyd@example.com", Name: "aaron", Invited: true}))
	dan := mustUser(t, s, "dan@example.com", g.ID)
	must[people.User](t)(s.UpdateUser(t.Context(), admin, dan.ID, people.UserChange{Active: ptr(false)}))
	if err := s.quietly(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `UPDATE users SET last_seen_at = $1 WHERE id = $2`, micros(c.Now()), ben.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	all := []string{"ada@example.com", "ben@example.com", "cyd@example.com", "dan@example.com"}
	for _, tt := range []struct {
		name string
		f    people.UserFilter
		want []string
	}{
		{"active", people.UserFilter{State: people.ActiveUsers}, all[:3]},
		{"deactivated", people.UserFilter{State: people.DeactivatedUsers}, all[3:]},
		{"invited", people.UserFilter{State: people.InvitedUsers}, []string{cyd.Email}},
		{"administrators", people.UserFilter{State: people.AdminUsers}, []string{ada.Email}},
		{"of a group", people.UserFilter{Group: g.ID}, []string{ben.Email, dan.Email}},
		{"of a group, found", people.UserFilter{Group: g.ID, Search: "DAN"}, []string{dan.Email}},
		{"of everyone", people.UserFilter{Group: s.everyoneID}, all[:3]},
		{"by name", people.UserFilter{Order: people.OrderByName}, []string{cyd.Email, ada.Email, ben.Email, dan.Email}},
		{"last seen first", people.UserFilter{Order: people.OrderByLastSeen, Desc: true}, []string{ben.Email, ada.Email, cyd.Email, dan.Email}},
		{"newest first", people.UserFilter{Order: people.OrderByCreated, Desc: true}, []string{dan.Email, cyd.Email, ben.Email, ada.Email}},
		{"second page", people.UserFilter{Order: people.OrderByCreated, Limit: 1, Offset: 1}, []string{ben.Email}},
	} {
		users, total, err := s.ListUsers(t.Context(), tt.f)
		if err != nil || !slices.Equal(emails(users), tt.want) || tt.f.Limit == 0 && total != len(tt.want) {
			t.Errorf("%s: %v of %d, %v; want %v", tt.name, emails(users), total, err, tt.want)
		}
	}
	want := people.UserCounts{All: 4, Active: 3, Deactivated: 1, Invited: 1, Admins: 1}
	if got := must[people.UserCounts](t)(s.CountUsersByState(t.Context())); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	known := must[[]people.User](t)(s.UsersByEmail(t.Context(), []string{"CYD@example.com", "nobody@example.com", "ada@example.com"}))
	if got := emails(known); !slices.Equal(got, []string{ada.Email, cyd.Email}) || !known[1].Waiting() {
		t.Errorf("known: %v", got)
	}
}

func TestWaysInOfAUser(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	u := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "ada@example.com", PasswordHash: "h"}))
	g := mustGroup(t, s, "Sales")
	now := micros(c.Now())
	if err := s.tx(t.Context(), func(tx runner) error {
		for _, statement := range []string{
			`INSERT INTO user_identities (provider, subject, user_id, email, created_at, used_at) VALUES ('google', 's', $1, 'ada@example.com', $2, $2)`,
			`INSERT INTO sign_ins (id, user_id, kind, method, created_at, proved_at, used_at, expires_at) VALUES ('s1', $1, 'browser', 'link', $2, $2, $2, $2)`,
		} {
			if _, err := tx.exec(t.Context(), statement, u.ID, now); err != nil {
				return err
			}
		}
		_, err := s.join(t.Context(), tx, admin, u.ID, g.ID, people.ByGoogleSync)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	u = must[people.User](t)(s.GetUser(t.Context(), u.ID))
	if want := []people.Method{people.ByPassword, people.ByLink, people.ByGoogle}; !slices.Equal(u.Methods, want) || !u.SSO {
		t.Errorf("methods %v, sso %t; want %v", u.Methods, u.SSO, want)
	}
	wantError(t, "delete somebody of a directory", s.DeleteUser(t.Context(), admin, u.ID), domain.Conflict, "sso_user")
}

func TestSetGroups(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	a, b, synced := mustGroup(t, s, "A"), mustGroup(t, s, "B"), mustGroup(t, s, "Synced")
	u := mustUser(t, s, "ada@example.com", a.ID)
	must[people.Member](t)(s.AddMember(t.Context(), admin, synced.ID, u.Email, people.ByOIDCSync))
	set := func(was []people.GroupID, want ...people.GroupID) ([]string, error) {
		u, err := s.SetGroups(t.Context(), admin, u.ID, people.GroupsChange{Want: want, Was: was})
		return groupNames(u.Groups), err
	}
	before := len(actions(t, s, 0))
	if got, err := set([]people.GroupID{a.ID}, b.ID, b.ID, s.everyoneID, synced.ID); err != nil || !slices.Equal(got, []string{"B", "Synced"}) {
		t.Errorf("set to B: %v, %v", got, err)
	}
	if got := actions(t, s, 0)[before:]; !slices.Equal(got, []string{"user_group.member_added", "user_group.member_removed"}) {
		t.Errorf("audit: %v", got)
	}
	_, err := set([]people.GroupID{a.ID}, a.ID)
	wantError(t, "from what is not so any more", err, domain.Stale, "changed_meanwhile")
	_, err = set(nil, a.ID, "nope")
	wantError(t, "an unknown group", err, domain.NotFound, "group_not_found")
	if got, err := set([]people.GroupID{b.ID}); err != nil || !slices.Equal(got, []string{"Synced"}) {
		t.Errorf("set to none: %v, %v", got, err)
	}
	_, err = s.SetGroups(t.Context(), admin, "nobody", people.GroupsChange{})
	wantError(t, "nobody", err, domain.NotFound, "user_not_found")
}

// Two administrators take each other's rights away at the same time, in every
// way there is: one of them stays.
func TestTwoAdminsRemoveEachOther(t *testing.T) {
	t.Parallel()
	off := people.UserChange{Active: ptr(false)}
	ways := map[string]func(s *Store, by audit.Actor, id people.UserID) error{
		"delete": func(s *Store, by audit.Actor, id people.UserID) error { return s.DeleteUser(t.Context(), by, id) },
		"deactivate": func(s *Store, by audit.Actor, id people.UserID) error {
			_, err := s.UpdateUser(t.Context(), by, id, off)
			return err
		},
		"take out": func(s *Store, by audit.Actor, id people.UserID) error {
			return s.RemoveMember(t.Context(), by, s.adminID, id)
		},
		"set groups": func(s *Store, by audit.Actor, id people.UserID) error {
			_, err := s.SetGroups(t.Context(), by, id, people.GroupsChange{})
			return err
		},
	}
	for name, remove := range ways {
		t.Run(name, func(t *testing.T) {
			s, _ := newStore(t)
			two := [2]people.User{mustUser(t, s, "ada@example.com", s.adminID), mustUser(t, s, "ben@example.com", s.adminID)}
			var errs [2]error
			var wg sync.WaitGroup
			for i, u := range two {
				by := audit.Actor{UserID: string(u.ID), Email: u.Email, ClientKind: "web"}
				wg.Go(func() { errs[i] = remove(s, by, two[1-i].ID) })
			}
			wg.Wait()
			refused := 0
			for _, err := range errs {
				if domain.CodeOf(err) == "last_admin" {
					refused++
				} else if err != nil {
					t.Errorf("refused for another reason: %v", err)
				}
			}
			_, active, err := s.ListUsers(t.Context(), people.UserFilter{State: people.AdminUsers})
			if refused != 1 || err != nil {
				t.Errorf("%d of two were refused, want 1; %d administrators, %v", refused, active, err)
			}
			if c := must[people.UserCounts](t)(s.CountUsersByState(t.Context())); c.Admins < 1 || c.Active < 1 {
				t.Errorf("left: %+v", c)
			}
		})
	}
}

// BenchmarkListUsers reads a page of 2,000 people; a page may take 50 ms.
func BenchmarkListUsers(b *testing.B) {
	s, _ := newStore(b)
	var groups []people.GroupID
	for i := range 200 {
		groups = append(groups, mustGroup(b, s, fmt.Sprintf("group %d", i)).ID)
	}
	for i := range 2000 {
		mustUser(b, s, fmt.Sprintf("p%d@example.com", i), groups[i%200], groups[(i+7)%200])
	}
	for b.Loop() {
		if _, _, err := s.ListUsers(b.Context(), people.UserFilter{Search: "example", Order: people.OrderByLastSeen, Desc: true, Limit: 50, Offset: 1000}); err != nil {
			b.Fatal(err)
		}
		if _, err := s.CountUsersByState(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCountUsersByState(b *testing.B) {
	s, _ := newStore(b)
	for i := range 2000 {
		mustUser(b, s, fmt.Sprintf("p%d@example.com", i))
	}
	for b.Loop() {
		if _, err := s.CountUsersByState(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
