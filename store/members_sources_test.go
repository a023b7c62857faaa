package store

import (
	"slices"
	"testing"

	"agnes/domain"
	"agnes/domain/people"
)

// TestWritersTouchTheirOwnRows has each way of making or ending memberships meet
// a membership of each source. What is wanted is the source afterwards, "" when
// the membership is gone.
func TestWritersTouchTheirOwnRows(t *testing.T) {
	t.Parallel()
	all := []people.MemberSource{people.ByAdmin, people.BySeed, people.ByGoogleSync, people.ByOIDCSync, people.ByBreakGlass}
	sync := func(source people.MemberSource, in bool) func(*Store, people.User) error {
		return func(s *Store, u people.User) error {
			return s.SyncGroups(t.Context(), admin, u.ID, people.GroupSync{Source: source, CreatedBy: "system:x", Admin: in})
		}
	}
	for _, c := range []struct {
		writer string
		write  func(s *Store, u people.User) error
		after  map[people.MemberSource]people.MemberSource // those not named stay
	}{
		{"an administrator adds", func(s *Store, u people.User) error {
			return second(s.AddMember(t.Context(), admin, s.adminID, u.Email, people.ByAdmin))
		}, nil},
		{"an administrator removes", func(s *Store, u people.User) error {
			return s.RemoveMember(t.Context(), admin, s.adminID, u.ID)
		}, map[people.MemberSource]people.MemberSource{people.ByAdmin: "", people.BySeed: "", people.ByBreakGlass: ""}},
		{"an administrator chooses it", func(s *Store, u people.User) error {
			return second(s.SetGroups(t.Context(), admin, u.ID, people.GroupsChange{Want: []people.GroupID{s.adminID}}))
		}, nil},
		{"an administrator chooses none", func(s *Store, u people.User) error {
			return second(s.SetGroups(t.Context(), admin, u.ID, people.GroupsChange{}))
		}, map[people.MemberSource]people.MemberSource{people.ByAdmin: "", people.BySeed: "", people.ByBreakGlass: ""}},
		{"the seed", func(s *Store, u people.User) error {
			return second(s.AddMember(t.Context(), admin, s.adminID, u.Email, people.BySeed))
		}, nil},
		{"Google has them in", sync(people.ByGoogleSync, true), nil},
		{"Google has them out", sync(people.ByGoogleSync, false), map[people.MemberSource]people.MemberSource{people.ByGoogleSync: ""}},
		{"the sign-in service has them in", sync(people.ByOIDCSync, true), nil},
		{"the sign-in service has them out", sync(people.ByOIDCSync, false), map[people.MemberSource]people.MemberSource{people.ByOIDCSync: ""}},
		{"somebody breaks the glass", func(s *Store, u people.User) error {
			return second(s.BreakGlass(t.Context(), admin, u.Email, []byte(u.ID), s.now()))
		}, map[people.MemberSource]people.MemberSource{people.ByGoogleSync: people.ByBreakGlass, people.ByOIDCSync: people.ByBreakGlass}},
	} {
		t.Run(c.writer, func(t *testing.T) {
			t.Parallel()
			s, _ := newStore(t)
			mustUser(t, s, "root@example.com", s.adminID)
			var got, want []string
			for _, source := range all {
				u := mustUser(t, s, string(source)+"@example.com")
				must[people.Member](t)(s.AddMember(t.Context(), admin, s.adminID, u.Email, source))
				if err := c.write(s, u); err != nil && domain.KindOf(err) != domain.Conflict && domain.KindOf(err) != domain.NotFound {
					t.Fatal(err)
				}
				expected, named := c.after[source]
				if !named {
					expected = source
				}
				var now people.MemberSource
				for _, m := range must[[]people.Membership](t)(s.Memberships(t.Context(), u.ID)) {
					if m.GroupID == s.adminID {
						now = m.Source
					}
				}
				got, want = append(got, string(source)+" → "+string(now)), append(want, string(source)+" → "+string(expected))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}
