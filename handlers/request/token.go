package request

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agnes/domain"
	"agnes/domain/people"
)

// TokenLifetime is how long an access token works.
const TokenLifetime = 24 * time.Hour

// sessionPurpose is what an access token is for. A token made for anything else is refused here.
const sessionPurpose = "session"

// claims are those of contract 9.2. Microseconds are kept beside iat, whose
// whole seconds cannot say whether a token is older than a change of password.
type claims struct {
	jwt.RegisteredClaims
	Email   string `json:"email"`
	Purpose string `json:"typ"`
	Issued  int64  `json:"iat_us,omitempty"`
}

// Tokens issues and verifies access tokens: HS256 with one key, whatever a
// token's header asks for.
type Tokens struct {
	key   []byte
	now   func() time.Time
	newID func() string
}

// NewTokens fails on a key that could be guessed.
func NewTokens(key []byte, now func() time.Time, newID func() string) (*Tokens, error) {
	if len(key) == 0 {
		return nil, errors.New("access tokens need a key")
	}
	return &Tokens{key: key, now: now, newID: newID}, nil
}

// Issue makes an access token of a user.
func (t *Tokens) Issue(u people.User) (string, error) {
	now := t.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: string(u.ID), ID: t.newID(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(TokenLifetime)),
		},
		Email: u.Email, Purpose: sessionPurpose, Issued: now.UnixMicro(),
	}).SignedString(t.key)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return token, nil
}

// Verify returns whose token it is and when it was issued, or Unauthenticated.
func (t *Tokens) Verify(text string) (id people.UserID, issued time.Time, err error) {
	var c claims
	_, err = jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return t.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(t.now))
	if err != nil {
		return "", time.Time{}, ErrInvalidToken().Because(err)
	}
	if c.Purpose != sessionPurpose || c.Subject == "" || c.IssuedAt == nil {
		return "", time.Time{}, ErrInvalidToken()
	}
	issued = c.IssuedAt.Time
	if c.Issued != 0 {
		issued = time.UnixMicro(c.Issued)
	}
	return people.UserID(c.Subject), issued, nil
}

// ErrInvalidToken is the refusal of a token that proves nothing (contract 0.1).
func ErrInvalidToken() *domain.Error {
	return domain.E(domain.Unauthenticated, "invalid_token", "Invalid or expired token")
}
