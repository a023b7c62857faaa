package store

import (
	"context"
	"fmt"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// groupColumns are read by scanGroup; $1 is now, for the grants that are live.
const groupColumns = `
	g.id, g.name, g.description, g.is_system, g.created_at, g.created_by,
	CASE WHEN g.is_system = TRUE AND g.name_key = 'everyone'
		THEN (SELECT count(*) FROM users u WHERE u.active = TRUE)
		ELSE (SELECT count(*) FROM user_group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = g.id AND u.active = TRUE)
	END,
	(SELECT count(*) FROM resource_grants r WHERE r.group_id = g.id AND (r.expires_at IS NULL OR r.expires_at > $1)), g.version, COALESCE(g.person_id, '')`

func scanGroup(row scanner) (people.Group, error) {
	var g people.Group
	err := row.Scan(&g.ID, &g.Name, &g.Description, &g.System, at{&g.CreatedAt}, &g.CreatedBy, &g.Members, &g.Grants, &g.Version, &g.Person)
	return g, err
}

// nameKey is what group names are unique by.
func nameKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func groupNotFound() error {
	return domain.E(domain.NotFound, "group_not_found", "Group not found")
}

func nameTaken(name string, cause error) error {
	return domain.E(domain.Conflict, "group_name_taken", "A group named %s exists already.", name).Because(cause)
}

// ListGroups returns every group, the two of Agnes's own first, then by name.
func (s *Store) ListGroups(ctx context.Context) ([]people.Group, error) {
	groups, err := collect(ctx, s.reader(), scanGroup, `SELECT `+groupColumns+` FROM user_groups g ORDER BY g.is_system DESC, g.name_key`, micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", explain(err))
	}
	for i := range groups {
		groups[i] = s.mapped(groups[i])
	}
	return groups, nil
}

// mapped is a group with the one of Google Workspace that it follows.
func (s *Store) mapped(g people.Group) people.Group {
	switch g.ID {
	case s.adminID:
		g.Mapped = s.mapping.Admin
	case s.everyoneID:
		g.Mapped = s.mapping.Everyone
	}
	return g
}

// GetGroup returns one group; NotFound.
func (s *Store) GetGroup(ctx context.Context, id people.GroupID) (people.Group, error) {
	g, err := getGroup(ctx, s.reader(), "id", string(id))
	if err != nil {
		return g, fmt.Errorf("get group %s: %w", id, explain(err))
	}
	return s.mapped(g), nil
}

// GetGroupByName is GetGroup by name, ignoring case.
func (s *Store) GetGroupByName(ctx context.Context, name string) (people.Group, error) {
	g, err := getGroup(ctx, s.reader(), "name_key", nameKey(name))
	if err != nil {
		return g, fmt.Errorf("get group by name: %w", explain(err))
	}
	return s.mapped(g), nil
}

// getGroup reads one group by a column of ours that is unique.
func getGroup(ctx context.Context, r runner, column, key string) (people.Group, error) {
	g, err := one(ctx, r, scanGroup, `SELECT `+groupColumns+` FROM user_groups g WHERE g.`+column+` = $2`, micros(r.now()), key)
	if absent(err) {
		return g, groupNotFound()
	}
	return g, err
}

// CreateGroup adds a group, with grants on the system plugins; Conflict when
// the name is taken, in any case.
func (s *Store) CreateGroup(ctx context.Context, by audit.Actor, name, description string) (people.Group, error) {
	var g people.Group
	err := s.tx(ctx, func(tx runner) error {
		id := s.newID()
		_, err := tx.exec(ctx, `
			INSERT INTO user_groups (id, name, name_key, description, created_at, created_by)
			VALUES ($1, $2, $3, $4, $5, $6)`, id, name, nameKey(name), description, micros(s.now()), byline(by))
		if taken(err) {
			return nameTaken(name, err)
		} else if err != nil {
			return err
		}
		if err := s.note(ctx, tx, by, "user_group.created", "group:"+id, params{"name": name, "description": description}, nil); err != nil {
			return err
		}
		if err := s.grantSystemPlugins(ctx, tx, by, people.GroupID(id)); err != nil {
			return err
		}
		g, err = getGroup(ctx, tx, "id", id)
		return err
	})
	if err != nil {
		return people.Group{}, fmt.Errorf("create group: %w", err)
	}
	return g, nil
}

// UpdateGroup changes a group. It fails with NotFound, with Stale when the
// group changed since c.Seen, and with Conflict for a name that is taken and for
// renaming one of the two groups of Agnes's own or one that another service keeps.
func (s *Store) UpdateGroup(ctx context.Context, by audit.Actor, id people.GroupID, c people.GroupChange) (people.Group, error) {
	var g people.Group
	err := s.tx(ctx, func(tx runner) error {
		before, err := getGroup(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		before = s.mapped(before)
		g = c.Over(before)
		state := edited{"group", string(id), before.Version, before.Fields()}
		if err := state.unchanged(ctx, tx, c.Seen, c.Fields()); err != nil {
			return err
		}
		if g.Name != before.Name {
			if err := mayRename(before); err != nil {
				return err
			}
		}
		if g.Version, err = s.next(ctx, tx, by, state, g.Fields()); err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE user_groups SET name = $1, name_key = $2, description = $3, version = $4 WHERE id = $5`,
			g.Name, nameKey(g.Name), g.Description, g.Version, id)
		if taken(err) {
			return nameTaken(g.Name, err)
		} else if err != nil {
			return err
		}
		return s.note(ctx, tx, by, "user_group.updated", "group:"+string(id),
			params{"name": g.Name, "description": g.Description}, params{"name": before.Name, "description": before.Description})
	})
	if err != nil {
		return people.Group{}, fmt.Errorf("change group %s: %w", id, err)
	}
	return g, nil
}

func mayRename(g people.Group) error {
	if g.System && g.Mapped == "" {
		return domain.E(domain.Conflict, "system_group", "The group %s belongs to Agnes and keeps its name.", g.Name)
	}
	if err := ofOne(g); err != nil {
		return err
	}
	return notManaged(g)
}
