package people

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
)

// Open returns the link that a token opens, without using it up, and the
// reference by which it is used later: no token needs to be kept for that.
func (l *Links) Open(ctx context.Context, p Purpose, token string) (ref string, link Link, err error) {
	ref = reference(p, token)
	link, err = l.Opened(ctx, p, ref)
	return ref, link, err
}

// Opened returns the link of a reference that Open returned.
func (l *Links) Opened(ctx context.Context, p Purpose, ref string) (Link, error) {
	if err := l.on(p); err != nil {
		return Link{}, err
	}
	hash, err := l.hashOf(ref)
	if err != nil {
		return Link{}, err
	}
	return l.Store.FindLink(ctx, p, hash)
}

// on fails with Forbidden where the way that a purpose belongs to is off.
// Links that were made work on when mail is set up no longer.
func (l *Links) on(p Purpose) error {
	switch {
	case l == nil, p == ToSignIn && l.NoLink:
		return errNoLink("Signing in by mail is switched off here.")
	case p != ToSignIn && l.NoPassword:
		return ErrNoPassword()
	}
	return nil
}

func (l *Links) hashOf(ref string) ([]byte, error) {
	hash, err := hex.DecodeString(ref)
	if err != nil || len(hash) == 0 {
		return nil, ErrLink()
	}
	return hash, nil
}

// SignIn uses the link of a reference up, and returns who it signs in and where
// they wanted to go.
func (l *Links) SignIn(ctx context.Context, by audit.Actor, ref string) (u User, next string, err error) {
	if err := l.on(ToSignIn); err != nil {
		return User{}, "", err
	}
	hash, err := l.hashOf(ref)
	if err != nil {
		return User{}, "", err
	}
	return l.Store.SpendSignIn(ctx, named(by), hash, l.creates)
}

// SignInAs is SignIn for a token that comes with the address it was sent to;
// another address spends nothing.
func (l *Links) SignInAs(ctx context.Context, by audit.Actor, email, token string) (User, error) {
	ref, link, err := l.Open(ctx, ToSignIn, token)
	if err != nil {
		return User{}, err
	}
	if !SameEmail(email, link.Email) {
		return User{}, ErrLink()
	}
	u, _, err := l.SignIn(ctx, by, ref)
	return u, err
}

// SameEmail reports whether what somebody typed is that address.
func SameEmail(typed, email string) bool {
	return strings.EqualFold(strings.TrimSpace(typed), email)
}

// SignInByCode is SignIn by the code of a mail, in the browser that asked for it.
func (l *Links) SignInByCode(ctx context.Context, by audit.Actor, request, typed string) (u User, next string, err error) {
	if err := l.on(ToSignIn); err != nil {
		return User{}, "", err
	}
	if request == "" {
		return User{}, "", ErrLink()
	}
	return l.Store.SpendCode(ctx, named(by), LinkHash("request", request), codeHash(request, plainCode(typed)), l.creates)
}

// SetPassword uses the link of a reference up and sets the password of its
// person, whose other sign-ins and links end. Invalid when the password is refused.
func (l *Links) SetPassword(ctx context.Context, by audit.Actor, p Purpose, ref, name, password string) (User, error) {
	link, err := l.Opened(ctx, p, ref)
	if err != nil {
		return User{}, err
	}
	if err := CheckPassword(password, link.Email); err != nil {
		return User{}, err
	}
	if name = strings.TrimSpace(name); len(name) > maxName {
		return User{}, domain.FieldError("name", "A name has at most %d bytes.", maxName)
	}
	hash, err := HashPassword(password)
	if err != nil {
		return User{}, err
	}
	raw, err := l.hashOf(ref)
	if err != nil {
		return User{}, err
	}
	u, err := l.Store.SpendPassword(ctx, named(by), p, raw, SetPassword{Name: name, Hash: hash})
	if err != nil {
		return User{}, fmt.Errorf("set a password by link: %w", err)
	}
	return u, nil
}

// maxName is the longest name of a person, in bytes.
const maxName = 200

// named is an actor for audit rows of somebody who has yet to prove who they are.
func named(by audit.Actor) audit.Actor {
	if by.UserID == "" {
		by.UserID = anonymous
	}
	return by
}
