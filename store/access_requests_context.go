package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"agnes/domain/access"
	"agnes/domain/people"
)

// liveFor matches grants r that open the resource of request q at $1.
const liveFor = ` r.resource_type = q.resource_type AND r.resource_id = q.resource_id AND (r.expires_at IS NULL OR r.expires_at > $1)`

// beside matches the memberships m of active colleagues of who asked with q, in
// the group g.
const beside = ` m.group_id = g.id AND m.user_id <> q.user_id AND EXISTS (SELECT 1 FROM users a WHERE a.id = m.user_id AND a.active = TRUE)`

// RequestContexts tells what others in the askers' groups have, and which groups
// could be joined, by the request's id. It takes three queries for any number.
func (s *Store) RequestContexts(ctx context.Context, ids []string) (map[string]access.RequestContext, error) {
	found := make(map[string]access.RequestContext, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	err := s.view(ctx, func(r runner) error {
		args, in := []any{micros(s.now())}, ""
		for _, id := range ids {
			args = append(args, id)
			in += ", $" + strconv.Itoa(len(args))
		}
		in = " IN (" + in[2:] + ")"
		if err := colleagues(ctx, r, found, in, args); err != nil {
			return err
		}
		return joinable(ctx, r, found, in, args)
	})
	if err != nil {
		return nil, fmt.Errorf("what colleagues of askers have: %w", err)
	}
	return found, nil
}

// colleagues reads the groups of the askers, and how the others in them stand.
func colleagues(ctx context.Context, r runner, found map[string]access.RequestContext, in string, args []any) error {
	if _, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id string
		var c access.Colleagues
		err := row.Scan(&id, &c.Group.ID, &c.Group.Name, &c.Group.Members, &c.Have, &c.Opens)
		one := found[id]
		one.Groups = append(one.Groups, c)
		found[id] = one
		return struct{}{}, err
	}, `
		SELECT q.id, g.id, g.name,
			(SELECT count(*) FROM user_group_members m WHERE`+beside+`),
			(SELECT count(DISTINCT m.user_id)
			 FROM user_group_members m
			 JOIN user_group_members x ON x.user_id = m.user_id
			 JOIN resource_grants r ON r.group_id = x.group_id
			 WHERE`+beside+` AND`+liveFor+`),
			EXISTS (SELECT 1 FROM resource_grants r WHERE r.group_id = g.id AND`+liveFor+`)
		FROM access_requests q
		JOIN user_group_members own ON own.user_id = q.user_id
		JOIN user_groups g ON g.id = own.group_id AND g.is_system = FALSE AND g.person_id IS NULL
		WHERE q.id`+in+`
		ORDER BY q.id, g.name_key`, args...); err != nil {
		return err
	}
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id, via, key string
		var group people.GroupID
		err := row.Scan(&id, &group, &via, &key)
		groups := found[id].Groups
		if i := slices.IndexFunc(groups, func(c access.Colleagues) bool { return c.Group.ID == group }); i >= 0 {
			groups[i].Via = append(groups[i].Via, via)
		}
		return struct{}{}, err
	}, `
		SELECT DISTINCT q.id, g.id, v.name, v.name_key
		FROM access_requests q
		JOIN user_group_members own ON own.user_id = q.user_id
		JOIN user_groups g ON g.id = own.group_id AND g.is_system = FALSE AND g.person_id IS NULL
		JOIN user_group_members m ON`+beside+`
		JOIN user_group_members x ON x.user_id = m.user_id
		JOIN user_groups v ON v.id = x.group_id AND v.person_id IS NULL
		JOIN resource_grants r ON r.group_id = v.id AND`+liveFor+`
		WHERE q.id`+in+`
		ORDER BY q.id, g.id, v.name_key`, args...)
	return err
}

// joinable reads the groups that have what was asked for, and that their asker
// could be added to here.
func joinable(ctx context.Context, r runner, found map[string]access.RequestContext, in string, args []any) error {
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id string
		var g people.Group
		err := row.Scan(&id, &g.ID, &g.Name, &g.Grants)
		one := found[id]
		one.Others = append(one.Others, g)
		found[id] = one
		return struct{}{}, err
	}, `
		SELECT q.id, g.id, g.name, (SELECT count(*) FROM resource_grants o WHERE o.group_id = g.id)
		FROM access_requests q
		JOIN resource_grants r ON`+liveFor+`
		JOIN user_groups g ON g.id = r.group_id AND g.is_system = FALSE AND g.person_id IS NULL
			AND g.created_by NOT IN ('system:google-sync', 'system:oidc-sync')
		WHERE q.id`+in+` AND NOT EXISTS (SELECT 1 FROM user_group_members own WHERE own.user_id = q.user_id AND own.group_id = g.id)
		ORDER BY q.id, g.name_key`, args...)
	return err
}
