package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// Runs reads sync runs.
type Runs interface {
	ListRuns(ctx context.Context, f syncs.RunFilter) (runs []syncs.Run, total int, err error)
	GetRun(ctx context.Context, id string) (syncs.Run, error)
	ListSteps(ctx context.Context, runID string) ([]syncs.Step, error)
	LiveRuns(ctx context.Context) ([]syncs.Run, error)
}

// Run is a sync run as clients read it.
type Run struct {
	ID         string    `json:"id"`
	TableID    string    `json:"table_id"`
	Name       string    `json:"name" doc:"The table's name in SQL."`
	Source     string    `json:"source"`
	Trigger    string    `json:"trigger" enum:"person,upload,schedule,watch,restart,check,restore"`
	State      string    `json:"state" enum:"queued,running,ok,held,failed,cancelled"`
	Phase      *string   `json:"phase" enum:"extract,convert,publish,read_back"`
	Fraction   float64   `json:"fraction" doc:"How far the phase is, 0 to 1; 0 when unknown."`
	Rows       int64     `json:"rows"`
	Bytes      int64     `json:"bytes"`
	Code       *string   `json:"code" doc:"Why it failed, for programs."`
	Message    *string   `json:"message" doc:"Why it failed, for people."`
	NextStep   *string   `json:"next_step" doc:"What to do about it."`
	StartedBy  *string   `json:"started_by"`
	Report     runReport `json:"report" doc:"What of the source did not become what it should."`
	VersionID  *string   `json:"version_id" doc:"The version that is held, or that the run publishes instead of making one."`
	QueuedAt   string    `json:"queued_at" format:"date-time"`
	StartedAt  *string   `json:"started_at" format:"date-time"`
	FinishedAt *string   `json:"finished_at" format:"date-time"`
}

// runReport says what of a run's rows did not fit.
type runReport struct {
	Warnings  []string       `json:"warnings"`
	Losses    []files.Loss   `json:"losses" doc:"Cells that are NULL because they do not fit their column's type, counted by column."`
	Misfits   int64          `json:"misfits" doc:"Rows that do not fit."`
	First     []files.Misfit `json:"first_misfits" doc:"The first of them, with line, column and reason."`
	KeptAside bool           `json:"kept_aside" doc:"Whether all of them can be downloaded."`
}

func reportOf(r syncs.Report) runReport {
	return runReport{
		Warnings: append([]string{}, r.Warnings...), Losses: append([]files.Loss{}, r.Losses...), Misfits: r.Misfits.Count,
		First: append([]files.Misfit{}, r.Misfits.First...), KeptAside: r.Misfits.Key != "",
	}
}

type step struct {
	Phase      string  `json:"phase"`
	State      string  `json:"state"`
	At         string  `json:"at" format:"date-time" doc:"When it ended."`
	Rows       int64   `json:"rows"`
	Bytes      int64   `json:"bytes"`
	DurationMS int64   `json:"duration_ms"`
	Code       *string `json:"code"`
	Message    *string `json:"message"`
}

func runOf(r syncs.Run) Run {
	return Run{
		ID: r.ID, TableID: string(r.Table), Name: r.Name, Source: r.Source, Trigger: string(r.Trigger), State: string(r.State),
		Phase: orNull(string(r.Phase)), Fraction: r.Fraction, Rows: r.Rows, Bytes: r.Bytes,
		Code: orNull(r.Code), Message: orNull(r.Message), NextStep: orNull(r.NextStep), StartedBy: orNull(r.StartedBy), Report: reportOf(r.Report), VersionID: orNull(string(r.Version)),
		QueuedAt: stamp(r.QueuedAt), StartedAt: stampOf(r.StartedAt), FinishedAt: stampOf(r.FinishedAt),
	}
}

type (
	runsInput struct {
		Table  string `query:"table" doc:"Only runs of this table."`
		State  string `query:"state" enum:"queued,running,ok,held,failed,cancelled" doc:"Only runs in this state."`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Offset int    `query:"offset" minimum:"0" default:"0"`
	}
	runsOutput struct {
		Body struct {
			Runs  []Run `json:"runs"`
			Total int   `json:"total"`
		}
	}
	runInput struct {
		ID string `path:"id" doc:"Id of the run."`
	}
	runOutput      struct{ Body Run }
	runStepsOutput struct {
		Body struct {
			Run
			Steps []step `json:"steps" doc:"The phases that have ended."`
		}
	}
)

func (a *API) runRoutes() {
	register(a, operation{
		id: "list-runs", method: http.MethodGet, path: "/api/sync/runs", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "List sync runs", about: "The newest first. A run is one sync of one table.",
		errors: []int{http.StatusUnprocessableEntity},
	}, a.listRuns)
	register(a, operation{
		id: "get-run", method: http.MethodGet, path: "/api/sync/runs/{id}", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "Get a sync run with its steps", about: "How the run stands, and each phase that has ended.",
		errors: []int{http.StatusNotFound},
	}, a.getRun)
	a.rejectRoutes()
	register(a, operation{
		id: "cancel-run", method: http.MethodPost, path: "/api/sync/runs/{id}/cancel", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "Cancel a sync run", about: "Ends a queued run at once and stops a running one. The previous version is still served.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.cancelRun)
}

func (a *API) listRuns(ctx context.Context, in *runsInput) (*runsOutput, error) {
	runs, total, err := a.Store.ListRuns(ctx, syncs.RunFilter{
		Table: registry.TableID(in.Table), State: syncs.State(in.State), Limit: in.Limit, Offset: in.Offset,
	})
	if err != nil {
		return nil, err
	}
	out := &runsOutput{}
	out.Body.Runs, out.Body.Total = make([]Run, len(runs)), total
	for i, r := range runs {
		out.Body.Runs[i] = runOf(r)
	}
	return out, nil
}

func (a *API) getRun(ctx context.Context, in *runInput) (*runStepsOutput, error) {
	r, err := a.Store.GetRun(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	steps, err := a.Store.ListSteps(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &runStepsOutput{}
	out.Body.Run, out.Body.Steps = runOf(r), make([]step, len(steps))
	for i, s := range steps {
		out.Body.Steps[i] = step{
			Phase: string(s.Phase), State: string(s.State), At: stamp(s.At), Rows: s.Rows, Bytes: s.Bytes,
			DurationMS: s.Duration.Milliseconds(), Code: orNull(s.Code), Message: orNull(s.Message),
		}
	}
	return out, nil
}

func (a *API) cancelRun(ctx context.Context, in *runInput) (*runOutput, error) {
	r, err := a.Syncer.Cancel(ctx, principal(ctx).Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: runOf(r)}, nil
}
