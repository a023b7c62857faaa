package pages

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/danielgtaylor/huma/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/files"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// engine answers every statement with what a test put there.
type engine struct {
	mu      sync.Mutex
	columns []registry.Column
	batches [][][]*string // rows of text, batch by batch
	more    bool
	err     error // instead of a result
	late    error // after the last batch
	asked   []query.Statement
	hook    func()                   // called when a statement starts
	answer  map[string]error         // by statement: instead of err
	hold    map[string]chan struct{} // statements that wait for these, or for their end
	place   int
}

// Place is the place of every run in the queue.
func (e *engine) Place(string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.place
}

func (e *engine) Start(ctx context.Context, _ access.Catalog, s query.Statement) (query.Result, error) {
	e.mu.Lock()
	hold := e.hold[s.SQL]
	e.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, s)
	if e.hook != nil {
		e.hook()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := e.answer[s.SQL]; err != nil {
		return nil, err
	}
	if e.err != nil {
		return nil, e.err
	}
	return &result{engine: e, left: e.batches}, nil
}

func (e *engine) last() query.Statement {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.asked) == 0 {
		return query.Statement{}
	}
	return e.asked[len(e.asked)-1]
}

type result struct {
	engine *engine
	left   [][][]*string
}

func (r *result) Columns() []registry.Column { return r.engine.columns }
func (r *result) More() bool                 { return r.engine.more }
func (r *result) Close() error               { return nil }

func (r *result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(r.left) == 0 {
		if r.engine.late != nil {
			return nil, r.engine.late
		}
		return nil, io.EOF
	}
	rows := r.left[0]
	r.left = r.left[1:]
	fields := make([]arrow.Field, len(r.engine.columns))
	for i, c := range r.engine.columns {
		fields[i] = arrow.Field{Name: c.Name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, row := range rows {
		for i, cell := range row {
			column := b.Field(i).(*array.StringBuilder)
			if cell == nil {
				column.AppendNull()
				continue
			}
			column.Append(*cell)
		}
	}
	return b.NewRecordBatch(), nil
}

func text(s string) *string { return &s }

// airports makes the engine answer two rows.
func (e *engine) airports() {
	e.columns = []registry.Column{{Name: "iata", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}}
	e.batches = [][][]*string{{{text("JFK"), text("New York, \"Kennedy\"")}}, {{text("XXX"), nil}}}
}

// folder keeps files in memory.
type folder struct {
	mu      sync.Mutex
	staged  map[files.UploadID]files.Upload
	items   map[string]files.File
	bodies  map[string]string
	matches map[string]files.Dataset
	parts   []files.Part
	next    int
	err     error
}

func newFolder() *folder {
	return &folder{staged: map[files.UploadID]files.Upload{}, items: map[string]files.File{}, bodies: map[string]string{}}
}

func (f *folder) Stage(_ context.Context, owner people.UserID, name string, r io.Reader) (files.Upload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return files.Upload{}, f.err
	}
	format, ok := files.FormatOf(name)
	if !ok {
		return files.Upload{}, domain.FieldError("file", "Files ending in .xls are not read. Send CSV, TSV, JSON or Parquet.")
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return files.Upload{}, fmt.Errorf("write upload: %w", err)
	}
	f.next++
	u := files.Upload{ID: files.UploadID(fmt.Sprintf("up%d", f.next)), Name: name, Format: format, Bytes: int64(len(body)), Owner: owner}
	u.Key = "uploads/" + string(u.ID)
	f.staged[u.ID], f.bodies[u.Key] = u, string(body)
	return u, nil
}

func (f *folder) Staged(_ context.Context, id files.UploadID) (files.Upload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.staged[id]
	if !ok {
		return u, domain.E(domain.NotFound, "upload_not_found", "This upload is gone.")
	}
	return u, nil
}

func (f *folder) Part(_ context.Context, id files.UploadID) (files.Part, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		if p.ID == id {
			return p, nil
		}
	}
	return files.Part{}, domain.E(domain.NotFound, "upload_not_found", "This upload is gone.")
}

func (f *folder) Discard(_ context.Context, id files.UploadID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.staged, id)
	f.parts = slices.DeleteFunc(f.parts, func(p files.Part) bool { return p.ID == id })
	return nil
}

func (f *folder) Commit(ctx context.Context, id files.UploadID, table registry.TableID) (string, error) {
	u, err := f.Staged(ctx, id)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	item := string(table) + "." + string(u.Format)
	f.items[item] = files.File{Name: item, Format: u.Format, Bytes: u.Bytes}
	return item, nil
}

func (f *folder) Add(_ context.Context, item string, _ io.Reader) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	format, _ := files.FormatOf(item)
	f.items[item] = files.File{Name: item, Format: format, Bytes: 7}
	return nil
}

func (f *folder) Remove(_ context.Context, item string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.items, item)
	return nil
}

func (f *folder) RemoveUploaded(ctx context.Context, item string) error { return f.Remove(ctx, item) }

func (f *folder) Matches(_ context.Context, item string) (files.Dataset, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d, there := f.matches[item]; there || f.err != nil {
		return d, f.err
	}
	return files.Dataset{}, domain.E(domain.NotFound, "file_missing", "There is no file for %s.", item)
}

func (f *folder) List(context.Context) ([]files.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []files.File
	for _, item := range f.items {
		list = append(list, item)
	}
	return list, f.err
}

func (f *folder) Parts(_ context.Context, owner people.UserID) ([]files.Part, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var mine []files.Part
	for _, p := range f.parts {
		if p.Owner == owner {
			mine = append(mine, p)
		}
	}
	return mine, f.err
}

func (f *folder) Key(_ context.Context, item string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.items[item]; !ok {
		return "", domain.E(domain.NotFound, "file_not_found", "There is no such file.")
	}
	return "files/" + item, nil
}

// previewer shows the same rows of every file.
type previewer struct {
	err   error
	asked files.Options // last
}

func (p *previewer) PreviewFile(_ context.Context, key string, o files.Options) (files.Preview, error) {
	p.asked = o
	if p.err != nil {
		return files.Preview{}, p.err
	}
	format, _ := files.FormatOf(key)
	return files.Preview{
		Format:  format,
		Columns: []registry.Column{{Name: "iata", Type: "VARCHAR"}, {Name: "latitude", Type: "BIGINT"}},
		Rows:    [][]*string{{text("JFK"), text("40")}}, TotalRows: 1,
		Found: []registry.Column{{Name: "iata", Type: "VARCHAR"}, {Name: "latitude", Type: "BIGINT"}},
		Report: files.Report{
			Misfits: files.Misfits{Count: 2, First: []files.Misfit{{Line: 7, Column: "latitude", Reason: `"north" is not a whole number`, Raw: "LHR,north"}}},
			Losses:  []files.Loss{{Column: "latitude", Count: 3, Example: "n/a"}},
		},
	}, nil
}

func samples() []files.Sample {
	var all []files.Sample
	for _, name := range []string{"airports", "movies"} {
		all = append(all, files.Sample{
			Name: name, Item: "sample_" + name + ".csv", Description: "Sample of " + name, Rows: 3, Bytes: 30,
			Open: func() ([]byte, error) { return []byte("a\n1\n"), nil },
		})
	}
	return all
}

// spec is a small document with what real ones have: references, lists, bodies.
func spec() *huma.OpenAPI {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	type filter struct {
		Column string  `json:"column" doc:"What to compare"`
		Next   *filter `json:"next,omitempty"`
	}
	type question struct {
		SQL     string   `json:"sql" doc:"One reading statement" minLength:"1"`
		Limit   int      `json:"limit,omitempty" default:"1000"`
		Filters []filter `json:"filters,omitempty"`
	}
	doc := &huma.OpenAPI{
		Info:       &huma.Info{Title: "Agnes API", Version: "1.2.3", Description: "First paragraph.\n\nSecond."},
		Tags:       []*huma.Tag{{Name: "Query", Description: "Ask tables"}, {Name: "Empty"}},
		Components: &huma.Components{Schemas: schemas},
		Paths:      map[string]*huma.PathItem{},
	}
	body := schemas.Schema(reflect.TypeFor[question](), true, "question")
	doc.AddOperation(&huma.Operation{
		OperationID: "query", Method: "POST", Path: "/api/query", Tags: []string{"Query"}, Summary: "Run one statement",
		Description: "Reads.\n\nWho: signed in.", Extensions: map[string]any{"x-permission": "signed in"},
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		Responses:   map[string]*huma.Response{"200": {Description: "Rows"}, "default": {Description: "Failed"}},
	})
	doc.AddOperation(&huma.Operation{
		Method: "GET", Path: "/api/data/{id}", Tags: []string{"Files"}, Summary: "Download", Extensions: map[string]any{"x-permission": "public"},
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string", Description: "Of a table"}}},
	})
	doc.AddOperation(&huma.Operation{Method: "GET", Path: "/api/hidden", Hidden: true})
	return doc
}

// lines splits what was written into its lines.
func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }
