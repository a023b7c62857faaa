package request

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

// TokenLifetime is how long an access token works.
const TokenLifetime = 24 * time.Hour

// What a token is for. One that was made for anything else is refused.
const (
	forSession  = "session"
	forPersonal = "pat"
)

// claims are those of contract 9.2.
type claims struct {
	jwt.RegisteredClaims
	Email   string `json:"email"`
	Purpose string `json:"typ"`
	Scope   string `json:"scope,omitempty"`
}

// Tokens signs and verifies tokens: HS256 with one key, whatever a token's
// header asks for.
type Tokens struct {
	key []byte
	now func() time.Time
}

// NewTokens fails on a key that could be guessed.
func NewTokens(key []byte, now func() time.Time) (*Tokens, error) {
	if len(key) == 0 {
		return nil, errors.New("access tokens need a key")
	}
	return &Tokens{key: key, now: now}, nil
}

// Issue makes the access token of a sign-in.
func (t *Tokens) Issue(u people.User, v people.Session) (string, error) {
	return t.sign(claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: string(u.ID), ID: string(v.ID), IssuedAt: jwt.NewNumericDate(v.CreatedAt), ExpiresAt: jwt.NewNumericDate(v.ExpiresAt),
		},
		Email: u.Email, Purpose: forSession,
	})
}

// SignPersonal writes the text of a personal access token.
func (t *Tokens) SignPersonal(p access.Token) (string, error) {
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: string(p.UserID), ID: string(p.ID), IssuedAt: jwt.NewNumericDate(p.CreatedAt)},
		Email:            p.Email, Purpose: forPersonal, Scope: p.Scopes.String(),
	}
	if p.ExpiresAt != nil {
		c.ExpiresAt = jwt.NewNumericDate(*p.ExpiresAt)
	}
	return t.sign(c)
}

func (t *Tokens) sign(c claims) (string, error) {
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(t.key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text, nil
}

// Verified is what a token says that we signed. Whether it still counts is the
// store's to say.
type Verified struct {
	UserID  people.UserID
	Session people.SessionID // of an access token
	Token   access.TokenID   // of a personal access token
	Expired bool             // only of a personal access token
}

// Verify returns what a token says, or Unauthenticated when we did not sign it
// for what it is used for.
func (t *Tokens) Verify(text string) (Verified, error) {
	var c claims
	_, err := jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return t.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithTimeFunc(t.now))
	// The signature is checked first: only a token of ours can be no more than
	// expired, and of a personal one the store knows more exactly.
	expired := err != nil && c.Purpose == forPersonal && onlyExpired(err)
	if err != nil && !expired {
		return Verified{}, ErrInvalidToken().Because(err)
	}
	if c.Subject == "" || c.ID == "" || c.IssuedAt == nil {
		return Verified{}, ErrInvalidToken()
	}
	v := Verified{UserID: people.UserID(c.Subject), Expired: expired}
	switch {
	case c.Purpose == forSession && c.ExpiresAt != nil:
		v.Session = people.SessionID(c.ID)
	case c.Purpose == forPersonal:
		v.Token = access.TokenID(c.ID)
	default:
		return Verified{}, ErrInvalidToken()
	}
	return v, nil
}

// onlyExpired reports that time is all that a token lacks.
func onlyExpired(err error) bool {
	for _, worse := range []error{
		jwt.ErrTokenMalformed, jwt.ErrTokenUnverifiable, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenNotValidYet,
		jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenRequiredClaimMissing, jwt.ErrInvalidType,
	} {
		if errors.Is(err, worse) {
			return false
		}
	}
	return errors.Is(err, jwt.ErrTokenExpired)
}

// ErrInvalidToken is the refusal of a token that proves nothing (contract 0.1).
func ErrInvalidToken() *domain.Error {
	return domain.E(domain.Unauthenticated, "invalid_token", "Invalid or expired token")
}
