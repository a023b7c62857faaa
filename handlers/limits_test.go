package handlers

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/handlers/request"
)

// connection records the deadlines that are set on it.
type connection struct {
	http.ResponseWriter
	read, write []time.Time
}

func (c *connection) SetReadDeadline(at time.Time) error {
	c.read = append(c.read, at)
	return nil
}

func (c *connection) SetWriteDeadline(at time.Time) error {
	c.write = append(c.write, at)
	return nil
}

func TestDeadlinesOfAConnection(t *testing.T) {
	t.Parallel()
	s := &Server{Config: Config{Timeout: time.Minute}}
	tests := []struct {
		name        string
		route       request.Route
		body        string
		read, write int
		bounded     bool
	}{
		{"a usual route", request.Route{}, "body", 2, 1, true},
		{"without a body", request.Route{}, "", 0, 1, true},
		{"a long answer", request.Route{Long: true}, "body", 2, 0, false},
		{"an upload", request.Route{Long: true, MaxBody: request.NoLimit}, "body", 0, 0, false},
		{"a stream", request.Route{Stream: true}, "", 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &connection{ResponseWriter: httptest.NewRecorder()}
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			if tt.body == "" {
				r.Body = http.NoBody
			}
			s.boundBody(c, r, tt.route)
			ctx, cancel := s.bound(c, r, tt.route)
			defer cancel()
			if _, bounded := ctx.Deadline(); bounded != tt.bounded {
				t.Errorf("the handler is bounded: %t, want %t", bounded, tt.bounded)
			}
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Fatal(err)
			}
			if len(c.read) != tt.read || len(c.write) != tt.write {
				t.Fatalf("deadlines set: %d for reading, %d for writing, want %d, %d", len(c.read), len(c.write), tt.read, tt.write)
			}
			if tt.read > 0 && (c.read[0].IsZero() || !c.read[1].IsZero()) {
				t.Errorf("read deadlines %v: the body's must end with the body", c.read)
			}
			if err := r.Body.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
