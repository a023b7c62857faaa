package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// Rebuilds reads how rebuilds went and what is damaged.
type Rebuilds interface {
	LastRebuild(ctx context.Context) (*syncs.Rebuild, error)
	ListRebuilds(ctx context.Context, limit int) ([]syncs.Rebuild, error)
	ListDamage(ctx context.Context) ([]syncs.Damage, error)
}

// Rebuilder publishes what people outside Agnes read.
type Rebuilder interface {
	Request(ctx context.Context)
	Rebuild(ctx context.Context) (work.Rebuilt, error)
}

// rebuildProblem is one table or source that a rebuild could not publish as it should be.
type rebuildProblem struct {
	Source  string `json:"source"`
	Table   string `json:"table,omitempty" doc:"Empty when it is about the whole source."`
	Code    string `json:"code" doc:"Why, for programs."`
	Message string `json:"message" doc:"Why, for people."`
	Served  bool   `json:"served" doc:"An earlier version is served instead; otherwise the table is left out."`
}

// rebuildRow is one rebuild.
type rebuildRow struct {
	ID         string           `json:"id"`
	State      string           `json:"state" enum:"ok,failed"`
	StartedAt  string           `json:"started_at" format:"date-time"`
	FinishedAt string           `json:"finished_at" format:"date-time"`
	DurationMS int64            `json:"duration_ms"`
	Generation int64            `json:"generation" doc:"Counts the published files: analytics/server.duckdb is also analytics/server-<generation>.duckdb."`
	Views      int              `json:"views" doc:"How many tables were published."`
	Unchanged  bool             `json:"unchanged" doc:"Everything was published already, so nothing was written."`
	LeftOut    int              `json:"left_out"`
	Problems   []rebuildProblem `json:"problems"`
	Code       *string          `json:"code" doc:"Why it failed, for programs."`
	Message    *string          `json:"message" doc:"Why it failed, for people."`
	NextStep   *string          `json:"next_step"`
}

// damageRow is a table that serves an earlier version.
type damageRow struct {
	TableID    string `json:"table_id"`
	Name       string `json:"name"`
	Source     string `json:"source"`
	Version    string `json:"version" doc:"The damaged version."`
	Code       string `json:"code"`
	Message    string `json:"message"`
	FoundAt    string `json:"found_at" format:"date-time"`
	Serves     string `json:"serves" doc:"The version that is served instead."`
	ServesFrom string `json:"serves_from" format:"date-time"`
	ServesRows int64  `json:"serves_rows"`
}

type (
	rebuildOutput struct {
		Body struct {
			Last    *rebuildRow  `json:"last" doc:"The newest rebuild; null when there was none."`
			Recent  []rebuildRow `json:"recent" doc:"The newest ones, newest first."`
			Damaged []damageRow  `json:"damaged" doc:"Tables that serve an earlier version because the newest one is damaged."`
		}
	}
	rebuildNowOutput struct {
		Body struct {
			Views      int              `json:"views"`
			Generation int64            `json:"generation"`
			Unchanged  bool             `json:"unchanged"`
			Extracts   []string         `json:"extracts" doc:"Sources whose extract.duckdb was written."`
			Problems   []rebuildProblem `json:"problems"`
		}
	}
)

// recentRebuilds is how many rebuilds the answer has.
const recentRebuilds = 20

func (a *API) rebuildRoutes() {
	register(a, operation{
		id: "get-rebuild", method: http.MethodGet, path: "/api/admin/rebuild", tag: "Sync", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "How the last rebuilds went",
		about:   "A rebuild publishes `analytics/server.duckdb` and each source's `extract.duckdb` from the current versions. What could not be published is named with a code and a sentence.",
	}, a.getRebuild)
	register(a, operation{
		id: "rebuild", method: http.MethodPost, path: "/api/admin/rebuild", tag: "Sync", need: access.Admin, terms: asks(access.ScopeAdmin), long: true,
		summary: "Rebuild now",
		about:   "Publishes the current versions and answers when that is done. Everybody who asks while a rebuild runs shares the next one. Tables that cannot be read do not fail it: they are in `problems`.",
		errors:  []int{http.StatusServiceUnavailable},
	}, a.rebuildNow)
}

func (a *API) getRebuild(ctx context.Context, _ *none) (*rebuildOutput, error) {
	recent, err := a.Store.ListRebuilds(ctx, recentRebuilds)
	if err != nil {
		return nil, err
	}
	damaged, err := a.Store.ListDamage(ctx)
	if err != nil {
		return nil, err
	}
	out := &rebuildOutput{}
	out.Body.Recent, out.Body.Damaged = make([]rebuildRow, len(recent)), make([]damageRow, len(damaged))
	for i, r := range recent {
		out.Body.Recent[i] = rebuildRowOf(r)
	}
	if len(recent) > 0 {
		out.Body.Last = &out.Body.Recent[0]
	}
	for i, d := range damaged {
		out.Body.Damaged[i] = damageRow{
			TableID: string(d.Table), Name: d.Name, Source: d.Source, Version: string(d.Version), Code: d.Code, Message: d.Message,
			FoundAt: stamp(d.FoundAt), Serves: string(d.Serves), ServesFrom: stamp(d.ServesFrom), ServesRows: d.ServesRows,
		}
	}
	return out, nil
}

func (a *API) rebuildNow(ctx context.Context, _ *none) (*rebuildNowOutput, error) {
	report, err := a.Rebuilder.Rebuild(ctx)
	if err != nil {
		return nil, err
	}
	out := &rebuildNowOutput{}
	b := &out.Body
	b.Views, b.Generation, b.Unchanged, b.Problems = report.Views, report.Generation, report.Unchanged, rebuildProblems(report.Problems)
	b.Extracts = append([]string{}, report.Extracts...)
	return out, nil
}

func rebuildRowOf(r syncs.Rebuild) rebuildRow {
	return rebuildRow{
		ID: r.ID, State: string(r.State), StartedAt: stamp(r.StartedAt), FinishedAt: stamp(r.FinishedAt),
		DurationMS: r.FinishedAt.Sub(r.StartedAt).Milliseconds(), Generation: r.Generation, Views: r.Views, Unchanged: r.Unchanged,
		LeftOut: r.LeftOut(), Problems: rebuildProblems(r.Problems), Code: orNull(r.Code), Message: orNull(r.Message), NextStep: orNull(r.NextStep),
	}
}

func rebuildProblems(problems []work.Problem) []rebuildProblem {
	out := make([]rebuildProblem, len(problems))
	for i, p := range problems {
		out[i] = rebuildProblem{Source: p.Source, Table: p.Table, Code: p.Code, Message: p.Message, Served: p.Served}
	}
	return out
}
