package request

import (
	"context"
	"fmt"

	"github.com/alexedwards/scs/v2"

	"agnes/domain/people"
)

// sessionSignIn is what a browser session holds of its person: which sign-in
// it is. All else is read from there for every request.
const sessionSignIn = "sign_in"

// SignIn makes the browser session that of a sign-in, under a new token, so
// that one known from before is worth nothing.
func SignIn(ctx context.Context, s *scs.SessionManager, v people.Session) error {
	if err := RenewSession(ctx, s); err != nil {
		return err
	}
	s.Put(ctx, sessionSignIn, string(v.ID))
	return nil
}

// RenewSession gives the browser session a new token. It is due whenever what
// the session may do grows.
func RenewSession(ctx context.Context, s *scs.SessionManager) error {
	if err := s.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	return nil
}

// SignOut ends the browser session, here and in the store. The sign-in behind
// it is the caller's to end.
func SignOut(ctx context.Context, s *scs.SessionManager) error {
	if err := s.Destroy(ctx); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// SessionID returns which sign-in the browser session is; ok is false when
// nobody has signed in.
func SessionID(ctx context.Context, s *scs.SessionManager) (id people.SessionID, ok bool) {
	id = people.SessionID(s.GetString(ctx, sessionSignIn))
	return id, id != ""
}
