package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/audit"
)

type windowInput struct {
	SinceMinutes int `query:"since_minutes" minimum:"1" maximum:"43200" default:"1440" doc:"How far back, in minutes."`
}

type (
	facetUser struct {
		ID    string `json:"id"`
		Label string `json:"label"`
		Count int64  `json:"count"`
	}
	facetValue struct {
		Value string `json:"value"`
		Count int64  `json:"count"`
	}
	facetsOutput struct {
		Body struct {
			WindowMinutes int          `json:"window_minutes"`
			Users         []facetUser  `json:"users"`
			Actions       []facetValue `json:"actions"`
			Results       []facetValue `json:"results"`
			Resources     []facetValue `json:"resources" doc:"Of the newest 5,000 rows."`
			Sources       []facetValue `json:"sources" doc:"Of the newest 5,000 rows."`
			CountedFrom   *string      `json:"counted_from" format:"date-time" doc:"Since when the rows were counted, when there are too many in the window."`
		}
	}
	kpisOutput struct {
		Body struct {
			WindowMinutes int     `json:"window_minutes"`
			EventsTotal   int64   `json:"events_total"`
			ActiveUsers   int64   `json:"active_users"`
			Errors        int64   `json:"errors"`
			ErrorRate     float64 `json:"error_rate"`
			P95DurationMS *int64  `json:"p95_duration_ms" doc:"Of the newest 5,000 rows."`
			CountedFrom   *string `json:"counted_from" format:"date-time" doc:"Since when the rows were counted, when there are too many in the window."`
		}
	}
	savedView struct {
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Query     json.RawMessage `json:"query"`
		CreatedAt string          `json:"created_at" format:"date-time"`
		UpdatedAt string          `json:"updated_at" format:"date-time"`
	}
	savedViewsOutput struct {
		Body struct {
			Views []savedView `json:"views"`
		}
	}
	savedViewOutput struct{ Body savedView }
	saveViewInput   struct {
		Body struct {
			Name  string         `json:"name" doc:"At most 80 characters; a view of the same name is replaced." example:"Refused downloads"`
			Query map[string]any `json:"query" doc:"A filter, at most 64 KiB."`
		}
	}
	savedViewInput struct {
		ID string `path:"id"`
	}
)

func (a *API) observabilityRoutes() {
	base := operation{tag: "Activity", need: access.Admin, terms: asks(access.ScopeAdmin), invalid: http.StatusBadRequest}
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		o := base
		o.id, o.method, o.path, o.summary, o.about, o.status, o.errors = id, method, "/api/admin/observability"+path, summary, about, status, errors
		return o
	}
	register(a, with("observability-facets", http.MethodGet, "/facets", "Who, what and from where", "The most frequent values of the audit log in a window, fifty of each at most.", 0), a.facets)
	register(a, with("observability-kpis", http.MethodGet, "/kpis", "The audit log in figures", "How many events in a window, by how many people, and how many of them failed.", 0), a.kpis)
	register(a, with("observability-views", http.MethodGet, "/views", "Your views of the log", "Filters that you keep under names.", 0), a.listViews)
	save := with("save-observability-view", http.MethodPost, "/views", "Keep a view of the log", "At most a hundred, of 64 KiB each.", 0, http.StatusBadRequest)
	save.example = map[string]any{"name": "Refused downloads", "query": map[string]any{"action": "data.download", "result": "failed"}}
	register(a, save, a.saveView)
	register(a, with("delete-observability-view", http.MethodDelete, "/views/{id}", "Forget a view of the log", "One of your own.", http.StatusNoContent, http.StatusNotFound), a.deleteView)
}

// counts sums a window up and writes the look down.
func (a *API) counts(ctx context.Context, what string, minutes int) (audit.Counts, *string, error) {
	c, err := a.Activity.CountActivity(ctx, audit.Filter{Since: a.sinceMinutes(minutes), Reads: true}, true)
	if err != nil {
		return c, nil, err
	}
	return c, stampOf(c.From), a.look(ctx, what, map[string]any{"since_minutes": minutes})
}

func (a *API) facets(ctx context.Context, in *windowInput) (*facetsOutput, error) {
	c, from, err := a.counts(ctx, "facets", in.SinceMinutes)
	if err != nil {
		return nil, err
	}
	out := &facetsOutput{}
	b := &out.Body
	b.WindowMinutes, b.CountedFrom = in.SinceMinutes, from
	b.Users = make([]facetUser, len(c.Users))
	for i, u := range c.Users {
		b.Users[i] = facetUser{ID: u.Value, Label: cmp.Or(u.Label, u.Value), Count: u.Count}
	}
	b.Actions, b.Results, b.Resources, b.Sources = facetValues(c.Actions), facetValues(c.Results), facetValues(c.Resources), facetValues(c.Sources)
	return out, nil
}

func facetValues(counted []audit.Counted) []facetValue {
	values := make([]facetValue, len(counted))
	for i, c := range counted {
		values[i] = facetValue{Value: c.Value, Count: c.Count}
	}
	return values
}

func (a *API) kpis(ctx context.Context, in *windowInput) (*kpisOutput, error) {
	c, from, err := a.counts(ctx, "kpis", in.SinceMinutes)
	if err != nil {
		return nil, err
	}
	out := &kpisOutput{}
	b := &out.Body
	b.WindowMinutes, b.EventsTotal, b.ActiveUsers, b.Errors, b.P95DurationMS, b.CountedFrom = in.SinceMinutes, c.Events, c.People, c.Failed, c.P95, from
	if c.Events > 0 {
		b.ErrorRate = float64(c.Failed) / float64(c.Events)
	}
	return out, nil
}

func savedViewOf(v audit.View) savedView {
	return savedView{ID: v.ID, Name: v.Name, Query: json.RawMessage(v.Query), CreatedAt: stamp(v.CreatedAt), UpdatedAt: stamp(v.UpdatedAt)}
}

func (a *API) listViews(ctx context.Context, _ *none) (*savedViewsOutput, error) {
	views, err := a.Activity.ListViews(ctx, string(principal(ctx).UserID))
	if err != nil {
		return nil, err
	}
	out := &savedViewsOutput{}
	out.Body.Views = make([]savedView, len(views))
	for i, v := range views {
		out.Body.Views[i] = savedViewOf(v)
	}
	return out, nil
}

func (a *API) saveView(ctx context.Context, in *saveViewInput) (*savedViewOutput, error) {
	query, err := json.Marshal(in.Body.Query)
	if err != nil {
		return nil, err
	}
	v, err := a.Activity.KeepView(ctx, principal(ctx).Actor(), in.Body.Name, query)
	if err != nil {
		return nil, err
	}
	return &savedViewOutput{Body: savedViewOf(v)}, nil
}

func (a *API) deleteView(ctx context.Context, in *savedViewInput) (*none, error) {
	return nil, a.Activity.DeleteView(ctx, principal(ctx).Actor(), in.ID)
}
