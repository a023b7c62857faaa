package handlers

import (
	"fmt"
	"net/http"
	"net/netip"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// defaultAttempts is how often a minute one network may try a route that proves
// who somebody is.
const defaultAttempts = 10

// attempt takes one of the tries that a client's network has on a route. Tries
// beyond them are logged and not audited: a flood shall not fill the state.
func (s *Server) attempt(r *http.Request, route request.Route) error {
	if !route.SignIn {
		return nil
	}
	perMinute := route.Attempts
	if perMinute <= 0 {
		perMinute = defaultAttempts
	}
	err := s.Throttle.AllowFrom(r.Context(), network(request.IP(r)), route.Method+" "+route.Pattern, perMinute)
	if domain.KindOf(err) == domain.Limited {
		request.Logger(r.Context()).Warn("too many attempts to sign in", "client_ip", request.IP(r), "route", route.Pattern)
	}
	if err != nil {
		return fmt.Errorf("bound attempts: %w", err)
	}
	return nil
}

// network is what one person has: an IPv4 address, or a /64 of IPv6.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}

// retryAfter says when what was too much is worth another try.
func retryAfter(h http.Header, err error) {
	if wait := people.TryAgainAfter(err); wait > 0 {
		h.Set("Retry-After", request.Seconds(wait))
	}
}
