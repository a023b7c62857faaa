package pages

import (
	"net/http"
	"slices"
	"strconv"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/views"

	"agnes/handlers/request"
)

func (s *Server) tokenMake(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	form := views.TokenForm{Name: r.PostFormValue("name"), Days: r.PostFormValue("days"), Scope: r.PostFormValue("scope")}
	ask := access.TokenRequest{Name: form.Name, Scope: form.Scope}
	if ask.Days, err = parseDays(form.Days); err != nil {
		return err
	}

	t, text, err := s.Personal.Make(r.Context(), p, ask)
	if fields, ok := fieldErrors(err); ok {
		form.Errors = fields
		return s.showAccount(w, r, http.StatusUnprocessableEntity, views.AccountView{Form: form})
	}
	if err != nil {
		return err
	}
	s.showMade(w, r, views.MadeToken{Name: t.Name, Text: text})
	return nil
}

// parseDays reads a lifetime that the form offers.
func parseDays(text string) (*int, error) {
	if !slices.Contains(views.DayChoices(), text) {
		return nil, domain.E(domain.Invalid, codeBadRequest, "The form offers other lifetimes.")
	}
	if text == "" {
		return nil, nil //nolint:nilnil // a token without an end
	}
	days, err := strconv.Atoi(text)
	if err != nil {
		return nil, badForm(err)
	}
	return &days, nil
}

// showMade leads to the page that shows a token this once: loading that again
// makes no second one.
func (s *Server) showMade(w http.ResponseWriter, r *http.Request, made views.MadeToken) {
	s.Sessions.Put(r.Context(), madeKey, s.made.put(s.Now(), made))
	request.Redirect(w, r, "/profile")
}

func (s *Server) tokenRotate(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	t, text, err := s.Personal.Rotate(r.Context(), p, access.TokenID(param(r, "id")))
	if err != nil {
		return err
	}
	s.showMade(w, r, views.MadeToken{Name: t.Name, Text: text, Rotated: true})
	return nil
}

func (s *Server) tokenRevoke(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := s.Identity.RevokeToken(r.Context(), p.Actor(), p.UserID, access.TokenID(param(r, "id"))); err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The token is revoked. Programs that use it are refused from now on."})
	request.Redirect(w, r, "/profile#tokens")
	return nil
}
