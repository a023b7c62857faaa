package request

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"agnes/domain/people"
)

// What a browser session holds while its administrator looks through somebody's
// eyes, and what it says on the next page.
const (
	sessionEyes   = "eyes"
	sessionNotice = "notice"
)

// Eyes are through whose eyes a browser session's administrator looks. What they
// see is read from the store for every request.
type Eyes struct {
	Person people.UserID    `json:"person"`
	SignIn people.SessionID `json:"sign_in"` // of the administrator who began
	Until  time.Time        `json:"until"`
}

// Open begins to look through somebody's eyes.
func (e Eyes) Open(ctx context.Context, s *scs.SessionManager) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("keep whose eyes: %w", err)
	}
	if err := RenewSession(ctx, s); err != nil {
		return err
	}
	s.Put(ctx, sessionEyes, string(text))
	return nil
}

// EyesOf returns through whose eyes the browser session looks; ok is false for
// its person's own. What cannot be read is nobody's, and over.
func EyesOf(ctx context.Context, s *scs.SessionManager) (e Eyes, ok bool) {
	text := s.GetString(ctx, sessionEyes)
	if text == "" {
		return e, false
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return Eyes{}, true
	}
	return e, true
}

// CloseEyes gives the browser session its person's own eyes back, under a new
// token because what it may do grows.
func CloseEyes(ctx context.Context, s *scs.SessionManager) error {
	s.Remove(ctx, sessionEyes)
	return RenewSession(ctx, s)
}

// Notify leaves a sentence for the next page.
func Notify(ctx context.Context, s *scs.SessionManager, sentence string) {
	s.Put(ctx, sessionNotice, sentence)
}

// TakeNotice returns that sentence, once; "" for none.
func TakeNotice(ctx context.Context, s *scs.SessionManager) string {
	return s.PopString(ctx, sessionNotice)
}
