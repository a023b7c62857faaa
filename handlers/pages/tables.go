package pages

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/views"
)

// What a table's page shows at most.
const (
	sampleRows = 50
	tableRuns  = 10
)

// table finds the table that the path names among those that the principal may
// read. Absent and not granted look alike.
func (s *Server) table(r *http.Request) (access.Principal, registry.Published, error) {
	p, c, err := s.tables(r)
	if err != nil {
		return p, registry.Published{}, err
	}
	t, err := c.Find(param(r, "id"))
	return p, t, err
}

func (s *Server) tablePage(w http.ResponseWriter, r *http.Request) error {
	p, t, err := s.table(r)
	if err != nil {
		return s.refusedRead(r, "catalog.schema", "table:"+param(r, "id"), err)
	}
	if err := s.noteRead(r, "catalog.schema", "table:"+string(t.ID)); err != nil {
		return err
	}
	v := views.TableView{Table: t, Tab: views.ParseTableTab(r.URL.Query().Get("tab")), Admin: p.Admin, Simulated: p.As != nil, Now: s.Now()}
	if v.Tab == views.TabReaders && !p.Admin {
		v.Tab = views.TabColumns
	}

	switch v.Tab {
	case views.TabColumns:
		v.Profile, err = s.Profiler.Of(r.Context(), t)
	case views.TabSample:
		err = s.sample(r, p, &v)
	case views.TabRuns:
		v.Runs, v.RunCount, err = s.runsOf(r, t.ID)
	case views.TabVersions: // read below
	case views.TabReaders:
		err = s.tableReaders(r, &v)
	}
	if err != nil {
		return err
	}
	if err := s.versionsOf(r, &v); err != nil {
		return err
	}

	return s.answer(w, r, http.StatusOK, views.Table(v), func() templ.Component {
		return views.TablePage(s.chrome(r, t.Name, views.NavCatalog), v)
	})
}

// sample puts the first rows into the page. A sample that cannot be read is
// said where it would be; the rest of the page stands.
func (s *Server) sample(r *http.Request, p access.Principal, v *views.TableView) error {
	if v.Table.Version == nil {
		return nil
	}
	sql := fmt.Sprintf("SELECT * FROM %s LIMIT %d", registry.Quote(v.Table.Name), sampleRows)
	got, err := s.read(r.Context(), p, query.Request{SQL: sql, MaxRows: sampleRows, Origin: query.FromSample})
	var broken *query.SQLError
	switch kind := domain.KindOf(err); {
	case err == nil:
		v.Sample = &got.Grid
	case errors.As(err, &broken):
		v.SampleError = "The rows of this table cannot be read: " + broken.Text
	case kind == domain.Limited, kind == domain.Unavailable, kind == domain.Cancelled:
		v.SampleError = request.Known(err).Message
	default:
		return fmt.Errorf("sample of %s: %w", v.Table.ID, err)
	}
	return nil
}

// runsOf lists the table's newest runs, with what each of their phases did.
func (s *Server) runsOf(r *http.Request, id registry.TableID) ([]views.RunSteps, int, error) {
	runs, total, err := s.History.ListRuns(r.Context(), syncs.RunFilter{Table: id, Limit: tableRuns})
	if err != nil {
		return nil, 0, fmt.Errorf("runs of %s: %w", id, err)
	}
	out := make([]views.RunSteps, len(runs))
	ids := make([]string, len(runs))
	at := make(map[string]*views.RunSteps, len(runs))
	for i, run := range runs {
		out[i].Run, ids[i], at[run.ID] = run, run.ID, &out[i]
	}
	steps, err := s.History.Steps(r.Context(), ids)
	if err != nil {
		return nil, 0, fmt.Errorf("steps of %s: %w", id, err)
	}
	for _, step := range steps {
		at[step.RunID].Steps = append(at[step.RunID].Steps, step)
	}
	return out, total, nil
}

func (s *Server) tableSync(w http.ResponseWriter, r *http.Request) error {
	_, t, err := s.table(r)
	if err != nil {
		return err
	}
	if t.QueryMode == registry.ModeRemote {
		return domain.E(domain.Conflict, "not_copied", "%s is asked live at its source, so there is nothing to sync.", t.Name)
	}

	if _, err := s.Syncer.Trigger(r.Context(), request.Actor(r), syncs.ByPerson, []registry.TableID{t.ID}); err != nil {
		return err
	}

	s.tell(r.Context(), views.Toast{Text: t.Name + " is being synced."})
	request.Redirect(w, r, back(r, string(views.TableURL(t.ID))))
	return nil
}

func (s *Server) tableRemove(w http.ResponseWriter, r *http.Request) error {
	_, t, err := s.table(r)
	if err != nil {
		return err
	}

	gone, err := s.Importer.Remove(r.Context(), request.Actor(r), []registry.TableID{t.ID})
	if err != nil {
		return err
	}

	toast := views.Toast{Text: removed(t)}
	if len(gone) == 1 && gone[0].Bin != "" {
		toast.UndoURL = views.RestoreURL(gone[0].Bin)
	}
	s.tell(r.Context(), toast)
	request.Redirect(w, r, request.Home)
	return nil
}

// removed says what went with a table and what did not.
func removed(t registry.Published) string {
	text := t.Name + " is removed, with its grants and versions."
	switch {
	case t.SourceType == registry.SourceCustom:
		text += " Its extract stays, and the table comes back when the extractor writes it again."
	case t.Source() == "files" && !t.Sample:
		text += " Its file stays on the server, and can become a table again under Add data."
	}
	return text
}
