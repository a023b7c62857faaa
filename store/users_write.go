package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// CreateUser adds a person, active, to Everyone and the groups named. It fails
// with Conflict when the address is known and NotFound for an unknown group.
func (s *Store) CreateUser(ctx context.Context, by audit.Actor, n people.NewUser) (people.User, error) {
	var u people.User
	err := s.tx(ctx, func(tx runner) (err error) {
		if u, err = s.insertUser(ctx, tx, by, n); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "user.create", "user:"+string(u.ID), params{"email": u.Email, "name": u.Name, "groups": n.Groups}, nil)
	})
	if err != nil {
		return people.User{}, fmt.Errorf("create person: %w", err)
	}
	return u, nil
}

func (s *Store) insertUser(ctx context.Context, tx runner, by audit.Actor, n people.NewUser) (people.User, error) {
	id, now := people.UserID(s.newID()), micros(s.now())
	_, err := tx.exec(ctx, `
		INSERT INTO users (id, email, name, password_hash, created_at, updated_at, invited_at)
		VALUES ($1, $2, $3, $4, $5, $5, CASE WHEN $6 THEN $5 END)`, id, identity(n.Email), n.Name, n.PasswordHash, now, n.Invited)
	if taken(err) {
		return people.User{}, domain.E(domain.Conflict, "user_exists", "Somebody with the address %s is known already.", identity(n.Email)).Because(err)
	} else if err != nil {
		return people.User{}, err
	}
	source := n.Source
	if source == "" {
		source = people.ByAdmin
	}
	for _, group := range n.Groups {
		if group == s.everyoneID {
			continue
		}
		g, err := getGroup(ctx, tx, "id", string(group))
		if err != nil {
			return people.User{}, err
		}
		if err := ofOne(g); err != nil {
			return people.User{}, err
		}
		if n.Source == people.ByAdmin {
			if err := notManaged(s.mapped(g)); err != nil {
				return people.User{}, err
			}
		}
		if _, err := s.join(ctx, tx, by, id, group, source); err != nil {
			return people.User{}, err
		}
	}
	return getUser(ctx, tx, "id", string(id))
}

// join makes a membership and reports whether it is new.
func (s *Store) join(ctx context.Context, tx runner, by audit.Actor, user people.UserID, group people.GroupID, source people.MemberSource) (bool, error) {
	n, err := tx.exec(ctx, joinGroup, user, group, source, micros(s.now()), byline(by))
	return n > 0, err
}

const joinGroup = `
	INSERT INTO user_group_members (user_id, group_id, source, added_at, added_by)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (user_id, group_id) DO NOTHING`

// UpdateUser changes a person. Deactivating them or giving them a password
// ends all their sign-ins. It fails with NotFound, with Stale when the person
// changed since c.Seen, and with Conflict when
// somebody would deactivate themselves or the last active administrator.
func (s *Store) UpdateUser(ctx context.Context, by audit.Actor, id people.UserID, c people.UserChange) (people.User, error) {
	var after people.User
	err := s.tx(ctx, func(tx runner) error {
		u, err := getUser(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		before, state := u, edited{"user", string(id), u.Version, u.Fields()}
		if err := state.unchanged(ctx, tx, c.Seen, c.Fields()); err != nil {
			return err
		}
		if err := s.mayDeactivate(ctx, tx, by, u, c); err != nil {
			return err
		}
		changed := applyUser(u, c, s.now())
		if changed.Version, err = s.next(ctx, tx, by, state, changed.Fields()); err != nil {
			return err
		}
		if err := s.saveUser(ctx, tx, by, changed, c.PasswordHash); err != nil {
			return err
		}
		if err := s.endSignIns(ctx, tx, before, changed); err != nil {
			return err
		}
		if after, err = getUser(ctx, tx, "id", string(id)); err != nil {
			return err
		}
		return s.noteUserChange(ctx, tx, by, c, before)
	})
	if err != nil {
		return people.User{}, fmt.Errorf("change person %s: %w", id, err)
	}
	return after, nil
}

func (s *Store) mayDeactivate(ctx context.Context, tx runner, by audit.Actor, u people.User, c people.UserChange) error {
	if c.Active == nil || *c.Active || !u.Active {
		return nil
	}
	if by.UserID == string(u.ID) {
		return domain.E(domain.Conflict, "own_account", "You cannot deactivate yourself. Ask another administrator.")
	}
	return s.keepsAdmin(ctx, tx, u)
}

// keepsAdmin fails with Conflict when Agnes would be left without an active
// administrator if u were none any more.
func (s *Store) keepsAdmin(ctx context.Context, tx runner, u people.User) error {
	if !u.Admin || !u.Active {
		return nil
	}
	others, err := one(ctx, tx, value[int], `
		SELECT count(*)
		FROM user_group_members m
		JOIN users u ON u.id = m.user_id
		WHERE m.group_id = $1 AND u.active = TRUE AND u.id <> $2`, s.adminID, u.ID)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if others == 0 {
		return domain.E(domain.Conflict, "last_admin",
			"%s is the last active administrator. Make somebody else an administrator first.", u.Email)
	}
	return nil
}

func applyUser(u people.User, c people.UserChange, now time.Time) people.User {
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.PasswordHash != nil {
		u.SessionsFrom = now
	}
	if c.Active != nil && *c.Active != u.Active {
		u.Active, u.DeactivatedAt = *c.Active, nil
		if !u.Active {
			u.DeactivatedAt, u.SessionsFrom = &now, now
		}
	}
	u.UpdatedAt = now
	return u
}

func (s *Store) saveUser(ctx context.Context, tx runner, by audit.Actor, u people.User, passwordHash *string) error {
	var deactivatedBy any
	if !u.Active {
		deactivatedBy = byline(by)
	}
	if _, err := tx.exec(ctx, `
		UPDATE users
		SET name = $1, active = $2, deactivated_at = $3, deactivated_by = $4, updated_at = $5, sessions_from = $6, version = $7
		WHERE id = $8`, u.Name, u.Active, microsOrNull(u.DeactivatedAt), deactivatedBy, micros(u.UpdatedAt), micros(u.SessionsFrom), u.Version, u.ID); err != nil {
		return err
	}
	if passwordHash != nil || !u.Active {
		if err := voidLinks(ctx, tx, u.Email); err != nil {
			return err
		}
	}
	if passwordHash == nil {
		return nil
	}
	_, err := tx.exec(ctx, `UPDATE users SET password_hash = $1 WHERE id = $2`, *passwordHash, u.ID)
	return err
}

// endSignIns ends what a change of a person voids, so that lists are true.
func (s *Store) endSignIns(ctx context.Context, tx runner, before, after people.User) error {
	if after.SessionsFrom.Equal(before.SessionsFrom) {
		return nil
	}
	if _, err := s.endAll(ctx, tx, after.ID, ""); err != nil || after.Active {
		return err
	}
	return s.endTokens(ctx, tx, after.ID)
}

// RenewPasswordHash keeps another hash of the same password. It ends no sign-in
// and is no change of the person; a password that was changed meanwhile stays.
func (s *Store) RenewPasswordHash(ctx context.Context, id people.UserID, old, renewed string) error {
	err := s.quietly(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3`, renewed, id, old)
		return err
	})
	if err != nil {
		return fmt.Errorf("renew password hash: %w", err)
	}
	return nil
}

func (s *Store) noteUserChange(ctx context.Context, tx runner, by audit.Actor, c people.UserChange, before people.User) error {
	resource := "user:" + string(before.ID)
	if c.PasswordHash != nil {
		if err := s.note(ctx, tx, by, "user.set_password", resource, params{"email": before.Email}, nil); err != nil {
			return err
		}
	}
	asked, was := params{}, params{}
	if c.Name != nil {
		asked["name"], was["name"] = *c.Name, before.Name
	}
	if c.Active != nil {
		asked["active"], was["active"] = *c.Active, before.Active
	}
	if len(asked) == 0 {
		return nil
	}
	return s.note(ctx, tx, by, "user.update", resource, asked, was)
}

// DeleteUser removes a person and their memberships; what they did stays in
// the audit log. seen is the version that whoever asks saw; none, or 0: whatever it
// is. It fails with NotFound, with Stale, and with Conflict for oneself, for
// somebody whom a directory keeps, and for the last active administrator.
func (s *Store) DeleteUser(ctx context.Context, by audit.Actor, id people.UserID, seen ...int64) error {
	err := s.tx(ctx, func(tx runner) error {
		u, err := getUser(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		if err := (edited{"user", string(id), u.Version, u.Fields()}).unseen(ctx, tx, seen); err != nil {
			return err
		}
		if by.UserID == string(id) {
			return domain.E(domain.Conflict, "own_account", "You cannot delete yourself. Ask another administrator.")
		}
		if u.SSO {
			return domain.E(domain.Conflict, "sso_user", "%s comes from your directory and would come back with the next sign-in. Deactivate the account instead.", u.Email)
		}
		if err := s.keepsAdmin(ctx, tx, u); err != nil {
			return err
		}
		if err := s.deletePersonGroup(ctx, tx, by, id); err != nil {
			return err
		}
		if err := voidLinks(ctx, tx, u.Email); err != nil {
			return err
		}
		if err := s.endTokens(ctx, tx, id); err != nil {
			return err
		}
		for _, statement := range []string{
			`DELETE FROM user_group_members WHERE user_id = $1`,
			`DELETE FROM one_time_links WHERE user_id = $1`,
			`DELETE FROM imported_password_hashes WHERE user_id = $1`,
			`DELETE FROM edits WHERE kind = 'user' AND id = $1`,
			`DELETE FROM users WHERE id = $1`,
		} {
			if _, err := tx.exec(ctx, statement, id); err != nil {
				return err
			}
		}
		return s.note(ctx, tx, by, "user.delete", "user:"+string(id), nil, params{"email": u.Email, "name": u.Name, "active": u.Active, "groups": groupNames(u.Groups)})
	})
	if err != nil {
		return fmt.Errorf("delete person %s: %w", id, err)
	}
	return nil
}

func groupNames(groups []people.Group) []string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	return names
}
