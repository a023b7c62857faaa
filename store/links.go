package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

const firstRun = "first_run"

func firstRunOver() error {
	return domain.E(domain.Conflict, "first_run_over", "Agnes has its first administrator already. Sign in instead.")
}

// ReplaceFirstRunLink makes the one link that creates the first administrator;
// older ones stop working. It fails with Conflict once somebody is known.
func (s *Store) ReplaceFirstRunLink(ctx context.Context, hash []byte, expires time.Time) error {
	err := s.tx(ctx, func(tx runner) error {
		if err := nobodyYet(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM one_time_links WHERE purpose = $1`, firstRun); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `
			INSERT INTO one_time_links (hash, purpose, created_at, expires_at)
			VALUES ($1, $2, $3, $4)`, hash, firstRun, micros(s.now()), micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("make the first-run link: %w", err)
	}
	return nil
}

func nobodyYet(ctx context.Context, r runner) error {
	n, err := countUsers(ctx, r)
	if err == nil && n > 0 {
		return firstRunOver()
	}
	return err
}

// FirstRunOpen reports whether the link with that hash can still create the
// first administrator: Conflict once somebody is known, NotFound for a link
// that is unknown, used or expired.
func (s *Store) FirstRunOpen(ctx context.Context, hash []byte) error {
	err := s.view(ctx, func(r runner) error {
		if err := nobodyYet(ctx, r); err != nil {
			return err
		}
		open, err := one(ctx, r, value[int], `
			SELECT count(*)
			FROM one_time_links
			WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3`, hash, firstRun, micros(s.now()))
		if err == nil && open == 0 {
			return linkInvalid()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look up the first-run link: %w", err)
	}
	return nil
}

func linkInvalid() error {
	return domain.E(domain.NotFound, "link_invalid", "This link does not work any more. The server's log shows a new one after a restart.")
}

// CreateFirstAdmin uses the link up and creates the first administrator, in
// one step: of many calls at a time one wins, and the others fail as
// FirstRunOpen would. Without an actor the new administrator is the actor.
func (s *Store) CreateFirstAdmin(ctx context.Context, by audit.Actor, hash []byte, n people.NewUser) (people.User, error) {
	var u people.User
	err := s.tx(ctx, func(tx runner) error {
		if err := nobodyYet(ctx, tx); err != nil {
			return err
		}
		used, err := tx.exec(ctx, `
			UPDATE one_time_links
			SET used_at = $1
			WHERE hash = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > $1`, micros(s.now()), hash, firstRun)
		if err != nil {
			return err
		}
		if used == 0 {
			return linkInvalid()
		}
		n.Groups, n.Source = append([]people.GroupID{s.adminID}, n.Groups...), people.BySeed
		if u, err = s.insertUser(ctx, tx, by, n); err != nil {
			return err
		}
		actor := by
		if !actor.Valid() {
			actor.UserID, actor.Email = string(u.ID), u.Email
		}
		return s.note(ctx, tx, actor, "bootstrap_completed", "user:"+string(u.ID), params{"email": u.Email, "name": u.Name}, nil)
	})
	if err != nil {
		return people.User{}, fmt.Errorf("create the first administrator: %w", err)
	}
	return u, nil
}

// EnsureSeedAdmin makes sure that the address is known and in Admin. The
// password is set only where there is none, so that a restart neither undoes a
// changed password nor signs anybody out. Doing it again changes nothing.
func (s *Store) EnsureSeedAdmin(ctx context.Context, email, passwordHash string) error {
	by := audit.System("seed")
	err := s.tx(ctx, func(tx runner) error {
		u, err := getUser(ctx, tx, "email", identity(email))
		if domain.KindOf(err) == domain.NotFound {
			_, err = s.insertUser(ctx, tx, by, people.NewUser{
				Email: email, PasswordHash: passwordHash, Groups: []people.GroupID{s.adminID}, Source: people.BySeed,
			})
			if err != nil {
				return err
			}
			return s.note(ctx, tx, by, "user.create", "user:"+identity(email), params{"email": identity(email), "admin": true}, nil)
		} else if err != nil {
			return err
		}
		added, err := s.join(ctx, tx, by, u.ID, s.adminID, people.BySeed)
		if err != nil {
			return err
		}
		setPassword := !u.HasPassword && passwordHash != ""
		if setPassword {
			if _, err := tx.exec(ctx, `UPDATE users SET password_hash = $1, updated_at = $2 WHERE id = $3`, passwordHash, micros(s.now()), u.ID); err != nil {
				return err
			}
		}
		if !added && !setPassword {
			return nil
		}
		return s.note(ctx, tx, by, "bootstrap_activated_seed", "user:"+string(u.ID), params{"email": u.Email, "joined": added, "password_set": setPassword}, nil)
	})
	if err != nil {
		return fmt.Errorf("seed the administrator: %w", err)
	}
	return nil
}
