package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

var _ access.TokenStore = (*Store)(nil)

// CreateToken keeps a new token; of its text only the hash.
func (s *Store) CreateToken(ctx context.Context, by audit.Actor, t access.Token, hash string) error {
	err := s.tx(ctx, func(tx runner) error {
		if err := insertToken(ctx, tx, t, hash); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "token.create", tokenResource(t.ID), tokenParams(t), nil)
	})
	if err != nil {
		return fmt.Errorf("create a token: %w", err)
	}
	return nil
}

func insertToken(ctx context.Context, tx runner, t access.Token, hash string) error {
	_, err := tx.exec(ctx, `
		INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, scopes, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.ID, t.UserID, t.Name, hash, t.Prefix, t.Scopes.String(), micros(t.CreatedAt), microsOrNull(t.ExpiresAt))
	return err
}

// tokenParams are what an audit row says of a token.
func tokenParams(t access.Token) params {
	p := params{"name": t.Name, "scopes": t.Scopes.String(), "prefix": t.Prefix}
	if t.ExpiresAt != nil {
		p["expires_at"] = t.ExpiresAt.Format(time.RFC3339)
	}
	return p
}

// RotateToken adds next in place of old, which ends at until.
func (s *Store) RotateToken(ctx context.Context, by audit.Actor, old access.TokenID, until time.Time, next access.Token, hash string) error {
	err := s.tx(ctx, func(tx runner) error {
		replaced, err := tx.exec(ctx, `
			UPDATE personal_access_tokens
			SET replaced_by = $1, expires_at = $2
			WHERE id = $3 AND user_id = $4 AND replaced_by = '' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)`,
			next.ID, micros(until), old, next.UserID, micros(s.now()))
		if err != nil {
			return err
		}
		if replaced == 0 {
			return access.ErrTokenOver()
		}
		if err := insertToken(ctx, tx, next, hash); err != nil {
			return err
		}
		asked := tokenParams(next)
		asked["replaces"], asked["old_until"] = old, until.Format(time.RFC3339)
		return s.note(ctx, tx, by, "token.rotate", tokenResource(next.ID), asked, nil)
	})
	if err != nil {
		return fmt.Errorf("rotate a token: %w", err)
	}
	return nil
}

// RevokeToken ends a token at once; NotFound. With an owner only theirs; one
// that has ended already stays as it is.
func (s *Store) RevokeToken(ctx context.Context, by audit.Actor, owner people.UserID, id access.TokenID) error {
	err := s.tx(ctx, func(tx runner) error {
		t, err := one(ctx, tx, scanToken, tokenRows+` WHERE t.id = $1 AND ($2 = '' OR t.user_id = $2)`, id, owner)
		switch {
		case absent(err):
			return tokenNotFound()
		case err != nil:
			return err
		case t.RevokedAt != nil:
			return nil
		}
		if _, err := tx.exec(ctx, `UPDATE personal_access_tokens SET revoked_at = $1 WHERE id = $2`, micros(s.now()), id); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "token.revoke", tokenResource(id), nil, params{"name": t.Name, "user_id": t.UserID, "email": t.Email})
	})
	if err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	return nil
}

// endTokens revokes all tokens of a person.
func (s *Store) endTokens(ctx context.Context, tx runner, user people.UserID) error {
	_, err := tx.exec(ctx, `UPDATE personal_access_tokens SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL`, micros(s.now()), user)
	return err
}
