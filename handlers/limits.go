package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"agnes/handlers/request"
)

// bound gives the request the time that its route may take.
func (s *Server) bound(w http.ResponseWriter, r *http.Request, route request.Route) (context.Context, context.CancelFunc) {
	switch {
	case route.Stream:
		ctx, cancel := context.WithCancel(r.Context())
		s.Guard.Go("end a stream", func() {
			select {
			case <-s.Stopping:
				cancel()
			case <-ctx.Done():
			}
		})
		return ctx, cancel
	case route.Long:
		return context.WithCancel(r.Context())
	}
	// The connection gets a little longer than the handler, which can then
	// still say that its time was up.
	s.deadline(r, http.NewResponseController(w).SetWriteDeadline, after(r.Context(), s.Timeout+5*time.Second))
	return context.WithTimeout(r.Context(), s.Timeout)
}

// bodyTime is how long a body of limited size may take to arrive.
const bodyTime = 30 * time.Second

// boundBody limits a request's body in size and time. Its deadline ends with
// the body: one left on the connection would end a long query that is running.
func (s *Server) boundBody(w http.ResponseWriter, r *http.Request, route request.Route) {
	if route.MaxBody < 0 || r.Body == nil || r.Body == http.NoBody {
		return
	}
	limit := route.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	set := http.NewResponseController(w).SetReadDeadline
	s.deadline(r, set, after(r.Context(), bodyTime))
	r.Body = &timedBody{ReadCloser: http.MaxBytesReader(w, r.Body, limit), done: func() { s.deadline(r, set, time.Time{}) }}
}

// after is the time by the machine's own clock, which connections live by.
func after(ctx context.Context, d time.Duration) time.Time {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	at, ok := ctx.Deadline()
	if !ok {
		return time.Time{}
	}
	return at
}

// deadline sets a deadline of the connection, where the connection has any.
func (s *Server) deadline(r *http.Request, set func(time.Time) error, at time.Time) {
	if err := set(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		request.Logger(r.Context()).Debug("set the connection's deadline", "err", err)
	}
}

// timedBody is a body whose deadline is taken away once it was read or closed.
type timedBody struct {
	io.ReadCloser
	done func()
}

// Read reads the body.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.done()
	}
	return n, err
}

// Close ends reading.
func (b *timedBody) Close() error {
	b.done()
	return b.ReadCloser.Close()
}
