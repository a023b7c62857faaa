package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func scanIdentity(row scanner) (people.Identity, error) {
	var i people.Identity
	err := row.Scan(&i.Provider, &i.Subject, &i.UserID, &i.Email, at{&i.CreatedAt}, at{&i.UsedAt})
	return i, err
}

// ListIdentities returns the accounts of services that somebody signed in with.
func (s *Store) ListIdentities(ctx context.Context, id people.UserID) ([]people.Identity, error) {
	list, err := collect(ctx, s.reader(), scanIdentity, `
		SELECT provider, subject, user_id, email, created_at, used_at
		FROM user_identities
		WHERE user_id = $1
		ORDER BY provider, created_at`, id)
	if err != nil {
		return nil, fmt.Errorf("list identities of %s: %w", id, explain(err))
	}
	return list, nil
}

// FindFederated returns whose the account of the claims is: by its subject,
// else by its address. It fails with NotFound, and with Forbidden for somebody
// deactivated and for an address that another account of the service is known by.
func (s *Store) FindFederated(ctx context.Context, c people.Claims) (people.User, error) {
	var u people.User
	err := s.view(ctx, func(r runner) (err error) {
		u, err = findFederated(ctx, r, c)
		return err
	})
	if err != nil {
		return people.User{}, fmt.Errorf("find whose account it is: %w", err)
	}
	return u, nil
}

func findFederated(ctx context.Context, r runner, c people.Claims) (people.User, error) {
	owner, err := one(ctx, r, value[string], `SELECT user_id FROM user_identities WHERE provider = $1 AND subject = $2`, c.Provider, c.Subject)
	linked := err == nil
	if err != nil && !absent(err) {
		return people.User{}, err
	}
	u, err := getUser(ctx, r, "email", identity(c.Email))
	switch {
	case err != nil && (domain.KindOf(err) != domain.NotFound || !linked):
		return people.User{}, err
	case err != nil: // the person has another address than when they came first
		if u, err = getUser(ctx, r, "id", owner); err != nil {
			return people.User{}, err
		}
	case linked && string(u.ID) != owner:
		return people.User{}, identityChanged()
	case !linked:
		others, err := one(ctx, r, value[int], `SELECT count(*) FROM user_identities WHERE provider = $1 AND user_id = $2`, c.Provider, u.ID)
		if err != nil {
			return people.User{}, err
		}
		if others > 0 {
			return people.User{}, identityChanged()
		}
	}
	if !u.Active {
		return people.User{}, domain.E(domain.Forbidden, "deactivated", "This account is deactivated. An administrator can activate it again.")
	}
	return u, nil
}

// identityChanged: companies give addresses to new people, and accounts must not go along.
func identityChanged() error {
	return domain.E(domain.Forbidden, "identity_changed",
		"This address is known here by another account of the same service. If you are the same person, ask an administrator to unlink the old account.")
}

// SignInFederated lets a person in whom a service vouches for: it finds or
// makes their account, remembers the service's name of it, replaces the
// memberships that the service decides, and writes the audit rows, all in one
// transaction. It fails as FindFederated does.
func (s *Store) SignInFederated(ctx context.Context, by audit.Actor, in people.FederatedSignIn) (people.User, error) {
	var u people.User
	err := s.tx(ctx, func(tx runner) (err error) {
		u, err = findFederated(ctx, tx, in.Claims)
		if domain.KindOf(err) == domain.NotFound && in.Create {
			u, err = s.welcome(ctx, tx, by, in.Claims)
		}
		if err != nil {
			return err
		}
		actor := by
		actor.UserID, actor.Email = string(u.ID), u.Email
		if err := s.remember(ctx, tx, actor, u, in.Claims); err != nil {
			return err
		}
		if in.Sync != nil {
			if err := s.syncGroups(ctx, tx, actor, u, *in.Sync); err != nil {
				return err
			}
		}
		u, err = getUser(ctx, tx, "id", string(u.ID))
		return err
	})
	if err != nil {
		return people.User{}, fmt.Errorf("sign in through %s: %w", in.Claims.Provider, err)
	}
	return u, nil
}

// welcome makes the account of somebody who comes for the first time.
func (s *Store) welcome(ctx context.Context, tx runner, by audit.Actor, c people.Claims) (people.User, error) {
	by.UserID, by.Email = "system:"+string(c.Provider), ""
	u, err := s.insertUser(ctx, tx, by, people.NewUser{Email: c.Email, Name: c.Name})
	if err != nil {
		return people.User{}, err
	}
	return u, s.note(ctx, tx, by, "user.create", "user:"+string(u.ID), params{"email": u.Email, "name": u.Name, "method": c.Provider}, nil)
}

// remember keeps which account of the service a person has, and their name
// where none is known.
func (s *Store) remember(ctx context.Context, tx runner, by audit.Actor, u people.User, c people.Claims) error {
	now := micros(s.now())
	known, err := tx.exec(ctx, `
		UPDATE user_identities
		SET email = $1, used_at = $2
		WHERE provider = $3 AND subject = $4 AND user_id = $5`, c.Email, now, c.Provider, c.Subject, u.ID)
	if err != nil {
		return fmt.Errorf("remember the account: %w", err)
	}
	if u.Name == "" && c.Name != "" {
		named := u
		named.Name = c.Name
		version, err := s.next(ctx, tx, by, edited{"user", string(u.ID), u.Version, u.Fields()}, named.Fields())
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE users SET name = $1, updated_at = $2, version = $3 WHERE id = $4`, c.Name, now, version, u.ID); err != nil {
			return fmt.Errorf("name the person: %w", err)
		}
	}
	if known > 0 {
		return nil
	}
	if _, err := tx.exec(ctx, `
		INSERT INTO user_identities (provider, subject, user_id, email, created_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $5)`, c.Provider, c.Subject, u.ID, c.Email, now); err != nil {
		return fmt.Errorf("remember the account: %w", err)
	}
	return s.note(ctx, tx, by, "user.identity_linked", "user:"+string(u.ID), params{"provider": c.Provider, "subject": c.Subject, "email": c.Email}, nil)
}

// UnlinkIdentity forgets which account of a service a person signed in with, so
// that another one with their address may be the next. NotFound.
func (s *Store) UnlinkIdentity(ctx context.Context, by audit.Actor, id people.UserID, provider people.Method) error {
	err := s.tx(ctx, func(tx runner) error {
		if _, err := getUser(ctx, tx, "id", string(id)); err != nil {
			return err
		}
		subjects, err := collect(ctx, tx, value[string], `SELECT subject FROM user_identities WHERE user_id = $1 AND provider = $2 ORDER BY subject`, id, provider)
		if err != nil {
			return err
		}
		if len(subjects) == 0 {
			return domain.E(domain.NotFound, "identity_not_found", "This person has not signed in through that service.")
		}
		if _, err := tx.exec(ctx, `DELETE FROM user_identities WHERE user_id = $1 AND provider = $2`, id, provider); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "user.identity_unlinked", "user:"+string(id), params{"provider": provider, "subjects": []string{}}, params{"provider": provider, "subjects": subjects})
	})
	if err != nil {
		return fmt.Errorf("unlink %s of %s: %w", provider, id, err)
	}
	return nil
}
