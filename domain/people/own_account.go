package people

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
)

// OwnAccount changes what people may change about themselves.
type OwnAccount struct {
	SignIn *SignIn
	Users  interface {
		UpdateUser(ctx context.Context, by audit.Actor, id UserID, c UserChange) (User, error)
	}
}

// SetPassword gives somebody a first or another password; all their sign-ins and
// links end. It fails with a FieldError for a password that is refused, with
// Unauthenticated for a wrong current one and Limited after too many of them, with
// Forbidden where passwords are off, and with Conflict for somebody whom a
// directory or another service vouches for. Who has no password yet proves who they are in another way,
// which is the caller's to ask for.
func (o OwnAccount) SetPassword(ctx context.Context, by audit.Actor, u User, current, password string) error {
	if o.SignIn.Off {
		return ErrNoPassword()
	}
	if err := u.MayHavePassword(); err != nil {
		return err
	}
	if err := CheckPassword(password, u.Email); err != nil {
		return err
	}
	if u.HasPassword {
		if _, err := o.SignIn.Password(ctx, u.Email, current); err != nil {
			return err
		}
	}
	hash, err := HashPassword(password)
	if err != nil {
		return err
	}
	if _, err := o.Users.UpdateUser(ctx, by, u.ID, UserChange{PasswordHash: &hash}); err != nil {
		return fmt.Errorf("set the own password: %w", err)
	}
	return nil
}

// Rename changes the name that others see; "" shows the address. It fails with a
// FieldError for one that is too long, and with Stale when the person changed
// since the version seen.
func (o OwnAccount) Rename(ctx context.Context, by audit.Actor, id UserID, typed string, seen int64) (User, error) {
	if n := len([]rune(typed)); n > MaxName {
		return User{}, domain.FieldError("name", "A name has at most %d characters; this one has %d.", MaxName, n)
	}
	name := PersonName(typed)
	u, err := o.Users.UpdateUser(ctx, by, id, UserChange{Name: &name, Seen: seen})
	if err != nil {
		return User{}, fmt.Errorf("rename oneself: %w", err)
	}
	return u, nil
}
