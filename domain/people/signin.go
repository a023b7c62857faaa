package people

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"agnes/domain"
	"agnes/domain/audit"
)

// Accounts is what signing in needs of the store.
type Accounts interface {
	CountUsers(ctx context.Context) (int, error)
	// PasswordHash returns the account of an e-mail; NotFound. The hash is "" for an account without a password.
	PasswordHash(ctx context.Context, email string) (id UserID, hash string, active bool, err error)
	// RenewPasswordHash keeps another hash of the same password; one that was changed meanwhile stays.
	RenewPasswordHash(ctx context.Context, id UserID, old, renewed string) error
	GetUser(ctx context.Context, id UserID) (User, error)
	ReplaceFirstRunLink(ctx context.Context, hash []byte, expires time.Time) error
	FirstRunOpen(ctx context.Context, hash []byte) error
	// CreateFirstAdmin spends the link and creates the user in one transaction; the user is the
	// actor of its own creation, by gives the rest (address, request).
	CreateFirstAdmin(ctx context.Context, by audit.Actor, hash []byte, u NewUser) (User, error)
	EnsureSeedAdmin(ctx context.Context, email, passwordHash string) error
}

// SignIn proves who somebody is.
type SignIn struct {
	Accounts Accounts
	Throttle *Throttle // bounds tries on one account; nil: nothing does
	Now      func() time.Time
	Off      bool // passwords are switched off

	once  sync.Once
	decoy string        // a hash that no password matches, so that unknown accounts take as long
	slots chan struct{} // hashing is limited to one core
}

// argon2id with 19 MiB, two passes and one lane: the first recommendation of the OWASP
// Password Storage Cheat Sheet. The predecessor's hashes carry their own parameters.
func hashing() *argon2id.Params {
	return &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// HashPassword hashes a password that CheckPassword accepted.
func HashPassword(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, hashing())
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// The refusals. Neither says whether the address is known.
func errWrong() error {
	return domain.E(domain.Unauthenticated, "invalid_credentials", "E-mail and password do not match.")
}

func errDeactivated() error {
	return domain.E(domain.Unauthenticated, "deactivated", "Account deactivated")
}

// Password returns the user with that e-mail and password. Whether the address
// exists shows neither in the answer nor in its time. After too many tries on one
// address it fails with Limited, whatever the password.
func (s *SignIn) Password(ctx context.Context, email, password string) (User, error) {
	if s.Off {
		return User{}, ErrNoPassword()
	}
	if err := s.prepare(); err != nil {
		return User{}, err
	}
	address, err := NormalEmail(email)
	if err != nil {
		address = ""
	}
	if address != "" {
		if err := s.Throttle.Allow(ctx, string(ByPassword), address); err != nil {
			return User{}, err
		}
	}
	id, hash, active, err := s.Accounts.PasswordHash(ctx, address)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return User{}, fmt.Errorf("account: %w", err)
	}
	known := err == nil && hash != ""
	if !known {
		hash = s.decoy
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return User{}, ctx.Err()
	}
	match, costs, err := argon2id.CheckHash(password, hash)
	switch {
	case err != nil:
		return User{}, fmt.Errorf("compare password of %s: %w", id, err)
	case !known || !match:
		return User{}, errWrong()
	case !active: // said only to somebody who knows the password
		return User{}, errDeactivated()
	}
	if err := s.Throttle.Succeeded(ctx, string(ByPassword), address); err != nil {
		return User{}, err
	}
	if *costs != *hashing() {
		if err := s.renew(ctx, id, hash, password); err != nil {
			return User{}, err
		}
	}
	return s.Accounts.GetUser(ctx, id)
}

// renew hashes a password as new ones are. One that was taken over with other
// costs takes another time to check than an account that is not there, which
// would tell that it is.
func (s *SignIn) renew(ctx context.Context, id UserID, old, password string) error {
	renewed, err := HashPassword(password)
	if err != nil {
		return err
	}
	if err := s.Accounts.RenewPasswordHash(ctx, id, old, renewed); err != nil {
		return fmt.Errorf("renew the password hash of %s: %w", id, err)
	}
	return nil
}

func (s *SignIn) prepare() (err error) {
	s.once.Do(func() {
		s.slots = make(chan struct{}, 1)
		s.decoy, err = HashPassword(rand.Text())
	})
	return err
}

// FirstRunLifetime is how long the link of the first start works.
const FirstRunLifetime = time.Hour

// FirstRunToken makes a new one-time token for the first administrator and
// voids older ones; Conflict when users exist.
func (s *SignIn) FirstRunToken(ctx context.Context) (string, error) {
	token, err := NewSecret()
	if err != nil {
		return "", err
	}
	if err := s.Accounts.ReplaceFirstRunLink(ctx, tokenHash(token), s.Now().Add(FirstRunLifetime)); err != nil {
		return "", fmt.Errorf("store first-run link: %w", err)
	}
	return token, nil
}

// FirstRunOpen fails with NotFound unless the token can still name the first administrator.
func (s *SignIn) FirstRunOpen(ctx context.Context, token string) error {
	return s.Accounts.FirstRunOpen(ctx, tokenHash(token))
}

// FirstAdmin spends the token and creates the first administrator.
func (s *SignIn) FirstAdmin(ctx context.Context, by audit.Actor, token, email, name, password string) (User, error) {
	address, err := NormalEmail(email)
	if err != nil {
		return User{}, err
	}
	if err := CheckPassword(password, address); err != nil {
		return User{}, err
	}
	hash, err := HashPassword(password)
	if err != nil {
		return User{}, err
	}
	return s.Accounts.CreateFirstAdmin(ctx, by, tokenHash(token), NewUser{Email: address, Name: name, PasswordHash: hash, Source: BySeed})
}

func tokenHash(token string) []byte { return LinkHash("first_run", token) }
