package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
)

// Reasons lists every way by which a person may read something now: one for
// each resource and group, Everyone among them, by resource. An administrator
// may read everything besides. NotFound.
func (s *Store) Reasons(ctx context.Context, user people.UserID) ([]access.Reason, error) {
	var list []access.Reason
	err := s.view(ctx, func(r runner) error {
		u, err := getUser(ctx, r, "id", string(user))
		if err != nil {
			return err
		}
		list, err = collect(ctx, r, reasonOf(u), `
			SELECT `+grantFields+`, g.is_system, COALESCE(g.person_id, ''), g.description, m.source, m.added_at, m.added_by
			FROM resource_grants r
			JOIN user_groups g ON g.id = r.group_id
			LEFT JOIN user_group_members m ON m.group_id = g.id AND m.user_id = $1
			WHERE (m.user_id IS NOT NULL OR g.id = $2) AND (r.expires_at IS NULL OR r.expires_at > $3)
			ORDER BY r.resource_type, r.resource_id, g.is_system DESC, g.name_key`, user, s.everyoneID, micros(s.now()))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list reasons of %s: %w", user, err)
	}
	return list, nil
}

// reasonOf scans one reason of a person. A membership that no row makes is that
// of Everyone, which people have from the start.
func reasonOf(u people.User) func(scanner) (access.Reason, error) {
	return func(row scanner) (access.Reason, error) {
		var w access.Reason
		var source, by *string
		var since *time.Time
		g := &w.Grant
		err := row.Scan(&g.ID, &g.GroupID, &g.GroupName, &g.ResourceType, &g.ResourceID, at{&g.AssignedAt}, &g.AssignedBy, maybeAt{&g.ExpiresAt}, &g.Reason, &g.Version,
			&w.Group.System, &w.Group.Person, &w.Group.Description, &source, maybeAt{&since}, &by)
		w.ResourceType, w.ResourceID = g.ResourceType, g.ResourceID
		w.Group.ID, w.Group.Name = g.GroupID, g.GroupName
		w.Member = people.Membership{
			GroupID: g.GroupID, GroupName: g.GroupName, System: w.Group.System,
			Source: people.BySeed, AddedAt: u.CreatedAt, AddedBy: "system:seed",
		}
		if source != nil {
			w.Member.Source, w.Member.AddedAt, w.Member.AddedBy = people.MemberSource(*source), *since, *by
		}
		return w, err
	}
}

// EffectiveAccess lists what a person may read by live grants, and the groups
// that open it, Everyone among them; an administrator may read everything
// besides. NotFound.
func (s *Store) EffectiveAccess(ctx context.Context, id people.UserID) ([]access.Effective, error) {
	reasons, err := s.Reasons(ctx, id)
	if err != nil {
		return nil, err
	}
	var list []access.Effective
	for _, w := range reasons {
		if n := len(list); n == 0 || list[n-1].ResourceType != w.ResourceType || list[n-1].ResourceID != w.ResourceID {
			list = append(list, access.Effective{ResourceType: w.ResourceType, ResourceID: w.ResourceID})
		}
		last := &list[len(list)-1]
		last.Groups = append(last.Groups, w.Group)
	}
	return list, nil
}
