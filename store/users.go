package store

import (
	"context"
	"fmt"
	"strings"

	"agnes/domain"
	"agnes/domain/people"
)

// userColumns are read by scanUser.
const userColumns = `
	u.id, u.email, u.name, u.password_hash <> '', u.active, u.created_at, u.updated_at,
	u.deactivated_at, u.last_pull_at, u.sessions_from,
	u.invited_at, u.last_seen_at, u.version,
	EXISTS (SELECT 1 FROM user_group_members a
		WHERE a.user_id = u.id AND a.group_id = (SELECT id FROM user_groups WHERE name_key = 'admin')),
	EXISTS (SELECT 1 FROM user_group_members a WHERE a.user_id = u.id AND a.source IN ('google_sync', 'oidc_sync')),
	EXISTS (SELECT 1 FROM sign_ins i WHERE i.user_id = u.id AND i.method = 'link'),
	EXISTS (SELECT 1 FROM user_identities i WHERE i.user_id = u.id AND i.provider = 'google'),
	EXISTS (SELECT 1 FROM user_identities i WHERE i.user_id = u.id AND i.provider = 'oidc')`

func scanUser(row scanner) (people.User, error) {
	var u people.User
	var link, google, oidc bool
	err := row.Scan(&u.ID, &u.Email, &u.Name, &u.HasPassword, &u.Active, at{&u.CreatedAt}, at{&u.UpdatedAt},
		maybeAt{&u.DeactivatedAt}, maybeAt{&u.LastPullAt}, at{&u.SessionsFrom}, maybeAt{&u.InvitedAt}, maybeAt{&u.LastSeenAt}, &u.Version,
		&u.Admin, &u.SSO, &link, &google, &oidc)
	for _, way := range []struct {
		has    bool
		method people.Method
	}{{u.HasPassword, people.ByPassword}, {link, people.ByLink}, {google, people.ByGoogle}, {oidc, people.ByOIDC}} {
		if way.has {
			u.Methods = append(u.Methods, way.method)
		}
	}
	return u, err
}

func userNotFound() error {
	return domain.E(domain.NotFound, "user_not_found", "User not found")
}

// CountUsers returns how many people are known, active or not.
func (s *Store) CountUsers(ctx context.Context) (int, error) {
	n, err := countUsers(ctx, s.reader())
	if err != nil {
		return 0, fmt.Errorf("count people: %w", explain(err))
	}
	return n, nil
}

func countUsers(ctx context.Context, r runner) (int, error) {
	return one(ctx, r, value[int], `SELECT count(*) FROM users`)
}

// addGroups fills in the groups of users, which the statement in selects.
func addGroups(ctx context.Context, r runner, users []people.User, in string, args ...any) error {
	index := make(map[people.UserID]*people.User, len(users))
	for i := range users {
		index[users[i].ID] = &users[i]
	}
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id people.UserID
		var g people.Group
		if err := row.Scan(&id, &g.ID, &g.Name, &g.System, at{&g.CreatedAt}, &g.CreatedBy); err != nil {
			return struct{}{}, err
		}
		if u := index[id]; u != nil {
			u.Groups = append(u.Groups, g)
		}
		return struct{}{}, nil
	}, `
		SELECT m.user_id, g.id, g.name, g.is_system, g.created_at, g.created_by
		FROM user_group_members m
		JOIN user_groups g ON g.id = m.group_id
		WHERE m.user_id IN (`+in+`)
		ORDER BY g.is_system DESC, g.name_key`, args...)
	return err
}

// GetUser returns one person with their groups; NotFound.
func (s *Store) GetUser(ctx context.Context, id people.UserID) (people.User, error) {
	var u people.User
	err := s.view(ctx, func(r runner) (err error) {
		u, err = getUser(ctx, r, "id", string(id))
		return err
	})
	if err != nil {
		return people.User{}, fmt.Errorf("get person %s: %w", id, err)
	}
	return u, nil
}

// GetUserByEmail is GetUser by address, ignoring case.
func (s *Store) GetUserByEmail(ctx context.Context, email string) (people.User, error) {
	var u people.User
	err := s.view(ctx, func(r runner) (err error) {
		u, err = getUser(ctx, r, "email", identity(email))
		return err
	})
	if err != nil {
		return people.User{}, fmt.Errorf("get person by address: %w", err)
	}
	return u, nil
}

// getUser reads one person by a column of ours that is unique.
func getUser(ctx context.Context, r runner, column, key string) (people.User, error) {
	u, err := one(ctx, r, scanUser, `SELECT `+userColumns+` FROM users u WHERE u.`+column+` = $1`, key)
	if absent(err) {
		return u, userNotFound()
	} else if err != nil {
		return u, err
	}
	found := []people.User{u}
	err = addGroups(ctx, r, found, `$1`, u.ID)
	return found[0], err
}

// identity is an address as it is stored.
func identity(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// PasswordHash returns whose password an address asks for, its hash ("" when
// none is set) and whether the person is active; NotFound.
func (s *Store) PasswordHash(ctx context.Context, email string) (id people.UserID, hash string, active bool, err error) {
	_, err = one(ctx, s.reader(), func(row scanner) (struct{}, error) {
		return struct{}{}, row.Scan(&id, &hash, &active)
	}, `SELECT id, password_hash, active FROM users WHERE email = $1`, identity(email))
	if absent(err) {
		return "", "", false, userNotFound()
	}
	if err != nil {
		return "", "", false, fmt.Errorf("read password hash: %w", explain(err))
	}
	return id, hash, active, nil
}

// Memberships lists the groups of one person, Everyone among them; NotFound.
func (s *Store) Memberships(ctx context.Context, id people.UserID) ([]people.Membership, error) {
	var list []people.Membership
	err := s.view(ctx, func(r runner) error {
		if _, err := getUser(ctx, r, "id", string(id)); err != nil {
			return err
		}
		var err error
		list, err = collect(ctx, r, func(row scanner) (people.Membership, error) {
			var m people.Membership
			err := row.Scan(&m.GroupID, &m.GroupName, &m.System, &m.OfOne, &m.Source, at{&m.AddedAt}, &m.AddedBy)
			return m, err
		}, `
			SELECT g.id, g.name, g.is_system, g.person_id IS NOT NULL, COALESCE(m.source, 'system_seed'),
				COALESCE(m.added_at, u.created_at), COALESCE(m.added_by, 'system:seed')
			FROM users u
			CROSS JOIN user_groups g
			LEFT JOIN user_group_members m ON m.user_id = u.id AND m.group_id = g.id
			WHERE u.id = $1 AND (m.user_id IS NOT NULL OR g.id = $2)
			ORDER BY g.is_system DESC, g.name_key`, id, s.everyoneID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list groups of %s: %w", id, err)
	}
	return list, nil
}
