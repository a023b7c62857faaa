package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"agnes/domain/people"
	"agnes/handlers"
	"agnes/handlers/request"
	"agnes/static"
)

// TestTriesOfEachRoute knocks at every route that proves who somebody is until
// it answers no more (contract 9.1).
func TestTriesOfEachRoute(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	want := map[string]int{
		"POST /auth/email/send-link": 5, "POST /auth/password/reset": 5, "POST /auth/password/setup/request": 5,
		"POST /login/link": 5, "POST /login/forgot": 5, "POST /auth/bootstrap": 3,
	}
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	c := m.real.Config
	c.Registry, c.Throttle = prometheus.NewRegistry(), &people.Throttle{Counter: m.store}
	var proving []request.Route
	for _, list := range []*[]request.Route{&c.API, &c.Pages} {
		*list = slices.Clone(*list)
		for i := range *list {
			route := &(*list)[i]
			route.Handler = reached
			if route.SignIn {
				proving = append(proving, *route)
			}
		}
	}
	bounded, err := handlers.New(c)
	if err != nil {
		t.Fatal(err)
	}
	k := m.browser(m.mustUser("ada@example.com"))
	for _, r := range proving {
		name := r.Method + " " + r.Pattern
		tries := 10
		if n, ok := want[name]; ok {
			tries = n
			delete(want, name)
		}
		for n := range tries {
			if w := k.knock(bounded, r); w.Code != http.StatusTeapot {
				t.Fatalf("%s, try %d of %d: %d", name, n+1, tries, w.Code)
			}
		}
		w := k.knock(bounded, r)
		if service := strings.HasPrefix(r.Pattern, "/auth/google/") || strings.HasPrefix(r.Pattern, "/auth/oidc/"); service {
			if to := w.Header().Get("Location"); w.Code != http.StatusFound || to != "/login?error=too_many_attempts" || w.Body.Len() > 0 {
				t.Errorf("%s, one try more: %d to %q %s", name, w.Code, to, w.Body)
			}
		} else if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s, one try more: %d, Retry-After %q", name, w.Code, w.Header().Get("Retry-After"))
		}
		if formOfOld(r) { // a person reads the answer
			w := k.knock(bounded, r, "Accept", "text/html,*/*;q=0.8")
			if kind := w.Header().Get("Content-Type"); w.Code != http.StatusTooManyRequests || !strings.HasPrefix(kind, "text/html") {
				t.Errorf("%s in a browser: %d, %s", name, w.Code, kind)
			}
			if policy := w.Header().Get("Content-Security-Policy"); policy != static.CSP {
				t.Errorf("%s in a browser: the page has no looks under %s", name, policy)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no such routes: %v", want)
	}
}

// formOfOld reports whether a route takes a form that browsers sent to release 0.54.
func formOfOld(r request.Route) bool {
	under, ok := strings.CutPrefix(r.Pattern, "/auth/password/")
	return ok && slices.Contains([]string{"login/web", "reset", "reset/confirm", "setup/request", "setup/confirm"}, under)
}
