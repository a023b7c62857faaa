package store

import (
	"context"
	"fmt"

	"agnes/domain/access"
	"agnes/domain/people"
)

// AccessBasis reads what the consequence of edits is worked out from, in a
// fixed number of statements.
func (s *Store) AccessBasis(ctx context.Context, edits []access.Edit) (access.Basis, error) {
	b := access.Basis{Everyone: s.everyoneID, Names: map[access.Resource]string{}, Groups: map[people.GroupID]access.MatrixGroup{}, People: map[people.UserID][]people.GroupID{}}
	ids, groups := map[string]struct{}{}, map[people.GroupID]struct{}{}
	for _, e := range edits {
		ids[e.ResourceID], groups[e.Group] = struct{}{}, struct{}{}
	}
	err := s.view(ctx, func(r runner) error {
		if err := s.basisGrants(ctx, r, &b, keysOf(ids)); err != nil {
			return err
		}
		if err := s.basisNames(ctx, r, &b, keysOf(ids), keysOf(groups)); err != nil {
			return err
		}
		for _, g := range b.Grants {
			groups[g.Group] = struct{}{}
		}
		return s.basisPeople(ctx, r, &b, keysOf(groups))
	})
	if err != nil {
		return access.Basis{}, fmt.Errorf("work out what edits do: %w", err)
	}
	return b, nil
}

func keysOf[K comparable](set map[K]struct{}) []K {
	list := make([]K, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	return list
}

func (s *Store) basisGrants(ctx context.Context, r runner, b *access.Basis, ids []string) (err error) {
	in, args := marks(ids, func(id string) any { return id })
	c := &conditions{args: args}
	b.Grants, err = gather(ctx, r, c, func(row scanner) (access.Cell, error) {
		var cell access.Cell
		err := row.Scan(&cell.Group, &cell.ResourceType, &cell.ResourceID)
		return cell, err
	}, `
		SELECT r.group_id, r.resource_type, r.resource_id
		FROM resource_grants r
		WHERE r.resource_id IN (`+in+`) AND (r.expires_at IS NULL OR r.expires_at > `+c.arg(micros(s.now()))+`)`)
	return err
}

func (s *Store) basisNames(ctx context.Context, r runner, b *access.Basis, ids []string, groups []people.GroupID) error {
	in, args := marks(ids, func(id string) any { return id })
	if _, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id, name string
		err := row.Scan(&id, &name)
		b.Names[access.Resource{Type: access.TableResource, ID: id}] = name
		return struct{}{}, err
	}, `SELECT id, name FROM table_registry WHERE id IN (`+in+`)`, args...); err != nil {
		return err
	}
	totals, err := s.totals(ctx, r)
	if err != nil {
		return err
	}
	in, args = marks(groups, func(g people.GroupID) any { return g })
	list, err := collect(ctx, r, scanMatrixGroup, `SELECT `+matrixGroupColumns+` FROM user_groups g WHERE g.id IN (`+in+`)`, args...)
	for _, g := range list {
		if g.ID == s.everyoneID {
			g = s.everyone(totals)
		}
		b.Groups[g.ID] = g
	}
	return err
}

// basisPeople reads the active people who are no administrators, with those of
// the groups that they are in.
func (s *Store) basisPeople(ctx context.Context, r runner, b *access.Basis, groups []people.GroupID) error {
	in, args := marks(groups, func(g people.GroupID) any { return g })
	c := &conditions{args: args}
	_, err := gather(ctx, r, c, func(row scanner) (struct{}, error) {
		var user people.UserID
		var group *people.GroupID
		err := row.Scan(&user, &group)
		mine := b.People[user]
		if group != nil {
			mine = append(mine, *group)
		}
		b.People[user] = mine
		return struct{}{}, err
	}, `
		SELECT u.id, m.group_id
		FROM users u
		LEFT JOIN user_group_members m ON m.user_id = u.id AND m.group_id IN (`+in+`)
		WHERE u.active = TRUE AND NOT EXISTS (SELECT 1 FROM user_group_members a WHERE a.user_id = u.id AND a.group_id = `+c.arg(s.adminID)+`)`)
	return err
}
