package request

import (
	"context"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"agnes/domain/people"
)

// What a browser session holds of its person.
const (
	sessionUser  = "user_id"
	sessionSince = "since"
	sessionUsed  = "used"
)

// SignIn makes the browser session that of a user, under a new token, so that
// one known from before is worth nothing.
func SignIn(ctx context.Context, s *scs.SessionManager, id people.UserID, now time.Time) error {
	if err := s.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	s.Put(ctx, sessionUser, string(id))
	s.Put(ctx, sessionSince, now.UnixMicro())
	UseSession(ctx, s, now)
	return nil
}

// SignOut ends the browser session, here and in the store.
func SignOut(ctx context.Context, s *scs.SessionManager) error {
	if err := s.Destroy(ctx); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// SessionUser returns whose browser session it is and since when; ok is false
// when nobody has signed in.
func SessionUser(ctx context.Context, s *scs.SessionManager) (id people.UserID, since time.Time, ok bool) {
	id = people.UserID(s.GetString(ctx, sessionUser))
	if id == "" {
		return "", time.Time{}, false
	}
	return id, time.UnixMicro(s.GetInt64(ctx, sessionSince)), true
}

// UseSession notes that a session was used.
func UseSession(ctx context.Context, s *scs.SessionManager, now time.Time) {
	s.Put(ctx, sessionUsed, now.UnixMicro())
}

// SessionUsed is when a session was last known to be used.
func SessionUsed(ctx context.Context, s *scs.SessionManager) time.Time {
	return time.UnixMicro(s.GetInt64(ctx, sessionUsed))
}
