package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/handlers/request"
)

// fail answers with an error: the status of its kind, and what people may read of it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	known := request.Known(err)
	if known.Kind == domain.Internal {
		request.Logger(r.Context()).Error("request failed", "err", err)
	}
	s.failAs(w, r, request.Status(known.Kind), known)
}

// failAs answers in the form that the client reads: JSON for machines, a page
// for browsers, the way to the sign-in page for who is not signed in.
func (s *Server) failAs(w http.ResponseWriter, r *http.Request, status int, known *domain.Error) {
	machine := request.ForMachines(r.URL.Path)
	switch {
	case status == http.StatusUnauthorized && !machine && (reads(r) || r.Header.Get("HX-Request") == "true"):
		toSignIn(w, r)
	case request.MustConfirm(w, r, known):
	case request.WantsHTML(r):
		s.PageError(w, r, status, known)
	default:
		writeDetail(w, r, status, known, s.Debug)
	}
}

func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// toSignIn sends somebody to the sign-in page: 302 as contract 0.1 has it.
func toSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") == "true" {
		request.Redirect(w, r, signInURL(r))
		return
	}
	http.Redirect(w, r, signInURL(r), http.StatusFound) //nolint:gosec // a path of our own with an escaped parameter
}

// signInURL is where to sign in, with the way back.
func signInURL(r *http.Request) string {
	back := r.URL.RequestURI()
	if current, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && current.Path != "" {
		back = current.RequestURI() // the page, not the fragment of it that was asked for
	}
	return "/login?next=" + url.QueryEscape(request.SafeNext(back))
}

// writeDetail writes an error as contract 0.1 has it.
func writeDetail(w http.ResponseWriter, r *http.Request, status int, known *domain.Error, debug bool) {
	body := map[string]any{"detail": known.Message}
	if known.Code == access.CodeRecent {
		body["code"], body["confirm_url"] = known.Code, request.ConfirmPath
	}
	if status == http.StatusInternalServerError {
		body = map[string]any{"detail": "Internal server error", "request_id": request.ID(r.Context())}
		if cause := errors.Unwrap(known); debug && cause != nil {
			body["error"] = cause.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		request.Logger(r.Context()).Debug("write an error's body", "err", err)
	}
}
