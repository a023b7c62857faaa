package pages

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"agnes/domain"
	"agnes/views"
)

// clashOf says how a clash of two changes is shown.
type clashOf struct {
	Title  string            // names what is changed
	Back   string            // the page that shows it as it is now; "": that which sent the form
	Labels map[string]string // what people call the fields
	Word   func(field, value string) string
	// Keep and Over, where the fields are not posted by their own names.
	Keep, Over url.Values
	Nav        views.Nav
}

// clash answers with both changes beside each other when err says that what a
// form changes was changed since the form was made, and reports whether it did.
// The rest of the form is kept for the next try, without what is secret.
func (s *Server) clash(w http.ResponseWriter, r *http.Request, err error, of clashOf) (bool, error) {
	stale := domain.StaleOf(err)
	if stale == nil {
		return false, nil
	}
	if of.Back == "" {
		of.Back = back(r, r.URL.Path)
	}
	v := views.ClashView{
		Title: of.Title, Back: of.Back, Action: r.URL.RequestURI(), Stale: stale, Labels: of.Labels, Word: of.Word,
		Hidden: restOfForm(r.PostForm, stale, of), Keep: of.Keep, Over: of.Over, Now: s.Now(),
	}
	return true, s.answer(w, r, http.StatusPreconditionFailed, views.ClashFragment(v), func() templ.Component {
		return views.ClashPage(s.chrome(r, "Changed meanwhile", of.Nav), v)
	})
}

// restOfForm is what was posted beside the fields in question.
func restOfForm(form url.Values, stale *domain.StaleError, of clashOf) url.Values {
	rest := url.Values{}
	for name, values := range form {
		if name != "version" && !secret(name) {
			rest[name] = values
		}
	}
	for _, c := range stale.Clashes {
		rest.Del(c.Field)
	}
	for _, sent := range []url.Values{of.Keep, of.Over} {
		for name := range sent {
			rest.Del(name)
		}
	}
	return rest
}

// secret reports whether a field's name says that its value must not be shown.
func secret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "secret", "token"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// undoOf is where a message's Undo posts to: it takes back only what nobody
// changed since.
func undoOf(at string, version int64) string {
	return at + "?version=" + strconv.FormatInt(version, 10)
}

// seen is the version that a form was made from; 0 when it does not say.
func seen(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.FormValue("version"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// sent is the value of a field that a form holds, nil where it does not: such
// a field stays as it is. Of several the last counts, so that a box to tick can
// stand behind a hidden field with the value of one that is not ticked.
func sent(r *http.Request, name string) *string {
	values := r.PostForm[name]
	if len(values) == 0 {
		return nil
	}
	return &values[len(values)-1]
}
