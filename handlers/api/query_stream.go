package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"agnes/domain/query"
	"agnes/domain/query/export"
	"agnes/handlers/request"
)

// stall is how long a reader may take for one piece of an answer.
const stall = time.Minute

// trailerTruncated says after a stream whether there were more rows.
const trailerTruncated = "X-Query-Truncated"

// streamed is the format that an Accept header asks for; "" for JSON.
func streamed(accept string) export.Format {
	formats := map[string]export.Format{
		"application/vnd.apache.arrow.stream": export.Stream, "text/csv": export.CSV,
		"text/tab-separated-values": export.TSV, "application/x-ndjson": export.NDJSON,
	}
	return formats[negotiation.SelectQValue(accept, []string{
		"application/json", "application/vnd.apache.arrow.stream", "text/csv", "text/tab-separated-values", "application/x-ndjson",
	})]
}

// queryStream answers with all rows in another format than JSON, as they come.
func (a *API) queryStream(ctx context.Context, in *queryInput, format export.Format) (*queryOutput, error) {
	most := int64(0)
	if in.Body.Limit != nil {
		most = max(*in.Body.Limit, 1)
	}
	run, err := a.Queries.Run(ctx, principal(ctx), query.Request{SQL: in.Body.SQL, MaxRows: most, Origin: query.FromAPI})
	if err != nil {
		return nil, a.sqlError(ctx, err)
	}
	rows, err := query.Peek(ctx, query.AsResult(run))
	if err != nil {
		return nil, a.sqlError(ctx, err)
	}
	o := export.Options{Guard: in.Guard != ""}
	out := &queryOutput{ContentType: format.ContentType(), Run: run.ID, Trailer: trailerTruncated}
	if o.Guarded(format) {
		out.Guard = in.Guard
	}
	if format.Compact() {
		out.Squeezed = "1"
	}
	out.Body = func(hc huma.Context) { //nolint:contextcheck // an answer is sent under its own request's context
		hc.SetStatus(http.StatusOK)
		send(hc, run.ID, func(ctx context.Context, w io.Writer) error {
			o.Flush = flusher(w)
			err := export.Write(ctx, w, format, rows, o)
			hc.SetHeader(trailerTruncated, strconv.FormatBool(err == nil && run.More()))
			return err
		}, rows.Close)
	}
	return out, nil
}

// send writes an answer whose status is sent already, and cuts it off when it
// cannot be ended, so that it is never taken for a whole one.
func send(hc huma.Context, run string, write func(context.Context, io.Writer) error, end func() error) {
	w := hc.BodyWriter()
	err := write(hc.Context(), &patient{Writer: w, ctx: hc.Context()})
	err = errors.Join(err, end())
	if err != nil {
		request.Logger(hc.Context()).Warn("a query's answer broke off", "run_id", run, "err", err)
		panic(http.ErrAbortHandler)
	}
}

// patient gives a reader time for each piece, and no more: one that stops
// reading must not hold a child for ever.
type patient struct {
	io.Writer
	ctx context.Context //nolint:containedctx // of the one answer this value writes
}

// Write sends one piece.
func (p *patient) Write(b []byte) (int, error) {
	if w, ok := p.Writer.(http.ResponseWriter); ok {
		// By the machine's own clock, which connections live by.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), stall)
		if at, has := ctx.Deadline(); has {
			_ = http.NewResponseController(w).SetWriteDeadline(at) // where the connection has none, as in tests, nothing stalls
		}
		cancel()
	}
	return p.Writer.Write(b)
}

// withdraw takes back headers of an answer that was not begun.
func (p *patient) withdraw(names ...string) {
	if w, ok := p.Writer.(http.ResponseWriter); ok {
		for _, name := range names {
			w.Header().Del(name)
		}
	}
}

// flusher sends on what was written. The first two batches go out at once, then
// only what fills the connection's buffer: many small pieces cost more than they bring.
func flusher(w io.Writer) func() error {
	if p, ok := w.(*patient); ok {
		w = p.Writer
	}
	left := 2
	return func() error {
		rw, ok := w.(http.ResponseWriter)
		if !ok || left == 0 {
			return nil
		}
		left--
		if err := http.NewResponseController(rw).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		return nil
	}
}
