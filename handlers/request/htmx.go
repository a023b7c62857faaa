package request

import (
	"net/http"
	"slices"
	"strings"
)

// Partial reports whether htmx asks for a fragment. Everything else, a boosted
// link and the browser's history too, gets the whole page.
func Partial(r *http.Request) bool {
	return r.Header.Get("HX-Request-Type") == "partial"
}

// Vary says that an answer depends on whether a page or a fragment was asked for.
func Vary(w http.ResponseWriter) {
	w.Header().Add("Vary", "HX-Request, HX-Request-Type")
}

// Redirect sends somebody on after a change: 303, or for htmx the header that
// makes it load the address, because fetch would follow a 303 by itself and
// paint the next page into the old target.
func Redirect(w http.ResponseWriter, r *http.Request, url string) {
	if r.Header.Get("HX-Request") == "true" {
		w.Header().Set("HX-Redirect", url)
		w.WriteHeader(http.StatusOK)
		return
	}
	http.Redirect(w, r, url, http.StatusSeeOther)
}

// machine lists where no answer is ever HTML (contract 0.1).
var machine = [...]string{"/api/", "/auth/", "/cli/", "/webhooks/", "/marketplace/"}

// ForMachines reports whether path belongs to clients that read JSON only.
func ForMachines(path string) bool {
	switch path {
	case "/openapi.json", "/api", "/auth", "/marketplace.zip":
		return true
	}
	for _, prefix := range machine {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return strings.HasPrefix(path, "/marketplace.git")
}

// forPeople lists the forms and links of release 0.54 among what is for machines
// (contract 9.1): a browser sends them, and a person reads the answer.
var forPeople = [...]string{
	"GET /auth/email/verify", "POST /auth/password/login/web", "GET /auth/password/reset", "POST /auth/password/reset", "POST /auth/password/reset/confirm",
	"GET /auth/password/setup", "POST /auth/password/setup/request", "POST /auth/password/setup/confirm",
}

// WantsHTML reports whether an error should be a page.
func WantsHTML(r *http.Request) bool {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false
	}
	return !ForMachines(r.URL.Path) || slices.Contains(forPeople[:], r.Method+" "+r.URL.Path)
}
