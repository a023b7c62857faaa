package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/access"
	"agnes/domain/people"
)

// knownTypes are the resource types as SQL has them, so that the index on type
// and id is used.
func knownTypes() string {
	var list []string
	for _, kind := range access.ResourceTypes() {
		list = append(list, "'"+string(kind)+"'")
	}
	return strings.Join(list, ", ")
}

// AccessBasis reads what the consequence of edits is worked out from, in a
// fixed number of statements.
func (s *Store) AccessBasis(ctx context.Context, edits []access.Edit) (access.Basis, error) {
	b := access.Basis{Everyone: s.everyoneID, Names: map[access.Thing]string{}, Groups: map[people.GroupID]access.MatrixGroup{}, People: map[people.UserID][]people.GroupID{}}
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
		edited := keysOf(groups)
		for _, g := range b.Grants {
			groups[g.Group] = struct{}{}
		}
		return s.basisPeople(ctx, r, &b, edited, keysOf(groups))
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
		WHERE r.resource_type IN (`+knownTypes()+`) AND r.resource_id IN (`+in+`) AND (r.expires_at IS NULL OR r.expires_at > `+c.arg(micros(s.now()))+`)`)
	return err
}

func (s *Store) basisNames(ctx context.Context, r runner, b *access.Basis, ids []string, groups []people.GroupID) error {
	in, args := marks(ids, func(id string) any { return id })
	if _, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id, name string
		err := row.Scan(&id, &name)
		b.Names[access.Thing{Type: access.TableResource, ID: id}] = name
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

// basisPeople reads the people whom the edits may touch, those in the edited
// groups, with all of their groups that count; of the rest only how many they are.
func (s *Store) basisPeople(ctx context.Context, r runner, b *access.Basis, edited, groups []people.GroupID) (err error) {
	const alike = ` u.active = TRUE AND u.id NOT IN (SELECT a.user_id FROM user_group_members a WHERE a.group_id = `
	if b.Total, err = one(ctx, r, value[int], `SELECT count(*) FROM users u WHERE`+alike+`$1)`, s.adminID); err != nil {
		return err
	}
	in, args := marks(groups, func(g people.GroupID) any { return g })
	c := &conditions{args: args}
	c.and(alike + c.arg(s.adminID) + `)`)
	if !slices.Contains(edited, s.everyoneID) {
		members := make([]string, len(edited))
		for i, g := range edited {
			members[i] = c.arg(g)
		}
		c.and(`u.id IN (SELECT x.user_id FROM user_group_members x WHERE x.group_id IN (` + strings.Join(members, ", ") + `))`)
	}
	_, err = gather(ctx, r, c, func(row scanner) (struct{}, error) {
		var user people.UserID
		var group *people.GroupID
		err := row.Scan(&user, &group)
		mine := b.People[user]
		if group != nil {
			mine = append(mine, *group)
		}
		b.People[user] = mine
		return struct{}{}, err
	}, `SELECT u.id, m.group_id FROM users u LEFT JOIN user_group_members m ON m.user_id = u.id AND m.group_id IN (`+in+`)`+c.where())
	return err
}
