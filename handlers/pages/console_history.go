package pages

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"agnes/domain/query"
	"agnes/handlers/request"
	"agnes/views"
)

// historyRuns is how many queries a page of the history lists.
const historyRuns = 50

// consoleHistory lists the queries of whoever asks.
func (s *Server) consoleHistory(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	v := views.ConsoleHistoryView{Search: q.Get("q"), State: q.Get("state"), Later: q.Get("after") != "", Simulated: p.As != nil, Now: s.Now()}
	if !slices.Contains([]query.State{query.Running, query.OK, query.Failed, query.Cancelled}, query.State(v.State)) {
		v.State = ""
	}
	runs, err := s.Results.Runs.QueryHistory(r.Context(), query.HistoryFilter{
		By: p.Owner(), State: query.State(v.State), Text: v.Search, After: q.Get("after"), Limit: historyRuns + 1,
	})
	if err != nil {
		return err
	}
	if len(runs) > historyRuns {
		runs = runs[:historyRuns]
		v.Next = runs[historyRuns-1].ID
	}
	for _, rec := range runs {
		past := views.ConsolePast{Record: rec}
		if now, place, ok := s.Runner.Live(p.Owner(), rec.ID); ok && rec.State == query.Running {
			past.Record, past.Place = now, place
		}
		v.Runs = append(v.Runs, past)
	}
	chrome := s.chrome(r, "Your queries", views.NavConsole)
	chrome.Rail = true
	return s.render(w, r, http.StatusOK, views.ConsoleHistory(chrome, v))
}

// consoleForget takes a query and its rows off its author's list, or stops one
// that runs.
func (s *Server) consoleForget(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	id := chi.URLParam(r, "id")
	_, _, runs := s.Runner.Live(p.Owner(), id)
	if err := s.Results.Forget(r.Context(), p, id); err != nil {
		return noRun(err)
	}
	said := "The query and its rows are forgotten."
	if runs {
		said = "The query was stopped."
	}
	s.tell(r.Context(), views.Toast{Text: said})
	request.Redirect(w, r, "/console/history")
	return nil
}
