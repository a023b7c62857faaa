package handlers

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"agnes/domain"
)

// Network is what may change about whom the server believes while it runs.
type Network struct {
	CORSOrigins    []string
	TrustedOrigins []string
	Proxies        []netip.Prefix
	SessionIdle    time.Duration
}

// network is what is in force now.
func (s *Server) network() Network {
	if s.Current != nil {
		return s.Current()
	}
	return Network{CORSOrigins: s.CORSOrigins, TrustedOrigins: s.TrustedOrigins, Proxies: s.Proxies, SessionIdle: s.SessionIdle}
}

// mayCall reports whether pages of another site may call.
func (s *Server) mayCall(origin string) bool {
	return slices.ContainsFunc(s.network().CORSOrigins, func(one string) bool { return one == "*" || strings.EqualFold(one, origin) })
}

// crossOrigin refuses changes that another site's page asks a browser for.
func (s *Server) crossOrigin() (func(http.Handler) http.Handler, error) {
	if _, err := s.originGuard(); err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			guard, err := s.originGuard()
			if err == nil {
				err = guard.Check(r)
			}
			if err != nil {
				s.fail(w, r, domain.E(domain.Forbidden, "cross_origin", "This change was asked for by another site's page, so nothing was done. Open Agnes itself and try again there."))
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

func (s *Server) originGuard() (*http.CrossOriginProtection, error) {
	guard := http.NewCrossOriginProtection()
	for _, origin := range s.network().TrustedOrigins {
		if err := guard.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return guard, nil
}
