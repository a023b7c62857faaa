package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/handlers/request"
	"agnes/views"
)

// pageRows is how many rows of a result a page shows.
const pageRows = 500

// consoleShow answers with a run of whoever asks, as it stands.
func (s *Server) consoleShow(w http.ResponseWriter, r *http.Request, id string) error {
	p, c, err := s.tables(r)
	if err != nil {
		return err
	}
	run, err := s.findRun(r.Context(), p, id)
	if err != nil {
		return err
	}
	v, err := s.runView(r, p, c, run)
	if err != nil {
		return err
	}
	if request.Partial(r) {
		return s.render(w, r, http.StatusOK, views.ConsoleRun(v))
	}
	page := s.consoleView(p, c)
	page.SQL, page.Limit, page.Run = run.head.SQL, parseLimit(strconv.FormatInt(run.head.MaxRows, 10)), &v
	return s.renderConsole(w, r, http.StatusOK, page)
}

// consoleRunning is what an address of a run names.
type consoleRunning struct {
	head   query.Record   // of the whole text
	series []query.Record // its statements so far, where it holds several
	shown  int            // of series
	id     string         // asked for
}

// record is the run that is shown.
func (c consoleRunning) record() query.Record {
	if len(c.series) == 0 {
		return c.head
	}
	return c.series[c.shown]
}

// findRun reads a run. Of several statements, the one asked for is shown; by
// default the last that was started, which runs or ended the series.
func (s *Server) findRun(ctx context.Context, p access.Principal, id string) (consoleRunning, error) {
	run := consoleRunning{id: id}
	head, n := query.SplitSeriesID(id)
	var err error
	if run.head, err = s.Results.Runs.GetQueryRun(ctx, p.Owner(), head); err != nil {
		return run, noRun(err)
	}
	if run.series, err = s.Results.Series(ctx, p, run.head); err != nil {
		return run, err
	}
	if n > len(run.series) {
		return run, noRun(domain.E(domain.NotFound, "run_not_found", ""))
	}
	run.shown = cmp.Or(n, len(run.series)) - 1
	return run, nil
}

func noRun(err error) error {
	if domain.KindOf(err) != domain.NotFound {
		return err
	}
	return domain.E(domain.NotFound, "run_not_found", "There is no such query of yours. It was forgotten, or the address is mistyped.").Because(err)
}

func (s *Server) runView(r *http.Request, p access.Principal, c access.Catalog, run consoleRunning) (views.ConsoleRunView, error) {
	rec := run.record()
	v := views.ConsoleRunView{ID: run.id, Elapsed: s.Now().Sub(rec.StartedAt)}
	s.statements(p, run, &v)
	switch {
	case rec.State == query.Running:
		v.Rows = rec.Rows
		if now, place, ok := s.Runner.Live(p.Owner(), rec.ID); ok {
			v.Rows, v.Place = now.Rows, place
		}
		return v, nil
	case len(run.series) == 0 && rec.Code == query.CodeSeveral && s.Runner.Going(p.Owner(), rec.ID):
		return v, nil // its first statement is about to start
	case rec.State != query.OK:
		failure := runError(rec, c)
		placeIn(run, &failure)
		v.Failure = &failure
		return v, nil
	}
	result, err := s.resultView(r, p, rec)
	if err != nil {
		if domain.KindOf(err) == domain.Internal {
			return v, err
		}
		failure := rowsError(rec, err)
		v.Failure = &failure
		return v, nil
	}
	v.Result = &result
	return v, nil
}

// statements lists the statements of a text that holds several.
func (s *Server) statements(p access.Principal, run consoleRunning, v *views.ConsoleRunView) {
	for i, rec := range run.series {
		v.Statements = append(v.Statements, views.ConsoleStatement{
			ID: rec.ID, SQL: rec.SQL, Rows: rec.Rows, Status: views.RunStatus(rec, 0),
			Done: rec.State == query.OK || rec.State == query.Running, Current: i == run.shown,
		})
	}
	if n := len(run.series); n > 0 {
		v.Unrun = strings.Trim(run.head.SQL[endOf(run, n-1):], "; \t\r\n") != "" && !s.Runner.Going(p.Owner(), run.head.ID)
	}
}

// endOf is where the i-th statement ends in the whole text.
func endOf(run consoleRunning, i int) int {
	end := 0
	for _, rec := range run.series[:i+1] {
		at := strings.Index(run.head.SQL[end:], rec.SQL)
		if at < 0 {
			return len(run.head.SQL)
		}
		end += at + len(rec.SQL)
	}
	return end
}

// placeIn counts the lines of an error in the whole text, which the editor holds.
func placeIn(run consoleRunning, v *views.ConsoleErrorView) {
	if v.Line == 0 || len(run.series) == 0 {
		return
	}
	start := max(0, endOf(run, run.shown)-len(run.series[run.shown].SQL))
	before := run.head.SQL[:start]
	if v.Line == 1 && v.Column > 0 {
		v.Column += len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	v.Line += strings.Count(before, "\n")
}

// rowsError says why rows of a query that was answered cannot be shown.
func rowsError(rec query.Record, err error) views.ConsoleErrorView {
	known := request.Known(err)
	v := views.ConsoleErrorView{
		Title: "The rows are not there", Message: known.Message, Code: known.Code, Ended: true, RunID: rec.ID,
		Elapsed: max(rec.Duration(), 1), Summary: views.Plural(int(rec.Rows), "row") + " in " + views.Duration(rec.Duration()),
	}
	switch {
	case rec.Kept == query.KeptTooLarge:
		v.Title = "Not kept: too large"
	case known.Kind != domain.NotFound:
		v.Title, v.NextStep = "The rows cannot be shown this way", nextStepOf(known.Kind)
	}
	return v
}

// resultView reads the page of kept rows that the address asks for.
func (s *Server) resultView(r *http.Request, p access.Principal, rec query.Record) (v views.ConsoleResultView, err error) {
	if rec, err = s.Results.Find(r.Context(), p, rec.ID); err != nil {
		return v, err
	}
	if s.Now().Sub(*rec.FinishedAt) > seenWithRun {
		if err := s.noteRead(r, "query.result", "query:"+rec.ID); err != nil {
			return v, err
		}
	}
	v = views.ConsoleResultView{
		RunID: rec.ID, Simulated: p.As != nil, Total: rec.Rows, Page: 1, PerPage: pageRows, Sort: r.URL.Query().Get("sort"), More: rec.More,
		Elapsed: rec.Duration(), At: *rec.FinishedAt,
	}
	keys, err := query.ParseSort(v.Sort, rec.Columns)
	if err != nil {
		keys, v.Sort = nil, ""
	}
	last := max(1, (rec.Rows+pageRows-1)/pageRows)
	if n, err := strconv.ParseInt(r.URL.Query().Get("page"), 10, 64); err == nil && n > 0 {
		v.Page = int(min(n, last))
	}
	view := query.View{Offset: int64(v.Page-1) * pageRows, Limit: pageRows, Sort: keys}
	rows, err := s.Results.Open(r.Context(), p, rec, view)
	if err != nil {
		return v, err
	}
	v.Grid, v.Cut, err = gridOfRows(r.Context(), rows)
	v.Grid.Columns, v.Grid.First, v.Grid.Sorts = rec.Columns, view.Offset, sorts(rec, keys)
	if cerr := rows.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("end rows of %s: %w", rec.ID, cerr)
	}
	return v, err
}

// sorts are the heads' addresses: rising first, falling next, then as it came.
func sorts(rec query.Record, keys []query.SortKey) []views.GridSort {
	all := make([]views.GridSort, len(rec.Columns))
	for i := range all {
		sort := "#" + strconv.Itoa(i+1)
		all[i].Aria = "none"
		if len(keys) > 0 && keys[0].Column == i {
			if keys[0].Down {
				all[i].Aria, sort = "descending", ""
			} else {
				all[i].Aria, sort = "ascending", "-"+sort
			}
		}
		all[i].URL = views.RunPageURL(rec.ID, 1, sort)
	}
	return all
}

// gridOfRows holds a page's rows as text, as many as a page can bear.
func gridOfRows(ctx context.Context, rows query.Result) (g views.Grid, cut bool, err error) {
	g.Rows = [][]*string{}
	held := 0
	for {
		batch, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return g, false, nil
		}
		if err != nil {
			return g, false, err
		}
		held += appendRows(&g, batch)
		batch.Release()
		if held > maxGridBytes {
			return g, true, nil
		}
	}
}

// consoleCancel stops a run, with the statements that were to follow it.
func (s *Server) consoleCancel(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	id := chi.URLParam(r, "id")
	if _, err := s.findRun(r.Context(), p, id); err != nil {
		return err
	}
	s.Runner.Cancel(p.Owner(), id) // one that has ended is shown as it did
	s.await(r.Context(), p, id)
	if request.Partial(r) {
		return s.consoleShow(w, r, id)
	}
	request.Redirect(w, r, string(views.RunURL(id)))
	return nil
}
