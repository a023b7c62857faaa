package pages

import (
	"net/http"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// firstRunKey is where the session of the first visitor keeps the one-time
// token, so that it leaves the address, the history and what is sent as referrer.
const firstRunKey = "first_run"

// errLinkSpent replaces the store's word for a link that opens nothing.
func errLinkSpent(cause error) error {
	return domain.E(domain.NotFound, "first_run_link",
		"This link names the first administrator once, within an hour of the start that printed it. It has been used, or a newer one replaced it. "+
			"If nobody has an account yet, restart Agnes and open the link that it prints; otherwise sign in.").Because(cause)
}

func (s *Server) firstRunPage(w http.ResponseWriter, r *http.Request) error {
	given := r.URL.Query().Get("token")
	token := given
	if token == "" {
		token = s.Sessions.GetString(r.Context(), firstRunKey)
	}

	if err := s.SignIn.FirstRunOpen(r.Context(), token); err != nil {
		return linkError(err)
	}

	if given != "" {
		s.Sessions.Put(r.Context(), firstRunKey, token)
		request.Redirect(w, r, "/first-run")
		return nil
	}
	return s.render(w, r, http.StatusOK, views.FirstRunPage(s.chrome(r, "First administrator", views.NavNone), views.FirstRunView{}))
}

func (s *Server) firstRun(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	token := r.PostFormValue("token")
	if token == "" {
		token = s.Sessions.GetString(r.Context(), firstRunKey)
	}
	v := views.FirstRunView{Name: r.PostFormValue("name"), Email: r.PostFormValue("email")}

	u, err := s.SignIn.FirstAdmin(r.Context(), request.Client(r), token, v.Email, v.Name, r.PostFormValue("password"))
	if fields, ok := fieldErrors(err); ok {
		v.Errors = fields
		return s.render(w, r, http.StatusUnprocessableEntity, views.FirstRunPage(s.chrome(r, "First administrator", views.NavNone), v))
	}
	if err != nil {
		return linkError(err)
	}

	s.Sessions.Remove(r.Context(), firstRunKey)
	return s.enter(w, r, u, people.ByFirstRun, request.Home)
}

func linkError(err error) error {
	if kind := domain.KindOf(err); kind == domain.NotFound || kind == domain.Conflict {
		return errLinkSpent(err)
	}
	return err
}
