package store

import (
	"context"
	"fmt"
	"strconv"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// PersonGroup returns the group of one person alone, and makes it when there is
// none: grants always belong to groups. NotFound.
func (s *Store) PersonGroup(ctx context.Context, by audit.Actor, id people.UserID) (people.Group, error) {
	var g people.Group
	err := s.tx(ctx, func(tx runner) (err error) {
		g, err = s.personGroup(ctx, tx, by, id)
		return err
	})
	if err != nil {
		return people.Group{}, fmt.Errorf("group of one of %s: %w", id, err)
	}
	return g, nil
}

func (s *Store) personGroup(ctx context.Context, tx runner, by audit.Actor, id people.UserID) (people.Group, error) {
	u, err := getUser(ctx, tx, "id", string(id))
	if err != nil {
		return people.Group{}, err
	}
	g, err := getGroup(ctx, tx, "person_id", string(id))
	if domain.KindOf(err) != domain.NotFound {
		return g, err
	}
	name, err := freeName(ctx, tx, u.Email+" (only)")
	if err != nil {
		return people.Group{}, err
	}
	made := s.newID()
	about := "What " + u.Email + " alone may read."
	if _, err := tx.exec(ctx, `
		INSERT INTO user_groups (id, name, name_key, description, created_at, created_by, person_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, made, name, nameKey(name), about, micros(s.now()), byline(by), id); err != nil {
		return people.Group{}, err
	}
	if _, err := s.join(ctx, tx, by, id, people.GroupID(made), people.ByAdmin); err != nil {
		return people.Group{}, err
	}
	if err := s.note(ctx, tx, by, "user_group.created", "group:"+made, params{"name": name, "description": about, "person_id": id}, nil); err != nil {
		return people.Group{}, err
	}
	return getGroup(ctx, tx, "id", made)
}

// deletePersonGroup removes the group of one person alone, if there is one, for
// good: it is nothing without them.
func (s *Store) deletePersonGroup(ctx context.Context, tx runner, by audit.Actor, id people.UserID) error {
	g, err := getGroup(ctx, tx, "person_id", string(id))
	if domain.KindOf(err) == domain.NotFound {
		return nil
	} else if err != nil {
		return err
	}
	kept, err := removeGroup(ctx, tx, g)
	if err != nil {
		return err
	}
	return s.note(ctx, tx, by, "user_group.deleted", "group:"+string(g.ID), nil,
		params{"name": g.Name, "description": g.Description, "members": len(kept.Members), "grants": len(kept.Grants)})
}

// freeName is name, or name with a number behind it when it is taken.
func freeName(ctx context.Context, r runner, name string) (string, error) {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try += " " + strconv.Itoa(n)
		}
		switch _, err := getGroup(ctx, r, "name_key", nameKey(try)); {
		case domain.KindOf(err) == domain.NotFound:
			return try, nil
		case err != nil:
			return "", err
		}
	}
}

// ofOne fails with Conflict for the group of one person alone: what it holds is
// theirs, so nobody else joins it and they do not leave it.
func ofOne(g people.Group) error {
	if g.Person == "" {
		return nil
	}
	return domain.E(domain.Conflict, "group_of_one", "The group %s is of one person alone, so its members and name stay. Take its grants back, or delete it.", g.Name)
}
