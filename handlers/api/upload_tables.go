package api

import (
	"context"
	"fmt"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/files"
	"agnes/domain/registry"
)

// Imports turns uploads that are complete into tables.
type Imports interface {
	Preview(ctx context.Context, by audit.Actor, id files.UploadID, o files.Options) (files.Upload, files.Preview, error)
	Create(ctx context.Context, by audit.Actor, id files.UploadID, n files.NewTable) (registry.Table, error)
	Replace(ctx context.Context, by audit.Actor, id files.UploadID, table registry.TableID, o files.Options, seen int64) error
}

type (
	previewInput struct {
		ID   string `path:"id" doc:"Id of the upload, complete."`
		Body struct {
			ReadOptions *optionsOrNull `json:"read_options,omitempty"`
			TableID     string         `json:"table_id,omitempty" doc:"The table whose rows the file would replace: its corrections hold unless others are sent, and changes says how the columns differ." example:"orders"`
		}
	}
	previewOutput struct{ Body uploadPreview }

	// uploadPreview is what DuckDB makes of an upload.
	uploadPreview struct {
		Name      string         `json:"name" doc:"The file's."`
		Bytes     int64          `json:"bytes"`
		Format    string         `json:"format" enum:"csv,tsv,json,ndjson,parquet,xlsx"`
		Dialect   string         `json:"dialect" doc:"How CSV is written, in words."`
		Columns   []fileColumn   `json:"columns" doc:"As they would be in the table."`
		Found     []fileColumn   `json:"found" doc:"As they are in the file, before corrections."`
		Rows      [][]*string    `json:"rows" doc:"The first 50, as text."`
		TotalRows *int64         `json:"total_rows" doc:"null when only a sync can tell."`
		Sheets    []string       `json:"sheets" doc:"Of a workbook."`
		Sheet     *string        `json:"sheet" doc:"The one that is read."`
		Report    runReport      `json:"report" doc:"What does not fit."`
		Partial   bool           `json:"partial" doc:"Whether the report is of the file's beginning only."`
		Changes   *columnChanges `json:"changes" doc:"How the columns differ from those of table_id; null without one."`
	}
	columnChanges struct {
		Added   []fileColumn    `json:"added"`
		Removed []fileColumn    `json:"removed"`
		Retyped []retypedColumn `json:"retyped"`
	}
	fileColumn struct {
		Name string `json:"name" example:"id"`
		Type string `json:"type" example:"BIGINT"`
	}
	retypedColumn struct {
		Name string `json:"name"`
		Was  string `json:"was"`
		Is   string `json:"is"`
	}

	newTableInput struct {
		ID   string `path:"id" doc:"Id of the upload, complete."`
		Body struct {
			Name        string         `json:"name" doc:"The name in SQL." example:"orders"`
			Description *string        `json:"description,omitempty" nullable:"true"`
			ReadOptions *optionsOrNull `json:"read_options,omitempty"`
		}
	}
	newTableOutput struct {
		Body struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			Status string `json:"status" enum:"registered"`
		}
	}
	replaceInput struct {
		Seen
		ID   string `path:"id" doc:"Id of the upload, complete."`
		Body struct {
			TableID     string         `json:"table_id" doc:"The table whose rows the file replaces." example:"orders"`
			ReadOptions *optionsOrNull `json:"read_options,omitempty"`
		}
	}
	replaceOutput struct {
		Body struct {
			ID     string `json:"id"`
			Status string `json:"status" enum:"queued"`
		}
	}
)

// uploadTableRoutes declares what becomes of an upload that is complete.
func (a *API) uploadTableRoutes() {
	one := uploadsPath + "/{id}"
	register(a, operation{
		id: "upload-preview", method: http.MethodPost, path: one + "/preview", tag: "Uploads", need: access.Admin, terms: asks(access.ScopeSync), long: true,
		summary: "See what a file would become", about: "Reads the file of an upload that is complete, with corrections, in a process of its own. Nothing becomes a table.",
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		example: map[string]any{"read_options": map[string]any{"delimiter": ";", "decimal": ","}},
	}, a.previewUpload)
	register(a, operation{
		id: "upload-create-table", method: http.MethodPost, path: one + "/table", tag: "Uploads", need: access.Admin, terms: asks(access.ScopeAdmin), status: http.StatusCreated,
		summary: "Make a file a table", about: "Registers a table of an upload that is complete and starts its first sync; its run says how that goes.",
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		example: map[string]any{"name": "orders", "description": "One row per order", "read_options": map[string]any{"misfits": "skip"}},
		answer:  map[string]any{"id": "orders", "name": "orders", "status": "registered"},
	}, a.createFromUpload)
	register(a, operation{
		id: "upload-replace-rows", method: http.MethodPost, path: one + "/replace", tag: "Uploads", need: access.Admin, terms: asks(access.ScopeSync), status: http.StatusAccepted,
		summary: "Replace a table's rows by a file",
		about: "Gives a table of files the rows of an upload that is complete, and starts a sync: the old rows are served until the new ones were read back. The table keeps its corrections unless others " +
			"are sent. With If-Match, only when nobody changed the table since.",
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
		example: map[string]any{"table_id": "orders"},
		answer:  map[string]any{"id": "orders", "status": "queued"},
	}, a.replaceByUpload)
}

func (a *API) previewUpload(ctx context.Context, in *previewInput) (*previewOutput, error) {
	var table *registry.Published
	if in.Body.TableID != "" {
		t, err := a.Store.GetTable(ctx, registry.TableID(in.Body.TableID))
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", in.Body.TableID, err)
		}
		table = &t
	}
	o, err := correctionsOf(in.Body.ReadOptions, table)
	if err != nil {
		return nil, err
	}
	u, p, err := a.Imports.Preview(ctx, principal(ctx).Actor(), files.UploadID(in.ID), o)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	out := &previewOutput{Body: uploadPreview{
		Name: u.Name, Bytes: u.Bytes, Format: string(p.Format), Dialect: p.Dialect, Columns: fileColumns(p.Columns), Found: fileColumns(p.Found), Rows: list(p.Rows),
		Sheets: list(p.Sheets), Sheet: orNull(p.Sheet), Partial: p.Partial,
		Report: runReport{Warnings: list(p.Warnings), Losses: list(p.Losses), Misfits: p.Misfits.Count, First: list(p.Misfits.First)},
	}}
	if p.TotalRows >= 0 {
		out.Body.TotalRows = &p.TotalRows
	}
	if table != nil && table.Version != nil {
		c := registry.CompareColumns(table.Version.Columns, p.Columns)
		out.Body.Changes = &columnChanges{Added: fileColumns(c.Added), Removed: fileColumns(c.Removed), Retyped: []retypedColumn{}}
		for _, r := range c.Retyped {
			out.Body.Changes.Retyped = append(out.Body.Changes.Retyped, retypedColumn(r))
		}
	}
	return out, nil
}

// list is a slice that is [] in JSON and not null.
func list[T any](s []T) []T { return append([]T{}, s...) }

func fileColumns(of []registry.Column) []fileColumn {
	columns := make([]fileColumn, len(of))
	for i, c := range of {
		columns[i] = fileColumn{c.Name, c.Type}
	}
	return columns
}

// correctionsOf are those that are sent, or else the table's; nil: none.
func correctionsOf(sent *optionsOrNull, table *registry.Published) (files.Options, error) {
	if sent == nil && table != nil {
		return files.ParseOptions(table.ReadOptions) //nolint:wrapcheck // the sentence is for people
	}
	text, err := readOptions(sent)
	if err != nil {
		return files.Options{}, err
	}
	return files.ParseOptions(text) //nolint:wrapcheck // as above
}

func (a *API) createFromUpload(ctx context.Context, in *newTableInput) (*newTableOutput, error) {
	o, err := correctionsOf(in.Body.ReadOptions, nil)
	if err != nil {
		return nil, err
	}
	t, err := a.Imports.Create(ctx, principal(ctx).Actor(), files.UploadID(in.ID), files.NewTable{Name: in.Body.Name, Description: unescape(text(in.Body.Description)), Options: o})
	if err != nil {
		return nil, fmt.Errorf("make a table: %w", err)
	}
	out := &newTableOutput{}
	out.Body.ID, out.Body.Name, out.Body.Status = string(t.ID), t.Name, "registered"
	return out, nil
}

func (a *API) replaceByUpload(ctx context.Context, in *replaceInput) (*replaceOutput, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	t, err := a.Store.GetTable(ctx, registry.TableID(in.Body.TableID))
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", in.Body.TableID, err)
	}
	o, err := correctionsOf(in.Body.ReadOptions, &t)
	if err != nil {
		return nil, err
	}
	if err := a.Imports.Replace(ctx, principal(ctx).Actor(), files.UploadID(in.ID), t.ID, o, seen); err != nil {
		return nil, fmt.Errorf("replace rows: %w", err)
	}
	out := &replaceOutput{}
	out.Body.ID, out.Body.Status = string(t.ID), "queued"
	return out, nil
}
