package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/handlers/request"
)

// Data opens the files of versions.
type Data interface {
	Open(ctx context.Context, f registry.File) (content io.ReadSeekCloser, modified time.Time, err error)
}

// Whole makes one file of a version that is kept as several.
type Whole interface {
	Join(ctx context.Context, v registry.Version) (registry.File, error)
}

func (a *API) dataRoutes() {
	register(a, operation{
		id: "check-access", method: http.MethodGet, path: "/api/data/{id}/check-access", tag: "Data", need: access.SignedIn, terms: asks(access.ScopeRead),
		summary: "Whether you may read a table", about: "204 when you may, 403 when not.",
		status: http.StatusNoContent, errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, a.checkAccess)
	o := operation{
		id: "download", method: http.MethodGet, path: "/api/data/{id}/download", tag: "Data", need: access.NeedTable, terms: asks(access.ScopeRead), long: true, reads: "data.download",
		summary: "A table as a Parquet file",
		about:   "The file of the current version. It can be asked for in ranges; the ETag names the version, so If-None-Match answers 304 while nothing changed.",
		errors:  []int{http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable},
	}
	documented := o.huma()
	documented.Parameters = []*huma.Param{
		{Name: "id", In: "path", Required: true, Description: "Id or name of the table.", Schema: &huma.Schema{Type: huma.TypeString}, Example: "airports"},
		{Name: "Range", In: "header", Description: "Part of the file, such as bytes=0-1048575.", Schema: &huma.Schema{Type: huma.TypeString}},
		{Name: "If-None-Match", In: "header", Description: "ETag of the copy you have.", Schema: &huma.Schema{Type: huma.TypeString}},
	}
	file := map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	documented.Responses["200"] = &huma.Response{Description: "The file.", Content: file}
	documented.Responses["206"] = &huma.Response{Description: "The range.", Content: file}
	documented.Responses["304"] = &huma.Response{Description: "Your copy is the current one."}
	a.raw(o, documented, a.download)
}

func (a *API) checkAccess(ctx context.Context, in *OneTable) (*none, error) {
	_, err := a.table(ctx, in.ID)
	result := "success"
	if err != nil {
		result = fmt.Sprintf("error.%d", a.failure(ctx, operation{id: "check-access"}, err).status)
	}
	aerr := a.Store.Audit(ctx, audit.Entry{
		Actor: principal(ctx).Actor(), Action: "data.access_check", Resource: "table:" + resource(in.ID), Result: result,
	})
	return nil, errors.Join(err, aerr)
}

// resource is an id as audit rows name it: what is no id at all is not kept.
func resource(id string) string {
	if !registry.QuotedIdentifier(id) {
		return "?"
	}
	return id
}

// download serves the file of a table's current version.
func (a *API) download(w http.ResponseWriter, r *http.Request) (err error) {
	ctx := r.Context()
	t, err := a.table(ctx, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if t.Version == nil || len(t.Version.Files) == 0 {
		return domain.E(domain.NotFound, "no_file", "Table %s has no file to download yet. It has one after its first sync.", t.Name)
	}
	file := t.Version.Files[0]
	if len(t.Version.Files) > 1 {
		if file, err = a.Whole.Join(ctx, *t.Version); err != nil {
			return fmt.Errorf("join the files of version %s: %w", t.Version.ID, err)
		}
	}
	content, modified, err := a.Data.Open(ctx, file)
	if err != nil {
		return fmt.Errorf("open the file of version %s: %w", t.Version.ID, err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if r.Method == http.MethodGet {
		// Before the first byte: what leaves without a trace has left.
		err := a.Store.Audit(ctx, audit.Entry{
			Actor: principal(ctx).Actor(), Action: "data.download", Resource: "table:" + string(t.ID), Result: "success",
			Params: map[string]any{"bytes": file.Bytes, "format": "parquet", "version": string(t.Version.ID), "range": r.Header.Get("Range")},
		})
		if err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("ETag", `"`+string(t.Version.ID)+`"`)
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+string(t.ID)+`.parquet"`)
	h.Set("Cache-Control", "private, no-cache")
	watch := access.NewWatch(a.Store, principal(ctx), []string{string(t.ID)}, a.Now)
	sent := &watchedFile{ReadSeeker: content, ctx: ctx, watch: watch}
	http.ServeContent(w, r, "", modified, sent)
	if sent.ended != nil {
		request.Logger(ctx).Warn("a download broke off", "table_id", t.ID, "err", sent.ended)
		panic(http.ErrAbortHandler) // else what was sent could be taken for the whole file
	}
	return nil
}

// watchedFile is a file that ends, with an error, soon after it may not be read
// any more.
type watchedFile struct {
	io.ReadSeeker
	ctx   context.Context //nolint:containedctx // of the one download this value is
	watch *access.Watch
	ended error
}

// Read reads on while the file may be read.
func (f *watchedFile) Read(p []byte) (int, error) {
	if f.ended = f.watch.Check(f.ctx); f.ended != nil {
		return 0, f.ended
	}
	return f.ReadSeeker.Read(p) //nolint:wrapcheck // io.EOF is compared by its users
}
