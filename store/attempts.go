package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/people"
)

// takeTry counts a try where one is left, and changes nothing where none is:
// then it returns no row. A key that is free again starts anew.
const takeTry = `
	INSERT INTO sign_in_attempts (key, tries, expires_at) VALUES ($1, 1, $2 + $3)
	ON CONFLICT (key) DO UPDATE SET
		tries = CASE
			WHEN sign_in_attempts.expires_at <= $2 AND (sign_in_attempts.tries < $4 OR sign_in_attempts.expires_at <= $2 - $5) THEN 1
			ELSE sign_in_attempts.tries + 1 END,
		expires_at = CASE
			WHEN sign_in_attempts.expires_at <= $2 AND (sign_in_attempts.tries < $4 OR sign_in_attempts.expires_at <= $2 - $5) THEN excluded.expires_at
			WHEN sign_in_attempts.tries + 1 < $4 OR $6 = 0 THEN sign_in_attempts.expires_at
			WHEN sign_in_attempts.tries + 1 - $4 >= $7 THEN $2 + $8
			ELSE $2 + $6 * (1 << CAST(sign_in_attempts.tries + 1 - $4 AS INTEGER)) END
	WHERE sign_in_attempts.tries < $4 OR sign_in_attempts.expires_at <= $2
	RETURNING tries`

// TakeTry takes one try under a key, or returns how long to wait for the next one.
func (s *Store) TakeTry(ctx context.Context, key string, l people.TryLimit) (wait time.Duration, err error) {
	now := micros(s.now())
	err = s.quietly(ctx, func(tx runner) error {
		wait = 0
		_, err := one(ctx, tx, value[int64], takeTry, key, now, l.Window.Microseconds(), l.Free, l.Rest.Microseconds(),
			l.Wait.Microseconds(), doublings(l), l.MaxWait.Microseconds())
		if !absent(err) {
			return err
		}
		until, err := one(ctx, tx, value[int64], `SELECT expires_at FROM sign_in_attempts WHERE key = $1`, key)
		wait = max(time.Duration(until-now)*time.Microsecond, time.Second)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count a try to sign in: %w", err)
	}
	return wait, nil
}

// doublings is how often a wait doubles until it is the longest.
func doublings(l people.TryLimit) (n int) {
	for wait := l.Wait; wait > 0 && wait < l.MaxWait; wait *= 2 {
		n++
	}
	return n
}

// ForgetTries forgets the tries under a key.
func (s *Store) ForgetTries(ctx context.Context, key string) error {
	err := s.quietly(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `DELETE FROM sign_in_attempts WHERE key = $1`, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget tries to sign in: %w", err)
	}
	return nil
}

// SweepAttempts removes tries that count for nothing any more.
func (s *Store) SweepAttempts(ctx context.Context) error {
	err := s.quietly(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `DELETE FROM sign_in_attempts WHERE expires_at <= $1`, micros(s.now().Add(-people.AccountTries().Rest)))
		return err
	})
	if err != nil {
		return fmt.Errorf("sweep tries to sign in: %w", err)
	}
	return nil
}
