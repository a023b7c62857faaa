package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"agnes/domain"
	"agnes/domain/access"
)

// live are the runs under way.
type live struct {
	mu     sync.Mutex
	runs   map[string]*Run
	series map[string]*series // by the id of their head
	behind sync.WaitGroup     // runs that nobody waits for
	closed bool
}

func (l *live) add(q *Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs == nil {
		l.runs = map[string]*Run{}
	}
	l.runs[q.ID] = q
}

func (l *live) remove(q *Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.runs, q.ID)
}

func (l *live) find(by access.Owner, id string) *Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q := l.runs[id]; q != nil && q.By.Owner() == by {
		return q
	}
	return nil
}

// Placer is an engine that tells how many statements are served before one; 0
// when it runs.
type Placer interface {
	Place(runID string) int
}

// Live returns how a run of a person stands while it runs or waits; place is
// its place in the queue, 0 when it runs.
func (r *Runner) Live(by access.Owner, id string) (rec Record, place int, ok bool) {
	q := r.live.find(by, id)
	if q == nil {
		return Record{}, 0, false
	}
	if placer, can := r.Engine.(Placer); can {
		place = placer.Place(id)
	}
	return q.Snapshot(), place, true
}

// Cancel stops a person's run under way, and reports whether there was one.
func (r *Runner) Cancel(by access.Owner, id string) bool {
	q := r.live.stopSeries(by, id)
	if q == nil {
		q = r.live.find(by, id)
	}
	if q == nil {
		return false
	}
	q.stop(domain.E(domain.Cancelled, "query_cancelled", "You stopped the query."))
	return true
}

// Submit starts a query that nobody waits for: it goes on when ctx ends, and
// its rows are kept. The returned record is how it stands at its start.
func (r *Runner) Submit(ctx context.Context, p access.Principal, req Request) (Record, error) {
	r.live.mu.Lock()
	if r.live.closed {
		r.live.mu.Unlock()
		return Record{}, stoppingError()
	}
	r.live.behind.Add(1)
	r.live.mu.Unlock()
	req.Keep = true
	run, catalog, err := r.begin(context.WithoutCancel(ctx), p, req)
	if err != nil {
		r.live.behind.Done()
		return Record{}, err
	}
	rec := run.Snapshot()
	if req.Each {
		r.live.open(run)
	}
	r.Guard.Go("queries in the background", func() {
		defer r.live.behind.Done()
		if err := run.drain(catalog); err != nil { //nolint:contextcheck // the run keeps its own, which outlives the request
			r.warn("end a query in the background", run.ID, err)
		}
		if req.Each {
			r.each(context.WithoutCancel(ctx), p, run, req)
		}
	})
	return rec, nil
}

// drain runs a query to its end. How it failed is in its record; the error is
// one of recording that.
func (q *Run) drain(catalog access.Catalog) error {
	err := q.runner.Guard.Do("a query in the background", func() error { return q.toEnd(catalog) })
	if q.closed {
		return err
	}
	q.fail(err) // it panicked
	return q.Close()
}

func (q *Run) toEnd(catalog access.Catalog) error {
	if err := q.start(catalog); err != nil {
		if q.recorded(err) {
			return nil
		}
		return err
	}
	for {
		batch, err := q.Next()
		if err != nil {
			cerr := q.Close()
			if errors.Is(err, io.EOF) || q.recorded(err) {
				return cerr
			}
			return errors.Join(err, cerr)
		}
		Spent(batch)
		if q.Kept == KeptTooLarge { // nobody reads along, so going on is for nothing
			q.fail(domain.E(domain.TooLarge, "result_too_large",
				"The query was stopped: its rows are more than one result may hold. Ask for fewer, or stream them with POST /api/query."))
			return q.Close()
		}
	}
}

// recorded reports whether err is nothing but how the run ended, in words that
// its record has.
func (q *Run) recorded(err error) bool {
	return err == q.err && domain.KindOf(err) != domain.Internal //nolint:errorlint // the very same value
}

func stoppingError() error {
	return domain.E(domain.Unavailable, "stopping", "Agnes is stopping, so no query was started. Try again in a minute.")
}

// Stop ends every run under way, and waits until those in the background are
// recorded, or ctx ends.
func (r *Runner) Stop(ctx context.Context) error {
	r.live.mu.Lock()
	r.live.closed = true
	for _, q := range r.live.runs {
		q.stop(domain.E(domain.Cancelled, "interrupted", "Agnes stopped while the query ran. Run it again."))
	}
	r.live.mu.Unlock()
	done := make(chan struct{})
	r.Guard.Go("wait for queries", func() {
		r.live.behind.Wait()
		close(done)
	})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for queries: %w", ctx.Err())
	}
}
