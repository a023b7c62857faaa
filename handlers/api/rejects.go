package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
)

func (a *API) rejectRoutes() {
	o := operation{
		id: "run-rejects", method: http.MethodGet, path: "/api/sync/runs/{id}/rejects", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync), long: true,
		summary: "The rows that a run put aside",
		about:   "CSV with line, column, reason and the row as the file has it, of a run whose table skips rows that do not fit.",
		errors:  []int{http.StatusNotFound},
	}
	documented := o.huma()
	documented.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Description: "Id of the run.", Schema: &huma.Schema{Type: huma.TypeString}}}
	documented.Responses["200"] = &huma.Response{
		Description: "The rows.", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	a.raw(o, documented, a.rejects)
}

// rejects serves the rows that a run put aside.
func (a *API) rejects(w http.ResponseWriter, r *http.Request) (err error) {
	ctx := r.Context()
	run, err := a.Store.GetRun(ctx, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	kept := run.Report.Misfits
	if kept.Key == "" {
		return domain.E(domain.NotFound, "no_rejects", "This run put no rows aside.")
	}
	content, modified, err := a.Data.Open(ctx, registry.File{Key: kept.Key, Bytes: kept.Bytes})
	if err != nil {
		return fmt.Errorf("open the rows that run %s put aside: %w", run.ID, err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if r.Method == http.MethodGet {
		err := a.Store.Audit(ctx, audit.Entry{
			Actor: principal(ctx).Actor(), Action: "data.download_rejects", Resource: "table:" + string(run.Table), Result: "success",
			Params: map[string]any{"run_id": run.ID, "bytes": kept.Bytes},
		})
		if err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+string(run.Table)+`-rejects.csv"`)
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", modified, content)
	return nil
}
