package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/settings"
	"agnes/handlers/request"
	"agnes/views"
)

// Settings shows and changes how this server is set up.
type Settings interface {
	View(ctx context.Context) (*settings.View, error)
	Plan(ctx context.Context, r settings.Request) (*settings.Plan, error)
	Save(ctx context.Context, by audit.Actor, r settings.Request) (*settings.Plan, error)
}

// ConnectionTests tries the connections that settings describe.
type ConnectionTests interface {
	Has(section string) bool
	Test(ctx context.Context, section string) ([]settings.Tested, error)
}

// settingsRoutes are the pages of the settings. What can lock people out asks
// for a recent sign-in when it is saved.
func (s *Server) settingsRoutes() []request.Route {
	if s.Settings == nil {
		return nil
	}
	route := func(method, pattern string, h handler) request.Route {
		return request.Route{Method: method, Pattern: views.ServerConfigURL + pattern, Need: access.Admin, Terms: access.Terms{Interactive: true}, Handler: s.page(h)}
	}
	test := route(http.MethodPost, "/test", s.settingsTest) // as long as other servers take
	test.Long = true
	return []request.Route{
		route(http.MethodGet, "", s.settingsPage),
		route(http.MethodPost, "", s.settingsCheck),
		test,
		route(http.MethodGet, "/review/{id}", s.settingsReview),
		route(http.MethodPost, "/review/{id}", s.settingsSave),
		route(http.MethodPost, "/review/{id}/discard", s.settingsDiscard),
	}
}

func (s *Server) settingsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showSettings(w, r, http.StatusOK, views.ServerConfigView{Section: r.URL.Query().Get("section")})
}

// showSettings draws a section, with a form that could not be taken.
func (s *Server) showSettings(w http.ResponseWriter, r *http.Request, status int, v views.ServerConfigView) error {
	view, err := s.Settings.View(r.Context())
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if _, known := config.SectionOf(v.Section); !known && v.Section != views.OutsideSection {
		v.Section = config.Sections()[0].Name
	}
	v.View, v.Now, v.Testing = view, s.Now(), s.Tests.Has(v.Section)
	return s.render(w, r, status, views.ServerConfigPage(s.chrome(r, "Settings", views.NavServer), v))
}

// settingsCheck tries what a form asks for, and shows it before it is saved.
func (s *Server) settingsCheck(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p, err := who(r)
	if err != nil {
		return err
	}
	section := r.PostFormValue("section")
	patch, entered := settingsForm(r.PostForm, section)
	if len(patch) == 0 {
		s.tell(r.Context(), views.Toast{Text: "Nothing was changed."})
		request.Redirect(w, r, views.SettingsSectionURL(section))
		return nil
	}

	asked := settings.Request{Patch: patch, Seen: seen(r)}
	if _, err := s.Settings.Plan(r.Context(), asked); err != nil {
		return s.settingsRefused(w, r, err, views.ServerConfigView{Section: section, Entered: entered})
	}

	id, err := s.drafts.add(s.Now(), draft{by: p.UserID, request: asked, section: section})
	if err != nil {
		return err
	}
	request.Redirect(w, r, views.SettingsReviewURL(id))
	return nil
}

// settingsRefused draws the form again with what is wrong.
func (s *Server) settingsRefused(w http.ResponseWriter, r *http.Request, err error, v views.ServerConfigView) error {
	var known *domain.Error
	if !errors.As(err, &known) {
		return err
	}
	switch {
	case known.Code == "overlay_corrupt":
		request.Logger(r.Context()).ErrorContext(r.Context(), "settings cannot be read", "err", err)
		v.Problem = known.Message
		return s.showSettings(w, r, http.StatusInternalServerError, v)
	case known.Kind != domain.Invalid:
		return err
	}
	v.Errors = known.Fields
	v.Problem = known.Message
	for key, sentence := range known.Fields {
		if config.SectionName(key) != v.Section {
			v.Problem += " " + key + ": " + sentence
		}
	}
	return s.showSettings(w, r, http.StatusUnprocessableEntity, v)
}

// settingsForm is what a form changes: a value that differs from the one it was
// made with, a secret that was typed, and what is to be cleared. entered is what
// was typed, without secrets.
func settingsForm(form url.Values, section string) (patch map[string]any, entered map[string]string) {
	patch, entered = map[string]any{}, map[string]string{}
	ours := func(key string) bool { return config.SectionName(key) == section }
	for name, values := range form {
		value := strings.TrimSpace(values[0])
		if key, ok := strings.CutPrefix(name, "set."); ok && ours(key) {
			entered[key] = value
			if value != form.Get("was."+key) {
				config.Put(patch, key, value)
			}
		}
		if key, ok := strings.CutPrefix(name, "new."); ok && ours(key) && values[0] != "" {
			config.Put(patch, key, values[0])
		}
	}
	for _, key := range form["clear"] {
		if ours(key) {
			config.Put(patch, key, nil)
		}
	}
	return patch, entered
}

func (s *Server) settingsTest(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	section := r.PostFormValue("section")
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	tested, err := s.Tests.Test(ctx, section)
	if domain.KindOf(err) == domain.Conflict {
		return s.showSettings(w, r, http.StatusConflict, views.ServerConfigView{Section: section, Problem: request.Known(err).Message})
	}
	if err != nil {
		return err
	}
	return s.showSettings(w, r, http.StatusOK, views.ServerConfigView{Section: section, Tested: tested})
}
