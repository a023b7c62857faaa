package request

import (
	"errors"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/access"
)

// ConfirmPath is the page on which somebody proves again who they are.
const ConfirmPath = "/confirm"

// MustConfirm reports whether err asks a person in a browser to prove again
// who they are, and sends them there, with the way back, when a page can.
func MustConfirm(w http.ResponseWriter, r *http.Request, err error) bool {
	var known *domain.Error
	if !errors.As(err, &known) || known.Code != access.CodeRecent || ForMachines(r.URL.Path) {
		return false
	}
	Redirect(w, r, ConfirmPath+"?next="+url.QueryEscape(comeBack(r)))
	return true
}

// comeBack is the page that a request belongs to: itself, or the one whose form
// or part sent it.
func comeBack(r *http.Request) string {
	if r.Header.Get("HX-Request") == "true" {
		if u, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && u.Path != "" {
			return SafeNext(u.RequestURI())
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return SafeNext(r.URL.RequestURI())
	}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host && u.Path != "" {
		return SafeNext(u.RequestURI())
	}
	return Home
}
