package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Principal reads anew who a person is; Via and Client are the caller's to
// fill in. It fails with Unauthenticated for somebody unknown or inactive.
func (s *Store) Principal(ctx context.Context, id people.UserID) (access.Principal, error) {
	found := account{all: s.everyoneID, admin: s.adminID}
	rows, err := collect(ctx, s.reader(), func(row scanner) (struct{}, error) { return struct{}{}, found.scan(row) }, `
		SELECT`+accountColumns+`
		FROM users u
		LEFT JOIN user_group_members m ON m.user_id = u.id
		WHERE u.id = $1
		ORDER BY m.group_id`, id)
	switch {
	case err != nil:
		return access.Principal{}, fmt.Errorf("read principal %s: %w", id, explain(err))
	case len(rows) == 0:
		return access.Principal{}, userUnknown()
	case !found.active:
		return access.Principal{}, accountDeactivated()
	}
	return found.Principal, nil
}

// grantColumns are read by scanGrant.
const grantColumns = ` r.id, r.group_id, g.name, r.resource_type, r.resource_id, r.assigned_at, r.assigned_by, r.expires_at, r.reason
	FROM resource_grants r
	JOIN user_groups g ON g.id = r.group_id`

func scanGrant(row scanner) (access.Grant, error) {
	var g access.Grant
	err := row.Scan(&g.ID, &g.GroupID, &g.GroupName, &g.ResourceType, &g.ResourceID, at{&g.AssignedAt}, &g.AssignedBy, maybeAt{&g.ExpiresAt}, &g.Reason)
	return g, err
}

// ListGrants returns the grants that match, by group and resource.
func (s *Store) ListGrants(ctx context.Context, f access.GrantFilter) ([]access.Grant, error) {
	grants, err := collect(ctx, s.reader(), scanGrant, `
		SELECT`+grantColumns+`
		WHERE ($1 = '' OR r.resource_type = $1) AND ($2 = '' OR r.resource_id = $2) AND ($3 = '' OR r.group_id = $3)
		ORDER BY g.is_system DESC, g.name_key, r.resource_type, r.resource_id`, f.ResourceType, f.ResourceID, f.GroupID)
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", explain(err))
	}
	return grants, nil
}

// CreateGrant lets a group read a resource. Whether the resource exists is not
// asked. It fails with NotFound for an unknown group and Conflict for a grant
// that exists.
func (s *Store) CreateGrant(ctx context.Context, by audit.Actor, n access.NewGrant) (access.Grant, error) {
	var grant access.Grant
	err := s.tx(ctx, func(tx runner) (err error) {
		grant, err = s.insertGrant(ctx, tx, by, n)
		return err
	})
	if err != nil {
		return access.Grant{}, fmt.Errorf("grant %s %s: %w", n.ResourceType, n.ResourceID, err)
	}
	return grant, nil
}

func (s *Store) insertGrant(ctx context.Context, tx runner, by audit.Actor, n access.NewGrant) (access.Grant, error) {
	g, err := getGroup(ctx, tx, "id", string(n.Group))
	if err != nil {
		return access.Grant{}, err
	}
	grant := access.Grant{
		ID: s.newID(), GroupID: n.Group, GroupName: g.Name, ResourceType: n.ResourceType, ResourceID: n.ResourceID,
		AssignedAt: s.now(), AssignedBy: byline(by), ExpiresAt: n.ExpiresAt, Reason: n.Reason,
	}
	_, err = tx.exec(ctx, `
		INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at, assigned_by, expires_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		grant.ID, n.Group, n.ResourceType, n.ResourceID, micros(grant.AssignedAt), grant.AssignedBy, microsOrNull(n.ExpiresAt), n.Reason)
	if taken(err) {
		return access.Grant{}, domain.E(domain.Conflict, "grant_exists", "%s has this grant already.", g.Name).Because(err)
	} else if err != nil {
		return access.Grant{}, err
	}
	return grant, s.note(ctx, tx, by, "resource_grant.created", string(n.ResourceType)+":"+n.ResourceID, grantParams(grant), nil)
}

func grantParams(g access.Grant) params {
	return params{"grant_id": g.ID, "group_id": g.GroupID, "group": g.GroupName, "resource_type": g.ResourceType, "resource_id": g.ResourceID}
}

// DeleteGrant takes a grant back, for the very next question that anybody asks; NotFound.
func (s *Store) DeleteGrant(ctx context.Context, by audit.Actor, id string) error {
	err := s.tx(ctx, func(tx runner) error {
		g, err := one(ctx, tx, scanGrant, `SELECT`+grantColumns+` WHERE r.id = $1`, id)
		if absent(err) {
			return domain.E(domain.NotFound, "grant_not_found", "Grant not found")
		} else if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM resource_grants WHERE id = $1`, id); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "resource_grant.deleted", string(g.ResourceType)+":"+g.ResourceID, nil, grantParams(g))
	})
	if err != nil {
		return fmt.Errorf("delete grant %s: %w", id, err)
	}
	return nil
}

// EffectiveAccess lists what a person may read by grants, and the groups that
// open it, Everyone among them; an administrator may read everything besides.
// NotFound.
func (s *Store) EffectiveAccess(ctx context.Context, id people.UserID) ([]access.Effective, error) {
	var list []access.Effective
	err := s.view(ctx, func(r runner) error {
		if _, err := getUser(ctx, r, "id", string(id)); err != nil {
			return err
		}
		_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
			var e access.Effective
			var g people.Group
			if err := row.Scan(&e.ResourceType, &e.ResourceID, &g.ID, &g.Name, &g.System); err != nil {
				return struct{}{}, err
			}
			if n := len(list); n == 0 || list[n-1].ResourceType != e.ResourceType || list[n-1].ResourceID != e.ResourceID {
				list = append(list, e)
			}
			last := &list[len(list)-1]
			last.Groups = append(last.Groups, g)
			return struct{}{}, nil
		}, `
			SELECT r.resource_type, r.resource_id, g.id, g.name, g.is_system
			FROM resource_grants r
			JOIN user_groups g ON g.id = r.group_id
			WHERE g.id = $1 OR g.id IN (SELECT group_id FROM user_group_members WHERE user_id = $2)
			ORDER BY r.resource_type, r.resource_id, g.is_system DESC, g.name_key`, s.everyoneID, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list access of %s: %w", id, err)
	}
	return list, nil
}
