package api

import (
	"context"
	"net/http"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
)

// QueryHistory reads people's own runs.
type QueryHistory interface {
	QueryHistory(ctx context.Context, f query.HistoryFilter) ([]query.Record, error)
	GetQueryRun(ctx context.Context, by access.Owner, id string) (query.Record, error)
	QueryUsage(ctx context.Context, by people.UserID, on time.Time) (query.Usage, error)
}

// Results reads the kept rows of runs.
type Results interface {
	Find(ctx context.Context, p access.Principal, id string) (query.Record, error)
	Open(ctx context.Context, p access.Principal, rec query.Record, v query.View) (query.Result, error)
	Forget(ctx context.Context, p access.Principal, id string) error
}

// queryRun is a run as clients read it.
type queryRun struct {
	ID         string          `json:"id"`
	State      string          `json:"state" enum:"queued,running,ok,failed,cancelled"`
	Place      int             `json:"place" doc:"How many queries are served before it, itself included; 0 unless it is queued."`
	Origin     string          `json:"origin" enum:"api,console,export,sample,background"`
	SQL        string          `json:"sql"`
	Tables     []string        `json:"tables" doc:"Tables of your catalog that the text mentions."`
	Columns    []versionColumn `json:"columns" doc:"Names and DuckDB types, once they are known."`
	Limit      *int64          `json:"limit" doc:"Most rows that were asked for; null for all."`
	Rows       int64           `json:"rows"`
	Bytes      int64           `json:"bytes" doc:"Of the rows in memory."`
	Truncated  bool            `json:"truncated" doc:"Whether there were more rows than the limit."`
	DurationMS int64           `json:"duration_ms"`
	Error      *queryFault     `json:"error"`
	Kept       string          `json:"kept" enum:",kept,too_large,failed,expired,evicted,lost" doc:"What became of the rows; with kept they can be read and exported."`
	KeptWhy    string          `json:"kept_message" doc:"The same in a sentence."`
	StartedAt  string          `json:"started_at" format:"date-time"`
	FinishedAt *string         `json:"finished_at" format:"date-time"`
}

type queryFault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line" doc:"From 1; 0 when unknown."`
	Column  int    `json:"column" doc:"From 1; 0 when unknown."`
}

type (
	// QueryRunInput names one run.
	QueryRunInput struct {
		ID string `path:"id" doc:"Id of the run."`
	}
	submitInput struct {
		Body struct {
			SQL     string `json:"sql" doc:"One reading statement over the tables of your catalog."`
			Limit   *int64 `json:"limit,omitempty" nullable:"true" minimum:"1" doc:"Most rows to keep; all unless given."`
			Timeout int64  `json:"timeout_seconds,omitempty" minimum:"0" doc:"Longest time it may take, up to the server's limit."`
		}
	}
	submitOutput struct {
		Location string `header:"Location"`
		Run      string `header:"X-Query-Run"`
		Body     queryRun
	}
	queryRunOutput struct{ Body queryRun }
	queryRunsInput struct {
		State  string `query:"state" enum:"running,ok,failed,cancelled"`
		Origin string `query:"origin" enum:"api,console,export,sample,background"`
		Text   string `query:"q" maxLength:"1000" doc:"Part of the SQL, in any case."`
		Kept   bool   `query:"kept" doc:"Only runs whose rows are kept."`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
		After  string `query:"after" maxLength:"100" doc:"next of the page before."`
	}
	queryRunsOutput struct {
		Body struct {
			Runs []queryRun `json:"runs"`
			Next *string    `json:"next" doc:"Where the next page begins; null on the last one."`
		}
	}
	usageOutput struct {
		Body struct {
			Day        string `json:"day" doc:"UTC."`
			Queries    int64  `json:"queries"`
			Rows       int64  `json:"rows"`
			Bytes      int64  `json:"bytes" doc:"Of the rows in memory."`
			Concurrent int    `json:"max_concurrent" doc:"Queries of yours that may run or wait; 0 for any number."`
			DailyBytes int64  `json:"max_daily_bytes" doc:"0 for any number."`
		}
	}
)

func (a *API) queryRunRoutes() {
	register(a, operation{
		id: "submit-query", method: http.MethodPost, path: "/api/query/runs", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery), status: http.StatusAccepted,
		summary: "Run SQL in the background", about: "Starts a run that goes on when you leave, and keeps its rows. The header Location says where it is.",
		invalid: http.StatusBadRequest, errors: []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		example: map[string]any{"sql": "SELECT * FROM airports"},
	}, a.submitQuery)
	register(a, operation{
		id: "list-query-runs", method: http.MethodGet, path: "/api/query/runs", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery),
		summary: "List your queries", about: "Your own, the newest first.", errors: []int{http.StatusUnprocessableEntity},
	}, a.listQueryRuns)
	register(a, operation{
		id: "get-query-usage", method: http.MethodGet, path: "/api/query/usage", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery),
		summary: "What your queries returned today", about: "With the limits that you are held to.",
	}, a.queryUsage)
	register(a, operation{
		id: "get-query-run", method: http.MethodGet, path: "/api/query/runs/{id}", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery),
		summary: "Get one of your queries", about: "How it stands, its place in the queue, or how it ended.", errors: []int{http.StatusNotFound},
	}, a.getQueryRun)
	register(a, operation{
		id: "forget-query-run", method: http.MethodDelete, path: "/api/query/runs/{id}", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery), status: http.StatusNoContent,
		summary: "Cancel or forget a query", about: "Stops one that runs or waits; one that has ended leaves your list with its rows. The audit log keeps both.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.forgetQueryRun)
	a.queryResultRoutes()
}

func (a *API) submitQuery(ctx context.Context, in *submitInput) (*submitOutput, error) {
	most := int64(0)
	if in.Body.Limit != nil {
		most = *in.Body.Limit
	}
	rec, err := a.Queries.Submit(ctx, principal(ctx), query.Request{
		SQL: in.Body.SQL, MaxRows: most, Timeout: time.Duration(in.Body.Timeout) * time.Second, Origin: query.FromBackground,
	})
	if err != nil {
		return nil, a.sqlError(ctx, err)
	}
	return &submitOutput{Location: "/api/query/runs/" + rec.ID, Run: rec.ID, Body: a.queryRunOf(principal(ctx), rec)}, nil
}

func (a *API) listQueryRuns(ctx context.Context, in *queryRunsInput) (*queryRunsOutput, error) {
	p := principal(ctx)
	runs, err := a.History.QueryHistory(ctx, query.HistoryFilter{
		By: p.Owner(), State: query.State(in.State), Origin: query.Origin(in.Origin), Text: in.Text, Kept: in.Kept, After: in.After, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &queryRunsOutput{}
	if len(runs) > in.Limit {
		runs = runs[:in.Limit]
		out.Body.Next = &runs[in.Limit-1].ID
	}
	out.Body.Runs = make([]queryRun, len(runs))
	for i, r := range runs {
		out.Body.Runs[i] = a.queryRunOf(p, r)
	}
	return out, nil
}

func (a *API) getQueryRun(ctx context.Context, in *QueryRunInput) (*queryRunOutput, error) {
	p := principal(ctx)
	rec, err := a.History.GetQueryRun(ctx, p.Owner(), in.ID)
	if err != nil {
		return nil, err
	}
	return &queryRunOutput{Body: a.queryRunOf(p, rec)}, nil
}

func (a *API) forgetQueryRun(ctx context.Context, in *QueryRunInput) (*none, error) {
	return nil, a.Results.Forget(ctx, principal(ctx), in.ID)
}

func (a *API) queryUsage(ctx context.Context, _ *none) (*usageOutput, error) {
	u, err := a.History.QueryUsage(ctx, principal(ctx).UserID, a.Now())
	if err != nil {
		return nil, err
	}
	out := &usageOutput{}
	out.Body.Day, out.Body.Queries, out.Body.Rows, out.Body.Bytes = query.Day(a.Now()), u.Queries, u.Rows, u.Bytes
	limits := a.PersonLimits
	if a.Limits != nil {
		limits = a.Limits()
	}
	out.Body.Concurrent, out.Body.DailyBytes = limits.Concurrent, limits.DailyBytes
	return out, nil
}

// queryRunOf is a run as it is sent; one under way as it stands now.
func (a *API) queryRunOf(p access.Principal, r query.Record) queryRun {
	state, place := string(r.State), 0
	if r.State == query.Running {
		if now, at, ok := a.Queries.Live(p.Owner(), r.ID); ok {
			r, place = now, at
		}
		if place > 0 {
			state = "queued"
		}
	}
	out := queryRun{
		ID: r.ID, State: state, Place: place, Origin: string(r.Origin), SQL: r.SQL, Tables: append([]string{}, r.Tables...),
		Columns: make([]versionColumn, len(r.Columns)), Rows: r.Rows, Bytes: r.Bytes, Truncated: r.More, DurationMS: r.Duration().Milliseconds(),
		Kept: string(r.Kept), StartedAt: stamp(r.StartedAt), FinishedAt: stampOf(r.FinishedAt),
	}
	for i, c := range r.Columns {
		out.Columns[i] = versionColumn{Name: c.Name, Type: c.Type}
	}
	if r.MaxRows > 0 {
		out.Limit = &r.MaxRows
	}
	switch r.State {
	case query.OK:
		out.KeptWhy = r.Kept.Sentence()
	case query.Running:
		out.DurationMS = a.Now().Sub(r.StartedAt).Milliseconds()
	case query.Failed, query.Cancelled:
		out.Error = &queryFault{Code: r.Code, Message: r.Message, Line: r.Line, Column: r.Column}
	}
	return out
}
