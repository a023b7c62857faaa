package handlers_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"agnes/handlers"
)

func TestAttemptsAreBoundedByNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	try := func(path, ip string) int {
		r := newRequest(http.MethodPost, path)
		r.RemoteAddr = ip
		w := s.send(r)
		if w.Code == http.StatusTooManyRequests {
			if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
				t.Errorf("Retry-After = %q", w.Header().Get("Retry-After"))
			}
		}
		return w.Code
	}
	for i := range 10 {
		if got := try("/auth/token", "192.0.2.7:1"); got != http.StatusOK {
			t.Fatalf("try %d: %d", i+1, got)
		}
	}
	for i, c := range []struct {
		path, ip string
		want     int
	}{
		{"/auth/token", "192.0.2.7:1", 429},
		{"/auth/token", "[::ffff:192.0.2.7]:9", 429},
		{"/auth/token", "192.0.2.8:1", 200},
		{"/login", "192.0.2.7:1", 200},
		{"/auth/rare", "192.0.2.7:1", 200},
		{"/auth/rare", "192.0.2.7:1", 200},
		{"/auth/rare", "192.0.2.7:1", 200},
		{"/auth/rare", "192.0.2.7:1", 200},
		{"/auth/rare", "192.0.2.7:1", 429},
	} {
		if got := try(c.path, c.ip); got != c.want {
			t.Errorf("%d: %s from %s = %d, want %d", i, c.path, c.ip, got, c.want)
		}
	}
	for i := range 10 {
		try("/auth/token", fmt.Sprintf("[2001:db8:1:2::%x]:1", i+1))
	}
	if got := try("/auth/token", "[2001:db8:1:2:ffff::1]:1"); got != 429 {
		t.Errorf("another address of the same /64: %d, want 429", got)
	}
	s.clock.advance(time.Minute)
	if got := try("/auth/token", "192.0.2.7:1"); got != http.StatusOK {
		t.Errorf("a minute later: %d", got)
	}
}

func TestAttemptsAreUnboundedWhenSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *handlers.Config) { c.Throttle = nil })
	for range 30 {
		if w := s.ask(http.MethodPost, "/auth/token", "{}"); w.Code != http.StatusOK {
			t.Fatalf("status %d", w.Code)
		}
	}
}

// What a proxy says of its client counts only where the proxy is trusted.
func TestAttemptsBehindProxies(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *handlers.Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	try := func(from, forwarded string) int {
		r := newRequest(http.MethodPost, "/auth/token")
		r.RemoteAddr = from + ":4711"
		r.Header.Set("X-Forwarded-For", forwarded)
		return s.send(r).Code
	}
	for i := range 10 {
		if got := try("10.0.0.1", fmt.Sprintf("203.0.113.%d, 198.51.100.1", i)); got != http.StatusOK {
			t.Fatalf("try %d: %d", i+1, got)
		}
	}
	for i, c := range []struct {
		from, forwarded string
		want            int
	}{
		{"10.0.0.1", "203.0.113.99, 198.51.100.1", 429},
		{"198.51.100.1", "203.0.113.99", 429},
		{"10.0.0.1", "198.51.100.1, 198.51.100.2", 200},
		{"10.0.0.1", "198.51.100.1, nonsense", 200},
	} {
		if got := try(c.from, c.forwarded); got != c.want {
			t.Errorf("%d: %s for %s = %d, want %d", i, c.from, c.forwarded, got, c.want)
		}
	}
}
