package pages

import (
	"fmt"
	"net/http"

	"agnes/domain/people"
	"agnes/handlers/request"
)

// noteRefusal records a try that failed, so that guessing shows.
func (s *Server) noteRefusal(r *http.Request, email string, method people.Method, why error) error {
	if err := s.History.Audit(r.Context(), request.RefusedSignIn(request.Client(r), email, method, why)); err != nil {
		return fmt.Errorf("record a failed sign-in: %w", err)
	}
	return nil
}
