package store

import (
	"context"
	"fmt"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// live is the condition of a grant r that opens something now.
func (s *Store) live(c *conditions) string {
	return `(r.expires_at IS NULL OR r.expires_at > ` + c.arg(micros(s.now())) + `)`
}

// ListAccessGroups returns a page of the groups whose name holds search, each
// with how much it opens, and how many there are: Everyone first, Admin never.
func (s *Store) ListAccessGroups(ctx context.Context, search string, persons bool, w access.Window) (list []access.GroupLine, total int, err error) {
	c := &conditions{}
	c.and(`g.id <> ` + c.arg(s.adminID))
	if !persons {
		c.and(`g.person_id IS NULL`)
	}
	if search != "" {
		c.and(`g.name_key LIKE ` + c.arg(containing(nameKey(search))) + ` ESCAPE '!'`)
	}
	err = s.view(ctx, func(r runner) error {
		if total, err = single(ctx, r, c, value[int], `SELECT count(*) FROM user_groups g`+c.where()); err != nil {
			return err
		}
		totals, err := s.totals(ctx, r)
		if err != nil {
			return err
		}
		page := c.where() + ` ORDER BY g.is_system DESC, g.name_key` + c.limit(w)
		// Ended grants are few: taking them off is faster than a look at each one.
		ended := `(SELECT count(*) FROM resource_grants e WHERE e.expires_at <= ` + c.arg(micros(s.now())) + ` AND e.group_id || '' = g.id)`
		list, err = gather(ctx, r, c, func(row scanner) (access.GroupLine, error) {
			var g access.GroupLine
			err := row.Scan(&g.ID, &g.Name, &g.Person, &g.Members, &g.Grants)
			if g.ID == s.everyoneID {
				g.MatrixGroup = s.everyone(totals)
			}
			return g, err
		}, `SELECT `+matrixGroupColumns+`, (SELECT count(*) FROM resource_grants r WHERE r.group_id = g.id) - `+ended+`
			FROM user_groups g WHERE g.id IN (SELECT g.id FROM user_groups g`+page+`) ORDER BY g.is_system DESC, g.name_key`)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list groups with grants: %w", err)
	}
	return list, total, nil
}

// namedColumns are read by scanNamed.
const namedColumns = ` r.id, r.group_id, g.name, r.resource_type, r.resource_id, r.assigned_at, r.assigned_by, r.expires_at, r.reason,
	COALESCE(t.name, r.resource_id), t.id IS NULL AND r.resource_type = 'table', `

// membersOf counts the active people of group g.
const membersOf = `CASE WHEN g.is_system = TRUE AND g.name_key = 'everyone'
		THEN (SELECT count(*) FROM users a WHERE a.active = TRUE)
		ELSE (SELECT count(*) FROM user_group_members o JOIN users a ON a.id = o.user_id WHERE o.group_id = g.id AND a.active = TRUE)
	END`

const namedFrom = `
	FROM resource_grants r
	JOIN user_groups g ON g.id = r.group_id
	LEFT JOIN table_registry t ON r.resource_type = 'table' AND t.id = r.resource_id`

func scanNamed(row scanner) (access.NamedGrant, error) {
	var g access.NamedGrant
	err := row.Scan(&g.ID, &g.GroupID, &g.GroupName, &g.ResourceType, &g.ResourceID, at{&g.AssignedAt}, &g.AssignedBy, maybeAt{&g.ExpiresAt}, &g.Reason,
		&g.Name, &g.Gone, &g.Members)
	return g, err
}

// ListGroupGrants returns a page of a group's grants, those that have ended
// among them, by the name of what they open, and how many there are. Members is
// not counted: it is the same for all.
func (s *Store) ListGroupGrants(ctx context.Context, group people.GroupID, search string, w access.Window) ([]access.NamedGrant, int, error) {
	c := &conditions{}
	c.and(`r.group_id = ` + c.arg(group))
	if search != "" {
		c.and(`lower(COALESCE(t.name, r.resource_id)) LIKE lower(` + c.arg(containing(search)) + `) ESCAPE '!'`)
	}
	return s.named(ctx, c, `r.resource_type DESC, lower(COALESCE(t.name, r.resource_id))`, `0`, w)
}

// ListTableGrants returns a page of the grants on a table, those that have
// ended among them, by group, and how many there are.
func (s *Store) ListTableGrants(ctx context.Context, table registry.TableID, w access.Window) ([]access.NamedGrant, int, error) {
	c := &conditions{}
	c.and(`r.resource_type = 'table' AND r.resource_id = ` + c.arg(table))
	return s.named(ctx, c, `g.is_system DESC, g.name_key`, membersOf, w)
}

func (s *Store) named(ctx context.Context, c *conditions, order, members string, w access.Window) (list []access.NamedGrant, total int, err error) {
	err = s.view(ctx, func(r runner) error {
		if total, err = single(ctx, r, c, value[int], `SELECT count(*)`+namedFrom+c.where()); err != nil {
			return err
		}
		list, err = gather(ctx, r, c, scanNamed, `SELECT`+namedColumns+members+namedFrom+c.where()+` ORDER BY `+order+c.limit(w))
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list grants with names: %w", err)
	}
	return list, total, nil
}

// ListAccessTables returns a page of the tables that match, each with how many
// groups it is open to, and how many there are.
func (s *Store) ListAccessTables(ctx context.Context, f access.MatrixFilter) (list []access.TableLine, total int, err error) {
	c := s.tablesOf(f)
	where := c.where()
	err = s.view(ctx, func(r runner) error {
		if total, err = single(ctx, r, c, value[int], `SELECT count(*) FROM table_registry t`+where); err != nil {
			return err
		}
		list, err = gather(ctx, r, c, func(row scanner) (access.TableLine, error) {
			var t access.TableLine
			err := row.Scan(&t.ID, &t.Name, &t.SourceType, &t.Bucket, &t.SourceTable, &t.Sample, &t.Groups)
			return t, err
		}, `SELECT `+matrixTableColumns+`,
				(SELECT count(*) FROM resource_grants r WHERE r.resource_type = 'table' AND r.resource_id = t.id AND `+s.live(c)+`)
			FROM table_registry t`+where+` ORDER BY lower(t.name), t.id`+c.limit(f.Tables))
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list tables with grants: %w", err)
	}
	return list, total, nil
}

// ListUngranted returns the first tables whose name holds search and on which
// the group has no live grant.
func (s *Store) ListUngranted(ctx context.Context, group people.GroupID, search string, limit int) ([]access.MatrixTable, error) {
	c := &conditions{}
	c.and(`NOT EXISTS (SELECT 1 FROM resource_grants r WHERE r.resource_type = 'table' AND r.resource_id = t.id AND r.group_id = ` + c.arg(group) + ` AND ` + s.live(c) + `)`)
	if search != "" {
		c.and(`lower(t.name) LIKE lower(` + c.arg(containing(search)) + `) ESCAPE '!'`)
	}
	list, err := gather(ctx, s.reader(), c, scanMatrixTable, `SELECT `+matrixTableColumns+` FROM table_registry t`+c.where()+
		` ORDER BY lower(t.name), t.id`+c.limit(access.Window{Limit: limit}))
	if err != nil {
		return nil, fmt.Errorf("list tables to grant: %w", explain(err))
	}
	return list, nil
}

// AccessTable returns a table as the pages of access know it; NotFound.
func (s *Store) AccessTable(ctx context.Context, id registry.TableID) (access.MatrixTable, error) {
	t, err := one(ctx, s.reader(), scanMatrixTable, `SELECT `+matrixTableColumns+` FROM table_registry t WHERE t.id = $1`, id)
	if absent(err) {
		return t, tableNotFound()
	}
	if err != nil {
		return t, fmt.Errorf("get table %s: %w", id, explain(err))
	}
	return t, nil
}
