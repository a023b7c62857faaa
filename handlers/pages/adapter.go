package pages

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/handlers/request"
	"agnes/views"
)

// handler answers a request, or says why it could not before anything was written.
type handler func(w http.ResponseWriter, r *http.Request) error

// page adapts a handler. It alone shows a handler's error, so that one that goes
// wrong cannot leave half a page.
func (s *Server) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		request.Vary(w)
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, &visit{}))
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// fail logs a handler's error, once, and shows it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if request.MustConfirm(w, r, err) {
		return
	}
	status := statusOf(err)
	log := request.Logger(r.Context())
	switch {
	case status == http.StatusInternalServerError:
		log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "err", err)
	case status == http.StatusServiceUnavailable && r.Context().Err() == nil:
		log.WarnContext(r.Context(), "page unavailable", "path", r.URL.Path, "err", err)
	}
	retryAfter(w, err)
	s.show(w, r, status, err)
}

// retryAfter says when what was too much at once is worth another try.
func retryAfter(w http.ResponseWriter, err error) {
	if domain.KindOf(err) == domain.Limited {
		w.Header().Set("Retry-After", request.Seconds(max(query.RetryAfter(err), people.TryAgainAfter(err))))
	}
}

// PageError answers with the page, or the fragment, that says what went wrong
// around a handler: no such route, no permission, a panic. It logs nothing.
func (s *Server) PageError(w http.ResponseWriter, r *http.Request, status int, err *domain.Error) {
	request.Vary(w)
	s.show(w, r, status, err)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, err error) {
	v := errorView(err)
	v.Status, v.RequestID = status, request.ID(r.Context())
	if request.Partial(r) {
		s.write(w, r, status, views.ErrorFragment(v))
		return
	}
	s.write(w, r, status, views.ErrorPage(s.chrome(r, v.Title, views.NavNone), v))
}

// render answers with a component. It is drawn whole before the first byte goes
// out, so that the status is true.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("draw %s: %w", r.URL.Path, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		request.Logger(r.Context()).DebugContext(r.Context(), "reader left", "err", err)
	}
	return nil
}

// write is render where nothing is left to fall back on.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	if err := s.render(w, r, status, c); err != nil {
		request.Logger(r.Context()).ErrorContext(r.Context(), "draw the error page", "err", err)
		http.Error(w, "Agnes cannot draw this page. Its log says why, under the request "+request.ID(r.Context())+".", http.StatusInternalServerError)
	}
}

// answer sends the fragment to htmx when it asks for one, else the page. The
// page is a function because its chrome takes the waiting messages.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, fragment templ.Component, page func() templ.Component) error {
	if request.Partial(r) {
		return s.render(w, r, status, fragment)
	}
	return s.render(w, r, status, page())
}

// parseForm reads a posted form within the body limit of its route.
func parseForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	return nil
}

func badForm(err error) error {
	if known := request.Known(err); known.Kind == domain.TooLarge {
		return known
	}
	return &domain.Error{Kind: domain.Invalid, Code: codeBadRequest, Message: "What the browser sent cannot be read. Nothing was changed.", Err: err}
}
