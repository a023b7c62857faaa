package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// chrome is what surrounds a page. It takes the messages that wait for one, and
// never fails: a page is worth more than the count beside "Syncs".
func (s *Server) chrome(r *http.Request, title string, nav views.Nav) views.Chrome {
	c := views.Chrome{
		Title: title, Brand: s.current().Instance, Nav: nav, Theme: themeOf(r), Back: back(r, request.Home),
		Version: s.Version, Now: s.Now(),
	}
	if r.Method == http.MethodGet { // else the page that the form was sent from
		c.Back = r.URL.RequestURI()
	}
	if r.Method != http.MethodHead { // nobody reads them there
		c.Toasts = s.takeToasts(r.Context())
	}
	p := request.Principal(r.Context())
	if p == nil {
		return c
	}
	c.Viewer = &views.Viewer{ID: string(p.UserID), Name: p.Name, Email: p.Email, Admin: p.Admin}
	if p.Admin {
		c.Failing = s.countFailing(r)
	}
	return c
}

func (s *Server) countFailing(r *http.Request) int {
	n, err := s.History.CountTroubled(r.Context(), func(t *registry.Published) bool {
		return failing(t) || t.Status.State == registry.StatusHeld
	})
	if err != nil {
		request.Logger(r.Context()).WarnContext(r.Context(), "count failing tables", "err", err)
	}
	return n
}

// toastKey is where a session keeps the message for the next page.
const toastKey = "toast"

// tell leaves a message for the next page.
func (s *Server) tell(ctx context.Context, t views.Toast) {
	text, err := json.Marshal(t)
	if err != nil { // three plain fields cannot fail to encode
		return
	}
	s.Sessions.Put(ctx, toastKey, string(text))
}

func (s *Server) takeToasts(ctx context.Context) []views.Toast {
	text := s.Sessions.PopString(ctx, toastKey)
	if text == "" {
		return nil
	}
	var t views.Toast
	if json.Unmarshal([]byte(text), &t) != nil { // written by another version: not worth a failed page
		return nil
	}
	return []views.Toast{t}
}

// back is the page of ours that a form was sent from, or fallback.
func back(r *http.Request, fallback string) string {
	if from := localReferer(r); from != "" {
		return from
	}
	return fallback
}

// localReferer is the page of this server that sent the request, "" when
// another site or nobody says so.
func localReferer(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host || u.Path == "" {
		return ""
	}
	return request.SafeNext(u.RequestURI())
}

// param is a part of the path, decoded: chi matches the escaped path where a
// browser sent one.
func param(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return text
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return plain
}
