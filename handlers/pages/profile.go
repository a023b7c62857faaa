package pages

import (
	"context"
	"net/http"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/views"
)

// Profiler knows what is in the columns of a table that the reader may read.
type Profiler interface {
	Of(ctx context.Context, t registry.Published) (syncs.ProfileView, error)
	Ask(ctx context.Context, by audit.Actor, table registry.TableID) error
}

// tableProfile has the columns of a table counted anew.
func (s *Server) tableProfile(w http.ResponseWriter, r *http.Request) error {
	_, t, err := s.table(r)
	if err != nil {
		return err
	}
	if t.Version == nil {
		return domain.E(domain.Conflict, "no_rows", "%s has no rows here yet, so there is nothing to count. Sync it first.", t.Name)
	}

	if err := s.Profiler.Ask(r.Context(), request.Actor(r), t.ID); err != nil {
		return err
	}

	request.Redirect(w, r, string(views.TableURL(t.ID)))
	return nil
}
