package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// queryResult is a statement under way in a child. It holds the child until the
// last row, an error or Close, and one frame at a time.
type queryResult struct {
	pool    *QueryPool
	child   *queryChild
	columns []registry.Column
	rows    int64
	more    bool
	over    error // why nothing comes any more; io.EOF after the last row
	unwatch func() bool

	mu      sync.Mutex
	stopped error       // why the statement was interrupted
	killer  *time.Timer // ends a child that does not stop
	told    bool        // the interrupt was sent
	writing sync.Mutex  // held for each frame that is sent
}

// ask sends a statement and waits until its columns are known.
func (p *QueryPool) ask(ctx context.Context, c *queryChild, st query.Statement) (query.Result, error) {
	c.answered++
	r := &queryResult{pool: p, child: c}
	r.unwatch = context.AfterFunc(ctx, func() { r.interrupt(queryStopped(ctx)) })
	r.writing.Lock()
	err := work.WriteJSONFrame(c.conn, work.FrameQuery, work.QueryJob{SQL: st.SQL, MaxRows: st.MaxRows})
	r.writing.Unlock()
	if err != nil {
		return nil, r.died(err)
	}
	t, payload, err := work.ReadFrame(c.conn)
	switch {
	case err != nil:
		return nil, r.died(err)
	case t == work.FrameError:
		return nil, r.failed(payload)
	case t != work.FrameSchema:
		return nil, r.died(fmt.Errorf("unexpected frame %q", t))
	}
	var schema work.QuerySchema
	if err := json.Unmarshal(payload, &schema); err != nil {
		return nil, r.died(fmt.Errorf("read columns: %w", err))
	}
	r.columns = schema.Columns
	return r, nil
}

// Columns names the columns with their DuckDB types.
func (r *queryResult) Columns() []registry.Column { return r.columns }

// More reports, after io.EOF, whether rows beyond MaxRows existed.
func (r *queryResult) More() bool { return r.more }

// Next returns the next batch, which the caller releases; io.EOF at the end.
func (r *queryResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if r.over != nil {
		return nil, r.over
	}
	unwatch := context.AfterFunc(ctx, func() { r.interrupt(queryStopped(ctx)) })
	defer unwatch()
	t, payload, err := work.ReadFrame(r.child.conn)
	switch {
	case err != nil:
		return nil, r.died(err)
	case t == work.FrameBatch:
		batch, err := decodeBatch(payload)
		if err != nil {
			return nil, r.died(err)
		}
		r.rows += batch.NumRows()
		return batch, nil
	case t == work.FrameEnd:
		return nil, r.ended(payload)
	case t == work.FrameError:
		return nil, r.failed(payload)
	}
	return nil, r.died(fmt.Errorf("unexpected frame %q", t))
}

// Close ends the statement if it still runs, and gives its child back.
func (r *queryResult) Close() error {
	if r.over != nil {
		return nil //nolint:nilerr // how it ended was told before
	}
	r.interrupt(errClosed)
	for {
		t, _, err := work.ReadFrame(r.child.conn)
		switch {
		case err != nil:
			_ = r.died(err) // nobody asks any more how it ended
			return nil
		case t == work.FrameEnd || t == work.FrameError:
			r.finish(errClosed, true)
			return nil
		}
	}
}

var errClosed = errors.New("the result was closed")

// decodeBatch reads the one batch of an Arrow stream.
func decodeBatch(payload []byte) (arrow.RecordBatch, error) {
	stream, err := ipc.NewReader(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("decode rows: %w", err)
	}
	defer stream.Release()
	if !stream.Next() {
		return nil, errors.Join(errors.New("decode rows: the frame holds none"), stream.Err())
	}
	batch := stream.RecordBatch()
	batch.Retain()
	return batch, nil
}

// interrupt stops the statement, and kills the child if that takes longer than
// the grace. Only the first reason counts.
func (r *queryResult) interrupt(why error) {
	r.mu.Lock()
	if r.stopped != nil {
		r.mu.Unlock()
		return
	}
	r.stopped = why
	r.killer = time.AfterFunc(grace, func() {
		r.child.forced.Store(true)
		r.child.process.kill()
	})
	r.mu.Unlock()
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := work.WriteFrame(r.child.conn, work.FrameInterrupt, nil); err != nil {
		r.child.process.kill() // it is gone or deaf
		return
	}
	r.mu.Lock()
	r.told = true
	r.mu.Unlock()
}

// finish lets go of the child; keep says that it can go on.
func (r *queryResult) finish(over error, keep bool) {
	r.over = over
	r.unwatch()
	r.mu.Lock()
	if r.stopped == nil {
		r.stopped = over // so that no interrupt begins any more
	}
	if r.killer != nil {
		// An interrupt still on its way would hit the next statement.
		keep = r.killer.Stop() && r.told && keep
	}
	r.mu.Unlock()
	if r.child.forced.Load() {
		r.pool.count(func(s *PoolStats) { s.Forced++ })
	}
	if keep {
		r.pool.giveBack(r.child)
		return
	}
	r.pool.retire(r.child)
}

// why returns the reason of an interrupt, or nil.
func (r *queryResult) why() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

func (r *queryResult) ended(payload []byte) error {
	var end work.QueryEnd
	if err := json.Unmarshal(payload, &end); err != nil {
		return r.died(fmt.Errorf("read the end: %w", err))
	}
	if end.Rows != r.rows {
		return r.died(fmt.Errorf("the child sent %d rows and counted %d", r.rows, end.Rows))
	}
	r.more = end.More
	r.finish(io.EOF, true)
	return io.EOF
}

// failed explains what the child reported. A child stays only when the
// statement was at fault.
func (r *queryResult) failed(payload []byte) error {
	var f work.Failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return r.died(fmt.Errorf("read a failure: %w", err))
	}
	var err error
	keep := false
	switch why := r.why(); {
	case why != nil:
		err = why
	case f.Code == "query_memory":
		err = queryMemory().Because(errors.New(f.Cause))
	case f.Code == "cancelled", f.Code == "query_internal", f.Code == "":
		err = domain.E(domain.Unavailable, "query_crashed", "%s", f.Message).Because(errors.New(f.Cause))
	default:
		err = &query.SQLError{Code: f.Code, Text: f.Message, Line: f.Line, Column: f.Column}
		keep = f.Code != "table_unreadable" // a new child looks at the file anew
	}
	r.finish(err, keep)
	return err
}

// died explains why the child cannot be talked to any more.
func (r *queryResult) died(cause error) error {
	torn := !hungUp(cause)
	if torn {
		r.child.process.kill()
	}
	r.child.process.await()
	err := r.why()
	switch {
	case err != nil:
	case r.pool.supervisor.stopping():
		err = stopping()
	case r.child.process.death() != crashed:
		err = queryMemory().Because(cause)
	default:
		err = domain.E(domain.Unavailable, "query_crashed",
			"The query made its engine stop. Other queries are not affected. Write it in a simpler way, for instance with less nesting, and run it again.").Because(cause)
	}
	if r.why() == nil {
		r.pool.count(func(s *PoolStats) { s.Died++ })
	}
	r.finish(err, false)
	return err
}

// hungUp reports whether the child went away, rather than say nonsense.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func queryMemory() *domain.Error {
	return domain.E(domain.Unavailable, "query_memory",
		"The query needed more memory than one query may use. Ask for fewer rows or columns, filter earlier, or group before joining.")
}

// queryStopped explains why ctx ended, in the words of its cause if it has any.
func queryStopped(ctx context.Context) error {
	var why *domain.Error
	if errors.As(context.Cause(ctx), &why) {
		return why
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return domain.E(domain.Cancelled, "query_timeout", "The query was stopped because it took too long. Narrow it down, or ask for fewer rows.").Because(ctx.Err())
	}
	return domain.E(domain.Cancelled, "query_cancelled", "The query was stopped.").Because(ctx.Err())
}
