package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// ListMembersPage returns a page of a group's members by address, and how many
// match in all; for Everyone all active people. NotFound.
func (s *Store) ListMembersPage(ctx context.Context, id people.GroupID, f people.MemberFilter) (members []people.Member, total int, err error) {
	columns := `u.id, u.email, u.name, u.active, m.source, m.added_at, m.added_by`
	where, args := ` FROM user_group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = $1`, []any{id}
	if id == s.everyoneID {
		columns = `u.id, u.email, u.name, u.active, 'system_seed', u.created_at, 'system:seed'`
		where, args = ` FROM users u WHERE u.active = TRUE`, nil
	}
	if search := strings.TrimSpace(f.Search); search != "" {
		args = append(args, containing(search))
		part := `$` + strconv.Itoa(len(args))
		where += ` AND (lower(u.email) LIKE lower(` + part + `) ESCAPE '!' OR lower(u.name) LIKE lower(` + part + `) ESCAPE '!')`
	}
	limits := ` ORDER BY u.email LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
	err = s.view(ctx, func(r runner) error {
		if _, err := getGroup(ctx, r, "id", string(id)); err != nil {
			return err
		}
		if total, err = one(ctx, r, value[int], `SELECT count(*)`+where, args...); err != nil {
			return err
		}
		members, err = collect(ctx, r, scanMember, `SELECT `+columns+where+limits, append(args, pageSize(f.Limit), f.Offset)...)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list members of %s: %w", id, err)
	}
	return members, total, nil
}

// AddMembers adds people, by address, to a group. Addresses without an account
// are returned, and hold up nobody else. It fails with NotFound for an unknown
// group, and with Conflict for one that takes no members here.
func (s *Store) AddMembers(ctx context.Context, by audit.Actor, id people.GroupID, emails []string) (people.Joined, error) {
	var joined people.Joined
	err := s.tx(ctx, func(tx runner) error {
		joined = people.Joined{}
		g, err := s.fillable(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, email := range distinct(emails) {
			u, err := getUser(ctx, tx, "email", identity(email))
			if domain.KindOf(err) == domain.NotFound {
				joined.Unknown = append(joined.Unknown, email)
				continue
			}
			if err != nil {
				return err
			}
			added, err := s.join(ctx, tx, by, u.ID, id, people.ByAdmin)
			if err != nil {
				return err
			}
			if !added {
				joined.Already = append(joined.Already, u)
				continue
			}
			joined.Added = append(joined.Added, u)
			if err := s.note(ctx, tx, by, "user_group.member_added", "group:"+string(id),
				params{"group": g.Name, "user_id": u.ID, "email": u.Email, "source": people.ByAdmin}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return people.Joined{}, fmt.Errorf("add to group %s: %w", id, err)
	}
	return joined, nil
}

// fillable returns a group whose members are chosen here.
func (s *Store) fillable(ctx context.Context, tx runner, id people.GroupID) (people.Group, error) {
	g, err := getGroup(ctx, tx, "id", string(id))
	if err != nil {
		return g, err
	}
	if id == s.everyoneID {
		return g, domain.E(domain.Conflict, "system_group", "Everybody with an active account is in Everyone, so nobody is added to it.")
	}
	if err := ofOne(g); err != nil {
		return g, err
	}
	return g, notManaged(g)
}
