package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// SetGroups makes a person a member of just the groups wanted, beside those
// that a directory keeps and Everyone. It fails with NotFound for a person or
// group that is unknown, with Stale when somebody else changed the groups since,
// by their ids, and with Conflict when the last active administrator would be none.
func (s *Store) SetGroups(ctx context.Context, by audit.Actor, id people.UserID, c people.GroupsChange) (people.User, error) {
	var after people.User
	err := s.tx(ctx, func(tx runner) error {
		u, err := getUser(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		have, kept, err := ownGroups(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.Was != nil && !sameGroups(have, c.Was) {
			return groupsClash(c, have)
		}
		want := slices.DeleteFunc(distinct(c.Want), func(g people.GroupID) bool { return g == s.everyoneID || slices.Contains(kept, g) })
		if slices.Contains(have, s.adminID) && !slices.Contains(want, s.adminID) {
			if err := s.keepsAdmin(ctx, tx, u); err != nil {
				return err
			}
		}
		if err := s.leaveAndJoin(ctx, tx, by, u, have, want); err != nil {
			return err
		}
		after, err = getUser(ctx, tx, "id", string(id))
		return err
	})
	if err != nil {
		return people.User{}, fmt.Errorf("set groups of %s: %w", id, err)
	}
	return after, nil
}

// groupsClash compares which groups a person was in, is in and should be in.
func groupsClash(c people.GroupsChange, have []people.GroupID) error {
	was, theirs, yours := domain.Fields{}, domain.Fields{}, domain.Fields{}
	for _, id := range slices.Concat(c.Was, have, c.Want) {
		for _, side := range []struct {
			fields domain.Fields
			groups []people.GroupID
		}{{was, c.Was}, {theirs, have}, {yours, c.Want}} {
			side.fields[string(id)] = ""
			if slices.Contains(side.groups, id) {
				side.fields[string(id)] = people.InGroup
			}
		}
	}
	return domain.NewStaleError(0, time.Time{}, "", was, theirs, yours)
}

// ownGroups returns the groups that people put a person into, and those that
// stay: a directory keeps them, or they are of this person alone.
func ownGroups(ctx context.Context, r runner, id people.UserID) (own, kept []people.GroupID, err error) {
	_, err = collect(ctx, r, func(row scanner) (struct{}, error) {
		var g people.GroupID
		var source people.MemberSource
		var one bool
		if err := row.Scan(&g, &source, &one); err != nil {
			return struct{}{}, err
		}
		if source.Synced() || one {
			kept = append(kept, g)
		} else {
			own = append(own, g)
		}
		return struct{}{}, nil
	}, `
		SELECT m.group_id, m.source, g.person_id IS NOT NULL
		FROM user_group_members m
		JOIN user_groups g ON g.id = m.group_id
		WHERE m.user_id = $1
		ORDER BY m.group_id`, id)
	return own, kept, err
}

func sameGroups(a, b []people.GroupID) bool {
	a, b = slices.Clone(a), distinct(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (s *Store) leaveAndJoin(ctx context.Context, tx runner, by audit.Actor, u people.User, have, want []people.GroupID) error {
	for _, id := range want {
		if slices.Contains(have, id) {
			continue
		}
		g, err := getGroup(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		if err := ofOne(g); err != nil {
			return err
		}
		if err := notManaged(s.mapped(g)); err != nil {
			return err
		}
		if _, err := s.join(ctx, tx, by, u.ID, id, people.ByAdmin); err != nil {
			return err
		}
		if err := s.note(ctx, tx, by, "user_group.member_added", "group:"+string(id),
			params{"group": g.Name, "user_id": u.ID, "email": u.Email, "source": people.ByAdmin}, nil); err != nil {
			return err
		}
	}
	for _, id := range have {
		if slices.Contains(want, id) {
			continue
		}
		g, err := getGroup(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM user_group_members WHERE user_id = $1 AND group_id = $2`, u.ID, id); err != nil {
			return err
		}
		if err := s.note(ctx, tx, by, "user_group.member_removed", "group:"+string(id), nil,
			params{"group": g.Name, "user_id": u.ID, "email": u.Email}); err != nil {
			return err
		}
	}
	return nil
}
