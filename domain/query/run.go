package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/guard"
	"agnes/domain/registry"
)

// Request asks for one statement to be run.
type Request struct {
	SQL     string
	MaxRows int64         // 0: all rows
	Timeout time.Duration // 0 or above the limit: the limit
	Origin  Origin
	// Keep writes the rows to a file of the run's author beside handing them on.
	Keep bool
	// Each has the statements of a text that holds several run one after the
	// other, in runs of their own; of Submit only.
	Each bool

	id string // of a statement of several; "" for a new one
}

// Runner is the one way to run a principal's SQL.
type Runner struct {
	Catalogs access.Standing
	Engine   Engine
	Log      Log
	Keeper   Keeper // nil: no rows are kept
	Limits   Limits
	Current  func() Limits // of now, where they may change; nil: Limits
	Now      func() time.Time
	NewID    func() string
	Logger   *slog.Logger // nil: what goes wrong beside a query is lost
	Guard    *guard.Guard // of queries that nobody waits for

	live live
}

// Run starts a query. The run is recorded before anything starts; Close of the
// returned Run records how it ended. The error of a query that could not start
// is recorded too.
func (r *Runner) Run(ctx context.Context, p access.Principal, req Request) (*Run, error) {
	run, catalog, err := r.begin(ctx, p, req)
	if err != nil {
		return nil, err
	}
	if err := run.start(catalog); err != nil { //nolint:contextcheck // the run has ctx with its deadline
		return nil, err
	}
	return run, nil
}

// begin records a query; nothing runs yet.
func (r *Runner) begin(ctx context.Context, p access.Principal, req Request) (*Run, access.Catalog, error) {
	if err := r.check(req); err != nil {
		return nil, access.Catalog{}, err
	}
	catalog, err := r.Catalogs.Catalog(ctx, p)
	if err != nil {
		return nil, access.Catalog{}, fmt.Errorf("catalog of %s: %w", p.UserID, err)
	}
	id := req.id
	if id == "" {
		id = r.NewID()
	}
	names, ids := mentioned(catalog, req.SQL)
	run := &Run{runner: r, done: make(chan struct{}), keep: req.Keep && r.Keeper != nil, Record: Record{
		ID: id, By: p, Origin: req.Origin, SQL: req.SQL, State: Running, MaxRows: req.MaxRows,
		Tables: names, TableIDs: ids, StartedAt: r.Now(),
	}}
	run.watch = access.NewWatch(r.Catalogs, p, run.Tables, r.Now)
	if err := r.Log.StartQuery(ctx, run.Record, r.limits().Person); err != nil {
		return nil, access.Catalog{}, fmt.Errorf("record query %s: %w", run.ID, err)
	}
	timeout := r.limits().Timeout
	if req.Timeout > 0 && req.Timeout < timeout {
		timeout = req.Timeout
	}
	ctx, run.stop = context.WithCancelCause(ctx)
	run.ctx, run.cancel = context.WithTimeoutCause(ctx, timeout, timeoutError(timeout))
	r.live.add(run)
	return run, catalog, nil
}

// limits are the limits of now.
func (r *Runner) limits() Limits {
	if r.Current != nil {
		return r.Current()
	}
	return r.Limits
}

func (r *Runner) check(req Request) error {
	if strings.TrimSpace(req.SQL) == "" {
		return &SQLError{Code: "empty_statement", Text: "There is no statement to run."}
	}
	if most := r.limits().MaxSQL; most > 0 && len(req.SQL) > most {
		return &SQLError{Code: "statement_too_long", Text: fmt.Sprintf("The statement has %d bytes; at most %d are read.", len(req.SQL), most)}
	}
	return nil
}

// mentioned names the tables of a catalog that a text mentions, in the order of
// the text. More than it reads may be among them, never fewer.
func mentioned(c access.Catalog, sql string) (names []string, ids []registry.TableID) {
	tables := c.Mentioned(sql)
	lower := strings.ToLower(sql)
	slices.SortStableFunc(tables, func(a, b registry.Published) int {
		return strings.Index(lower, strings.ToLower(a.Name)) - strings.Index(lower, strings.ToLower(b.Name))
	})
	names, ids = make([]string, len(tables)), make([]registry.TableID, len(tables))
	for i, t := range tables {
		names[i], ids[i] = t.Name, t.ID
	}
	return names, ids
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
	stop   context.CancelCauseFunc
	keep   bool
	rows   *keeping // nil unless rows are being kept
	watch  *access.Watch
	err    error
	ended  bool
	closed bool
	done   chan struct{} // closed when the run is over and recorded
	mu     sync.Mutex    // held while Record changes, and by Snapshot
}

// start hands the statement to the engine, which may make it wait for its turn.
func (q *Run) start(catalog access.Catalog) error {
	result, err := q.runner.Engine.Start(q.ctx, catalog, Statement{SQL: q.SQL, MaxRows: q.MaxRows, RunID: q.ID, By: q.By.UserID})
	if err != nil {
		q.fail(q.explain(err))
		if cerr := q.Close(); cerr != nil {
			return errors.Join(q.err, cerr)
		}
		return q.err
	}
	q.mu.Lock()
	q.result, q.Record.Columns = result, result.Columns()
	q.mu.Unlock()
	if q.keep {
		q.draft()
	}
	return nil
}

// Columns names the result's columns with their DuckDB types.
func (q *Run) Columns() []registry.Column { return q.result.Columns() }

// Next returns the next batch of rows, which the caller releases; io.EOF at the
// end. It fails when a table is not the author's to read any more.
func (q *Run) Next() (arrow.RecordBatch, error) {
	batch, err := q.result.Next(q.ctx)
	if err == nil {
		if err = q.watch.Check(q.ctx); err != nil {
			batch.Release()
		}
	}
	switch {
	case err == nil:
		q.took(batch)
		return batch, nil
	case errors.Is(err, io.EOF):
		q.ended = true
		more := q.result.More() // outside the lock, which a panic would leave taken
		q.mu.Lock()
		q.Record.More = more
		q.mu.Unlock()
		return nil, io.EOF
	}
	q.fail(q.explain(err))
	return nil, q.err
}

// More reports, after io.EOF, whether rows beyond the limit existed.
func (q *Run) More() bool { return q.ended && q.result.More() }

// Snapshot is how the run stands at the moment. Any goroutine may ask.
func (q *Run) Snapshot() Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.Record
}

// explain prefers the reason of our own deadline over the engine's word for it.
func (q *Run) explain(err error) error {
	if kind := domain.KindOf(err); q.ctx.Err() == nil || kind == domain.Invalid || kind == domain.Limited {
		return err
	}
	var why *domain.Error
	if errors.As(context.Cause(q.ctx), &why) {
		return why.Because(err)
	}
	return domain.E(domain.Cancelled, "query_cancelled", "The query was stopped.").Because(err)
}

func (q *Run) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
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
	var text *SQLError
	if errors.As(err, &text) {
		q.Line, q.Column = text.Line, text.Column
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
	q.settle()
	// The reader may be gone; that it ended is recorded all the same.
	ctx := context.WithoutCancel(q.ctx)
	if lerr := q.runner.Log.FinishQuery(ctx, q.Record); lerr != nil {
		err = errors.Join(err, fmt.Errorf("record end of query %s: %w", q.ID, lerr))
		if q.Kept == KeptWhole { // nobody would ever find it
			err = errors.Join(err, q.runner.Keeper.Remove(q.ID))
		}
	}
	q.cancel()
	q.stop(nil)
	q.runner.live.remove(q)
	defer close(q.done)
	if q.Kept == KeptWhole {
		err = errors.Join(err, q.runner.evict(ctx, q.By.UserID))
	}
	return err
}

func (r *Runner) warn(what, run string, err error) {
	if r.Logger != nil {
		r.Logger.Warn(what, "run_id", run, "err", err) //nolint:sloglint // one of four constant messages
	}
}
