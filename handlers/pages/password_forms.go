package pages

import (
	"encoding/json"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// The forms under /auth/ are those of contract 9.1. They lead to the portal's own
// pages. Errors are JSON, and pages for browsers.

// machine adapts a handler of such a form.
func (s *Server) machine(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		err := h(w, r)
		if err == nil {
			return
		}
		if request.WantsHTML(r) {
			s.fail(w, r, err)
			return
		}
		known := request.Known(err)
		body := map[string]any{"detail": known.Message}
		if known.Kind == domain.Internal {
			request.Logger(r.Context()).ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
			body["request_id"] = request.ID(r.Context())
		}
		retryAfter(w, err)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(statusOf(err))
		if err := json.NewEncoder(w).Encode(body); err != nil {
			request.Logger(r.Context()).Debug("write an error's body", "err", err)
		}
	})
}

// mailsAsked is how many mails a minute one network may ask for by one form
// (contract 9.1).
const mailsAsked = 5

// formRoutes lists the forms.
func (s *Server) formRoutes() []request.Route {
	get := func(pattern string, h handler) request.Route {
		return request.Route{Method: http.MethodGet, Pattern: pattern, Need: access.Public, Handler: s.machine(h)}
	}
	post := func(pattern string, h handler) request.Route {
		return request.Route{Method: http.MethodPost, Pattern: pattern, Need: access.Public, Handler: s.machine(h), SignIn: true}
	}
	verify := get("/auth/email/verify", s.verifyLink)
	verify.SignIn = true
	ask := func(pattern string, p people.Purpose) request.Route {
		route := post(pattern, s.askForm(p))
		route.Attempts = mailsAsked
		return route
	}
	return []request.Route{
		verify,
		post("/auth/password/login/web", s.signInForm),
		get("/auth/password/reset", s.openPasswordLink(people.ToReset, resetPath)),
		ask("/auth/password/reset", people.ToReset),
		post("/auth/password/reset/confirm", s.confirmForm(people.ToReset, resetPath)),
		get("/auth/password/setup", s.openPasswordLink(people.ToSetUp, setUpPath)),
		ask("/auth/password/setup/request", people.ToSetUp),
		post("/auth/password/setup/confirm", s.confirmForm(people.ToSetUp, setUpPath)),
	}
}

// found sends a form's answer on as contract 9.1 has it.
func found(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusFound)
	return nil
}

// verifyLink opens a link to sign in by its older address. One click is still
// asked for, where the predecessor signed in at once.
func (s *Server) verifyLink(w http.ResponseWriter, r *http.Request) error {
	ref, link, err := s.Links.Open(r.Context(), people.ToSignIn, r.URL.Query().Get("token"))
	if err == nil && !people.SameEmail(r.URL.Query().Get("email"), link.Email) {
		err = people.ErrLink()
	}
	if domain.KindOf(err) == domain.Unauthenticated {
		if err := s.noteRefusal(r, r.URL.Query().Get("email"), people.ByLink, err); err != nil {
			return err
		}
		if request.WantsHTML(r) {
			return s.deadLink(w, r, http.StatusUnauthorized, people.ToSignIn)
		}
	}
	if err != nil {
		return err
	}
	s.Sessions.Put(r.Context(), openedKey+string(people.ToSignIn), ref)
	return found(w, r, "/login/link/open")
}

// signInForm is the form of contract 9.1 that signs in by password.
func (s *Server) signInForm(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	email, next := r.PostFormValue("email"), request.SafeNext(r.PostFormValue("next"))
	u, err := s.SignIn.Password(r.Context(), email, r.PostFormValue("password"))
	if domain.KindOf(err) == domain.Unauthenticated {
		if err := s.noteRefusal(r, email, people.ByPassword, err); err != nil {
			return err
		}
		why := "invalid"
		if domain.CodeOf(err) == "deactivated" {
			why = "deactivated"
		}
		return found(w, r, "/login/password?"+url.Values{"error": {why}, "next": {next}}.Encode())
	}
	if err != nil {
		return err
	}
	return s.enter(w, r, u, people.ByPassword, next)
}

// signInPassword is the sign-in page with the password's form in view, and
// what went wrong with it.
func (s *Server) signInPassword(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	v := s.signInView("", request.SafeNext(q.Get("next")))
	v.Open = true
	switch q.Get("error") {
	case "invalid":
		v.Error = refusal(nil)
	case "deactivated":
		v.Error = refusal(domain.E(domain.Unauthenticated, "deactivated", ""))
	}
	return s.render(w, r, http.StatusOK, views.SignInPage(s.sheet(r, "Sign in"), v))
}

// openPasswordLink opens a link for a password by its older address.
func (s *Server) openPasswordLink(p people.Purpose, page string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		if q.Get("email") == "" || q.Get("token") == "" {
			return found(w, r, "/login/password")
		}
		if err := s.openFor(r, p, q.Get("email"), q.Get("token")); err != nil {
			return err
		}
		return found(w, r, page)
	}
}

// openFor keeps the link that a token opens in the session. One that opens
// nothing leaves none, and its page says so.
func (s *Server) openFor(r *http.Request, p people.Purpose, email, token string) error {
	s.Sessions.Remove(r.Context(), openedKey+string(p))
	ref, link, err := s.Links.Open(r.Context(), p, token)
	switch {
	case domain.KindOf(err) == domain.Unauthenticated:
		return nil
	case err != nil:
		return err
	case people.SameEmail(email, link.Email):
		s.Sessions.Put(r.Context(), openedKey+string(p), ref)
	}
	return nil
}

// askForm mails a link for a password; the answer is the same whoever has the address.
func (s *Server) askForm(p people.Purpose) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		err := s.Links.Ask(r.Context(), people.Question{Purpose: p, Email: r.PostFormValue("email"), By: request.Client(r)})
		if _, ok := fieldErrors(err); err != nil && !ok {
			return err
		}
		request.Redirect(w, r, "/login/forgot/sent")
		return nil
	}
}

// confirmForm sets a password by address and token.
func (s *Server) confirmForm(p people.Purpose, page string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		if err := s.openFor(r, p, r.PostFormValue("email"), r.PostFormValue("token")); err != nil {
			return err
		}
		ref := s.Sessions.GetString(r.Context(), openedKey+string(p))
		var u people.User
		err := error(people.ErrLink())
		if ref != "" {
			u, err = s.setPassword(r, p, ref)
		}
		switch kind := domain.KindOf(err); {
		case kind == domain.Invalid:
			s.tell(r.Context(), views.Toast{Error: true, Text: request.Known(err).Message})
			return found(w, r, page)
		case kind == domain.Unauthenticated && err != nil:
			if err := s.noteRefusal(r, r.PostFormValue("email"), people.ByLink, err); err != nil {
				return err
			}
			s.tell(r.Context(), views.Toast{Error: true, Text: "The password was not saved."})
			return found(w, r, page) // which says that the link is dead
		case err != nil:
			return err
		}
		s.forgetLinks(r)
		return s.enter(w, r, u, people.ByLink, request.Home)
	}
}
