package pages

import (
	"fmt"
	"net/http"
	"strings"

	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// tableReach sets who learns that a table exists, and who decides on requests
// for it. What the form does not hold stays as it is.
func (s *Server) tableReach(w http.ResponseWriter, r *http.Request) error {
	p, t, err := s.table(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	change := registry.TableChange{Seen: seen(r)}
	if text := sent(r, "discoverable"); text != nil {
		on := *text == "true"
		change.Discoverable = &on
	}
	if text := sent(r, "owner_email"); text != nil {
		email := strings.ToLower(strings.TrimSpace(*text))
		change.OwnerEmail = &email
	}

	after, err := s.Importer.Tables.UpdateTable(r.Context(), request.Actor(r), t.ID, change)
	if shown, err := s.clash(w, r, err, reachClash(t.Table)); shown {
		return err
	}
	if fields, ok := fieldErrors(err); ok {
		change.Apply(&t.Table)
		v := views.TableView{Table: t, Tab: views.TabColumns, Admin: p.Admin, Reach: fields, Now: s.Now()}
		if err := s.versionsOf(r, &v); err != nil {
			return err
		}
		return s.render(w, r, http.StatusUnprocessableEntity, views.TablePage(s.chrome(r, t.Name, views.NavCatalog), v))
	}
	if err != nil {
		return fmt.Errorf("change who learns of %s: %w", t.ID, err)
	}

	s.tell(r.Context(), views.Toast{Text: views.ReachSentence(after.Table)})
	request.Redirect(w, r, string(views.TableURL(t.ID)))
	return nil
}

func reachClash(t registry.Table) clashOf {
	return clashOf{
		Title: "The table " + t.Name, Back: string(views.TableURL(t.ID)), Nav: views.NavCatalog,
		Labels: map[string]string{"discoverable": "People may ask for it", "owner_email": "Who decides"},
	}
}
