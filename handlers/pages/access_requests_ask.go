package pages

import (
	"net/http"
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/handlers/request"
	"agnes/views"
)

// offersAtOnce is how many tables the catalog offers to ask for.
const offersAtOnce = 50

// offers lists what somebody may ask for, among it what they asked for already.
func (s *Server) offers(r *http.Request, p access.Principal, c access.Catalog, search string) (views.Offers, error) {
	v := views.Offers{Simulated: p.As != nil}
	words := strings.Fields(strings.ToLower(search))
	for _, o := range c.Offers() {
		if slices.ContainsFunc(words, func(w string) bool { return !contains(o.Name, w) && !contains(o.Description, w) }) {
			continue
		}
		if len(v.List) == offersAtOnce {
			v.More++
			continue
		}
		v.List = append(v.List, views.Offered{Offer: o})
	}
	if len(v.List) == 0 || v.Simulated { // whose requests they are is nothing to look at
		return v, nil
	}
	open, _, err := s.RequestList.ListAccessRequests(r.Context(), access.RequestFilter{Viewer: p.UserID, Mine: true, State: access.RequestOpen})
	if err != nil {
		return v, err
	}
	for i := range v.List {
		v.List[i].Asked = slices.ContainsFunc(open, func(q access.Request) bool {
			return q.ResourceType == access.TableResource && q.ResourceID == v.List[i].ID
		})
	}
	return v, nil
}

// requestAskPage asks for the reason. A table that says nothing of itself is
// like one that is not there.
func (s *Server) requestAskPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return s.showAsk(w, r, http.StatusOK, views.AskView{Offer: access.Offer{ID: q.Get("table")}, Origin: q.Get("origin")})
}

func (s *Server) showAsk(w http.ResponseWriter, r *http.Request, status int, v views.AskView) error {
	_, c, err := s.tables(r)
	if err != nil {
		return err
	}
	if t, err := c.Find(v.Offer.ID); err == nil { // granted meanwhile
		request.Redirect(w, r, string(views.TableURL(t.ID)))
		return nil
	}
	offer, there := c.Offer(v.Offer.ID)
	if !there {
		_, err := c.Find(v.Offer.ID)
		return err
	}
	v.Offer = offer
	return s.render(w, r, status, views.AskPage(s.chrome(r, "Ask for access", views.NavRequests), v))
}

func (s *Server) requestAsk(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	n := access.NewRequest{ResourceType: access.TableResource, ResourceID: r.PostFormValue("table"), Reason: r.PostFormValue("reason"), Origin: access.AskedInCatalog}
	if r.PostFormValue("origin") == string(access.AskedByQuery) {
		n.Origin = access.AskedByQuery
	}
	q, told, err := s.Requests.Ask(r.Context(), p, n)
	if fields, ok := fieldErrors(err); ok {
		return s.showAsk(w, r, http.StatusUnprocessableEntity, views.AskView{
			Offer: access.Offer{ID: n.ResourceID}, Origin: string(n.Origin), Reason: n.Reason, Errors: fields,
		})
	}
	if domain.KindOf(err) == domain.Conflict { // there is nothing to ask for, or it was asked
		return s.refuse(w, r, err, views.RequestsURL)
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: saying("You asked for "+q.ResourceName+". The answer comes here.", told)})
	request.Redirect(w, r, views.RequestsURL)
	return nil
}

// requestWithdraw takes somebody's own request back.
func (s *Server) requestWithdraw(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	f, err := parseRequestForm(r)
	if err != nil {
		return err
	}
	q, err := s.Requests.Withdraw(r.Context(), p, f.id, f.version)
	if kind := domain.KindOf(err); err != nil && (kind == domain.Conflict || kind == domain.Stale) {
		return s.refuse(w, r, err, views.RequestsURL)
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "Your request for " + q.ResourceName + " is withdrawn."})
	request.Redirect(w, r, views.RequestsURL)
	return nil
}
