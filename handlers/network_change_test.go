package handlers_test

import (
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"agnes/handlers"
)

// TestNetworkChangesWhileItRuns: whom the server believes is asked anew for each request.
func TestNetworkChangesWhileItRuns(t *testing.T) {
	t.Parallel()
	var now atomic.Pointer[handlers.Network]
	now.Store(&handlers.Network{SessionIdle: time.Hour})
	s := newSite(t, func(c *handlers.Config) { c.Current = func() handlers.Network { return *now.Load() } })
	token := "Bearer " + s.mustToken(s.user)
	asks := func() (status int, allowed string) {
		w := s.ask(http.MethodPost, "/api/mine", "", "Sec-Fetch-Site", "cross-site", "Origin", "https://new.example.com", "Authorization", token)
		return w.Code, w.Header().Get("Access-Control-Allow-Origin")
	}
	if status, allowed := asks(); status != http.StatusForbidden || allowed != "" {
		t.Errorf("before: %d, %q", status, allowed)
	}
	cookie := s.signIn(s.user)
	now.Store(&handlers.Network{
		CORSOrigins: []string{"https://new.example.com"}, TrustedOrigins: []string{"https://new.example.com"},
		Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, SessionIdle: time.Minute,
	})
	if status, allowed := asks(); status != http.StatusOK || allowed != "https://new.example.com" {
		t.Errorf("after: %d, %q", status, allowed)
	}
	if w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie); w.Code != http.StatusOK {
		t.Errorf("a session in use: %d", w.Code)
	}
	s.clock.advance(2 * time.Minute)
	if w := s.ask(http.MethodGet, "/api/mine", "", "Cookie", cookie); w.Code != http.StatusUnauthorized {
		t.Errorf("a session idle for longer than is allowed now: %d", w.Code)
	}
}
