package pages

import (
	"net/http"
	"net/url"

	"agnes/domain"
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
	refused := r.URL.Query().Get("error")
	if request.Principal(r.Context()) != nil && refused == "" {
		request.Redirect(w, r, request.SafeNext(next))
		return nil
	}
	if next != "" {
		next = request.SafeNext(next)
	}
	v := s.signInView("", next)
	v.Error = views.SignInRefusal(refused)
	return s.render(w, r, http.StatusOK, views.SignInPage(s.chrome(r, "Sign in", views.NavNone), v))
}

// signInView is the sign-in page with the ways in that there are.
func (s *Server) signInView(email, next string) views.SignInView {
	v := views.SignInView{Email: email, Next: next, Password: !s.SignIn.Off, Forgot: s.Links.PasswordsByMail()}
	if why := s.Links.SignInOff(); why == "" {
		v.Link = true
	} else if s.Links != nil && !s.Links.NoLink {
		v.LinkOff = why
	}
	if s.Providers == nil {
		return v
	}
	for _, p := range s.Providers() {
		if next != "" {
			p.URL += "?next=" + url.QueryEscape(next)
		}
		v.Providers = append(v.Providers, p)
	}
	return v
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := s.signInView(r.PostFormValue("email"), request.SafeNext(r.PostFormValue("next")))

	u, err := s.SignIn.Password(r.Context(), v.Email, r.PostFormValue("password"))
	if kind := domain.KindOf(err); kind == domain.Unauthenticated || kind == domain.Limited {
		if err := s.noteRefusal(r, v.Email, people.ByPassword, err); err != nil {
			return err
		}
		v.Error = refusal(err)
		retryAfter(w, err)
		return s.render(w, r, request.Status(kind), views.SignInPage(s.chrome(r, "Sign in", views.NavNone), v))
	}
	if err != nil {
		return err
	}

	return s.enter(w, r, u, people.ByPassword, v.Next)
}

// enter signs a browser in as a person who proved who they are by a method, and
// sends it on. It is the only way in for pages.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, u people.User, method people.Method, next string) error {
	if r.Header.Get("Authorization") == "" { // else it is no browser that asks, and its token is its own
		if err := s.endSignIns(r); err != nil { // of whoever used this browser before
			return err
		}
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

// refusal words why somebody was not let in. Only one who knows the password
// hears that the account is deactivated.
func refusal(err error) string {
	if domain.CodeOf(err) == "deactivated" {
		return "This account is deactivated. An administrator can activate it again."
	}
	if domain.KindOf(err) == domain.Limited {
		return request.Known(err).Message
	}
	return "E-mail and password do not match. Check both; an administrator can set a new password."
}
