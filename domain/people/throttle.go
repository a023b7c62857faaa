package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"agnes/domain"
)

// TryLimit bounds tries under one key.
type TryLimit struct {
	Free   int           // tries that need no wait
	Window time.Duration // after the first of them they are forgotten
	// Wait is how long the next try has to wait once Free were made; it doubles with
	// each further one, up to MaxWait. 0: until the window ends, which forgets them.
	Wait, MaxWait time.Duration
	// Rest is how long after the end of a wait the tries are forgotten.
	Rest time.Duration
}

// AccountTries bounds tries on one account, whether it exists or not: ten in a
// quarter of an hour, then a wait that never grows beyond that, so that nobody
// is locked out for good by somebody else's guesses.
func AccountTries() TryLimit {
	return TryLimit{Free: 10, Window: 15 * time.Minute, Wait: time.Minute, MaxWait: 15 * time.Minute, Rest: 15 * time.Minute}
}

// NetworkTries bounds tries of one client network on one route.
func NetworkTries(perMinute int) TryLimit {
	return TryLimit{Free: perMinute, Window: time.Minute}
}

// MailTries bounds the mails that anybody can have sent to one address: five in a
// quarter of an hour, whatever they are for. More would flood a mailbox, or keep
// replacing the link that its owner is about to open.
func MailTries() TryLimit {
	return TryLimit{Free: 5, Window: 15 * time.Minute}
}

// TryCounter counts tries so that they outlive a restart.
type TryCounter interface {
	// TakeTry takes one try under a key in one step, or returns how long to wait
	// for the next one.
	TakeTry(ctx context.Context, key string, l TryLimit) (wait time.Duration, err error)
	// ForgetTries forgets the tries under a key.
	ForgetTries(ctx context.Context, key string) error
}

// Throttle bounds guessing. A nil Throttle bounds nothing.
type Throttle struct{ Counter TryCounter }

// Allow takes one try to prove by some kind of secret (password, link, code) to
// be an account, or fails with a Limited error. It is to be called before
// anything is compared, so that tries at the same time are counted too.
func (t *Throttle) Allow(ctx context.Context, kind, account string) error {
	return t.take(ctx, tryKey(kind, account), AccountTries(), "Too many attempts to sign in to this account.")
}

// AllowFrom is Allow for a client network that tries a route.
func (t *Throttle) AllowFrom(ctx context.Context, network, route string, perMinute int) error {
	return t.take(ctx, tryKey("network "+route, network), NetworkTries(perMinute), "Too many attempts to sign in from this address.")
}

// AllowMail takes one of the mails that may be asked for to an address, whether it
// is somebody's or not.
func (t *Throttle) AllowMail(ctx context.Context, address string) error {
	return t.take(ctx, tryKey("mail", address), MailTries(), "Too many mails were asked for to this address; the newest that came works once.")
}

// Succeeded forgets the tries on an account whose owner got in.
func (t *Throttle) Succeeded(ctx context.Context, kind, account string) error {
	if t == nil {
		return nil
	}
	if err := t.Counter.ForgetTries(ctx, tryKey(kind, account)); err != nil {
		return fmt.Errorf("forget tries: %w", err)
	}
	return nil
}

func (t *Throttle) take(ctx context.Context, key string, l TryLimit, what string) error {
	if t == nil {
		return nil
	}
	wait, err := t.Counter.TakeTry(ctx, key, l)
	if err != nil {
		return fmt.Errorf("count a try: %w", err)
	}
	if wait > 0 {
		return &TooManyTries{What: what, Wait: wait}
	}
	return nil
}

// TooManyTries says that no try is left for a while. Its kind is Limited.
type TooManyTries struct {
	What string // was too much, as a sentence
	Wait time.Duration
}

// Error returns the sentence. It is the same for accounts that do not exist.
func (e *TooManyTries) Error() string {
	wait := "a minute"
	if minutes := int((e.Wait + time.Minute - 1) / time.Minute); minutes > 1 {
		wait = fmt.Sprintf("%d minutes", minutes)
	}
	return fmt.Sprintf("%s Wait %s, then try again.", e.What, wait)
}

// Unwrap makes KindOf(err) Limited.
func (e *TooManyTries) Unwrap() error {
	return &domain.Error{Kind: domain.Limited, Code: "too_many_attempts", Message: e.Error()}
}

// TryAgainAfter is how long to wait after a TooManyTries in err's chain, 0 without one.
func TryAgainAfter(err error) time.Duration {
	var e *TooManyTries
	if errors.As(err, &e) {
		return e.Wait
	}
	return 0
}

// tryKey hides whose tries are counted: the state shall not list addresses of
// people who never had an account here.
func tryKey(kind, value string) string {
	h := sha256.Sum256([]byte(kind + "\x00" + value))
	return hex.EncodeToString(h[:])
}
