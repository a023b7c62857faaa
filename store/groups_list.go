package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain/people"
)

// ofOrigin is what an origin asks of a row of groups.
func ofOrigin(origin people.GroupOrigin) string {
	const synced = `g.created_by IN ('system:google-sync', 'system:oidc-sync')`
	switch origin {
	case people.OriginSystem:
		return `g.is_system = TRUE`
	case people.OriginGoogle:
		return `g.is_system = FALSE AND g.created_by = 'system:google-sync'`
	case people.OriginOIDC:
		return `g.is_system = FALSE AND g.created_by = 'system:oidc-sync'`
	case people.OriginPerson:
		return `g.person_id IS NOT NULL`
	case people.OriginCustom:
		return `g.is_system = FALSE AND g.person_id IS NULL AND NOT ` + synced
	case people.AnyOrigin:
	}
	return `g.person_id IS NULL`
}

// groupsOrdered sorts rows of groups by the columns of groupColumns.
func groupsOrdered(f people.GroupFilter) string {
	by := ``
	switch f.Order {
	case people.GroupsByMembers:
		by = `7`
	case people.GroupsByGrants:
		by = `8`
	case people.GroupsByName:
		if !f.Desc {
			return ` ORDER BY g.is_system DESC, g.name_key`
		}
		return ` ORDER BY g.name_key DESC`
	}
	if f.Desc {
		by += ` DESC`
	}
	return ` ORDER BY ` + by + `, g.name_key`
}

// groupsMatching is the condition of a filter, whose arguments come behind the
// first, which is now.
func groupsMatching(f people.GroupFilter) (where string, args []any) {
	where = ` FROM user_groups g WHERE ` + ofOrigin(f.Origin)
	if search := strings.TrimSpace(f.Search); search != "" {
		where += ` AND (g.name_key LIKE $2 ESCAPE '!' OR lower(g.description) LIKE lower($3) ESCAPE '!')`
		args = []any{containing(nameKey(search)), containing(search)}
	}
	return where, args
}

// ListGroupsPage returns a page of groups, and how many match in all.
func (s *Store) ListGroupsPage(ctx context.Context, f people.GroupFilter) (groups []people.Group, total int, err error) {
	where, args := groupsMatching(f)
	args = append([]any{micros(s.now())}, args...)
	limits := ` LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
	err = s.view(ctx, func(r runner) error {
		if total, err = one(ctx, r, value[int], `SELECT count(*)`+where+` AND $1 > 0`, args...); err != nil {
			return err
		}
		groups, err = collect(ctx, r, scanGroup, `SELECT `+groupColumns+where+groupsOrdered(f)+limits, append(args, pageSize(f.Limit), f.Offset)...)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list groups: %w", err)
	}
	return groups, total, nil
}

// CountGroups counts all groups by origin, in one statement.
func (s *Store) CountGroups(ctx context.Context) (people.GroupCounts, error) {
	count := func(origin people.GroupOrigin) string {
		return `COALESCE(SUM(CASE WHEN ` + ofOrigin(origin) + ` THEN 1 ELSE 0 END), 0)`
	}
	counts, err := one(ctx, s.reader(), func(row scanner) (people.GroupCounts, error) {
		var c people.GroupCounts
		err := row.Scan(&c.All, &c.System, &c.Google, &c.OIDC, &c.Custom, &c.Persons)
		return c, err
	}, `SELECT `+count(people.AnyOrigin)+`, `+count(people.OriginSystem)+`, `+count(people.OriginGoogle)+`, `+
		count(people.OriginOIDC)+`, `+count(people.OriginCustom)+`, `+count(people.OriginPerson)+` FROM user_groups g`)
	if err != nil {
		return people.GroupCounts{}, fmt.Errorf("count groups: %w", explain(err))
	}
	return counts, nil
}
