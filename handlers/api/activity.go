package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/audit"
	"agnes/domain/syncs"
)

// ActivityStore is what the activity operations need beside the log.
type ActivityStore interface {
	activity.HealthStore
	SyncHistory(ctx context.Context, since time.Time, limit int) ([]syncs.Past, error)
}

type activityInput struct {
	SinceMinutes int    `query:"since_minutes" minimum:"1" maximum:"43200" default:"1440" doc:"How far back, in minutes."`
	UserID       string `query:"user_id" maxLength:"200" doc:"Id or address of a person."`
	ActionPrefix string `query:"action_prefix" maxLength:"200" doc:"Beginning of the action." example:"query."`
	Resource     string `query:"resource" maxLength:"200" doc:"What it was done to." example:"table:orders"`
	Result       string `query:"result_pattern" maxLength:"200" doc:"Pattern of SQL's LIKE." example:"error.%"`
	Text         string `query:"q" maxLength:"200" doc:"Text in the parameters."`
	CursorTS     string `query:"cursor_ts" doc:"From next_cursor."`
	CursorID     string `query:"cursor_id" maxLength:"200" doc:"From next_cursor."`
	Limit        int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type activityRow struct {
	ID            string         `json:"id"`
	Timestamp     string         `json:"timestamp" format:"date-time"`
	UserID        *string        `json:"user_id"`
	UserEmail     *string        `json:"user_email"`
	UserName      *string        `json:"user_name"`
	Action        string         `json:"action"`
	Resource      *string        `json:"resource"`
	Params        map[string]any `json:"params" doc:"What was asked."`
	ParamsBefore  map[string]any `json:"params_before" doc:"What was there before."`
	Result        *string        `json:"result" doc:"success, or error.<status>."`
	DurationMS    int64          `json:"duration_ms"`
	ClientIP      *string        `json:"client_ip"`
	ClientKind    *string        `json:"client_kind"`
	CorrelationID *string        `json:"correlation_id" doc:"Id of the request."`
}

type activityCursor struct {
	TS string `json:"ts" format:"date-time"`
	ID string `json:"id"`
}

type activityOutput struct {
	Body struct {
		Rows       []activityRow   `json:"rows" doc:"Newest first."`
		NextCursor *activityCursor `json:"next_cursor" doc:"Where the next page begins; null at the end. A page may hold fewer rows than limit and still have a next one: a search looks at a bounded number of rows at a time."`
		Filter     map[string]any  `json:"filter"`
	}
}

type healthField struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Raw   any    `json:"raw"`
	Color string `json:"color" enum:"green,yellow,red"`
}

type activityHealthOutput struct {
	Body struct {
		Status   string        `json:"status" enum:"green,yellow,red"`
		Fields   []healthField `json:"fields"`
		Sentence string        `json:"sentence"`
	}
}

type pastInput struct {
	SinceMinutes int `query:"since_minutes" minimum:"1" maximum:"43200" default:"1440"`
	Limit        int `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type pastRow struct {
	ID         string  `json:"id"`
	TableID    string  `json:"table_id"`
	SyncedAt   string  `json:"synced_at" format:"date-time"`
	Rows       *int64  `json:"rows"`
	DurationMS *int64  `json:"duration_ms"`
	Status     string  `json:"status"`
	Error      *string `json:"error"`
}

type pastOutput struct {
	Body struct {
		Rows []pastRow `json:"rows"`
	}
}

func (a *API) activityRoutes() {
	get := func(id, path, summary, about string) operation {
		return operation{
			id: id, method: http.MethodGet, path: "/api/admin/activity" + path, tag: "Activity", need: access.Admin, terms: asks(access.ScopeAdmin),
			summary: summary, about: about,
		}
	}
	register(a, get("activity", "", "Who did what", "Rows of the audit log by one filter, newest first."), a.activity)
	register(a, get("activity-health", "/health", "How Agnes is, on one line", "The scheduler, syncs and people of a day, and what needs a look. An answer is kept for 30 seconds."), a.activityHealth)
	register(a, get("activity-sync", "/sync", "The history of syncs", "Runs that ended, newest first."), a.activitySync)
	a.activityExportRoute()
	a.observabilityRoutes()
}

// sinceMinutes is the filter's beginning.
func (a *API) sinceMinutes(minutes int) time.Time {
	return a.Now().Add(-time.Duration(minutes) * time.Minute)
}

func (a *API) activity(ctx context.Context, in *activityInput) (*activityOutput, error) {
	f := audit.Filter{
		Person: in.UserID, Action: in.ActionPrefix, Resource: in.Resource, Result: in.Result, Text: in.Text,
		Since: a.sinceMinutes(in.SinceMinutes), Reads: true,
	}
	asked := map[string]any{
		"since_minutes": in.SinceMinutes, "user_id": in.UserID, "action_prefix": in.ActionPrefix, "resource": in.Resource, "result_pattern": in.Result, "q": in.Text,
	}
	o := audit.ListOptions{Limit: in.Limit}
	if in.CursorTS != "" {
		at, err := time.Parse(time.RFC3339Nano, in.CursorTS)
		if err != nil {
			return nil, domain.FieldError("cursor_ts", "cursor_ts is no time. Give ts of next_cursor.")
		}
		o.From = &audit.Cursor{At: at, ID: in.CursorID}
	}
	page, err := a.Activity.ListActivity(ctx, f, o)
	if err != nil {
		return nil, err
	}
	if err := a.look(ctx, "list", asked); err != nil {
		return nil, err
	}
	out := &activityOutput{}
	out.Body.Filter, out.Body.Rows = asked, make([]activityRow, len(page.Rows))
	for i, row := range page.Rows {
		out.Body.Rows[i] = activityRowOf(row)
	}
	if page.Older != nil {
		out.Body.NextCursor = &activityCursor{TS: stamp(page.Older.At), ID: page.Older.ID}
	}
	return out, nil
}

func activityRowOf(row audit.Listed) activityRow {
	return activityRow{
		ID: row.ID, Timestamp: stamp(row.Timestamp), UserID: orNull(row.Actor.UserID), UserEmail: orNull(row.Actor.Email), UserName: orNull(row.UserName),
		Action: row.Action, Resource: orNull(row.Resource), Params: row.Params, ParamsBefore: row.Before, Result: orNull(row.Result), DurationMS: row.DurationMS,
		ClientIP: orNull(row.Actor.ClientIP), ClientKind: orNull(row.Actor.ClientKind), CorrelationID: orNull(row.Actor.RequestID),
	}
}

// look writes down that the caller reads the log by a filter.
func (a *API) look(ctx context.Context, what string, asked map[string]any) error {
	params, values := map[string]any{"view": what}, url.Values{"view": {what}}
	for name, value := range asked {
		if text, ok := value.(string); ok && text == "" {
			continue
		}
		params[name] = value
		values.Set(name, fmt.Sprint(value))
	}
	return a.Activity.Look(ctx, principal(ctx).Actor(), values.Encode(), params)
}

func (a *API) activityHealth(ctx context.Context, _ *none) (*activityHealthOutput, error) {
	var ticked time.Time
	if a.Ticked != nil {
		ticked = a.Ticked()
	}
	h, err := a.Activity.Health(ctx, a.Store, ticked, a.DeployedAt)
	if err != nil {
		return nil, err
	}
	if err := a.look(ctx, "health", nil); err != nil {
		return nil, err
	}
	out := &activityHealthOutput{}
	out.Body.Status, out.Body.Sentence, out.Body.Fields = h.Status, h.Sentence, make([]healthField, len(h.Fields))
	for i, f := range h.Fields {
		out.Body.Fields[i] = healthField(f)
	}
	return out, nil
}

func (a *API) activitySync(ctx context.Context, in *pastInput) (*pastOutput, error) {
	past, err := a.Store.SyncHistory(ctx, a.sinceMinutes(in.SinceMinutes), in.Limit)
	if err != nil {
		return nil, err
	}
	if err := a.look(ctx, "sync", map[string]any{"since_minutes": in.SinceMinutes}); err != nil {
		return nil, err
	}
	out := &pastOutput{}
	out.Body.Rows = make([]pastRow, len(past))
	for i, p := range past {
		out.Body.Rows[i] = pastRow{ID: p.ID, TableID: p.Table, SyncedAt: stamp(p.SyncedAt), Rows: p.Rows, DurationMS: p.DurationMS, Status: p.Status, Error: orNull(p.Error)}
	}
	return out, nil
}
