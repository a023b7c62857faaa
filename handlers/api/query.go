package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/handlers/request"
)

// Queries runs people's SQL.
type Queries interface {
	Run(ctx context.Context, p access.Principal, r query.Request) (*query.Run, error)
	// Submit starts a query that goes on when ctx ends.
	Submit(ctx context.Context, p access.Principal, r query.Request) (query.Record, error)
	// Live returns how a run under way stands, and its place in the queue.
	Live(by access.Owner, id string) (r query.Record, place int, ok bool)
}

type queryInput struct {
	Accept string `header:"Accept" doc:"application/json, or a stream of all rows: application/vnd.apache.arrow.stream, text/csv, text/tab-separated-values, application/x-ndjson."`
	Guard  string `query:"guard" enum:"spreadsheet" doc:"With CSV and TSV: keeps spreadsheets from taking text for a formula, by an apostrophe before it."`
	Body   struct {
		SQL   string `json:"sql" doc:"One reading statement over the tables of your catalog."`
		Limit *int64 `json:"limit,omitempty" nullable:"true" doc:"Most rows in the answer; 1000 for JSON and all for a stream unless given."`
	}
}

type queryOutput struct {
	ContentType string `header:"Content-Type"`
	Run         string `header:"X-Query-Run"`
	Guard       string `header:"X-Csv-Guard"`
	Squeezed    string `header:"No-Gzip-Compression"`
	Trailer     string `header:"Trailer"`
	Body        func(huma.Context)
}

// queryAnswer documents what is written row by row.
type queryAnswer struct {
	Columns   []string `json:"columns"`
	Rows      [][]any  `json:"rows" doc:"Numbers, truth values, text and null are themselves; every other value is text."`
	RowCount  int64    `json:"row_count"`
	Truncated bool     `json:"truncated" doc:"Whether there were more rows than the limit."`
}

func (a *API) queryRoutes() {
	o := operation{
		id: "query", method: http.MethodPost, path: "/api/query", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery), long: true,
		summary: "Run SQL",
		about: "Runs one reading statement (SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN, PIVOT) in DuckDB. It sees the tables of your catalog and nothing else. " +
			"Rows are sent as they come; an answer that breaks off is not whole. The header X-Query-Run names the run; " +
			"the rows of a JSON answer are kept under it for a while. With another Accept all rows are streamed and none kept; " +
			"the trailer X-Query-Truncated says whether there were more than the limit.",
		invalid: http.StatusBadRequest,
		errors:  []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		example: map[string]any{"sql": "SELECT state, count(*) AS airports FROM airports GROUP BY state ORDER BY airports DESC", "limit": 10},
	}
	register(a, o, a.query)
	schema := a.OpenAPI().Components.Schemas.Schema(typeOf[queryAnswer](), true, "QueryAnswer")
	a.OpenAPI().Paths[o.path].Post.Responses["200"] = &huma.Response{
		Description: "The rows.",
		Content: map[string]*huma.MediaType{"application/json": {Schema: schema, Example: map[string]any{
			"columns": []string{"state", "airports"}, "rows": [][]any{{"AK", 263}, {"TX", 209}}, "row_count": 2, "truncated": true,
		}}},
	}
}

const defaultLimit = 1000

func (a *API) query(ctx context.Context, in *queryInput) (*queryOutput, error) {
	if format := streamed(in.Accept); format != "" {
		return a.queryStream(ctx, in, format)
	}
	limit := int64(defaultLimit)
	if in.Body.Limit != nil {
		limit = max(*in.Body.Limit, 0) // contract 3.1 takes any number
	}
	// The engine takes 0 for all rows, so none are asked for as one and left out.
	run, err := a.Queries.Run(ctx, principal(ctx), query.Request{SQL: in.Body.SQL, MaxRows: max(limit, 1), Origin: query.FromAPI, Keep: true})
	if err != nil {
		return nil, a.sqlError(ctx, err)
	}
	out := newRowWriter(query.AsResult(run), limit)
	// What fits into the buffer is answered with a true status; beyond it, the
	// rows go out as they come and a failure cuts the answer off.
	if err := out.fill(ctx); err != nil {
		return nil, errors.Join(a.sqlError(ctx, err), run.Close()) //nolint:contextcheck // a run ends under the context that it began with
	}
	if out.done {
		if err := run.Close(); err != nil { //nolint:contextcheck // a run ends under the context that it began with
			return nil, err
		}
	}
	return &queryOutput{ContentType: "application/json", Run: run.ID, Body: func(hc huma.Context) { //nolint:contextcheck // a run ends under the context that it began with
		hc.SetStatus(http.StatusOK)
		send(hc, run.ID, out.drain, run.Close)
	}}, nil
}

// offer is what somebody may ask for, where a query names it.
type offer struct {
	ResourceType string `json:"resource_type"`
	ResourceID   string `json:"resource_id"`
	Name         string `json:"name"`
	URL          string `json:"url"`
}

func offerSchema() *huma.Schema {
	text := &huma.Schema{Type: huma.TypeString}
	return &huma.Schema{
		Type:        huma.TypeObject,
		Description: "Of a query that names a table which is not granted to you but says that it exists: what to send to POST /api/access-requests, and the page to ask on.",
		Properties:  map[string]*huma.Schema{"resource_type": text, "resource_id": text, "name": text, "url": text},
	}
}

// sqlError is an error of a query as contract 3.1 words it. A table that is not
// granted but says that it exists can be asked for; any other one that is not
// granted is like one that is not there.
func (a *API) sqlError(ctx context.Context, err error) error {
	var bad *query.SQLError
	if !errors.As(err, &bad) {
		return err
	}
	text := bad.Text
	if bad.Code == "query_error" {
		text = "Query error: " + text
	}
	f := &failure{status: http.StatusBadRequest, Detail: text}
	name, missing := query.MissingTable(bad.Text)
	if !missing {
		return f
	}
	c, cerr := a.Store.Catalog(ctx, principal(ctx))
	if cerr != nil {
		return errors.Join(cerr, err)
	}
	if o, there := c.Offer(name); there {
		f.Detail = text + "\n\n" + o.Name + " exists; you have no grant. Ask for access."
		f.Request = &offer{ResourceType: string(access.TableResource), ResourceID: o.ID, Name: o.Name, URL: request.AskPath(o.ID)}
	}
	return f
}
