package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"agnes/domain/audit"
)

// Rescue is what breaking the glass did.
type Rescue struct {
	User        User
	Created     bool
	Reactivated bool
	MadeAdmin   bool
	Token       string // of the link that sets the password, once
	ExpiresAt   time.Time
}

// RescueStore is what breaking the glass needs of the store.
type RescueStore interface {
	TryCounter
	BreakGlass(ctx context.Context, by audit.Actor, email string, linkHash []byte, expires time.Time) (Rescue, error)
}

// rescueLifetime is how long the link of a rescue works.
const rescueLifetime = time.Hour

// BreakGlass lets an address in as an administrator, by a link that sets its
// password once within an hour. Whoever may run a program on the server's data
// may do it; tries that were counted against the address are forgotten.
func BreakGlass(ctx context.Context, s RescueStore, by audit.Actor, email string, now time.Time) (Rescue, error) {
	address, err := NormalEmail(email)
	if err != nil {
		return Rescue{}, err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return Rescue{}, fmt.Errorf("random token: %w", err)
	}
	token, expires := base64.RawURLEncoding.EncodeToString(raw), now.Add(rescueLifetime)
	r, err := s.BreakGlass(ctx, by, address, LinkHash("password_setup", token), expires)
	if err != nil {
		return Rescue{}, err
	}
	r.Token, r.ExpiresAt = token, expires
	return r, (&Throttle{Counter: s}).Succeeded(ctx, string(ByPassword), address)
}
