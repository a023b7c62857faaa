package store

import (
	"context"
	"fmt"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// wayColumns are read by scanWay; m is the membership, NULL for Everyone.
const wayColumns = ` r.id, r.group_id, g.name, r.resource_type, r.resource_id, r.assigned_at, r.assigned_by, r.expires_at, r.reason,
	g.is_system = TRUE AND g.name_key = 'everyone', g.person_id IS NOT NULL,
	` + membersOf + `,
	COALESCE(m.source, ''), COALESCE(m.added_at, 0), COALESCE(m.added_by, '')`

func wayFields(w *access.Way) []any {
	return []any{
		&w.ID, &w.GroupID, &w.GroupName, &w.ResourceType, &w.ResourceID,
		at{&w.AssignedAt},
		&w.AssignedBy,
		maybeAt{&w.ExpiresAt},
		&w.Reason,
		&w.Everyone, &w.Person, &w.Members, &w.Source,
		at{&w.Since},
		&w.AddedBy,
	}
}

// ListReach returns a page of what a person may read by live grants, with
// every way to it, and how much there is (0 past the last page). That an administrator may read
// everything besides is not in it.
func (s *Store) ListReach(ctx context.Context, user people.UserID, search string, w access.Window) (list []access.Reach, total int, err error) {
	c := &conditions{}
	c.and(s.live(c))
	c.and(`(r.group_id = ` + c.arg(s.everyoneID) + ` OR r.group_id IN (SELECT group_id FROM user_group_members WHERE user_id = ` + c.arg(user) + `))`)
	if search != "" {
		c.and(`lower(COALESCE(t.name, r.resource_id)) LIKE lower(` + c.arg(containing(search)) + `) ESCAPE '!'`)
	}
	from := ` FROM resource_grants r LEFT JOIN table_registry t ON r.resource_type = 'table' AND t.id = r.resource_id` + c.where() + ` GROUP BY r.resource_type, r.resource_id, t.name`
	err = s.view(ctx, func(r runner) error {
		list, err = gather(ctx, r, c, func(row scanner) (access.Reach, error) {
			var v access.Reach
			err := row.Scan(&v.Type, &v.ID, &v.Name, &v.Gone, &total)
			return v, err
		}, `SELECT r.resource_type, r.resource_id, COALESCE(t.name, r.resource_id), t.name IS NULL AND r.resource_type = 'table', count(*) OVER ()`+from+
			` ORDER BY r.resource_type DESC, lower(COALESCE(t.name, r.resource_id)), r.resource_id`+c.limit(w))
		if err != nil || len(list) == 0 {
			return err
		}
		return s.addWays(ctx, r, user, list)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list what %s may read: %w", user, err)
	}
	return list, total, nil
}

// addWays reads the ways of one person to several resources.
func (s *Store) addWays(ctx context.Context, r runner, user people.UserID, list []access.Reach) error {
	byResource := make(map[access.Thing]*access.Reach, len(list))
	for i := range list {
		byResource[list[i].Thing] = &list[i]
	}
	in, args := marks(list, func(v access.Reach) any { return v.ID })
	c := &conditions{args: args}
	me, all := c.arg(user), c.arg(s.everyoneID)
	_, err := gather(ctx, r, c, func(row scanner) (struct{}, error) {
		var w access.Way
		err := row.Scan(wayFields(&w)...)
		if reach := byResource[w.Place().Thing()]; reach != nil {
			reach.Ways = append(reach.Ways, w)
		}
		return struct{}{}, err
	}, `
		SELECT`+wayColumns+`
		FROM resource_grants r
		JOIN user_groups g ON g.id = r.group_id
		LEFT JOIN user_group_members m ON m.group_id = g.id AND m.user_id = `+me+`
		WHERE r.resource_type IN (`+knownTypes()+`) AND r.resource_id IN (`+in+`) AND `+s.live(c)+` AND (r.group_id = `+all+` OR m.user_id IS NOT NULL)
		ORDER BY g.is_system DESC, g.name_key`)
	return err
}

// ListReaders returns a page of the active people who may read a table, by
// address, each with every way to it, and how many there are. Administrators
// are among them, without a way when they need none.
func (s *Store) ListReaders(ctx context.Context, table registry.TableID, search string, w access.Window) (list []access.Reader, total int, err error) {
	c := &conditions{}
	admin := `u.id IN (SELECT a.user_id FROM user_group_members a WHERE a.group_id = ` + c.arg(s.adminID) + `)`
	c.and(`u.active = TRUE`)
	grants := `resource_grants r WHERE r.resource_type = 'table' AND r.resource_id = ` + c.arg(table) + ` AND ` + s.live(c)
	c.and(`(` + admin + ` OR EXISTS (SELECT 1 FROM ` + grants + ` AND r.group_id = ` + c.arg(s.everyoneID) + `)
		OR u.id IN (SELECT m.user_id FROM user_group_members m WHERE m.group_id IN (SELECT r.group_id FROM ` + grants + `)))`)
	if search != "" {
		part := c.arg(containing(search))
		c.and(`(lower(u.email) LIKE lower(` + part + `) ESCAPE '!' OR lower(u.name) LIKE lower(` + part + `) ESCAPE '!')`)
	}
	err = s.view(ctx, func(r runner) error {
		if total, err = single(ctx, r, c, value[int], `SELECT count(*) FROM users u`+c.where()); err != nil {
			return err
		}
		where := c.where()
		list, err = gather(ctx, r, c, func(row scanner) (access.Reader, error) {
			var v access.Reader
			err := row.Scan(&v.UserID, &v.Email, &v.Name, &v.Admin)
			return v, err
		}, `SELECT u.id, u.email, u.name, `+admin+` FROM users u`+where+` ORDER BY u.email`+c.limit(w))
		if err != nil || len(list) == 0 {
			return err
		}
		return s.addReaderWays(ctx, r, table, list)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list who may read %s: %w", table, err)
	}
	return list, total, nil
}

// addReaderWays reads the ways of several people to one table.
func (s *Store) addReaderWays(ctx context.Context, r runner, table registry.TableID, list []access.Reader) error {
	byUser := make(map[people.UserID]*access.Reader, len(list))
	for i := range list {
		byUser[list[i].UserID] = &list[i]
	}
	in, args := marks(list, func(v access.Reader) any { return v.UserID })
	c := &conditions{args: args}
	id, all := c.arg(table), c.arg(s.everyoneID)
	_, err := gather(ctx, r, c, func(row scanner) (struct{}, error) {
		var user people.UserID
		var w access.Way
		err := row.Scan(append([]any{&user}, wayFields(&w)...)...)
		if reader := byUser[user]; reader != nil {
			reader.Ways = append(reader.Ways, w)
		}
		return struct{}{}, err
	}, `
		SELECT u.id,`+wayColumns+`
		FROM resource_grants r
		JOIN user_groups g ON g.id = r.group_id
		JOIN users u ON u.id IN (`+in+`)
		LEFT JOIN user_group_members m ON m.group_id = g.id AND m.user_id = u.id
		WHERE r.resource_type = 'table' AND r.resource_id = `+id+` AND `+s.live(c)+` AND (r.group_id = `+all+` OR m.user_id IS NOT NULL)
		ORDER BY g.is_system DESC, g.name_key`)
	return err
}

// CountLost counts what a person could not read any more without one of their
// groups.
func (s *Store) CountLost(ctx context.Context, group people.GroupID, user people.UserID) (int, error) {
	c := &conditions{}
	id, me := c.arg(group), c.arg(user)
	c.and(`r.group_id = ` + id + ` AND ` + s.live(c))
	c.and(`NOT EXISTS (SELECT 1 FROM user_group_members a WHERE a.user_id = ` + me + ` AND a.group_id = ` + c.arg(s.adminID) + `)`)
	c.and(`NOT EXISTS (SELECT 1 FROM resource_grants o
		WHERE o.resource_type = r.resource_type AND o.resource_id = r.resource_id AND o.group_id <> r.group_id
		AND (o.expires_at IS NULL OR o.expires_at > ` + c.arg(micros(s.now())) + `)
		AND (o.group_id = ` + c.arg(s.everyoneID) + ` OR o.group_id IN (SELECT m.group_id FROM user_group_members m WHERE m.user_id = ` + me + `)))`)
	n, err := single(ctx, s.reader(), c, value[int], `SELECT count(*) FROM resource_grants r`+c.where())
	if err != nil {
		return 0, fmt.Errorf("count what %s loses without %s: %w", user, group, explain(err))
	}
	return n, nil
}
