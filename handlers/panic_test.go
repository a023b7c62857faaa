package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/guard"
	"agnes/handlers"
	"agnes/handlers/request"
)

// TestPanicsAreSurvived has handlers panic before they answer and in the middle
// of it, templates, and work beside a request: each costs one answer at most, and
// the server goes on.
func TestPanicsAreSurvived(t *testing.T) {
	t.Parallel()
	g := &guard.Guard{}
	s := newSite(t, func(c *handlers.Config) {
		c.Guard = g
		g.Log = c.Log
		c.Pages = append(c.Pages, panicRoutes()...)
	})
	server := s.serve()
	fetch := func(path string) (int, string, error) {
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, string(body), err
	}
	shown := func(path string) error {
		code, body, err := fetch(path)
		if err != nil || code != http.StatusInternalServerError || strings.Contains(body, "secret") {
			return fmt.Errorf("%d %s, %w; want a 500 that says nothing of it", code, body, err)
		}
		return nil
	}
	ways := map[string]func() error{
		"in a handler":  func() error { return shown("/api/panic") },
		"in a template": func() error { return shown("/template") },
		"in the middle of an answer": func() error {
			if _, _, err := fetch("/api/half"); err == nil {
				return errors.New("it looks whole")
			}
			return nil
		},
		"beside a request": func() error {
			before := g.Panics()
			code, _, err := fetch("/beside")
			if err != nil || code != http.StatusOK || g.Panics() != before+1 {
				return fmt.Errorf("%d, %w, %d panics noted", code, err, g.Panics()-before)
			}
			return nil
		},
	}
	survived := 0
	for range 10 {
		for where, try := range ways {
			if err := try(); err != nil {
				t.Errorf("a panic %s: %v", where, err)
				continue
			}
			if code, _, err := fetch("/api/open"); err != nil || code != http.StatusOK {
				t.Errorf("after a panic %s: %d, %v", where, code, err)
				continue
			}
			survived++
		}
	}
	t.Logf("R19: %d of 40 panics survived", survived)
	if got := strings.Count(s.log.String(), `"msg":"panic"`); got < 40 || g.Panics() < 40 { // a client may ask again when nothing came
		t.Errorf("%d panics are in the log and %d counted, want 40 at least", got, g.Panics())
	}
}

// panicRoutes are routes whose work panics outside the handler's own lines.
func panicRoutes() []request.Route {
	page := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, "<h1>half a page"); err != nil {
			return err
		}
		var rows []string
		_, err := io.WriteString(w, rows[len("secret")])
		return err
	})
	return []request.Route{
		{Method: http.MethodGet, Pattern: "/template", Need: access.Public, Handler: templ.Handler(page)},
		{Method: http.MethodGet, Pattern: "/beside", Need: access.Public, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var beside sync.WaitGroup
			beside.Go(request.Guard(r.Context()).Func("beside a request", func() { panic("secret") }))
			beside.Wait()
		})},
	}
}
