package pages

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// Principals tells who somebody is now.
type Principals interface {
	Principal(ctx context.Context, id people.UserID) (access.Principal, error)
}

// simulateRoutes begin and end looking through another person's eyes.
func (s *Server) simulateRoutes() []request.Route {
	terms := access.Terms{Interactive: true}
	return []request.Route{
		{Method: http.MethodGet, Pattern: views.SimulateURL, Need: access.Admin, Terms: terms, Handler: s.page(s.simulatePage)},
		{Method: http.MethodPost, Pattern: views.SimulateURL, Need: access.Admin, Terms: terms, Handler: s.page(s.simulate)},
		{Method: http.MethodPost, Pattern: views.SimulateEndURL, Need: access.SignedIn, Terms: terms, Handler: s.page(s.simulateEnd), Simulated: true},
	}
}

// peopleToSimulate is how many people the page offers at once.
const peopleToSimulate = 20

func (s *Server) simulatePage(w http.ResponseWriter, r *http.Request) error {
	v := views.SimulateView{Search: strings.TrimSpace(r.URL.Query().Get("q")), Self: request.Principal(r.Context()).UserID}
	var err error
	v.People, v.Matching, err = s.People.ListUsers(r.Context(), people.UserFilter{Search: v.Search, State: people.ActiveUsers, Limit: peopleToSimulate})
	if err != nil {
		return fmt.Errorf("people to see as: %w", err)
	}
	if request.Partial(r) {
		return s.render(w, r, http.StatusOK, views.SimulatePeople(v))
	}
	chrome := s.chrome(r, "See as a person", views.NavAccess)
	return s.render(w, r, http.StatusOK, views.SimulatePage(chrome, v))
}

// simulate begins. Who begins twice ends the first one by that.
func (s *Server) simulate(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	person, err := s.Principals.Principal(r.Context(), people.UserID(r.PostFormValue("person")))
	if err != nil {
		return notToSee(err)
	}
	until := s.Now().Add(access.SimulateFor)
	if _, err := p.Through(person, until); err != nil {
		return err
	}

	if err := s.noteEyes(r, p, "access.simulation_started", person.UserID, map[string]any{"as": person.Email, "until": until.UTC()}); err != nil {
		return err
	}
	if err := (request.Eyes{Person: person.UserID, SignIn: p.Session, Until: until}).Open(r.Context(), s.Sessions); err != nil {
		return err
	}

	request.Redirect(w, r, request.Home)
	return nil
}

func (s *Server) simulateEnd(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if p.As == nil { // ended already, such as in another tab
		request.Redirect(w, r, request.Home)
		return nil
	}
	if err := s.endEyes(r, p, "They ended it."); err != nil {
		return err
	}
	if err := request.CloseEyes(r.Context(), s.Sessions); err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "You see as yourself again."})
	request.Redirect(w, r, views.SimulateURL)
	return nil
}

// endEyes notes that p looks through nobody's eyes any more.
func (s *Server) endEyes(r *http.Request, p access.Principal, why string) error {
	return s.noteEyes(r, p, "access.simulation_ended", p.As.User, map[string]any{"as": p.As.Email, "why": why})
}

func (s *Server) noteEyes(r *http.Request, p access.Principal, action string, person people.UserID, params map[string]any) error {
	err := s.History.Audit(r.Context(), audit.Entry{Actor: p.Actor(), Action: action, Resource: "user:" + string(person), Params: params, Result: "success"})
	if err != nil {
		return fmt.Errorf("note a simulation: %w", err)
	}
	return nil
}

// notToSee words that there is nobody to see as: the store's own words are for
// somebody who signs in.
func notToSee(err error) error {
	if domain.KindOf(err) != domain.Unauthenticated {
		return fmt.Errorf("person to see as: %w", err)
	}
	return domain.E(domain.NotFound, "user_not_found", "There is no such active account. Choose somebody from the list.").Because(err)
}
