package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// EndSession ends a sign-in of a person at once. NotFound when they have no such
// live one.
func (s *Store) EndSession(ctx context.Context, by audit.Actor, user people.UserID, id people.SessionID) error {
	err := s.tx(ctx, func(tx runner) error {
		ended, err := tx.exec(ctx, `
			UPDATE sign_ins
			SET ended_at = $1
			WHERE id = $2 AND user_id = $3 AND ended_at IS NULL`, micros(s.now()), id, user)
		if err != nil {
			return err
		}
		if ended == 0 {
			return domain.E(domain.NotFound, "session_not_found", "This sign-in has ended already.")
		}
		return s.note(ctx, tx, by, "logout", sessionResource(id), params{"user_id": user}, nil)
	})
	if err != nil {
		return fmt.Errorf("end a sign-in: %w", err)
	}
	return nil
}

// EndSessions ends all sign-ins of a person but one, "" for none, and returns
// how many there were.
func (s *Store) EndSessions(ctx context.Context, by audit.Actor, user people.UserID, except people.SessionID) (int, error) {
	ended := int64(0)
	err := s.tx(ctx, func(tx runner) (err error) {
		if ended, err = s.endAll(ctx, tx, user, except); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "logout", "user:"+string(user), params{"sessions": ended, "others_only": except != ""}, nil)
	})
	if err != nil {
		return 0, fmt.Errorf("end the sign-ins of %s: %w", user, err)
	}
	return int(ended), nil
}

func (s *Store) endAll(ctx context.Context, tx runner, user people.UserID, except people.SessionID) (int64, error) {
	return tx.exec(ctx, `
		UPDATE sign_ins
		SET ended_at = $1
		WHERE user_id = $2 AND id <> $3 AND ended_at IS NULL`, micros(s.now()), user, except)
}

// Prove notes that the person behind a live sign-in proved anew who they are.
func (s *Store) Prove(ctx context.Context, by audit.Actor, id people.SessionID, method people.Method) error {
	err := s.tx(ctx, func(tx runner) error {
		proved, err := tx.exec(ctx, `
			UPDATE sign_ins
			SET proved_at = $1
			WHERE id = $2 AND user_id = $3 AND ended_at IS NULL`, micros(s.now()), id, by.UserID)
		if err != nil {
			return err
		}
		if proved == 0 {
			return signInOver()
		}
		return s.note(ctx, tx, by, "identity_confirmed", sessionResource(id), params{"method": method}, nil)
	})
	if err != nil {
		return fmt.Errorf("confirm a person: %w", err)
	}
	return nil
}

// BootstrapAdmin makes the first administrator. Of many calls at a time one
// wins; the others fail with Conflict, as does every call once somebody is known.
func (s *Store) BootstrapAdmin(ctx context.Context, by audit.Actor, n people.NewUser) (people.User, error) {
	var u people.User
	err := s.tx(ctx, func(tx runner) (err error) {
		if err := nobodyYet(ctx, tx); err != nil {
			return err
		}
		n.Groups, n.Source = append([]people.GroupID{s.adminID}, n.Groups...), people.BySeed
		if u, err = s.insertUser(ctx, tx, by, n); err != nil {
			return err
		}
		by.UserID, by.Email = string(u.ID), u.Email
		return s.note(ctx, tx, by, "bootstrap_completed", "user:"+string(u.ID), params{"email": u.Email, "name": u.Name, "route": "/auth/bootstrap"}, nil)
	})
	if err != nil {
		return people.User{}, fmt.Errorf("create the first administrator: %w", err)
	}
	return u, nil
}
