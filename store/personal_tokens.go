package store

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// patColumns are read by tokenInto. Rows that were taken over from the
// predecessor may lack anything but the id.
const patColumns = ` t.id, COALESCE(t.user_id, ''), COALESCE(t.name, ''), COALESCE(t.prefix, ''), COALESCE(t.scopes, ''), COALESCE(t.created_at, 0),
	t.expires_at, t.last_used_at, COALESCE(t.last_used_ip, ''), t.revoked_at, t.replaced_by`

func tokenInto(t *access.Token) []any {
	return []any{
		&t.ID, &t.UserID, &t.Name, &t.Prefix,
		scopes{&t.Scopes},
		at{&t.CreatedAt},
		maybeAt{&t.ExpiresAt},
		maybeAt{&t.LastUsedAt},
		&t.LastUsedIP,
		maybeAt{&t.RevokedAt},
		&t.ReplacedBy,
	}
}

// scopes scans stored scopes. Words that no Agnes knows allow nothing.
type scopes struct{ to *access.Scopes }

// Scan implements sql.Scanner.
func (s scopes) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("stored scopes are %T", src)
	}
	known, err := access.ParseScopes(text)
	if err != nil {
		known = access.Scopes{}
	}
	*s.to = known
	return nil
}

func scanToken(row scanner) (access.Token, error) {
	var t access.Token
	err := row.Scan(append(tokenInto(&t), &t.Email)...)
	return t, err
}

// tokenRows selects tokens with the addresses of their people.
const tokenRows = `
	SELECT` + patColumns + `, COALESCE(u.email, '')
	FROM personal_access_tokens t
	LEFT JOIN users u ON u.id = t.user_id`

// PrincipalByToken reads, in one statement, who a personal access token stands
// for today, and the token. It fails with Unauthenticated as contract 0.1 words it.
func (s *Store) PrincipalByToken(ctx context.Context, id access.TokenID, hash string) (access.Principal, access.Token, error) {
	var t access.Token
	var kept string
	var known bool
	found := account{all: s.everyoneID, admin: s.adminID}
	rows, err := collect(ctx, s.reader(), func(row scanner) (struct{}, error) {
		return struct{}{}, found.scan(row, append(tokenInto(&t), &kept, &known)...)
	}, `
		SELECT`+patColumns+`, COALESCE(t.token_hash, ''), u.id IS NOT NULL,
			COALESCE(u.id, ''), COALESCE(u.email, ''), COALESCE(u.name, ''), COALESCE(u.active, FALSE), COALESCE(u.sessions_from, 0), m.group_id
		FROM personal_access_tokens t
		LEFT JOIN users u ON u.id = t.user_id
		LEFT JOIN user_group_members m ON m.user_id = u.id
		WHERE t.id = $1
		ORDER BY m.group_id`, id)
	switch {
	case err != nil:
		return access.Principal{}, t, fmt.Errorf("read a token: %w", explain(err))
	case len(rows) == 0:
		return access.Principal{}, t, tokenRefused("token_unknown", "Token unknown")
	case subtle.ConstantTimeCompare([]byte(kept), []byte(hash)) != 1:
		return access.Principal{}, t, tokenRefused("token_mismatch", "Token mismatch")
	case !known:
		return access.Principal{}, t, userUnknown()
	case !found.active:
		return access.Principal{}, t, accountDeactivated()
	case t.RevokedAt != nil:
		return access.Principal{}, t, tokenRefused("token_revoked", "Token revoked")
	case !t.Live(s.now()):
		return access.Principal{}, t, access.ErrTokenExpired()
	}
	t.Email = found.Email
	p := found.Principal
	p.Scopes, p.ExpiresAt = t.Scopes, t.ExpiresAt
	return p, t, nil
}

func tokenRefused(code, text string) error { return domain.E(domain.Unauthenticated, code, "%s", text) }

// tokenStep is how exactly the last use of a token is known.
const tokenStep = time.Minute

// UseToken notes that a token was used, at most once a minute, and writes an
// audit row when it came from an address for the first time after another.
func (s *Store) UseToken(ctx context.Context, by audit.Actor, t access.Token) error {
	now := s.now()
	moved := t.LastUsedIP != "" && t.LastUsedIP != by.ClientIP
	if t.LastUsedAt != nil && now.Sub(*t.LastUsedAt) < tokenStep {
		if !moved {
			return nil
		}
		known, err := tokenCameFrom(ctx, s.reader(), t.ID, by.ClientIP)
		if err != nil || known {
			return err
		}
	}
	write := s.quietly
	if moved {
		write = s.tx
	}
	err := write(ctx, func(tx runner) error {
		if _, err := tx.exec(ctx, `UPDATE personal_access_tokens SET last_used_at = $1, last_used_ip = $2 WHERE id = $3`,
			micros(now), by.ClientIP, t.ID); err != nil {
			return err
		}
		if err := seen(ctx, tx, t.UserID, now); err != nil || !moved {
			return err
		}
		if known, err := tokenCameFrom(ctx, tx, t.ID, by.ClientIP); err != nil || known {
			return err
		}
		return s.note(ctx, tx, by, actionNewIP, tokenResource(t.ID), params{"name": t.Name, "ip": by.ClientIP, "before": t.LastUsedIP}, nil)
	})
	if err != nil {
		return fmt.Errorf("note the use of a token: %w", err)
	}
	return nil
}

const actionNewIP = "token.first_use_new_ip"

func tokenResource(id access.TokenID) string { return "token:" + string(id) }

// tokenCameFrom reports whether the use of a token from an address was
// recorded before.
func tokenCameFrom(ctx context.Context, r runner, id access.TokenID, ip string) (bool, error) {
	n, err := one(ctx, r, value[int], `
		SELECT count(*)
		FROM audit_log
		WHERE action = $1 AND resource = $2 AND client_ip = $3`, actionNewIP, tokenResource(id), ip)
	return n > 0, explain(err)
}

// GetToken returns a token of a person; NotFound.
func (s *Store) GetToken(ctx context.Context, owner people.UserID, id access.TokenID) (access.Token, error) {
	t, err := one(ctx, s.reader(), scanToken, tokenRows+` WHERE t.id = $1 AND t.user_id = $2`, id, owner)
	if absent(err) {
		return t, tokenNotFound()
	} else if err != nil {
		return t, fmt.Errorf("get a token: %w", explain(err))
	}
	return t, nil
}

func tokenNotFound() error {
	return domain.E(domain.NotFound, "token_not_found", "Token not found")
}

// ListTokens returns a person's tokens, newest first, those that ended too.
func (s *Store) ListTokens(ctx context.Context, owner people.UserID) ([]access.Token, error) {
	list, err := collect(ctx, s.reader(), scanToken, tokenRows+` WHERE t.user_id = $1 ORDER BY t.created_at DESC, t.id`, owner)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", explain(err))
	}
	return list, nil
}

// ListAllTokens returns a page of everybody's tokens, newest first, and how
// many there are.
func (s *Store) ListAllTokens(ctx context.Context, limit, offset int) (list []access.Token, total int, err error) {
	err = s.view(ctx, func(r runner) error {
		if total, err = one(ctx, r, value[int], `SELECT count(*) FROM personal_access_tokens`); err != nil {
			return err
		}
		list, err = collect(ctx, r, scanToken, tokenRows+` ORDER BY t.created_at DESC, t.id LIMIT $1 OFFSET $2`, pageSize(limit), offset)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list all tokens: %w", err)
	}
	return list, total, nil
}
