package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/query/export"
)

type (
	resultRowsInput struct {
		QueryRunInput
		Offset int64  `query:"offset" minimum:"0" default:"0"`
		Limit  int64  `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
		Sort   string `query:"sort" maxLength:"2000" doc:"Columns with commas between, - before one for falling order; #1 counts them. NULL comes last."`
	}
	resultExportInput struct {
		QueryRunInput
		Format string `query:"format" required:"true" enum:"csv,tsv,json,ndjson,parquet,arrow,xlsx"`
		Sort   string `query:"sort" maxLength:"2000" doc:"As with rows."`
		Guard  string `query:"guard" enum:"spreadsheet" doc:"With csv and tsv: keeps spreadsheets from taking text for a formula, by an apostrophe before it."`
	}
	resultOutput struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Guard       string `header:"X-Csv-Guard"`
		Squeezed    string `header:"No-Gzip-Compression"`
		Body        func(huma.Context)
	}
)

// resultAnswer documents what is written row by row.
type resultAnswer struct {
	Columns   []string `json:"columns"`
	Rows      [][]any  `json:"rows" doc:"As in the answer of POST /api/query."`
	RowCount  int64    `json:"row_count" doc:"Of this page."`
	Truncated bool     `json:"truncated" doc:"Whether rows follow this page."`
	Types     []string `json:"types" doc:"DuckDB types of the columns."`
	Total     int64    `json:"total" doc:"Rows of the whole result."`
	Offset    int64    `json:"offset"`
}

func (a *API) queryResultRoutes() {
	rows := operation{
		id: "get-query-rows", method: http.MethodGet, path: "/api/query/runs/{id}/rows", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery), long: true, reads: "query.result",
		summary: "Read kept rows of a query", about: "A page of a result, in its own order or sorted, without running the query again.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	register(a, rows, a.resultRows)
	schema := a.OpenAPI().Components.Schemas.Schema(typeOf[resultAnswer](), true, "ResultAnswer")
	a.OpenAPI().Paths[rows.path].Get.Responses["200"] = &huma.Response{
		Description: "The rows.", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
	file := operation{
		id: "export-query-rows", method: http.MethodGet, path: "/api/query/runs/{id}/export", tag: "Query", need: access.SignedIn, terms: asks(access.ScopeQuery), long: true, reads: "query.export",
		summary: "Download kept rows of a query", about: "All rows of a result as a file. In csv and tsv NULL is an empty cell and an empty text is \"\"; " +
			"json and ndjson hold objects; an xlsx holds at most 1,048,575 rows, and numbers of more than 15 digits as text.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	register(a, file, a.exportResult)
	content := map[string]*huma.MediaType{}
	for _, f := range export.Formats() {
		content[f.ContentType()] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	a.OpenAPI().Paths[file.path].Get.Responses["200"] = &huma.Response{Description: "The file.", Content: content}
}

func (a *API) resultRows(ctx context.Context, in *resultRowsInput) (*resultOutput, error) {
	rec, rows, err := a.openResult(ctx, in.ID, in.Sort, query.View{Offset: in.Offset, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := newRowWriter(rows, -1)
	out.tail = func(bool) []byte {
		tail := []byte(`],"row_count":` + strconv.FormatInt(out.rows, 10) + `,"truncated":` + strconv.FormatBool(in.Offset+out.rows < rec.Rows) + `,"types":[`)
		for i, c := range rec.Columns {
			if i > 0 {
				tail = append(tail, ',')
			}
			tail = query.AppendJSONText(tail, c.Type)
		}
		return append(tail, `],"total":`+strconv.FormatInt(rec.Rows, 10)+`,"offset":`+strconv.FormatInt(in.Offset, 10)+"}\n"...)
	}
	if err := out.fill(ctx); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	if err := a.readResult(ctx, rec, "query.result", map[string]any{"offset": in.Offset, "limit": in.Limit}); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return &resultOutput{ContentType: "application/json", Body: func(hc huma.Context) { //nolint:contextcheck // an answer is sent under its own request's context
		hc.SetStatus(http.StatusOK)
		send(hc, rec.ID, out.drain, rows.Close)
	}}, nil
}

// openResult opens rows of a result of whoever asks.
func (a *API) openResult(ctx context.Context, id, sort string, v query.View) (query.Record, query.Result, error) {
	p := principal(ctx)
	rec, err := a.Results.Find(ctx, p, id)
	if err != nil {
		return rec, nil, err
	}
	if v.Sort, err = query.ParseSort(sort, rec.Columns); err != nil {
		return rec, nil, err
	}
	rows, err := a.Results.Open(ctx, p, rec, v)
	if err != nil {
		return rec, nil, err
	}
	rows, err = query.Peek(ctx, rows)
	return rec, rows, err
}

func (a *API) exportResult(ctx context.Context, in *resultExportInput) (*resultOutput, error) {
	format, err := export.Parse(in.Format)
	if err != nil {
		return nil, err
	}
	rec, rows, err := a.openResult(ctx, in.ID, in.Sort, query.View{})
	if err != nil {
		return nil, err
	}
	if format == export.XLSX {
		if err := export.CheckSheet(rec.Rows, len(rec.Columns)); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
	}
	if err := a.readResult(ctx, rec, "query.export", map[string]any{"format": string(format), "rows_returned": rec.Rows, "bytes_returned": rec.Bytes}); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	o := export.Options{Guard: in.Guard != "", TempDir: a.TempDir}
	out := &resultOutput{
		ContentType: format.ContentType(),
		Disposition: `attachment; filename="query-` + rec.StartedAt.UTC().Format("20060102-150405") + `.` + string(format) + `"`,
	}
	if o.Guarded(format) {
		out.Guard = in.Guard
	}
	if format.Compact() {
		out.Squeezed = "1"
	}
	out.Body = func(hc huma.Context) { a.sendFile(hc, rec, rows, format, o) } //nolint:contextcheck // an answer is sent under its own request's context
	return out, nil
}

// sendFile writes a file as it arises. One that fails before its first byte, as
// a sheet with too long a text does, is answered with its error.
func (a *API) sendFile(hc huma.Context, rec query.Record, rows query.Result, format export.Format, o export.Options) {
	begun := &beginning{hc: hc}
	send(hc, rec.ID, func(ctx context.Context, w io.Writer) error {
		begun.to, o.Flush = w, flusher(w)
		err := export.Write(ctx, begun, format, rows, o)
		if err == nil || begun.sent {
			return err
		}
		if p, ok := w.(*patient); ok {
			p.withdraw("Content-Disposition", "X-Csv-Guard", "No-Gzip-Compression")
		}
		f := a.failure(ctx, operation{id: "export-query-rows"}, err)
		hc.SetHeader("Content-Type", "application/json")
		hc.SetStatus(f.status)
		return f.encode(w)
	}, rows.Close)
}

// beginning sets the status with the first byte.
type beginning struct {
	hc   huma.Context
	to   io.Writer
	sent bool
}

// Write sends a piece.
func (b *beginning) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !b.sent {
		b.sent = true
		b.hc.SetStatus(http.StatusOK)
	}
	return b.to.Write(p)
}
