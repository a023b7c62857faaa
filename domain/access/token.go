package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// TokenID names a personal access token. It is no secret: the token's text is.
type TokenID string

// Token is a personal access token, without its text, which nobody keeps.
type Token struct {
	ID         TokenID
	UserID     people.UserID
	Email      string // of its person
	Name       string
	Prefix     string // of the id, by which people tell tokens apart
	Scopes     Scopes
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil: never
	LastUsedAt *time.Time
	LastUsedIP string
	RevokedAt  *time.Time
	ReplacedBy TokenID // the token that it was rotated to
}

// Live reports whether the token can be used.
func (t Token) Live(now time.Time) bool {
	return t.RevokedAt == nil && (t.ExpiresAt == nil || now.Before(*t.ExpiresAt))
}

// The limits of a token (contract 5.7).
const (
	defaultTokenDays = 90
	maxTokenDays     = 3650
	maxTokenSeconds  = 315_360_000
	maxTokenName     = 128
	bootstrapFor     = time.Hour
	// RotateOverlap is how long a token works on after it was rotated.
	RotateOverlap = 24 * time.Hour
)

// TokenRequest is a token that somebody asks for. Without Days and Seconds it
// does not expire; Seconds win.
type TokenRequest struct {
	Name    string
	Scope   string // as ParseScopes reads it
	Days    *int
	Seconds *int64
}

// DefaultDays is the lifetime of a token for which none was asked.
func DefaultDays() *int {
	days := defaultTokenDays
	return &days
}

// plan checks a request and turns it into a token without an owner.
func (r TokenRequest) plan(now time.Time) (Token, error) {
	t := Token{Name: strings.TrimSpace(r.Name), CreatedAt: now}
	if n := utf8.RuneCountInString(t.Name); n == 0 || n > maxTokenName {
		return t, domain.FieldError("name", "A token needs a name of 1 to %d characters, such as what it is for.", maxTokenName)
	}
	life, err := r.life()
	if err != nil {
		return t, err
	}
	if t.Scopes, err = ParseScopes(r.Scope); err != nil {
		return t, err
	}
	for _, s := range t.Scopes {
		if s == ScopeBootstrap && (life == 0 || life > bootstrapFor) {
			life = bootstrapFor
		}
	}
	if life > 0 {
		at := now.Add(life)
		t.ExpiresAt = &at
	}
	return t, nil
}

// life is how long the token shall work, 0 for ever.
func (r TokenRequest) life() (time.Duration, error) {
	switch {
	case r.Seconds != nil && (*r.Seconds < 1 || *r.Seconds > maxTokenSeconds):
		return 0, domain.FieldError("ttl_seconds", "A token lives 1 to 315,360,000 seconds, which is ten years.")
	case r.Seconds != nil:
		return time.Duration(*r.Seconds) * time.Second, nil
	case r.Days != nil && (*r.Days < 1 || *r.Days > maxTokenDays):
		return 0, domain.FieldError("expires_in_days", "A token lives 1 to %d days, or without an end.", maxTokenDays)
	case r.Days != nil:
		return time.Duration(*r.Days) * 24 * time.Hour, nil
	}
	return 0, nil
}

// TokenStore keeps personal access tokens, and of their text only the hash.
type TokenStore interface {
	CreateToken(ctx context.Context, by audit.Actor, t Token, hash string) error
	// GetToken returns a token of a person; NotFound.
	GetToken(ctx context.Context, owner people.UserID, id TokenID) (Token, error)
	// RotateToken adds next in place of old, which ends at until. Conflict when
	// old was revoked, rotated or has expired meanwhile.
	RotateToken(ctx context.Context, by audit.Actor, old TokenID, until time.Time, next Token, hash string) error
}

// TokenSigner writes the text of a token.
type TokenSigner interface {
	SignPersonal(t Token) (string, error)
}

// Tokens makes personal access tokens.
type Tokens struct {
	Store  TokenStore
	Signer TokenSigner
	Now    func() time.Time
	NewID  func() string // a random UUID, because its beginning is the prefix
}

// Make makes a token for p and returns its text, which is shown once.
func (m *Tokens) Make(ctx context.Context, p Principal, r TokenRequest) (t Token, text string, err error) {
	if t, err = r.plan(m.Now()); err != nil {
		return Token{}, "", err
	}
	if err := m.may(p, t.Scopes); err != nil {
		return Token{}, "", err
	}
	if text, err = m.sign(&t, p); err != nil {
		return Token{}, "", err
	}
	if err := m.Store.CreateToken(ctx, p.Actor(), t, HashToken(text)); err != nil {
		return Token{}, "", fmt.Errorf("keep the token: %w", err)
	}
	return t, text, nil
}

// Rotate makes a token like one of p's and returns its text; the old one works
// for RotateOverlap more.
func (m *Tokens) Rotate(ctx context.Context, p Principal, id TokenID) (t Token, text string, err error) {
	now := m.Now()
	old, err := m.Store.GetToken(ctx, p.UserID, id)
	if err != nil {
		return Token{}, "", err
	}
	if !old.Live(now) || old.ReplacedBy != "" {
		return Token{}, "", ErrTokenOver()
	}
	if len(old.Scopes) == 0 { // a token like it would be of the scope that no word means
		return Token{}, "", domain.E(domain.Conflict, "scope_unknown", "This token came from another server with a scope that Agnes does not know, so there can be none like it. Make a new one.")
	}
	if err := m.may(p, old.Scopes); err != nil {
		return Token{}, "", err
	}
	t = Token{Name: old.Name, Scopes: old.Scopes, CreatedAt: now}
	until := now.Add(RotateOverlap)
	if old.ExpiresAt != nil {
		life := old.ExpiresAt.Sub(old.CreatedAt)
		if old.CreatedAt.IsZero() { // taken over without it
			life = defaultTokenDays * 24 * time.Hour
		}
		next := now.Add(life)
		t.ExpiresAt = &next
		if old.ExpiresAt.Before(until) {
			until = *old.ExpiresAt
		}
	}
	if text, err = m.sign(&t, p); err != nil {
		return Token{}, "", err
	}
	if err := m.Store.RotateToken(ctx, p.Actor(), id, until, t, HashToken(text)); err != nil {
		return Token{}, "", fmt.Errorf("rotate the token: %w", err)
	}
	return t, text, nil
}

// may says whether p may make a token with these scopes. One that could do
// what administrators do outlives every sign-in, so it takes a recent one.
func (m *Tokens) may(p Principal, scopes Scopes) error {
	if !p.Interactive() {
		return p.Meet(Terms{Interactive: true}, m.Now())
	}
	for _, s := range scopes {
		if s == ScopeAdmin && !p.Admin {
			return domain.E(domain.Forbidden, "admin_required", "Only administrators make tokens with the scope admin.")
		}
	}
	if p.Admin && scopes.Allow(ScopeAdmin) {
		return p.Recent(m.Now())
	}
	return nil
}

func (m *Tokens) sign(t *Token, p Principal) (string, error) {
	t.ID, t.UserID, t.Email = TokenID(m.NewID()), p.UserID, p.Email
	plain := strings.ReplaceAll(string(t.ID), "-", "")
	t.Prefix = plain[:min(8, len(plain))]
	text, err := m.Signer.SignPersonal(*t)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return text, nil
}

// ErrTokenOver is the refusal to rotate what works no more, or was rotated.
func ErrTokenOver() *domain.Error {
	return domain.E(domain.Conflict, "token_over", "This token has ended or was replaced already, so it cannot be rotated. Make a new one.")
}

// ErrTokenExpired is the refusal of a token whose time is over (contract 0.1).
func ErrTokenExpired() *domain.Error {
	return domain.E(domain.Unauthenticated, "token_expired", "Token expired")
}

// HashToken is what is kept of a token's text (contract 9.2).
func HashToken(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
