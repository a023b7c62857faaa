package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// keptGroup is a group in the bin.
type keptGroup struct {
	ID          people.GroupID     `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description"`
	CreatedAt   time.Time          `json:"created_at"`
	CreatedBy   string             `json:"created_by"`
	Version     int64              `json:"version"`
	Person      people.UserID      `json:"person_id,omitempty"`
	Members     []keptMember       `json:"members"`
	Grants      []access.KeptGrant `json:"grants"`
}

type keptMember struct {
	UserID  people.UserID       `json:"user_id"`
	Source  people.MemberSource `json:"source"`
	AddedAt time.Time           `json:"added_at"`
	AddedBy string              `json:"added_by"`
}

// DeleteGroup removes a group with its memberships and grants, and returns the
// id by which Restore brings all of it back. seen is the version that whoever asks
// saw; none, or 0: whatever it is. It fails with NotFound, with Stale, and with
// Conflict for the two groups of Agnes's own and for one that another service keeps.
func (s *Store) DeleteGroup(ctx context.Context, by audit.Actor, id people.GroupID, seen ...int64) (binID string, err error) {
	err = s.tx(ctx, func(tx runner) error {
		g, err := getGroup(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		g = s.mapped(g)
		if g.Mapped == "" && g.System {
			return domain.E(domain.Conflict, "system_group", "The group %s belongs to Agnes and cannot be deleted.", g.Name)
		}
		if err := notManaged(g); err != nil {
			return err
		}
		if err := (edited{"group", string(id), g.Version, g.Fields()}).unseen(ctx, tx, seen); err != nil {
			return err
		}
		kept, err := removeGroup(ctx, tx, g)
		if err != nil {
			return err
		}
		if binID, err = s.intoBin(ctx, tx, by, binned{access.BinGroup, string(id), g.Name, kept}); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "user_group.deleted", "group:"+string(id), nil,
			params{"name": g.Name, "description": g.Description, "members": len(kept.Members), "grants": len(kept.Grants)})
	})
	if err != nil {
		return "", fmt.Errorf("delete group %s: %w", id, err)
	}
	return binID, nil
}

// removeGroup deletes a group with all that goes with it, and returns it as it was.
func removeGroup(ctx context.Context, tx runner, g people.Group) (keptGroup, error) {
	kept := keptGroup{
		ID: g.ID, Name: g.Name, Description: g.Description, CreatedAt: g.CreatedAt, CreatedBy: g.CreatedBy, Version: g.Version, Person: g.Person,
	}
	var err error
	if kept.Members, err = collect(ctx, tx, func(row scanner) (keptMember, error) {
		var m keptMember
		err := row.Scan(&m.UserID, &m.Source, at{&m.AddedAt}, &m.AddedBy)
		return m, err
	}, `SELECT user_id, source, added_at, added_by FROM user_group_members WHERE group_id = $1 ORDER BY user_id`, g.ID); err != nil {
		return kept, err
	}
	if kept.Grants, err = keptGrants(ctx, tx, `r.group_id = $1`, g.ID); err != nil {
		return kept, err
	}
	for _, statement := range []string{
		`DELETE FROM resource_grants WHERE group_id = $1`,
		`DELETE FROM user_group_members WHERE group_id = $1`,
		`DELETE FROM user_groups WHERE id = $1`,
	} {
		if _, err := tx.exec(ctx, statement, g.ID); err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// keptGrants are the grants that a condition of ours selects, to be put back.
func keptGrants(ctx context.Context, r runner, where string, args ...any) ([]access.KeptGrant, error) {
	return collect(ctx, r, func(row scanner) (access.KeptGrant, error) {
		g, err := scanGrant(row)
		return g.Kept(), err
	}, `SELECT`+grantColumns+` WHERE `+where+` ORDER BY r.id`, args...)
}

// restoreGroup puts a group back with the members who still are and the grants
// of tables that still are, and returns how many of each came back.
func restoreGroup(ctx context.Context, tx runner, k keptGroup) (members, grants int, err error) {
	var person any
	if k.Person != "" {
		person = k.Person
	}
	_, err = tx.exec(ctx, `
		INSERT INTO user_groups (id, name, name_key, description, created_at, created_by, version, person_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		k.ID, k.Name, nameKey(k.Name), k.Description, micros(k.CreatedAt), k.CreatedBy, k.Version, person)
	if taken(err) {
		return 0, 0, nameTaken(k.Name, err)
	} else if err != nil {
		return 0, 0, err
	}
	for _, m := range k.Members {
		n, err := tx.exec(ctx, `
			INSERT INTO user_group_members (user_id, group_id, source, added_at, added_by)
			SELECT u.id, $1, $2, $3, $4
			FROM users u
			WHERE u.id = $5`, k.ID, m.Source, micros(m.AddedAt), m.AddedBy, m.UserID)
		if err != nil {
			return 0, 0, err
		}
		members += int(n)
	}
	grants, err = putBack(ctx, tx, k.Grants)
	return members, grants, err
}

// putBack makes grants as they were. Those of a group or table that is gone, and
// those that were made anew meanwhile, are left out.
func putBack(ctx context.Context, tx runner, grants []access.KeptGrant) (n int, err error) {
	for _, g := range grants {
		added, err := tx.exec(ctx, `
			INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at, assigned_by, expires_at, reason, version)
			SELECT $1, g.id, $2, $3, $4, $5, $6, $7, $8
			FROM user_groups g
			WHERE g.id = $9 AND ($10 <> 'table' OR EXISTS (SELECT 1 FROM table_registry t WHERE t.id = $11))
			ON CONFLICT DO NOTHING`,
			g.ID, g.ResourceType, g.ResourceID, micros(g.AssignedAt), g.AssignedBy, microsOrNull(g.ExpiresAt), g.Reason, g.Version,
			g.GroupID, g.ResourceType, g.ResourceID)
		if err != nil {
			return n, fmt.Errorf("put back the grant of %s %s: %w", g.ResourceType, g.ResourceID, err)
		}
		n += int(added)
	}
	return n, nil
}
