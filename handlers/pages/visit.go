package pages

import (
	"fmt"
	"net/http"

	"agnes/domain/access"
	"agnes/handlers/request"
)

// visit is what one request has read already.
type visit struct{ catalog *access.Catalog }

// visitKey is the context's key for the visit.
type visitKey struct{}

// who returns the principal of a route that needs one.
func who(r *http.Request) (access.Principal, error) {
	p := request.Principal(r.Context())
	if p == nil {
		return access.Principal{}, access.Check(nil, access.SignedIn)
	}
	return *p, nil
}

// tables returns the principal with its catalog, read once a request.
func (s *Server) tables(r *http.Request) (access.Principal, access.Catalog, error) {
	p, err := who(r)
	if err != nil {
		return p, access.Catalog{}, err
	}
	v, ok := r.Context().Value(visitKey{}).(*visit)
	if ok && v.catalog != nil {
		return p, *v.catalog, nil
	}
	c, err := s.Catalogs.Catalog(r.Context(), p)
	if err != nil {
		return p, c, fmt.Errorf("catalog: %w", err)
	}
	if ok {
		v.catalog = &c
	}
	return p, c, nil
}
