package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/audit"
	"agnes/handlers/request"
)

func (a *API) activityExportRoute() {
	o := operation{
		id: "activity-export", method: http.MethodGet, path: "/api/admin/activity/export", tag: "Activity", need: access.Admin, terms: asks(access.ScopeAdmin), long: true,
		summary: "The audit log as a file",
		about: "Every row that the filter means, newest first, as CSV or as JSON lines. The filter is that of the page /admin/activity. " +
			"The export itself is a row of the log. An answer that breaks off is not whole.",
	}
	documented := o.huma()
	named := func(name, about string) {
		documented.Parameters = append(documented.Parameters, &huma.Param{Name: name, In: "query", Description: about, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	named("format", "csv, with cells that a spreadsheet could run led by an apostrophe, or jsonl.")
	named("person", "Id or address.")
	named("action", "Beginning of the action.")
	named("resource", "What it was done to.")
	named("result", "success, failed, or a pattern of SQL's LIKE.")
	named("source", "web, cli, api, scheduler or system.")
	named("q", "Text in the parameters.")
	named("range", "1h, 24h (the default), 7d, 30d, 365d or all.")
	named("since", "A day or a time in UTC, in place of range.")
	named("until", "A day or a time in UTC, in place of range.")
	named("reads", "1: looks at the log too.")
	file := &huma.Schema{Type: huma.TypeString}
	documented.Responses["200"] = &huma.Response{Description: "The rows.", Content: map[string]*huma.MediaType{"text/csv": {Schema: file}, "application/x-ndjson": {Schema: file}}}
	a.raw(o, documented, a.activityExport)
}

func (a *API) activityExport(w http.ResponseWriter, r *http.Request) error {
	format, err := activity.ParseFormat(r.URL.Query().Get("format"))
	if err != nil {
		return err
	}
	ctx := r.Context()
	f := audit.ParseFilter(r.URL.Query(), a.Now())
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Disposition", `attachment; filename="activity-`+a.Now().UTC().Format("20060102-150405")+`.`+string(format)+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	out := &patient{Writer: w, ctx: ctx}
	if err := a.Activity.Export(ctx, principal(ctx).Actor(), out, format, f); err != nil {
		request.Logger(ctx).Warn("an export of the audit log broke off", "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
