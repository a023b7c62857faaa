package pages

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/config"
	"agnes/domain/settings"
	"agnes/handlers/request"
	"agnes/views"
)

// draftOf finds the change that a review is of; NotFound when it is nobody's,
// somebody else's or too old.
func (s *Server) draftOf(r *http.Request) (draft, access.Principal, error) {
	p, err := who(r)
	if err != nil {
		return draft{}, p, err
	}
	d, ok := s.drafts.get(s.Now(), param(r, "id"))
	if !ok || d.by != p.UserID {
		return draft{}, p, domain.E(domain.NotFound, "draft_gone", "This change is not kept any more, so nothing was saved. Enter it again in the settings.")
	}
	return d, p, nil
}

func (s *Server) settingsReview(w http.ResponseWriter, r *http.Request) error {
	return s.showReview(w, r, http.StatusOK, views.SettingsReviewView{})
}

func (s *Server) showReview(w http.ResponseWriter, r *http.Request, status int, v views.SettingsReviewView) error {
	d, p, err := s.draftOf(r)
	if err != nil {
		return err
	}
	v.ID, v.Stale = param(r, "id"), p.Recent(s.Now()) != nil
	if v.Plan, err = s.Settings.Plan(r.Context(), d.request); err != nil {
		return s.settingsRefused(w, r, err, views.ServerConfigView{Section: d.section})
	}
	return s.render(w, r, status, views.SettingsReviewPage(s.chrome(r, "Review changes", views.NavServer), v))
}

func (s *Server) settingsSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	d, p, err := s.draftOf(r)
	if err != nil {
		return err
	}
	asked := d.request
	if n := seen(r); n > 0 { // decided between two changes of the same
		asked.Seen, asked.Patch = n, only(asked.Patch, r.PostForm["key"])
	}
	asked.ConfirmDanger, asked.ConfirmAffected = r.PostForm.Has("confirm_danger"), r.PostForm.Has("confirm_affected")
	asked.Allowed = func(danger []string) error {
		if len(danger) == 0 {
			return nil
		}
		return p.Recent(s.Now())
	}

	plan, err := s.Settings.Save(r.Context(), p.Actor(), asked)
	if err != nil {
		return s.notSaved(w, r, err, d, asked)
	}

	s.drafts.remove(param(r, "id"))
	text := "Saved. It is in force."
	if len(plan.Restart) > 0 {
		text = "Saved. " + views.Plural(len(plan.Restart), "change") + " in force after a restart."
	}
	s.tell(r.Context(), views.Toast{Text: text})
	request.Redirect(w, r, views.SettingsSectionURL(d.section))
	return nil
}

// notSaved says why a change was not saved, in the place where that can be mended.
func (s *Server) notSaved(w http.ResponseWriter, r *http.Request, err error, d draft, asked settings.Request) error {
	if stale := domain.StaleOf(err); stale != nil {
		labels := map[string]string{}
		for _, c := range stale.Clashes {
			labels[c.Field] = views.SettingLabel(c.Field)
		}
		_, err := s.clash(w, r, err, clashOf{
			Title: "The settings", Back: views.SettingsSectionURL(d.section), Labels: labels, Word: settingWord, Nav: views.NavServer,
			Keep: url.Values{"key": slices.Sorted(maps.Keys(stale.Mine()))}, Over: url.Values{"key": slices.Sorted(maps.Keys(stale.Over()))},
		})
		return err
	}
	again := views.SettingsReviewView{Danger: asked.ConfirmDanger, Go: asked.ConfirmAffected}
	var affected *settings.AffectedError
	switch {
	case errors.As(err, &affected):
		again.Error = "Registered tables read through this connection, so nothing was saved. Look at what would break, and tick that it may."
		return s.showReview(w, r, http.StatusConflict, again)
	case domain.CodeOf(err) == "confirm_danger":
		again.Error = "Nothing was saved. Tick that you have checked it."
		return s.showReview(w, r, http.StatusUnprocessableEntity, again)
	}
	return s.settingsRefused(w, r, err, views.ServerConfigView{Section: d.section})
}

// settingWord shows the value of a setting beside another; of a secret only that it is set.
func settingWord(key, value string) string {
	if settings.Hidden(key) && value != "" {
		return "set"
	}
	return value
}

// only is a patch without the keys that are not named.
func only(patch map[string]any, keys []string) map[string]any {
	out := map[string]any{}
	for key, v := range config.Leaves(patch) {
		if slices.Contains(keys, key) {
			config.Put(out, key, v)
		}
	}
	return out
}

func (s *Server) settingsDiscard(w http.ResponseWriter, r *http.Request) error {
	d, _, err := s.draftOf(r)
	if err != nil {
		return err
	}
	s.drafts.remove(param(r, "id"))
	request.Redirect(w, r, views.SettingsSectionURL(d.section))
	return nil
}
