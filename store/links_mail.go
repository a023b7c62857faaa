package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// ReplaceLink stores a link that was made for an address; older ones of the
// same purpose and address stop working.
func (s *Store) ReplaceLink(ctx context.Context, l people.NewLink) error {
	email := identity(l.Email)
	err := s.tx(ctx, func(tx runner) error {
		if _, err := tx.exec(ctx, `DELETE FROM one_time_links WHERE email = $1 AND purpose = $2`, email, l.Purpose); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `
			INSERT INTO one_time_links (hash, purpose, created_at, expires_at, user_id, email, next, code_hash, request_hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			l.Hash, l.Purpose, micros(s.now()), micros(l.ExpiresAt), l.UserID, email, l.Next, bytesOrNull(l.CodeHash), bytesOrNull(l.RequestHash))
		return err
	})
	if err != nil {
		return fmt.Errorf("store a link: %w", err)
	}
	return nil
}

func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// UsesService reports whether somebody has signed in by another service.
func (s *Store) UsesService(ctx context.Context, id people.UserID) (bool, error) {
	n, err := one(ctx, s.reader(), value[int], `SELECT count(*) FROM user_identities WHERE user_id = $1`, id)
	if err != nil {
		return false, fmt.Errorf("look up services of %s: %w", id, explain(err))
	}
	return n > 0, nil
}

// usable are the links that can still be used: of a purpose $1 at a time $2. The
// fifth wrong code voids one.
const usable = ` purpose = $1 AND expires_at > $2 AND used_at IS NULL AND tries < 5`

// linkColumns are read by scanLink; the person is who has the address today.
const linkColumns = `l.purpose, l.email, l.next, COALESCE(u.id, ''), COALESCE(u.name, '')
	FROM one_time_links l
	LEFT JOIN users u ON u.email = l.email`

func scanLink(row scanner) (people.Link, error) {
	var l people.Link
	err := row.Scan(&l.Purpose, &l.Email, &l.Next, &l.UserID, &l.Name)
	return l, err
}

// FindLink returns a link that can still be used, and leaves it so.
func (s *Store) FindLink(ctx context.Context, purpose people.Purpose, hash []byte) (people.Link, error) {
	l, err := one(ctx, s.reader(), scanLink, `SELECT `+linkColumns+` WHERE`+usable+` AND l.hash = $3`, purpose, micros(s.now()), hash)
	if absent(err) {
		return l, people.ErrLink()
	} else if err != nil {
		return l, fmt.Errorf("look up a link: %w", explain(err))
	}
	return l, nil
}

// spend uses a link up and returns it; of many calls at a time one succeeds.
func (s *Store) spend(ctx context.Context, tx runner, purpose people.Purpose, hash []byte) (people.Link, error) {
	used, err := tx.exec(ctx, `UPDATE one_time_links SET used_at = $2 WHERE`+usable+` AND hash = $3`, purpose, micros(s.now()), hash)
	if err != nil {
		return people.Link{}, err
	}
	if used == 0 {
		return people.Link{}, people.ErrLink()
	}
	return one(ctx, tx, scanLink, `SELECT `+linkColumns+` WHERE l.hash = $1`, hash)
}

// SpendSignIn uses a link up and returns who it signs in, and the path they
// wanted. An address that nobody has gets an account where create says so.
// People who are unknown or deactivated are Unauthenticated.
func (s *Store) SpendSignIn(ctx context.Context, by audit.Actor, hash []byte, create func(email string) bool) (people.User, string, error) {
	var u people.User
	var next string
	err := s.tx(ctx, func(tx runner) error {
		l, err := s.spend(ctx, tx, people.ToSignIn, hash)
		if err != nil {
			return err
		}
		next = l.Next
		u, err = s.personOf(ctx, tx, by, l, create)
		return err
	})
	if err != nil {
		return people.User{}, "", fmt.Errorf("sign in by a link: %w", err)
	}
	return u, next, nil
}

// personOf is who signs in by a link that was used up.
func (s *Store) personOf(ctx context.Context, tx runner, by audit.Actor, l people.Link, create func(email string) bool) (people.User, error) {
	u, err := getUser(ctx, tx, "email", l.Email)
	switch {
	case domain.KindOf(err) == domain.NotFound && create(l.Email):
		return s.newcomer(ctx, tx, by, l.Email)
	case domain.KindOf(err) == domain.NotFound:
		return u, people.ErrLink()
	case err == nil && !u.Active:
		return u, domain.E(domain.Unauthenticated, "deactivated", "Account deactivated")
	}
	return u, err
}

// newcomer makes the account of somebody who proved to have an address that may come in.
func (s *Store) newcomer(ctx context.Context, tx runner, by audit.Actor, email string) (people.User, error) {
	u, err := s.insertUser(ctx, tx, by, people.NewUser{Email: email})
	if err != nil {
		return u, err
	}
	by.UserID, by.Email = string(u.ID), u.Email
	return u, s.note(ctx, tx, by, "user.create", "user:"+string(u.ID), params{"email": u.Email, "by": "link"}, nil)
}

// SpendCode is SpendSignIn by the code of a link and the request that it was
// made for. A wrong code counts, and the fifth voids the link.
func (s *Store) SpendCode(ctx context.Context, by audit.Actor, request, code []byte, create func(email string) bool) (people.User, string, error) {
	var u people.User
	var next string
	wrong := false
	err := s.tx(ctx, func(tx runner) error {
		now := micros(s.now())
		hash, err := one(ctx, tx, value[[]byte], `
			SELECT hash FROM one_time_links WHERE`+usable+` AND request_hash = $3 AND code_hash = $4`, people.ToSignIn, now, request, code)
		if wrong = absent(err); wrong {
			_, err = tx.exec(ctx, `UPDATE one_time_links SET tries = tries + 1 WHERE`+usable+` AND request_hash = $3`, people.ToSignIn, now, request)
			return err
		} else if err != nil {
			return err
		}
		l, err := s.spend(ctx, tx, people.ToSignIn, hash)
		if err != nil {
			return err
		}
		next = l.Next
		u, err = s.personOf(ctx, tx, by, l, create)
		return err
	})
	if err == nil && wrong {
		err = domain.E(domain.Unauthenticated, "code_wrong",
			"This code does not work. It is the one of the newest mail, works only in the browser that asked for it, and not after five wrong ones.")
	}
	if err != nil {
		return people.User{}, "", fmt.Errorf("sign in by a code: %w", err)
	}
	return u, next, nil
}

// SpendPassword uses a link up and sets the password that it is for. All other
// sign-ins and links of the person end. NotFound for somebody who was deleted,
// Forbidden for somebody who is deactivated.
func (s *Store) SpendPassword(ctx context.Context, by audit.Actor, purpose people.Purpose, hash []byte, p people.SetPassword) (people.User, error) {
	var u people.User
	err := s.tx(ctx, func(tx runner) error {
		l, err := s.spend(ctx, tx, purpose, hash)
		if err != nil {
			return err
		}
		if u, err = getUser(ctx, tx, "email", l.Email); err != nil {
			return err
		}
		if !u.Active {
			return domain.E(domain.Forbidden, "deactivated", "Account deactivated")
		}
		by.UserID, by.Email = string(u.ID), u.Email
		change := people.UserChange{PasswordHash: &p.Hash}
		if p.Name != "" && p.Name != u.Name {
			change.Name = &p.Name
		}
		before := u
		if err := s.saveUser(ctx, tx, by, applyUser(u, change, s.now()), &p.Hash); err != nil {
			return err
		}
		if u, err = getUser(ctx, tx, "id", string(u.ID)); err != nil {
			return err
		}
		return s.noteUserChange(ctx, tx, by, change, before)
	})
	if err != nil {
		return people.User{}, fmt.Errorf("set a password by a link: %w", err)
	}
	return u, nil
}

// voidLinks ends every link that was made for an address.
func voidLinks(ctx context.Context, tx runner, email string) error {
	_, err := tx.exec(ctx, `DELETE FROM one_time_links WHERE email = $1`, identity(email))
	return err
}
