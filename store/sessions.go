package store

import (
	"context"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Sessions keeps browser sessions. Its keys are hashes: the session manager
// hashes its tokens before it calls (HashTokenInStore).
type Sessions struct{ store *Store }

var _ scs.CtxStore = Sessions{}

// Sessions returns the store of browser sessions.
func (s *Store) Sessions() Sessions { return Sessions{s} }

// FindCtx returns the data of a session that has not expired.
func (b Sessions) FindCtx(ctx context.Context, tokenHash string) (data []byte, found bool, err error) {
	data, err = one(ctx, b.store.reader(), value[[]byte], `
		SELECT data FROM sessions WHERE token_hash = $1 AND expires_at > $2`, tokenHash, micros(b.store.now()))
	if absent(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find session: %w", explain(err))
	}
	return data, true, nil
}

// CommitCtx saves a session.
func (b Sessions) CommitCtx(ctx context.Context, tokenHash string, data []byte, expiry time.Time) error {
	err := b.store.quietly(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			INSERT INTO sessions (token_hash, data, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, tokenHash, data, micros(expiry))
		return err
	})
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	return nil
}

// DeleteCtx removes a session; one that is not there is no error.
func (b Sessions) DeleteCtx(ctx context.Context, tokenHash string) error {
	err := b.store.quietly(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `DELETE FROM sessions WHERE token_hash = $1`, tokenHash)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}

// Find, Commit and Delete complete scs.Store; the session manager calls the
// forms with a context.

// Find is FindCtx without a context.
func (b Sessions) Find(tokenHash string) ([]byte, bool, error) {
	return b.FindCtx(context.Background(), tokenHash)
}

// Commit is CommitCtx without a context.
func (b Sessions) Commit(tokenHash string, data []byte, expiry time.Time) error {
	return b.CommitCtx(context.Background(), tokenHash, data, expiry)
}

// Delete is DeleteCtx without a context.
func (b Sessions) Delete(tokenHash string) error {
	return b.DeleteCtx(context.Background(), tokenHash)
}

// SweepSessions removes sessions, sign-ins and one-time links that have expired.
func (s *Store) SweepSessions(ctx context.Context) error {
	err := s.quietly(ctx, func(tx runner) error {
		for _, statement := range []string{
			`DELETE FROM sessions WHERE expires_at <= $1`, `DELETE FROM one_time_links WHERE expires_at <= $1`, `DELETE FROM sign_ins WHERE expires_at <= $1`,
		} {
			if _, err := tx.exec(ctx, statement, micros(s.now())); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep expired sessions: %w", err)
	}
	return nil
}
