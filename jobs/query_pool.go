package jobs

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// PoolConfig bounds the query children.
type PoolConfig struct {
	Limits     Limits
	PerPerson  int           // statements of one person at a time; 0: all children but one
	Idle       time.Duration // a child without work lives this long; 0: one minute
	MaxQueries int           // a child answers this many; 0: 1000
	MaxAge     time.Duration // a child is given no more after this; 0: one hour
	MaxWaiting int           // callers that may wait for a child; 0: 256
	Spares     int           // processes that are started before they are needed
}

func (c PoolConfig) withDefaults() PoolConfig {
	c.Limits = c.Limits.withDefaults()
	if c.PerPerson <= 0 {
		c.PerPerson = max(1, c.Limits.Children-1)
	}
	if c.Idle <= 0 {
		c.Idle = time.Minute
	}
	if c.MaxQueries <= 0 {
		c.MaxQueries = 1000
	}
	if c.MaxAge <= 0 {
		c.MaxAge = time.Hour
	}
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = 256
	}
	return c
}

// QueryPool runs statements in query children. A child holds some tables of
// one catalog, runs one statement at a time and is kept for the next one that it
// can serve. It is a query.Engine.
type QueryPool struct {
	supervisor *Supervisor
	cfg        PoolConfig

	mu      sync.Mutex
	live    int           // children that start, run or end
	ending  int           // of them, those on their way out
	idle    []*queryChild // the longest unused first
	spares  []*queryChild // processes without a catalog
	growing int           // spares that start
	lost    chan *queryChild
	queue   queue
	claimed bool     // a share is asked for
	stock   *share   // a share that nobody uses yet
	recent  []string // names of tables, the latest last
	counts  PoolStats
}

// NewQueryPool returns a pool without children. They end with the supervisor.
func NewQueryPool(s *Supervisor, cfg PoolConfig) *QueryPool {
	p := &QueryPool{supervisor: s, cfg: cfg.withDefaults(), lost: make(chan *queryChild)}
	s.broker.expect(forQueries, p.cfg.Limits)
	s.broker.onPressure(p.yield)
	p.grow()
	p.guard().Go("replace query children", p.replaceAll)
	return p
}

// PoolStats says how the query children stand.
type PoolStats struct {
	Children int // processes with a catalog now
	Idle     int // of them without work
	Spares   int // processes without a catalog
	Waiting  int // callers without a child
	Queries  int64
	Kept     int64 // queries that found a child that could serve them
	Forced   int64 // children killed because they did not stop when told to
	Died     int64 // children that ended by themselves under a query
}

// Stats returns the state of the moment.
func (p *QueryPool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.counts
	s.Children, s.Idle, s.Spares, s.Waiting = p.live, len(p.idle), len(p.spares), p.queue.length
	return s
}

// Place says how many statements are served before that of a run, itself
// counted; 0 when it waits no more.
func (p *QueryPool) Place(runID string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.place(runID)
}

// Start runs a statement over a catalog, as query.Engine says. When ctx ends,
// or the result is closed early, the statement is interrupted, and its child
// killed if it does not stop within half a second.
func (p *QueryPool) Start(ctx context.Context, catalog access.Catalog, st query.Statement) (query.Result, error) {
	mentioned := catalog.Mentioned(st.SQL)
	for lost := 0; ; {
		result, missing, err := p.start(ctx, catalog, st, mentioned)
		if errors.Is(err, errChildLost) && lost <= p.cfg.Limits.Children { // before its first row; the others may have lost theirs too
			lost++
			continue
		}
		if missing == nil {
			return result, err
		}
		// The text names a table in a way that does not show it.
		mentioned = append(mentioned, *missing)
	}
}

// start runs a statement in a child that holds the mentioned tables. missing is
// a table of the catalog that the statement needs besides.
func (p *QueryPool) start(ctx context.Context, catalog access.Catalog, st query.Statement, mentioned []registry.Published) (_ query.Result, missing *registry.Published, _ error) {
	if ctx.Err() != nil {
		return nil, nil, queryStopped(ctx)
	}
	got, err := p.lease(ctx, &waiter{
		by: st.By, run: st.RunID, needs: mentioned, grant: make(chan turn, 1), holds: func(h held) bool { return h.within(catalog) },
	})
	if err != nil {
		return nil, nil, err
	}
	c := got.child
	if c == nil {
		p.mu.Lock()
		recent := slices.Clone(p.recent)
		p.mu.Unlock()
		h, tables := holdings(catalog, mentioned, recent)
		if c, err = p.launch(ctx, h, tables, got.share); err != nil {
			p.free(got.share, st.By)
			return nil, nil, err
		}
	}
	return p.ask(ctx, c, catalog, st)
}

// lease waits for a child that serves a statement, or for the right to start one.
func (p *QueryPool) lease(ctx context.Context, w *waiter) (turn, error) {
	p.mu.Lock()
	p.counts.Queries++
	p.recent = remember(p.recent, w.needs)
	p.queue.add(w)
	p.dispatch()
	full := p.queue.length > p.cfg.MaxWaiting || len(p.queue.of(w.by).waiting) > max(1, p.cfg.MaxWaiting/2)
	if full && p.queue.remove(w) {
		p.mu.Unlock()
		return turn{}, domain.E(domain.Limited, "query_queue_full", "Too many queries are waiting already. Try again in a moment.")
	}
	p.mu.Unlock()
	select {
	case got := <-w.grant:
		return got, nil
	case <-p.supervisor.done:
		p.leave(w)
		return turn{}, stopping()
	case <-ctx.Done():
		p.leave(w)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return turn{}, domain.E(domain.Limited, "query_waited",
				"The query did not begin within its time, because others were before it. Nothing was read. Try again in a moment.").Because(ctx.Err())
		}
		return turn{}, queryStopped(ctx)
	}
}

// leave takes a waiter off the queue and gives back what it was granted meanwhile.
func (p *QueryPool) leave(w *waiter) {
	p.mu.Lock()
	waited := p.queue.remove(w)
	p.mu.Unlock()
	if waited {
		return
	}
	if got := <-w.grant; got.child != nil {
		p.giveBack(got.child, w.by)
	} else {
		p.free(got.share, w.by)
	}
}

// dispatch gives turns to those who wait, as far as there is something to give;
// p.mu is held.
func (p *QueryPool) dispatch() {
	for p.serve() {
	}
	if p.stock != nil { // it came too late for whoever it was for
		rest := p.stock
		p.stock = nil
		p.guard().Go("give a share back", rest.release)
	}
}

// serve gives one turn. A place that comes free is for the first who waits, unless
// somebody behind can use a child as it is; nobody is overtaken for ever.
func (p *QueryPool) serve() bool {
	ending := p.ending
	var passed []*waiter
	for _, w := range p.queue.turns(p.cfg.PerPerson) {
		got, ok := p.fit(w)
		if !ok && ending > 0 {
			ending-- // that place will be its
		} else if !ok {
			got, ok = p.place()
		}
		if ok {
			for _, other := range passed {
				other.overtook++
			}
			p.queue.serve(w)
			w.grant <- got
			return true
		}
		if w.overtook >= maxOvertaken {
			return false
		}
		passed = append(passed, w)
	}
	return false
}

// fit takes the most recently used idle child that serves a waiter.
func (p *QueryPool) fit(w *waiter) (turn, bool) {
	for i, c := range slices.Backward(p.idle) {
		switch {
		case c.gone(): // it was ended from outside while it had no work
			p.drop(i)
		case c.held.covers(w.needs) && w.holds(c.held):
			p.idle = slices.Delete(p.idle, i, i+1)
			c.expiry.Stop()
			p.counts.Kept++
			return turn{child: c}, true
		}
	}
	return turn{}, false
}

// place returns the right to start a child, or begins to make room for one.
func (p *QueryPool) place() (turn, bool) {
	if p.live < p.cfg.Limits.Children {
		got := p.stock
		p.stock = nil
		if got == nil {
			got, _ = p.supervisor.broker.try(forQueries, p.cfg.Limits)
		}
		if got != nil {
			p.live++
			return turn{share: got}, true
		}
	}
	switch {
	case len(p.idle) > 0:
		p.drop(0)
	case p.live < p.cfg.Limits.Children && !p.claimed:
		p.claimed = true
		p.guard().Go("ask for a share", func() {
			p.supervisor.broker.ask(&claim{class: forQueries, want: p.cfg.Limits, granted: p.stocked})
		})
	}
	return turn{}, false
}

// stocked takes a share that was waited for.
func (p *QueryPool) stocked(s *share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claimed, p.stock = false, s
	p.dispatch()
}
