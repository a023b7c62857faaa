package handlers

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/handlers/request"
	"agnes/static"
)

// routes builds the router. The middleware is listed outermost first.
func (s *Server) routes() (http.Handler, error) {
	mux := chi.NewRouter()
	crossOrigin, err := s.crossOrigin()
	if err != nil {
		return nil, err
	}
	squeeze, err := compress()
	if err != nil {
		return nil, err
	}
	mux.Use(
		s.forwarded,
		s.identify,
		s.record,
		s.recover,
		s.secure,
		squeeze,
		s.cors(),
		crossOrigin,
		s.session,
		s.authenticate,
	)
	mux.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, domain.E(domain.NotFound, "not_found", "There is nothing at this address."))
	})
	mux.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		s.failAs(w, r, http.StatusMethodNotAllowed, domain.E(domain.Invalid, "method_not_allowed", "Method Not Allowed"))
	})

	own := []request.Route{{Method: http.MethodGet, Pattern: static.Prefix + "*", Need: access.Public, Handler: static.Handler()}}
	seen := map[string]bool{}
	for _, list := range [][]request.Route{own, s.API, s.Pages} {
		for _, route := range list {
			key := route.Method + " " + route.Pattern
			switch {
			case seen[key]:
				return nil, fmt.Errorf("handlers: two routes answer %s", key)
			case route.Need == access.Undeclared:
				return nil, fmt.Errorf("handlers: %s declares no permission", key)
			case route.Handler == nil:
				return nil, fmt.Errorf("handlers: %s has no handler", key)
			}
			seen[key] = true
			s.mount(mux, route)
		}
	}
	return mux, nil
}

// mount is the one way a route gets into the router.
func (s *Server) mount(mux chi.Router, route request.Route) {
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.permit(r, route); err != nil {
			s.fail(w, r, err)
			return
		}
		if err := s.attempt(r, route); err != nil {
			if route.Limited != nil && domain.KindOf(err) == domain.Limited {
				route.Limited.ServeHTTP(w, r)
				return
			}
			retryAfter(w.Header(), err)
			s.fail(w, r, err)
			return
		}
		s.boundBody(w, r, route)
		ctx, cancel := s.bound(w, r, route)
		defer cancel()
		route.Handler.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // ctx is r's own, bounded
	})
	mux.Method(route.Method, route.Pattern, guarded)
	if route.Method == http.MethodGet && !route.Stream {
		mux.Method(http.MethodHead, route.Pattern, guarded)
	}
}

// permit checks what a route needs. Somebody whose credentials were refused
// hears why, unless the route is open to all.
func (s *Server) permit(r *http.Request, route request.Route) error {
	p := request.Principal(r.Context())
	if err := blind(p, route); err != nil {
		return err
	}
	if p == nil && route.Need != access.Public {
		if refused := refusal(r.Context()); refused != nil {
			return refused
		}
	}
	if err := access.Check(p, route.Need); err != nil || p == nil || route.Need == access.Public {
		return err
	}
	return p.Meet(route.Asked(), s.Now())
}
