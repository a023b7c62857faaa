package pages

import (
	"fmt"
	"net/http"

	"agnes/domain/audit"
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

// noteSignIn records who got in, and how.
func (s *Server) noteSignIn(r *http.Request, u people.User, method people.Method) error {
	if err := s.History.Audit(r.Context(), request.SignedIn(request.Client(r), u, method)); err != nil {
		return fmt.Errorf("record a sign-in: %w", err)
	}
	return nil
}

// noteSignOut records who left, where somebody was there.
func (s *Server) noteSignOut(r *http.Request) error {
	p := request.Principal(r.Context())
	if p == nil {
		return nil
	}
	entry := audit.Entry{Actor: p.Actor(), Action: "logout", Resource: "session", Result: "success"}
	if err := s.History.Audit(r.Context(), entry); err != nil {
		return fmt.Errorf("record a sign-out: %w", err)
	}
	return nil
}
