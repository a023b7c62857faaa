package pages

import (
	"net/http"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// What the session of somebody who is not signed in holds about links.
const (
	requestKey = "link_request" // proves that this browser asked
	askedKey   = "link_email"
	openedKey  = "link_opened_" // and the purpose: the reference of a link that was opened here
)

// linkAsk takes an address that wants a link. Its answer is the same whoever has the address.
func (s *Server) linkAsk(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	asked, err := people.NewSecret()
	if err != nil {
		return err
	}
	email, next := r.PostFormValue("email"), request.SafeNext(r.PostFormValue("next"))

	err = s.Links.Ask(r.Context(), people.Question{Purpose: people.ToSignIn, Email: email, Next: next, Request: asked, By: request.Client(r)})
	if problem, status := notAsked(w, err); problem != "" {
		v := s.signInView(email, next)
		v.LinkError = problem
		return s.render(w, r, status, views.SignInPage(s.sheet(r, "Sign in"), v))
	}
	if err != nil {
		return err
	}

	s.Sessions.Put(r.Context(), requestKey, asked)
	s.Sessions.Put(r.Context(), askedKey, email)
	request.Redirect(w, r, "/login/sent")
	return nil
}

// notAsked is what a form that asks for mail says when it could not, "" where
// that is not for the form to say.
func notAsked(w http.ResponseWriter, err error) (problem string, status int) {
	if fields, ok := fieldErrors(err); ok {
		return fields["email"], http.StatusUnprocessableEntity
	}
	if domain.KindOf(err) != domain.Limited {
		return "", 0
	}
	retryAfter(w, err)
	return request.Known(err).Message, http.StatusTooManyRequests
}

// sheet is the chrome of a page around signing in, also when somebody is signed in already.
func (s *Server) sheet(r *http.Request, title string) views.Chrome {
	c := s.chrome(r, title, views.NavNone)
	c.Viewer, c.Failing = nil, 0
	return c
}

func (s *Server) linkSent(w http.ResponseWriter, r *http.Request) error {
	if s.Sessions.GetString(r.Context(), requestKey) == "" {
		request.Redirect(w, r, "/login")
		return nil
	}
	return s.showSent(w, r, http.StatusOK, "")
}

func (s *Server) showSent(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	v := views.MailSentView{Email: s.Sessions.GetString(r.Context(), askedKey), Error: problem}
	return s.render(w, r, status, views.MailSentPage(s.sheet(r, "Check your mail"), v))
}

// codeSignIn takes the code of a mail in the browser that asked for it.
func (s *Server) codeSignIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	asked := s.Sessions.GetString(r.Context(), requestKey)
	if asked == "" {
		request.Redirect(w, r, "/login")
		return nil
	}

	u, next, err := s.Links.SignInByCode(r.Context(), request.Client(r), asked, r.PostFormValue("code"))
	if domain.KindOf(err) == domain.Unauthenticated {
		if err := s.noteRefusal(r, s.Sessions.GetString(r.Context(), askedKey), people.ByLink, err); err != nil {
			return err
		}
		return s.showSent(w, r, http.StatusUnauthorized, "This code does not work. Type the one of the newest mail; after five wrong ones, ask for another mail.")
	}
	if err != nil {
		return err
	}

	s.forgetLinks(r)
	return s.enter(w, r, u, people.ByLink, next)
}

func (s *Server) forgetLinks(r *http.Request) {
	for _, key := range []string{requestKey, askedKey, openedKey + string(people.ToSignIn), openedKey + string(people.ToReset), openedKey + string(people.ToSetUp)} {
		s.Sessions.Remove(r.Context(), key)
	}
}

// linkOpenPage shows the button that uses a link up. Opening it spends nothing,
// because programs that read mail ahead open every link.
func (s *Server) linkOpenPage(w http.ResponseWriter, r *http.Request) error {
	link, done, err := s.open(w, r, people.ToSignIn, "/login/link/open")
	if done || err != nil {
		return err
	}
	v := views.OpenLinkView{Email: link.Email, New: link.UserID == ""}
	return s.render(w, r, http.StatusOK, views.OpenLinkPage(s.sheet(r, "Sign in"), v))
}

// open returns the link that this browser has opened. A token in the address
// leaves it at once: what stays in the session is a reference that opens
// nothing in another browser. It is done when an answer was written.
func (s *Server) open(w http.ResponseWriter, r *http.Request, p people.Purpose, here string) (link people.Link, done bool, err error) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	ref := s.Sessions.GetString(r.Context(), openedKey+string(p))
	if token := r.URL.Query().Get("token"); token != "" {
		if ref, _, err = s.Links.Open(r.Context(), p, token); err == nil {
			s.Sessions.Put(r.Context(), openedKey+string(p), ref)
			request.Redirect(w, r, here)
			return link, true, nil
		}
	} else {
		link, err = s.Links.Opened(r.Context(), p, ref)
	}
	if domain.KindOf(err) != domain.Unauthenticated {
		return link, false, err
	}
	if r.Method == http.MethodPost { // a try; who opens an old mail tries nothing
		if err := s.noteRefusal(r, "", people.ByLink, err); err != nil {
			return link, true, err
		}
	}
	return link, true, s.deadLink(w, r, http.StatusNotFound, p)
}

// deadLink says that a link does nothing any more, and where to get another. Of
// a form that was sent too late the address stays; a password is never shown.
func (s *Server) deadLink(w http.ResponseWriter, r *http.Request, status int, p people.Purpose) error {
	v := views.DeadLinkView{Password: p != people.ToSignIn, ByMail: s.Links.PasswordsByMail()}
	if v.Password && r.Method == http.MethodPost {
		v.Unsaved, v.Email = true, r.PostFormValue("email")
	}
	return s.render(w, r, status, views.DeadLinkPage(s.sheet(r, "Link"), v))
}

// linkOpen uses the link that this browser has opened up.
func (s *Server) linkOpen(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	ref := s.Sessions.GetString(r.Context(), openedKey+string(people.ToSignIn))

	u, next, err := s.Links.SignIn(r.Context(), request.Client(r), ref)
	if domain.KindOf(err) == domain.Unauthenticated {
		if err := s.noteRefusal(r, "", people.ByLink, err); err != nil {
			return err
		}
		return s.deadLink(w, r, http.StatusNotFound, people.ToSignIn)
	}
	if err != nil {
		return err
	}

	s.forgetLinks(r)
	return s.enter(w, r, u, people.ByLink, next)
}
