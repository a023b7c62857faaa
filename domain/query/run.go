package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
)

// Origin says through which door a query came.
type Origin string

// The origins.
const (
	FromAPI     Origin = "api"
	FromConsole Origin = "console"
	FromExport  Origin = "export"
	FromSample  Origin = "sample"
)

// State is how a query run stands.
type State string

// The states.
const (
	Running   State = "running"
	OK        State = "ok"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Record is one row of query_runs.
type Record struct {
	ID         string
	By         access.Principal
	Origin     Origin
	SQL        string
	State      State
	Rows       int64
	Code       string
	Message    string
	StartedAt  time.Time
	FinishedAt *time.Time
}

// Duration is how long the query ran, or 0 while it does.
func (r Record) Duration() time.Duration {
	if r.FinishedAt == nil {
		return 0
	}
	return r.FinishedAt.Sub(r.StartedAt)
}

// Log keeps query runs. FinishQuery writes the audit row in the same transaction.
type Log interface {
	StartQuery(ctx context.Context, r Record) error
	FinishQuery(ctx context.Context, r Record) error
}

// Limits bound one query.
type Limits struct {
	Timeout time.Duration // from start to last row
	MaxSQL  int           // bytes of text
}

// Request asks for one statement to be run.
type Request struct {
	SQL     string
	MaxRows int64         // 0: all rows
	Timeout time.Duration // 0 or above the limit: the limit
	Origin  Origin
}

// Runner is the one way to run a principal's SQL.
type Runner struct {
	Catalogs access.Catalogs
	Engine   Engine
	Log      Log
	Limits   Limits
	Now      func() time.Time
	NewID    func() string
}

// Run starts a query. The run is recorded before anything starts; Close of the
// returned Run records how it ended. The error of a query that could not start
// is recorded too.
func (r *Runner) Run(ctx context.Context, p access.Principal, req Request) (*Run, error) {
	if strings.TrimSpace(req.SQL) == "" {
		return nil, &SQLError{Code: "empty_statement", Text: "There is no statement to run."}
	}
	if r.Limits.MaxSQL > 0 && len(req.SQL) > r.Limits.MaxSQL {
		return nil, &SQLError{Code: "statement_too_long", Text: fmt.Sprintf("The statement has %d bytes; at most %d are read.", len(req.SQL), r.Limits.MaxSQL)}
	}
	catalog, err := r.Catalogs.Catalog(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("catalog of %s: %w", p.UserID, err)
	}
	run := &Run{runner: r, Record: Record{
		ID: r.NewID(), By: p, Origin: req.Origin, SQL: req.SQL, State: Running, StartedAt: r.Now(),
	}}
	if err := r.Log.StartQuery(ctx, run.Record); err != nil {
		return nil, fmt.Errorf("record query %s: %w", run.ID, err)
	}
	timeout := r.Limits.Timeout
	if req.Timeout > 0 && req.Timeout < timeout {
		timeout = req.Timeout
	}
	run.ctx, run.cancel = context.WithTimeoutCause(ctx, timeout, timeoutError(timeout))
	run.result, err = r.Engine.Start(run.ctx, catalog, Statement{SQL: req.SQL, MaxRows: req.MaxRows}) //nolint:contextcheck // ctx with the deadline
	if err != nil {
		run.fail(run.explain(err))
		if cerr := run.Close(); cerr != nil { //nolint:contextcheck // holds its own
			return nil, errors.Join(run.err, cerr)
		}
		return nil, run.err
	}
	return run, nil
}

func timeoutError(limit time.Duration) error {
	return domain.E(domain.Cancelled, "query_timeout", "The query was stopped after its limit of %s. Narrow it down, or ask for fewer rows.", limit.Round(time.Second))
}

// Run is a query under way. It is used by one goroutine; Close it.
type Run struct {
	Record
	runner *Runner
	result Result
	ctx    context.Context //nolint:containedctx // bounds the one query this value is, and ends with it
	cancel context.CancelFunc
	err    error
	ended  bool
	closed bool
}

// Columns names the result's columns with their DuckDB types.
func (q *Run) Columns() []registry.Column { return q.result.Columns() }

// Next returns the next batch of rows, which the caller releases; io.EOF at the end.
func (q *Run) Next() (arrow.RecordBatch, error) {
	batch, err := q.result.Next(q.ctx)
	switch {
	case err == nil:
		q.Rows += batch.NumRows()
		return batch, nil
	case errors.Is(err, io.EOF):
		q.ended = true
		return nil, io.EOF
	}
	q.fail(q.explain(err))
	return nil, q.err
}

// More reports, after io.EOF, whether rows beyond the limit existed.
func (q *Run) More() bool { return q.ended && q.result.More() }

// explain prefers the reason of our own deadline over the engine's word for it.
func (q *Run) explain(err error) error {
	if q.ctx.Err() == nil || domain.KindOf(err) == domain.Invalid {
		return err
	}
	var why *domain.Error
	if errors.As(context.Cause(q.ctx), &why) {
		return why.Because(err)
	}
	return domain.E(domain.Cancelled, "query_cancelled", "The query was stopped.").Because(err)
}

func (q *Run) fail(err error) {
	q.err = err
	q.State, q.Code = Failed, domain.CodeOf(err)
	if domain.KindOf(err) == domain.Cancelled {
		q.State = Cancelled
	}
	q.Message = "The query failed inside Agnes."
	var known *domain.Error
	if errors.As(err, &known) {
		q.Message = known.Message
	}
}

// Close ends the query if it still runs and records how it ended: ok when all
// rows were read, cancelled when the reader left early, failed otherwise.
func (q *Run) Close() error {
	if q.closed {
		return nil
	}
	q.closed = true
	var err error
	if q.result != nil {
		err = q.result.Close()
	}
	q.cancel()
	if q.State == Running {
		q.State = OK
		if !q.ended {
			q.State, q.Code, q.Message = Cancelled, "query_cancelled", "The query was stopped before its last row."
		}
	}
	at := q.runner.Now()
	q.FinishedAt = &at
	// The reader may be gone; that it ended is recorded all the same.
	if lerr := q.runner.Log.FinishQuery(context.WithoutCancel(q.ctx), q.Record); lerr != nil {
		err = errors.Join(err, fmt.Errorf("record end of query %s: %w", q.ID, lerr))
	}
	return err
}
