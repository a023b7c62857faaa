package store

import (
	"context"
	"fmt"

	"agnes/domain/access"
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

// grantFields are read by scanGrant.
const grantFields = `r.id, r.group_id, g.name, r.resource_type, r.resource_id, r.assigned_at, r.assigned_by, r.expires_at, r.reason, r.version`

const grantColumns = ` ` + grantFields + `
	FROM resource_grants r
	JOIN user_groups g ON g.id = r.group_id`

func scanGrant(row scanner) (access.Grant, error) {
	var g access.Grant
	err := row.Scan(&g.ID, &g.GroupID, &g.GroupName, &g.ResourceType, &g.ResourceID, at{&g.AssignedAt}, &g.AssignedBy, maybeAt{&g.ExpiresAt}, &g.Reason, &g.Version)
	return g, err
}

// ListGrants returns the grants that match, by group and resource, those that
// ended among them unless f.Live.
func (s *Store) ListGrants(ctx context.Context, f access.GrantFilter) ([]access.Grant, error) {
	grants, err := collect(ctx, s.reader(), scanGrant, `
		SELECT`+grantColumns+`
		WHERE ($1 = '' OR r.resource_type = $1) AND ($2 = '' OR r.resource_id = $2) AND ($3 = '' OR r.group_id = $3)
			AND ($4 = FALSE OR r.expires_at IS NULL OR r.expires_at > $5)
		ORDER BY g.is_system DESC, g.name_key, r.resource_type, r.resource_id`, f.ResourceType, f.ResourceID, f.GroupID, f.Live, micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", explain(err))
	}
	return grants, nil
}
