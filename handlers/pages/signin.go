package pages

import (
	"fmt"
	"net/http"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	request.Redirect(w, r, request.Home)
	return nil
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) error {
	next := r.URL.Query().Get("next")
	if request.Principal(r.Context()) != nil {
		request.Redirect(w, r, request.SafeNext(next))
		return nil
	}
	v := views.SignInView{}
	if next != "" {
		v.Next = request.SafeNext(next)
	}
	return s.render(w, r, http.StatusOK, views.SignInPage(s.chrome(r, "Sign in", views.NavNone), v))
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := views.SignInView{Email: r.PostFormValue("email"), Next: request.SafeNext(r.PostFormValue("next"))}

	u, err := s.SignIn.Password(r.Context(), v.Email, r.PostFormValue("password"))
	if domain.KindOf(err) == domain.Unauthenticated {
		if err := s.noteRefusal(r, v.Email, err); err != nil {
			return err
		}
		v.Error = refusal(err)
		return s.render(w, r, http.StatusUnauthorized, views.SignInPage(s.chrome(r, "Sign in", views.NavNone), v))
	}
	if err != nil {
		return err
	}

	return s.enter(w, r, u, people.ByPassword, v.Next)
}

// enter signs a browser in as a person who proved who they are by a method, and
// sends it on. It is the only way in for pages.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, u people.User, method people.Method, next string) error {
	if err := s.endSignIns(r); err != nil { // of whoever used this browser before
		return err
	}
	v, err := s.Identity.StartSession(r.Context(), people.NewSession{
		UserID: u.ID, Kind: people.BrowserSession, Method: method, UserAgent: r.UserAgent(), Client: request.Client(r), ExpiresAt: s.Now().Add(s.SessionAge),
	})
	if err != nil {
		return err
	}
	if err := request.SignIn(r.Context(), s.Sessions, v); err != nil {
		return err
	}
	request.Logger(r.Context()).Info("signed in", "user_id", string(u.ID), "method", string(method))
	request.Redirect(w, r, request.SafeNext(next))
	return nil
}

// noteRefusal records a try that failed, so that guessing shows.
func (s *Server) noteRefusal(r *http.Request, email string, why error) error {
	by := request.Client(r)
	by.UserID = "anonymous"
	err := s.History.Audit(r.Context(), audit.Entry{
		Actor: by, Action: "login_failed", Resource: "session", Result: "error.401",
		Params: map[string]any{"email": email[:min(len(email), maxEmail)], "reason": domain.CodeOf(why)},
	})
	if err != nil {
		return fmt.Errorf("record a failed sign-in: %w", err)
	}
	return nil
}

// maxEmail is the longest address there is.
const maxEmail = 254

// refusal words why somebody was not let in. Only one who knows the password
// hears that the account is deactivated.
func refusal(err error) string {
	if domain.CodeOf(err) == "deactivated" {
		return "This account is deactivated. An administrator can activate it again."
	}
	return "E-mail and password do not match. Check both; an administrator can set a new password."
}
