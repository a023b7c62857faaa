package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain/access"
	"agnes/domain/people"
)

// atOnce is how many people a page of all permissions looks at: it is sorted
// before it is cut.
const atOnce = 25

// beyond sorts after every resource type.
const beyond = access.ResourceType("\U0010ffff")

// ListPermissions returns who of the active people may read what by which
// group, by address, resource and group: a page of those that match, which may
// be short or empty, and after which one the next page begins; nil after the last
// page. An administrator may read everything besides. It takes two statements.
func (s *Store) ListPermissions(ctx context.Context, f access.PermissionFilter) (page []access.Permission, next *access.Permission, err error) {
	after := access.Permission{}
	if f.After != nil {
		after = *f.After
	}
	err = s.view(ctx, func(r runner) error {
		last, err := s.lastPerson(ctx, r, f, after.Email)
		if err != nil {
			return err
		}
		query, args := s.permissions(f, after, last)
		page, err = collect(ctx, r, scanPermission, query, args...)
		switch {
		case err != nil:
			return err
		case len(page) == f.Limit && f.Limit > 0:
			next = &page[len(page)-1]
		case last != "":
			next = &access.Permission{Email: last, ResourceType: beyond}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list permissions: %w", err)
	}
	return page, next, nil
}

// lastPerson is the address of the last person that a page looks at; "" when
// all the people left are few enough, or the filter makes them so.
func (s *Store) lastPerson(ctx context.Context, r runner, f access.PermissionFilter, from string) (string, error) {
	if f.User != "" || f.Email != "" || f.ResourceID != "" || f.Group != "" {
		return "", nil
	}
	emails, err := collect(ctx, r, value[string], `SELECT email FROM users WHERE active = TRUE AND email >= $1 ORDER BY email LIMIT $2`, from, atOnce+1)
	if err != nil || len(emails) <= atOnce {
		return "", err
	}
	return emails[atOnce-1], nil
}

// permissions is the statement of a page.
func (s *Store) permissions(f access.PermissionFilter, after access.Permission, last string) (query string, args []any) {
	var b strings.Builder
	b.WriteString(`
		SELECT u.id, u.email, r.resource_type, r.resource_id, g.id, g.name, g.is_system,
			COALESCE((SELECT m.source FROM user_group_members m WHERE m.user_id = u.id AND m.group_id = g.id), 'system_seed'), r.id
		FROM users u
		CROSS JOIN user_groups g
		CROSS JOIN resource_grants r
		WHERE g.id IN (SELECT m.group_id FROM user_group_members m WHERE m.user_id = u.id UNION SELECT $1)
			AND r.group_id = g.id AND u.active = TRUE AND (r.expires_at IS NULL OR r.expires_at > $2) AND u.email >= $3
			AND (u.email, r.resource_type, r.resource_id, g.id) > ($3, $4, $5, $6)`)
	args = []any{s.everyoneID, micros(s.now()), after.Email, after.ResourceType, after.ResourceID, after.Group.ID}
	for _, c := range []struct{ column, value string }{
		{"u.email <= ", last},
		{"u.id = ", string(f.User)},
		{"u.email = ", identity(f.Email)},
		{"r.resource_type = ", string(f.ResourceType)},
		{"r.resource_id = ", f.ResourceID},
		{"g.id = ", string(f.Group)},
	} {
		if c.value != "" {
			args = append(args, c.value)
			b.WriteString(` AND ` + c.column + `$` + strconv.Itoa(len(args)))
		}
	}
	args = append(args, pageSize(f.Limit))
	b.WriteString(` ORDER BY u.email, r.resource_type, r.resource_id, g.id LIMIT $` + strconv.Itoa(len(args)))
	return b.String(), args
}

func scanPermission(row scanner) (access.Permission, error) {
	var p access.Permission
	err := row.Scan(&p.UserID, &p.Email, &p.ResourceType, &p.ResourceID, &p.Group.ID, &p.Group.Name, &p.Group.System, &p.Source, &p.GrantID)
	return p, err
}

// Administrators returns the active people who may read everything, by address.
func (s *Store) Administrators(ctx context.Context) ([]people.Member, error) {
	list, err := collect(ctx, s.reader(), scanMember, `
		SELECT u.id, u.email, u.name, u.active, m.source, m.added_at, m.added_by
		FROM user_group_members m
		JOIN users u ON u.id = m.user_id
		WHERE m.group_id = $1 AND u.active = TRUE
		ORDER BY u.email`, s.adminID)
	if err != nil {
		return nil, fmt.Errorf("list administrators: %w", explain(err))
	}
	return list, nil
}
