package pages

import (
	"net/http"

	"agnes/handlers/request"
	"agnes/views"
)

// themeCookie holds the look that a person chose, so that the first byte of a
// page is drawn in it.
const themeCookie = "agnes_theme"

const year = 365 * 24 * 60 * 60

func themeOf(r *http.Request) views.Theme {
	c, err := r.Cookie(themeCookie)
	if err != nil {
		return views.ThemeSystem
	}
	return views.ParseTheme(c.Value)
}

func (s *Server) themeChange(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	theme := views.ParseTheme(r.PostFormValue("theme"))

	c := &http.Cookie{ //nolint:gosec // Secure as the session is: without HTTPS a secure cookie would be lost
		Name: themeCookie, Value: string(theme), Path: "/", MaxAge: year,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Sessions.Cookie.Secure,
	}
	if theme == views.ThemeSystem {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)

	request.Redirect(w, r, request.SafeNext(r.PostFormValue("back")))
	return nil
}
