package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/views"
)

// Sources looks at what custom extractors bring.
type Sources interface {
	Inspect(ctx context.Context, by audit.Actor, source string) (syncs.Source, error)
	Rename(ctx context.Context, by audit.Actor, source, table, name string, was *string) (syncs.Source, error)
}

func (s *Server) sourcesPage(w http.ResponseWriter, r *http.Request) error {
	return s.showSources(w, r, http.StatusOK, views.RenameForm{})
}

// showSources draws the page, with a form that could not be carried out.
func (s *Server) showSources(w http.ResponseWriter, r *http.Request, status int, form views.RenameForm) error {
	list, err := s.History.ListSources(r.Context())
	if err != nil {
		return fmt.Errorf("sources: %w", err)
	}
	v := views.SourcesView{Sources: list, Rename: form, Now: s.Now()}
	return s.render(w, r, status, views.SourcesPage(s.chrome(r, "Sources", views.NavSources), v))
}

// sourceInspect looks at a source now, also one that rests.
func (s *Server) sourceInspect(w http.ResponseWriter, r *http.Request) error {
	source, err := s.Sources.Inspect(r.Context(), request.Actor(r), param(r, "name"))
	if err != nil {
		return err
	}
	told := views.Toast{Text: "Looked at " + source.Name + "."}
	if source.State != syncs.SourceOK {
		told = views.Toast{Error: true, Text: source.Message}
	}
	s.tell(r.Context(), told)
	request.Redirect(w, r, "/sources")
	return nil
}

// sourceRename serves a table under another name.
func (s *Server) sourceRename(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	form := views.RenameForm{Source: param(r, "name"), Table: param(r, "table"), Name: r.PostFormValue("name")}
	was := sent(r, "was")
	_, err := s.Sources.Rename(r.Context(), request.Actor(r), form.Source, form.Table, form.Name, was)
	if stale := domain.StaleOf(err); stale != nil {
		_, err = s.clash(w, r, err, renameClash(form, stale))
		return err
	}
	switch domain.KindOf(err) {
	case domain.Invalid, domain.Conflict:
		form.Error = request.Known(err).Message
		return s.showSources(w, r, http.StatusUnprocessableEntity, form)
	default:
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: form.Table + " has another name in SQL now. Its rows follow with the next rebuild."})
	request.Redirect(w, r, "/sources")
	return nil
}

// renameClash shows two names for one table. Its version is the name itself.
func renameClash(form views.RenameForm, stale *domain.StaleError) clashOf {
	again := url.Values{"name": {form.Name}, "was": {stale.Clashes[0].Theirs}}
	return clashOf{
		Title: "The name of " + form.Table, Back: "/sources", Nav: views.NavSources,
		Labels: map[string]string{"name": "Name in SQL"}, Keep: again, Over: again,
	}
}
