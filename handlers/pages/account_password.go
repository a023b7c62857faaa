package pages

import (
	"fmt"
	"net/http"
	"slices"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

func (s *Server) ownAccount() people.OwnAccount {
	return people.OwnAccount{SignIn: s.SignIn, Users: s.People}
}

func (s *Server) accountRename(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	typed := r.PostFormValue("name")
	if sent(r, "name") == nil { // nothing is asked for
		request.Redirect(w, r, "/profile")
		return nil
	}

	u, err := s.ownAccount().Rename(r.Context(), p.Actor(), p.UserID, typed, seen(r))
	if shown, err := s.clash(w, r, err, clashOf{Title: "Your name", Back: "/profile", Labels: personLabels(), Word: personWord}); shown {
		return err
	}
	if fields, ok := fieldErrors(err); ok {
		v := blankAccount()
		v.NameForm = views.NameForm{Name: typed, Version: seen(r), Errors: fields}
		return s.showAccount(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}

	s.tell(r.Context(), views.Toast{Text: "Others see you as " + personTitle(u) + "."})
	request.Redirect(w, r, "/profile")
	return nil
}

// accountPassword sets the own password. Every other sign-in ends; that of this
// browser is made anew.
func (s *Server) accountPassword(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if p.Via != access.ViaSession {
		return domain.E(domain.Forbidden, "session_required", "A password is set in a browser that is signed in. Sign in to the portal first.")
	}
	u, err := s.Identity.GetUser(r.Context(), p.UserID)
	if err != nil {
		return fmt.Errorf("own password: %w", err)
	}
	if !u.HasPassword { // nothing else proves that it is them
		if err := p.Recent(s.Now()); err != nil {
			return err
		}
	}
	method, err := s.method(r, p)
	if err != nil {
		return err
	}

	if err := s.changeOwn(r, p, u); err != nil {
		return s.notChanged(w, r, u, err)
	}

	if u.HasPassword {
		method = people.ByPassword
	}
	s.tell(r.Context(), views.Toast{Text: "Your password is set. You are signed in here only."})
	return s.enter(w, r, u, method, "/profile")
}

func (s *Server) changeOwn(r *http.Request, p access.Principal, u people.User) error {
	password := r.PostFormValue("password")
	if r.PostFormValue("again") != password {
		return domain.FieldError("again", "The two passwords differ. Type the same one twice.")
	}
	return s.ownAccount().SetPassword(r.Context(), p.Actor(), u, r.PostFormValue("current"), password)
}

// notChanged shows the form with why, beside its field.
func (s *Server) notChanged(w http.ResponseWriter, r *http.Request, u people.User, why error) error {
	v, status := blankAccount(), http.StatusUnprocessableEntity
	fields, ok := fieldErrors(why)
	switch kind := domain.KindOf(why); {
	case ok:
		v.PasswordErrors = fields
	case kind == domain.Unauthenticated, kind == domain.Limited:
		v.PasswordErrors = views.FieldErrors{"current": "This is not your password. Nothing was changed."}
		if kind == domain.Limited {
			retryAfter(w, why)
			v.PasswordErrors["current"], status = request.Known(why).Message, http.StatusTooManyRequests
		}
		if err := s.noteRefusal(r, u.Email, people.ByPassword, why); err != nil {
			return err
		}
	default:
		return why
	}
	return s.showAccount(w, r, status, v)
}

// method is how the sign-in of a principal was made.
func (s *Server) method(r *http.Request, p access.Principal) (people.Method, error) {
	sessions, err := s.Identity.ListSessions(r.Context(), p.UserID, s.Now().Add(-s.current().SessionIdle))
	if err != nil {
		return "", fmt.Errorf("own password: %w", err)
	}
	i := slices.IndexFunc(sessions, func(v people.Session) bool { return v.ID == p.Session })
	if i < 0 {
		return people.ByPassword, nil // ended meanwhile
	}
	return sessions[i].Method, nil
}
