package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/views"
)

// versionsOf reads what the table's page says of versions: which run waits, and
// on its tab all that are kept.
func (s *Server) versionsOf(r *http.Request, v *views.TableView) error {
	if v.Admin {
		v.Guard = views.GuardFormOf(v.Table.Guard)
		v.Guard.Version = v.Table.Revision
		runs, _, err := s.History.ListRuns(r.Context(), syncs.RunFilter{Table: v.Table.ID, State: syncs.Held, Limit: 1})
		if err != nil {
			return fmt.Errorf("held runs of %s: %w", v.Table.ID, err)
		}
		if len(runs) > 0 {
			v.Held = &runs[0]
		}
	}
	if v.Tab != views.TabVersions {
		return nil
	}
	versions, err := s.History.ListVersions(r.Context(), v.Table.ID)
	if err != nil {
		return fmt.Errorf("versions of %s: %w", v.Table.ID, err)
	}
	v.Versions = views.VersionRows(v.Table, versions, v.Held)
	return nil
}

// versionRestore starts going back to a version. Undo goes back to the one that
// is current now.
func (s *Server) versionRestore(w http.ResponseWriter, r *http.Request) error {
	_, t, err := s.table(r)
	if err != nil {
		return err
	}
	page := string(views.TableURL(t.ID)) + "?tab=" + string(views.TabVersions)

	run, err := s.Syncer.Restore(r.Context(), request.Actor(r), t.ID, registry.VersionID(param(r, "version")))
	if refused(err) {
		return s.refuse(w, r, err, page)
	}
	if err != nil {
		return err
	}

	toast := views.Toast{Text: run.Name + " goes back to an older version. The next sync brings newer rows as usual."}
	if t.Version != nil {
		toast.UndoURL = string(views.TableURL(t.ID)) + "/versions/" + url.PathEscape(string(t.Version.ID)) + "/restore"
	}
	s.tell(r.Context(), toast)
	request.Redirect(w, r, page)
	return nil
}

// refused reports whether something else happened while a button was shown.
func refused(err error) bool {
	kind := domain.KindOf(err)
	return err != nil && (kind == domain.Conflict || kind == domain.Unavailable)
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error, page string) error {
	s.tell(r.Context(), views.Toast{Error: true, Text: request.Known(err).Message})
	request.Redirect(w, r, page)
	return nil
}

// runPublish publishes the rows of a held run anyway.
func (s *Server) runPublish(w http.ResponseWriter, r *http.Request) error {
	run, err := s.Syncer.PublishHeld(r.Context(), request.Actor(r), param(r, "id"))
	if refused(err) {
		return s.refuse(w, r, err, back(r, "/syncs"))
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The newer rows of " + run.Name + " are being published."})
	request.Redirect(w, r, back(r, "/syncs"))
	return nil
}

// runDiscard keeps the old rows of a held run's table.
func (s *Server) runDiscard(w http.ResponseWriter, r *http.Request) error {
	run, err := s.Syncer.DiscardHeld(r.Context(), request.Actor(r), param(r, "id"))
	if refused(err) {
		return s.refuse(w, r, err, back(r, "/syncs"))
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{
		Text: run.Name + " keeps its old rows. The newer ones stay under Versions for now, and Restore publishes them.",
	})
	request.Redirect(w, r, back(r, "/syncs"))
	return nil
}

// tableSettings sets which new rows of a table wait for a person.
func (s *Server) tableSettings(w http.ResponseWriter, r *http.Request) error {
	p, t, err := s.table(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	form := views.GuardFormOf(t.Guard)
	form.Version = seen(r)
	if text := sent(r, "shrink_guard_pct"); text != nil {
		form.Shrink = strings.TrimSpace(*text)
	}
	if text := sent(r, "schema_policy"); text != nil {
		form.Schema = *text
	}

	guard, err := guardOf(form)
	if fields, ok := fieldErrors(err); ok {
		form.Errors = fields
		v := views.TableView{Table: t, Tab: views.TabColumns, Admin: p.Admin, Now: s.Now()}
		if err := s.versionsOf(r, &v); err != nil {
			return err
		}
		v.Guard = form
		return s.render(w, r, http.StatusUnprocessableEntity, views.TablePage(s.chrome(r, t.Name, views.NavCatalog), v))
	}
	if err != nil {
		return err
	}
	change := registry.TableChange{Seen: form.Version}
	if sent(r, "shrink_guard_pct") != nil {
		change.ShrinkGuard = &guard.ShrinkPercent
	}
	if sent(r, "schema_policy") != nil {
		change.SchemaPolicy = &guard.Schema
	}
	_, err = s.Importer.Tables.UpdateTable(r.Context(), request.Actor(r), t.ID, change)
	if shown, err := s.clash(w, r, err, tableClash(t.Table)); shown {
		return err
	}
	if err != nil {
		return fmt.Errorf("change the guard of %s: %w", t.ID, err)
	}

	s.tell(r.Context(), views.Toast{Text: "The settings of " + t.Name + " hold from its next sync on."})
	request.Redirect(w, r, string(views.TableURL(t.ID)))
	return nil
}

func guardOf(f views.GuardForm) (registry.Guard, error) {
	percent, err := strconv.Atoi(f.Shrink)
	if err != nil {
		percent = -1 // is no number of per cent either
	}
	g := registry.Guard{ShrinkPercent: percent, Schema: registry.SchemaPolicy(f.Schema)}
	return g, g.Check()
}

// heldTables pairs held runs with what their tables hold them for.
func heldTables(runs []syncs.Run, tables []registry.Published) []views.HeldTable {
	guards := make(map[registry.TableID]registry.Guard, len(tables))
	for _, t := range tables {
		guards[t.ID] = t.Guard
	}
	out := make([]views.HeldTable, len(runs))
	for i, run := range runs {
		out[i] = views.HeldTable{Run: run, Guard: guards[run.Table]}
	}
	return out
}
