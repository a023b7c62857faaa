package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"agnes/domain/audit"
	"agnes/domain/query"
	"agnes/handlers/request"
)

// reading is an input that names what is read, for the audit row of a read that
// was refused. Reads that went well write their own rows.
type reading interface{ resource() string }

func (t *OneTable) resource() string      { return "table:" + resource(t.ID) }
func (t *profileInput) resource() string  { return "table:" + resource(t.ID) }
func (r *QueryRunInput) resource() string { return "query:" + resource(r.ID) }

// refusedRead records that somebody asked for data and did not get it.
func (a *API) refusedRead(ctx context.Context, o operation, resource string, status int) {
	if o.reads == "" || principal(ctx).UserID == "" {
		return
	}
	if o.reads == "catalog.sample" && status != http.StatusForbidden && status != http.StatusNotFound {
		return // a query ran, and wrote its own row
	}
	err := a.Store.Audit(context.WithoutCancel(ctx), audit.Entry{
		Actor: principal(ctx).Actor(), Action: o.reads, Resource: resource, Result: "error." + strconv.Itoa(status),
	})
	if err != nil {
		request.Logger(ctx).Error("audit", "action", o.reads, "err", err)
	}
}

// resourceOf is what an input names; "" for one that names nothing.
func resourceOf(in any) string {
	if r, ok := in.(reading); ok {
		return r.resource()
	}
	return ""
}

// refusedRaw is refusedRead for an operation that writes its answer itself.
func (a *API) refusedRaw(r *http.Request, o operation, status int) {
	if r.Method == http.MethodGet {
		a.refusedRead(r.Context(), o, "table:"+resource(chi.URLParam(r, "id")), status)
	}
}

// readResult records that kept rows of a query leave. What leaves without a
// trace has left, so one that cannot be written refuses the rows.
func (a *API) readResult(ctx context.Context, rec query.Record, action string, params map[string]any) error {
	params["query_id"], params["tables"] = rec.ID, rec.Tables
	return a.Store.Audit(ctx, audit.Entry{Actor: principal(ctx).Actor(), Action: action, Resource: "query:" + rec.ID, Params: params, Result: "success"})
}
