package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// queryResult is a statement under way in a child. It holds the child until the
// last row, an error or Close, and one frame at a time.
type queryResult struct {
	pool    *QueryPool
	child   *queryChild
	by      people.UserID
	catalog access.Catalog
	columns []registry.Column
	stream  batchStream
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

// ask sends a statement and waits until its columns are known. missing is a
// table of the catalog that the child would have to hold.
func (p *QueryPool) ask(ctx context.Context, c *queryChild, catalog access.Catalog, st query.Statement) (_ query.Result, missing *registry.Published, _ error) {
	c.answered++
	r := &queryResult{pool: p, child: c, by: st.By, catalog: catalog}
	r.unwatch = context.AfterFunc(ctx, r.pool.guard().Func("stop a query", func() { r.interrupt(queryStopped(ctx)) }))
	job := work.QueryJob{SQL: st.SQL, MaxRows: st.MaxRows}
	t, payload, err := r.send(job)
	if err == nil && t == work.FrameError && needsListing(payload) && r.why() == nil {
		job.Listing = listing(catalog)
		t, payload, err = r.send(job)
	}
	switch {
	case err != nil:
		return nil, nil, r.died(err)
	case t == work.FrameError:
		if missing := r.missing(payload); missing != nil {
			r.finish(errClosed, true)
			return nil, missing, nil
		}
		return nil, nil, r.failed(payload)
	case t != work.FrameSchema:
		return nil, nil, r.died(fmt.Errorf("unexpected frame %q", t))
	}
	var schema work.QuerySchema
	if err := json.Unmarshal(payload, &schema); err != nil {
		return nil, nil, r.died(fmt.Errorf("read columns: %w", err))
	}
	r.columns = schema.Columns
	return r, nil, nil
}

// send sends a statement and returns the first frame of its answer.
func (r *queryResult) send(job work.QueryJob) (work.FrameType, []byte, error) {
	r.writing.Lock()
	err := work.WriteJSONFrame(r.child.conn, work.FrameQuery, job)
	r.writing.Unlock()
	if err != nil {
		return 0, nil, err
	}
	return work.ReadFrame(r.child.frames)
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
	unwatch := context.AfterFunc(ctx, r.pool.guard().Func("stop a query", func() { r.interrupt(queryStopped(ctx)) }))
	defer unwatch()
	t, size, err := work.ReadFrameHead(r.child.frames)
	if err == nil && t == work.FrameBatch {
		batch, err := r.stream.next(r.child.frames, size)
		if err != nil {
			return nil, r.died(err)
		}
		r.rows += batch.NumRows()
		return batch, nil
	}
	var payload []byte
	if err == nil {
		payload, err = work.ReadFrameBody(r.child.frames, size)
	}
	switch {
	case err != nil:
		return nil, r.died(err)
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
		t, size, err := work.ReadFrameHead(r.child.frames)
		if err == nil {
			_, err = io.CopyN(io.Discard, r.child.frames, int64(size))
		}
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
	r.stream.close()
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
		r.pool.giveBack(r.child, r.by)
		return
	}
	r.pool.lose(r.child, r.by, r.child.forced.Load())
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
