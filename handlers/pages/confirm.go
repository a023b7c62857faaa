package pages

import (
	"fmt"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

func (s *Server) confirmPage(w http.ResponseWriter, r *http.Request) error {
	return s.showConfirm(w, r, http.StatusOK, r.URL.Query().Get("next"), "")
}

func (s *Server) showConfirm(w http.ResponseWriter, r *http.Request, status int, next, problem string) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	u, err := s.Identity.GetUser(r.Context(), p.UserID)
	if err != nil {
		return fmt.Errorf("who confirms: %w", err)
	}
	v := views.ConfirmView{Email: u.Email, Next: request.SafeNext(next), Error: problem, Password: u.HasPassword && !s.PasswordsOff && p.Via == access.ViaSession}
	for _, provider := range s.Fresh {
		provider.URL += "?" + url.Values{"fresh": {"1"}, "next": {v.Next}}.Encode()
		v.Providers = append(v.Providers, provider)
	}
	return s.render(w, r, status, views.ConfirmPage(s.chrome(r, "Confirm", views.NavNone), v))
}

func (s *Server) confirm(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if p.Via != access.ViaSession || s.PasswordsOff {
		return domain.E(domain.Forbidden, "no_password_here", "A password confirms nothing here. Sign out and sign in again.")
	}
	next := r.PostFormValue("next")

	u, err := s.SignIn.Password(r.Context(), p.Email, r.PostFormValue("password"))
	if domain.KindOf(err) == domain.Unauthenticated || (err == nil && u.ID != p.UserID) {
		if err := s.noteRefusal(r, p.Email, people.ByPassword, domain.E(domain.Unauthenticated, "wrong_password", "")); err != nil {
			return err
		}
		return s.showConfirm(w, r, http.StatusUnprocessableEntity, next, "This is not your password. Nothing was changed.")
	}
	if err != nil {
		return err
	}

	if err := s.Identity.Prove(r.Context(), p.Actor(), p.Session, people.ByPassword); err != nil {
		return err
	}
	if err := request.RenewSession(r.Context(), s.Sessions); err != nil {
		return err
	}
	request.Redirect(w, r, request.SafeNext(next))
	return nil
}

// confirmAgain is the way for everybody: a new sign-in is a proof.
func (s *Server) confirmAgain(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if err := s.endSignIns(r); err != nil {
		return err
	}
	return s.leave(w, r, "/login?next="+url.QueryEscape(request.SafeNext(r.PostFormValue("next"))))
}
