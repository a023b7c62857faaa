package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain/people"
)

// inState is what a state asks of a row of users.
func inState(state people.UserState) string {
	switch state {
	case people.ActiveUsers:
		return `u.active = TRUE`
	case people.DeactivatedUsers:
		return `u.active = FALSE`
	case people.InvitedUsers:
		return `u.active = TRUE AND u.invited_at IS NOT NULL AND u.last_seen_at IS NULL`
	case people.AdminUsers:
		return `EXISTS (SELECT 1 FROM user_group_members a
			WHERE a.user_id = u.id AND a.group_id = (SELECT id FROM user_groups WHERE name_key = 'admin'))`
	case people.AnyState:
	}
	return `TRUE`
}

// ordered sorts rows of users; ties go by address.
func ordered(f people.UserFilter) string {
	by := `u.email`
	switch f.Order {
	case people.OrderByName:
		by = `lower(CASE WHEN u.name = '' THEN u.email ELSE u.name END)`
	case people.OrderByLastSeen:
		by = `COALESCE(u.last_seen_at, 0)`
	case people.OrderByCreated:
		by = `u.created_at`
	case people.OrderByEmail:
	}
	if f.Desc {
		by += ` DESC`
	}
	return ` ORDER BY ` + by + `, u.email`
}

// matching is the condition of a filter with its arguments.
func (s *Store) matching(f people.UserFilter) (where string, args []any) {
	conditions := []string{inState(f.State)}
	if search := strings.TrimSpace(f.Search); search != "" {
		args = append(args, containing(search))
		conditions = append(conditions, `(lower(u.email) LIKE lower($1) ESCAPE '!' OR lower(u.name) LIKE lower($1) ESCAPE '!')`)
	}
	switch f.Group {
	case "":
	case s.everyoneID: // without rows
		conditions = append(conditions, inState(people.ActiveUsers))
	default:
		args = append(args, f.Group)
		conditions = append(conditions, `EXISTS (SELECT 1 FROM user_group_members g WHERE g.user_id = u.id AND g.group_id = $`+strconv.Itoa(len(args))+`)`)
	}
	return ` FROM users u WHERE ` + strings.Join(conditions, ` AND `), args
}

// ListUsers returns a page of people with their groups, and how many match in all.
func (s *Store) ListUsers(ctx context.Context, f people.UserFilter) (users []people.User, total int, err error) {
	where, args := s.matching(f)
	limits := ` LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
	// Only the page's rows get the columns that need looking up.
	page, paged := `SELECT u.id`+where+ordered(f)+limits, append(args, pageSize(f.Limit), f.Offset)
	err = s.view(ctx, func(r runner) error {
		if total, err = one(ctx, r, value[int], `SELECT count(*)`+where, args...); err != nil {
			return err
		}
		if users, err = collect(ctx, r, scanUser, `SELECT `+userColumns+` FROM users u WHERE u.id IN (`+page+`)`+ordered(f), paged...); err != nil {
			return err
		}
		if len(users) > 1000 { // too many to be named
			return addGroups(ctx, r, users, page, paged...)
		}
		in, ids := marks(users, func(u people.User) any { return u.ID })
		return addGroups(ctx, r, users, in, ids...)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list people: %w", err)
	}
	return users, total, nil
}

// marks are the parameters of a list, and their values.
func marks[T any](list []T, arg func(T) any) (in string, args []any) {
	names, args := make([]string, len(list)), make([]any, len(list))
	for i, item := range list {
		names[i], args[i] = "$"+strconv.Itoa(i+1), arg(item)
	}
	return strings.Join(names, ", "), args
}

// CountUsersByState counts all people by state, in one statement.
func (s *Store) CountUsersByState(ctx context.Context) (people.UserCounts, error) {
	count := func(state people.UserState) string {
		return `COALESCE(SUM(CASE WHEN ` + inState(state) + ` THEN 1 ELSE 0 END), 0)`
	}
	counts, err := one(ctx, s.reader(), func(row scanner) (people.UserCounts, error) {
		var c people.UserCounts
		err := row.Scan(&c.All, &c.Active, &c.Deactivated, &c.Invited, &c.Admins)
		return c, err
	}, `SELECT count(*), `+count(people.ActiveUsers)+`, `+count(people.DeactivatedUsers)+`, `+count(people.InvitedUsers)+`,
		(SELECT count(*) FROM user_group_members m WHERE m.group_id = $1) FROM users u`, s.adminID)
	if err != nil {
		return people.UserCounts{}, fmt.Errorf("count people by state: %w", explain(err))
	}
	return counts, nil
}

// UsersByEmail returns those of the addresses that are known, without groups.
func (s *Store) UsersByEmail(ctx context.Context, emails []string) ([]people.User, error) {
	if len(emails) == 0 {
		return nil, nil
	}
	in, args := marks(emails, func(email string) any { return identity(email) })
	users, err := collect(ctx, s.reader(), scanUser,
		`SELECT `+userColumns+` FROM users u WHERE u.email IN (`+in+`) ORDER BY u.email`, args...)
	if err != nil {
		return nil, fmt.Errorf("find people by address: %w", explain(err))
	}
	return users, nil
}
