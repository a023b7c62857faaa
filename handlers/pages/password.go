package pages

import (
	"net/http"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// Where passwords are set by link.
const (
	resetPath = "/login/reset"
	setUpPath = "/login/setup"
)

func (s *Server) forgotPage(w http.ResponseWriter, r *http.Request) error {
	if !s.Links.PasswordsByMail() {
		request.Redirect(w, r, "/login")
		return nil
	}
	return s.render(w, r, http.StatusOK, views.ForgotPage(s.sheet(r, "Set a password"), views.ForgotView{}))
}

// forgot mails a link for a password. Its answer is the same whoever has the address.
func (s *Server) forgot(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	email := r.PostFormValue("email")

	err := s.Links.Ask(r.Context(), people.Question{Purpose: people.ToReset, Email: email, By: request.Client(r)})
	if problem, status := notAsked(w, err); problem != "" {
		v := views.ForgotView{Email: email, Error: problem}
		return s.render(w, r, status, views.ForgotPage(s.sheet(r, "Set a password"), v))
	}
	if err != nil {
		return err
	}

	request.Redirect(w, r, "/login/forgot/sent")
	return nil
}

func (s *Server) forgotSent(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, views.ForgotPage(s.sheet(r, "Check your mail"), views.ForgotView{Sent: true}))
}

// newPasswordPage asks for the password that a link is for.
func (s *Server) newPasswordPage(p people.Purpose, here string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		link, done, err := s.open(w, r, p, here)
		if done || err != nil {
			return err
		}
		return s.showNewPassword(w, r, http.StatusOK, p, here, link, nil)
	}
}

func (s *Server) showNewPassword(w http.ResponseWriter, r *http.Request, status int, p people.Purpose, here string, link people.Link, wrong views.FieldErrors) error {
	v := views.NewPasswordView{Action: here, First: p == people.ToSetUp, Email: link.Email, Name: link.Name, Errors: wrong}
	title := "Set a new password"
	if v.First {
		title = "Set up your account"
	}
	return s.render(w, r, status, views.NewPasswordPage(s.sheet(r, title), v))
}

// newPassword sets the password that a link is for, and signs its person in.
func (s *Server) newPassword(p people.Purpose, here string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		link, done, err := s.open(w, r, p, here)
		if done || err != nil {
			return err
		}
		u, err := s.setPassword(r, p, s.Sessions.GetString(r.Context(), openedKey+string(p)))
		if fields, ok := fieldErrors(err); ok {
			link.Name = r.PostFormValue("name")
			return s.showNewPassword(w, r, http.StatusUnprocessableEntity, p, here, link, fields)
		}
		if domain.KindOf(err) == domain.Unauthenticated { // used meanwhile
			if err := s.noteRefusal(r, link.Email, people.ByLink, err); err != nil {
				return err
			}
			return s.deadLink(w, r, http.StatusNotFound, p)
		}
		if err != nil {
			return err
		}

		s.forgetLinks(r)
		return s.enter(w, r, u, people.ByLink, request.Home)
	}
}

// setPassword carries a form with a new password out.
func (s *Server) setPassword(r *http.Request, p people.Purpose, ref string) (people.User, error) {
	password := r.PostFormValue("password")
	if again := r.PostForm["confirm_password"]; len(again) > 0 && again[0] != password {
		return people.User{}, domain.FieldError("password", "The two passwords differ. Type the same one twice.")
	}
	return s.Links.SetPassword(r.Context(), request.Client(r), p, ref, r.PostFormValue("name"), password)
}
