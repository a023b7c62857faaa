package handlers

import (
	"net/http"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// Everything about looking through somebody's eyes is decided here: who asks
// becomes an administrator with that person's reach, and reaches only routes
// that say they are for it. A route that nobody thought of is refused.

// through returns who a browser session's person is now: themselves, or somebody
// who looks through other eyes.
func (s *Server) through(r *http.Request, p *access.Principal) (*access.Principal, error) {
	ctx := r.Context()
	eyes, looking := request.EyesOf(ctx, s.Sessions)
	if p.Via != access.ViaSession || !looking {
		return p, nil
	}
	if eyes.SignIn != p.Session || !s.Now().Before(eyes.Until) {
		return s.stopLooking(r, p, eyes.Person, "It lasted its 30 minutes.")
	}
	person, err := s.People.Principal(ctx, eyes.Person)
	if domain.KindOf(err) == domain.Unauthenticated {
		return s.stopLooking(r, p, eyes.Person, "The account was deactivated or deleted.")
	} else if err != nil { // never on with the own reach
		return nil, err
	}
	seen, err := p.Through(person, eyes.Until)
	switch domain.CodeOf(err) {
	case "":
	case "sees_everything":
		return s.stopLooking(r, p, eyes.Person, "They became an administrator and see everything.")
	default:
		return s.stopLooking(r, p, eyes.Person, "You are no administrator any more.")
	}
	return &seen, nil
}

// stopLooking ends a simulation that is over. Only a whole page is shown with
// the person's own reach: what else was asked for was meant for other eyes.
func (s *Server) stopLooking(r *http.Request, p *access.Principal, person people.UserID, why string) (*access.Principal, error) {
	ctx := r.Context()
	if err := s.People.Audit(ctx, audit.Entry{
		Actor: p.Actor(), Action: "access.simulation_ended", Resource: "user:" + string(person), Params: map[string]any{"why": why}, Result: "success",
	}); err != nil {
		return nil, err
	}
	if err := request.CloseEyes(ctx, s.Sessions); err != nil {
		return nil, err
	}
	sentence := "You see as yourself again. " + why
	if reads(r) && request.WantsHTML(r) && r.Header.Get("HX-Request") == "" {
		request.Notify(ctx, s.Sessions, sentence)
		return p, nil
	}
	return nil, domain.E(domain.Conflict, "simulation_over", "%s Nothing was done. Load the page again.", sentence)
}

// blind fails with Forbidden for a route that is closed to other eyes.
func blind(p *access.Principal, route request.Route) error {
	if p == nil || p.As == nil || route.Simulated {
		return nil
	}
	return domain.E(domain.Forbidden, "simulating",
		"You see what %s sees, read only: looking at tables and running queries is all there is. Nothing was done. End the simulation to do this as yourself.", p.As.Email)
}
