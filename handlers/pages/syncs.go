package pages

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/views"
)

// recentRuns is how many finished runs the page lists.
const recentRuns = 50

func (s *Server) syncsPage(w http.ResponseWriter, r *http.Request) error {
	_, c, err := s.tables(r)
	if err != nil {
		return err
	}
	v, err := s.syncsView(r, c, nil)
	if err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, views.SyncsLive(v), func() templ.Component {
		return views.SyncsPage(s.chrome(r, "Syncs", views.NavSyncs), v)
	})
}

// syncsView reads how all tables stand. Latest holds runs under way as they were
// last heard of, which is newer than what is stored.
func (s *Server) syncsView(r *http.Request, c access.Catalog, latest map[string]syncs.Run) (views.SyncsView, error) {
	ctx := r.Context()
	v := views.SyncsView{Now: s.Now()}
	live, err := s.History.LiveRuns(ctx)
	if err != nil {
		return v, fmt.Errorf("live runs: %w", err)
	}
	if v.Recent, err = s.History.RecentRuns(ctx, recentRuns); err != nil {
		return v, fmt.Errorf("recent runs: %w", err)
	}
	streaks, err := s.History.Streaks(ctx)
	if err != nil {
		return v, fmt.Errorf("failures: %w", err)
	}
	usual, err := s.History.UsualDurations(ctx, tablesOf(live))
	if err != nil {
		return v, fmt.Errorf("usual durations: %w", err)
	}
	sources, err := s.History.ListSources(ctx)
	if err != nil {
		return v, fmt.Errorf("sources: %w", err)
	}

	held, err := s.History.HeldRuns(ctx)
	if err != nil {
		return v, fmt.Errorf("held runs: %w", err)
	}
	if err := s.Syncer.Writing(); err != nil {
		v.Stopped = request.Known(err).Message
	} else if err := s.Syncer.Unwritten(); err != nil {
		v.Stopped = request.Known(err).Message
	}

	if v.Rebuild.Last, err = s.History.LastRebuild(ctx); err != nil {
		return v, fmt.Errorf("last rebuild: %w", err)
	}
	if v.Rebuild.Damaged, err = s.History.ListDamage(ctx); err != nil {
		return v, fmt.Errorf("damaged versions: %w", err)
	}

	countTables(&v, c.Tables(), streaks)
	v.Held = heldTables(held, c.Tables())
	v.Live = liveRuns(live, latest, usual)
	for _, source := range sources {
		if source.State != "ok" || len(source.Problems) > 0 {
			v.Broken = append(v.Broken, source)
		}
	}
	return v, nil
}

// failing reports whether a table's last sync failed. One that is being tried
// again is still failing until that ends well.
func failing(t *registry.Published) bool {
	return t.Status.State == "error" || t.Status.Error != "" && t.Status.State != "ok"
}

// countTables sorts the tables into fresh, failing and never synced, beside
// those that stay outside.
func countTables(v *views.SyncsView, tables []registry.Published, streaks map[registry.TableID]syncs.Streak) {
	for _, t := range tables {
		if t.QueryMode == registry.ModeRemote && !failing(&t) {
			v.Outside++
			continue
		}
		v.Tables++
		switch {
		case failing(&t):
			f := views.FailingTable{Published: t}
			if streak, ok := streaks[t.ID]; ok {
				f.Since, f.Tries = &streak.Since, streak.Tries
			}
			v.Failing = append(v.Failing, f)
		case t.Status.State == registry.StatusHeld:
		case t.Version != nil:
			v.Fresh++
		default:
			v.Never++
		}
	}
}

func tablesOf(runs []syncs.Run) []registry.TableID {
	ids := make([]registry.TableID, len(runs))
	for i, r := range runs {
		ids[i] = r.Table
	}
	return ids
}

// liveRuns puts running runs before queued ones, each with how long such runs take.
func liveRuns(stored []syncs.Run, latest map[string]syncs.Run, expected map[registry.TableID]time.Duration) []views.LiveRun {
	out := make([]views.LiveRun, len(stored))
	for i, run := range stored {
		if heard, ok := latest[run.ID]; ok && heard.Live() {
			run = heard
		}
		out[i] = views.LiveRun{Run: run, Expected: expected[run.Table]}
	}
	slices.SortStableFunc(out, func(a, b views.LiveRun) int { return cmp.Compare(rank(a.State), rank(b.State)) })
	return out
}

func rank(s syncs.State) int {
	if s == syncs.Running {
		return 0
	}
	return 1
}

// rebuild asks for a rebuild; the page shows how it went.
func (s *Server) rebuild(w http.ResponseWriter, r *http.Request) error {
	if s.Rebuilder == nil {
		return domain.E(domain.Unavailable, "rebuild_off", "Nothing can be rebuilt here.")
	}
	s.Rebuilder.Request(r.Context())
	s.tell(r.Context(), views.Toast{Text: "A rebuild was asked for. This page says when it is done."})
	request.Redirect(w, r, "/syncs")
	return nil
}

func (s *Server) runCancel(w http.ResponseWriter, r *http.Request) error {
	run, err := s.Syncer.Cancel(r.Context(), request.Actor(r), param(r, "id"))
	if domain.KindOf(err) == domain.Conflict { // it ended while the button was shown
		s.tell(r.Context(), views.Toast{Error: true, Text: request.Known(err).Message})
		request.Redirect(w, r, back(r, "/syncs"))
		return nil
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The sync of " + run.Name + " is cancelled. What was served before is still served."})
	request.Redirect(w, r, back(r, "/syncs"))
	return nil
}
