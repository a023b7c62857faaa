package jobs

import (
	"context"
	"slices"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
)

// PoolConfig bounds the query children.
type PoolConfig struct {
	Limits     Limits
	Idle       time.Duration // a child without work lives this long; 0: one minute
	MaxQueries int           // a child answers this many; 0: 1000
	MaxWaiting int           // callers that may wait for a child; 0: 256
}

func (c PoolConfig) withDefaults() PoolConfig {
	c.Limits = c.Limits.withDefaults()
	if c.Idle <= 0 {
		c.Idle = time.Minute
	}
	if c.MaxQueries <= 0 {
		c.MaxQueries = 1000
	}
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = 256
	}
	return c
}

// QueryPool runs statements in query children. A child holds one catalog, runs
// one statement at a time and is kept for the next statement over the same
// catalog. It is a query.Engine.
type QueryPool struct {
	supervisor *Supervisor
	cfg        PoolConfig

	mu      sync.Mutex
	slots   int           // children that live, start or end
	idle    []*queryChild // the longest unused first; empty while anybody waits
	waiting []*waiter     // first come, first served
	counts  PoolStats     // the sums in it
}

// waiter is a caller who waits for a child. The grant is a child that holds the
// catalog of that key, or nil for the right to start one.
type waiter struct {
	key   string
	grant chan *queryChild
}

// NewQueryPool returns a pool without children. They end with the supervisor.
func NewQueryPool(s *Supervisor, cfg PoolConfig) *QueryPool {
	return &QueryPool{supervisor: s, cfg: cfg.withDefaults()}
}

// PoolStats says how the query children stand.
type PoolStats struct {
	Children int // processes now
	Idle     int // of them without work
	Waiting  int // callers without a child
	Queries  int64
	Kept     int64 // queries that found a child with their catalog
	Forced   int64 // children killed because they did not stop when told to
	Died     int64 // children that ended by themselves under a query
}

// Stats returns the state of the moment.
func (p *QueryPool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.counts
	s.Children, s.Idle, s.Waiting = p.slots, len(p.idle), len(p.waiting)
	return s
}

// Start runs a statement over a catalog, as query.Engine says. When ctx ends,
// or the result is closed early, the statement is interrupted, and its child
// killed if it does not stop within half a second.
func (p *QueryPool) Start(ctx context.Context, catalog access.Catalog, st query.Statement) (query.Result, error) {
	if ctx.Err() != nil {
		return nil, queryStopped(ctx)
	}
	key := catalog.Fingerprint()
	c, err := p.lease(ctx, key)
	if err != nil {
		return nil, err
	}
	if c != nil && c.gone() { // it was ended from outside while it had no work
		c.end()
		c = nil
	}
	if c == nil {
		if c, err = p.launch(ctx, key, catalog); err != nil {
			p.freeSlot()
			return nil, err
		}
	}
	return p.ask(ctx, c, st)
}

// lease returns an idle child that holds the catalog, or nil and the right to
// start one; it waits until there is either.
func (p *QueryPool) lease(ctx context.Context, key string) (*queryChild, error) {
	p.mu.Lock()
	p.counts.Queries++
	if c := p.takeIdle(key); c != nil {
		p.counts.Kept++
		p.mu.Unlock()
		return c, nil
	}
	if p.slots < p.cfg.Limits.Children {
		p.slots++
		p.mu.Unlock()
		return nil, nil //nolint:nilnil // the right to start one, as documented
	}
	if len(p.idle) > 0 { // of another catalog: the slot of the longest unused one changes hands
		oldest := p.idle[0]
		p.idle = p.idle[1:]
		p.mu.Unlock()
		oldest.end()
		return nil, nil //nolint:nilnil // the right to start one, as documented
	}
	if len(p.waiting) >= p.cfg.MaxWaiting {
		p.mu.Unlock()
		return nil, domain.E(domain.Limited, "query_queue_full", "Too many queries are waiting already. Try again in a moment.")
	}
	w := &waiter{key: key, grant: make(chan *queryChild, 1)}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	return p.wait(ctx, w)
}

func (p *QueryPool) wait(ctx context.Context, w *waiter) (*queryChild, error) {
	select {
	case c := <-w.grant:
		return c, nil
	case <-p.supervisor.done:
		p.leave(w)
		return nil, stopping()
	case <-ctx.Done():
		p.leave(w)
		return nil, queryStopped(ctx)
	}
}

// leave takes a waiter off the queue and passes on what it was granted meanwhile.
func (p *QueryPool) leave(w *waiter) {
	p.mu.Lock()
	if i := slices.Index(p.waiting, w); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	if c := <-w.grant; c != nil {
		p.giveBack(c)
		return
	}
	p.freeSlot()
}

// takeIdle takes the most recently used child of a catalog; p.mu is held.
func (p *QueryPool) takeIdle(key string) *queryChild {
	for i, c := range slices.Backward(p.idle) {
		if c.key == key {
			p.idle = slices.Delete(p.idle, i, i+1)
			c.expiry.Stop()
			return c
		}
	}
	return nil
}

// giveBack hands a child that can go on to the first who waits, or keeps it.
func (p *QueryPool) giveBack(c *queryChild) {
	if c.answered >= p.cfg.MaxQueries || c.gone() {
		p.retire(c)
		return
	}
	p.mu.Lock()
	if len(p.waiting) == 0 {
		c.expiry = time.AfterFunc(p.cfg.Idle, func() { p.expire(c) })
		p.idle = append(p.idle, c)
		p.mu.Unlock()
		return
	}
	w := p.waiting[0]
	if w.key == c.key {
		p.waiting = p.waiting[1:]
		p.counts.Kept++
		p.mu.Unlock()
		w.grant <- c
		return
	}
	p.mu.Unlock()
	p.retire(c)
}

// retire ends a child and passes its slot on once its memory is free again.
func (p *QueryPool) retire(c *queryChild) {
	go func() {
		c.end()
		p.freeSlot()
	}()
}

func (p *QueryPool) freeSlot() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.slots--
		return
	}
	w := p.waiting[0]
	p.waiting = p.waiting[1:]
	w.grant <- nil
}

// expire ends a child that nobody used, unless somebody does by now.
func (p *QueryPool) expire(c *queryChild) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	if i < 0 {
		p.mu.Unlock()
		return
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	p.mu.Unlock()
	p.retire(c)
}

func (p *QueryPool) count(add func(*PoolStats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.counts)
}
