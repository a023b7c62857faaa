package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func scanMember(row scanner) (people.Member, error) {
	var m people.Member
	err := row.Scan(&m.UserID, &m.Email, &m.Name, &m.Active, &m.Source, at{&m.AddedAt}, &m.AddedBy)
	return m, err
}

// ListMembers returns the people of a group by address; for Everyone all
// active people. NotFound.
func (s *Store) ListMembers(ctx context.Context, id people.GroupID) ([]people.Member, error) {
	var members []people.Member
	err := s.view(ctx, func(r runner) error {
		if _, err := getGroup(ctx, r, "id", string(id)); err != nil {
			return err
		}
		var err error
		if id == s.everyoneID {
			members, err = collect(ctx, r, scanMember, `
				SELECT id, email, name, active, 'system_seed', created_at, 'system:seed'
				FROM users
				WHERE active = TRUE
				ORDER BY email`)
			return err
		}
		members, err = collect(ctx, r, scanMember, `
			SELECT u.id, u.email, u.name, u.active, m.source, m.added_at, m.added_by
			FROM user_group_members m
			JOIN users u ON u.id = m.user_id
			WHERE m.group_id = $1
			ORDER BY u.email`, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list members of %s: %w", id, err)
	}
	return members, nil
}

// AddMember adds a person, by address, to a group. It fails with NotFound for
// an unknown group or address, and with Conflict for somebody who is in it.
func (s *Store) AddMember(ctx context.Context, by audit.Actor, id people.GroupID, email string, source people.MemberSource) (people.Member, error) {
	var m people.Member
	err := s.tx(ctx, func(tx runner) error {
		g, u, err := groupAndPerson(ctx, tx, id, "email", identity(email))
		if err != nil {
			return err
		}
		if source == people.ByAdmin {
			if err := notManaged(s.mapped(g)); err != nil {
				return err
			}
		}
		m = people.Member{UserID: u.ID, Email: u.Email, Name: u.Name, Active: u.Active, Source: source, AddedAt: s.now(), AddedBy: byline(by)}
		return s.enroll(ctx, tx, by, g, m)
	})
	if err != nil {
		return people.Member{}, fmt.Errorf("add to group %s: %w", id, err)
	}
	return m, nil
}

// groupAndPerson reads both sides of a membership. It fails with NotFound when
// either is not there, and with Conflict for the group of one person.
func groupAndPerson(ctx context.Context, r runner, id people.GroupID, column, value string) (people.Group, people.User, error) {
	g, err := getGroup(ctx, r, "id", string(id))
	if err == nil {
		err = ofOne(g)
	}
	if err != nil {
		return people.Group{}, people.User{}, err
	}
	u, err := getUser(ctx, r, column, value)
	return g, u, err
}

// enroll makes somebody a member as m says. It fails with Conflict for somebody
// who is one already.
func (s *Store) enroll(ctx context.Context, tx runner, by audit.Actor, g people.Group, m people.Member) error {
	var added int64
	if g.ID != s.everyoneID {
		var err error
		if added, err = tx.exec(ctx, joinGroup, m.UserID, g.ID, m.Source, micros(m.AddedAt), m.AddedBy); err != nil {
			return err
		}
	}
	if added == 0 {
		return domain.E(domain.Conflict, "already_member", "%s is a member of %s already.", m.Email, g.Name)
	}
	return s.note(ctx, tx, by, "user_group.member_added", "group:"+string(g.ID),
		params{"group": g.Name, "user_id": m.UserID, "email": m.Email, "source": m.Source}, nil)
}

// RemoveMember takes a person out of a group. Only memberships that people
// made here, and the seeded ones, can be removed; others fail with NotFound, as do
// those that are not there, or with Conflict in a group that another service
// keeps. Taking the last active administrator out of Admin fails with Conflict.
func (s *Store) RemoveMember(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) error {
	err := s.tx(ctx, func(tx runner) error {
		g, u, err := groupAndPerson(ctx, tx, id, "id", string(user))
		if err != nil {
			return err
		}
		if id == s.adminID {
			if err := s.keepsAdmin(ctx, tx, u); err != nil {
				return err
			}
		}
		removed, err := collect(ctx, tx, scanLeft, `
			DELETE FROM user_group_members
			WHERE user_id = $1 AND group_id = $2 AND source IN ('admin', 'system_seed', 'cli_break_glass')
			RETURNING user_id, source, added_at, added_by`, user, id)
		if err != nil {
			return err
		}
		if len(removed) == 0 {
			if err := notManaged(s.mapped(g)); err != nil {
				return err
			}
			return domain.E(domain.NotFound, "member_not_found", "%s has no membership of %s that can be removed here.", u.Email, g.Name)
		}
		return s.note(ctx, tx, by, "user_group.member_removed", "group:"+string(id), nil,
			params{"group": g.Name, "user_id": u.ID, "email": u.Email, "source": removed[0].Source, "added_at": removed[0].AddedAt, "added_by": removed[0].AddedBy})
	})
	if err != nil {
		return fmt.Errorf("remove from group %s: %w", id, err)
	}
	return nil
}
