package pages

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"agnes/views"
)

// onceFor is how long a new token waits for the page that shows it.
const onceFor = 5 * time.Minute

// once keeps new tokens until the page that follows shows them. They lie in
// memory and the session holds only where, because what a session holds is
// written to disk.
type once struct {
	mu      sync.Mutex
	waiting map[string]waitingToken
}

type waitingToken struct {
	made  views.MadeToken
	until time.Time
}

func (o *once) put(now time.Time, made views.MadeToken) (key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting = map[string]waitingToken{}
	}
	for k, w := range o.waiting {
		if now.After(w.until) {
			delete(o.waiting, k)
		}
	}
	key = rand.Text()
	o.waiting[key] = waitingToken{made: made, until: now.Add(onceFor)}
	return key
}

// take returns a token and forgets it; nil when there is none any more.
func (o *once) take(now time.Time, key string) *views.MadeToken {
	o.mu.Lock()
	defer o.mu.Unlock()
	w, ok := o.waiting[key]
	delete(o.waiting, key)
	if !ok || now.After(w.until) {
		return nil
	}
	return &w.made
}

// madeKey is where a session keeps the key of a token to show.
const madeKey = "made_token"

// takeMade is the token that the session is to be shown, nil for none.
func (s *Server) takeMade(ctx context.Context) *views.MadeToken {
	key := s.Sessions.PopString(ctx, madeKey)
	if key == "" {
		return nil
	}
	return s.made.take(s.Now(), key)
}
