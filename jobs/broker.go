package jobs

import (
	"context"
	"slices"
	"sync"
)

// class sorts children by who waits for them.
type class uint8

const (
	forQueries class = iota
	forJobs          // extract, rebuild, profile and the like
	classes
)

// broker hands out the memory and the threads of all children together, so
// that their sum stays under what the machine gives them. Beyond it work
// waits, first come, first served. Neither class can take what one child of the
// other needs, so that long syncs do not keep all queries away, nor queries syncs.
type broker struct {
	memory, threads int64

	mu      sync.Mutex
	asks    [classes]int64 // memory that one child of a class asks for
	least   [classes]int64 // memory that only this class may take
	used    [classes]int64 // memory
	busy    int64          // threads
	waiting []*claim
	pressed func() // told that jobs wait; called without mu
}

// Capacity is what all children together may take.
type Capacity struct {
	MemoryBytes int64 // of DuckDB; 0: no limit
	Threads     int   // 0: no limit
}

// claim asks for a share. granted is called without the broker's lock.
type claim struct {
	class   class
	want    Limits
	granted func(*share)
}

// share is what one child may take, until it is given back.
type share struct {
	broker *broker
	class  class
	limits Limits
	once   sync.Once
}

// newBroker returns a broker of a capacity of which nothing is taken.
func newBroker(c Capacity) *broker {
	return &broker{memory: c.MemoryBytes, threads: int64(c.Threads), pressed: func() {}}
}

// expect says what one child of a class asks for. Where there is room for one of
// each, neither class can take it from the other.
func (b *broker) expect(c class, one Limits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks[c] = one.MemoryBytes
	b.least = [classes]int64{}
	if b.memory >= b.asks[forQueries]+b.asks[forJobs] {
		b.least = b.asks
	}
}

// try takes a share if there is one and nobody of its class waits for one.
func (b *broker) try(c class, want Limits) (*share, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, other := range b.waiting {
		if other.class == c {
			return nil, false
		}
	}
	return b.give(c, want)
}

// takeJob waits for the share of a job.
func (b *broker) takeJob(ctx context.Context, want Limits) (*share, error) {
	got := make(chan *share, 1)
	withdraw := b.ask(&claim{class: forJobs, want: want, granted: func(s *share) { got <- s }})
	select {
	case s := <-got:
		return s, nil
	case <-ctx.Done():
		if !withdraw() {
			(<-got).release()
		}
		return nil, context.Cause(ctx)
	}
}

// ask has a claim granted at once or later. withdraw reports whether it came
// before the grant.
func (b *broker) ask(c *claim) (withdraw func() bool) {
	b.mu.Lock()
	b.waiting = append(b.waiting, c)
	b.serve()
	return func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.Index(b.waiting, c)
		if i >= 0 {
			b.waiting = slices.Delete(b.waiting, i, i+1)
		}
		return i >= 0
	}
}

// serve grants what can be granted and lets go of b.mu, which is held. A class
// whose first claim does not fit waits as a whole, so that nobody small
// overtakes for ever.
func (b *broker) serve() {
	var stuck [classes]bool
	var granted []func()
	b.waiting = slices.DeleteFunc(b.waiting, func(c *claim) bool {
		if stuck[c.class] {
			return false
		}
		s, ok := b.give(c.class, c.want)
		if !ok {
			stuck[c.class] = true
			return false
		}
		granted = append(granted, func() { c.granted(s) })
		return true
	})
	pressed := b.pressed
	b.mu.Unlock()
	for _, tell := range granted {
		tell()
	}
	if stuck[forJobs] {
		pressed()
	}
}

// give takes a share off what is free; b.mu is held. A child that asks for more
// memory than there is gets all that its class may have; threads are as many as
// are free, at least one.
func (b *broker) give(c class, want Limits) (*share, bool) {
	if b.memory > 0 {
		other := 1 - c
		want.MemoryBytes = min(want.MemoryBytes, b.memory-b.least[other])
		free := b.memory - b.used[c] - max(b.used[other], b.least[other])
		if want.MemoryBytes > free {
			return nil, false
		}
	}
	if b.threads > 0 {
		free := b.threads - b.busy
		if free < 1 {
			return nil, false
		}
		want.Threads = int(min(int64(want.Threads), free))
	}
	b.used[c] += want.MemoryBytes
	b.busy += int64(want.Threads)
	return &share{broker: b, class: c, limits: want}, true
}

// release gives a share back. It may be called often.
func (s *share) release() {
	s.once.Do(func() {
		b := s.broker
		b.mu.Lock()
		b.used[s.class] -= s.limits.MemoryBytes
		b.busy -= int64(s.limits.Threads)
		b.serve()
	})
}

// jobsWait reports whether a job waits for memory or threads, and whether no
// job has any.
func (b *broker) jobsWait() (waits, starved bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	waits = slices.ContainsFunc(b.waiting, func(c *claim) bool { return c.class == forJobs })
	return waits, waits && b.used[forJobs] == 0
}

// onPressure names who is told when jobs wait.
func (b *broker) onPressure(tell func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pressed = tell
}

// BrokerStats says what is handed out.
type BrokerStats struct {
	MemoryBytes, MemoryUsed int64
	Threads, ThreadsUsed    int
	Waiting                 int
}

// Stats returns the state of the moment.
func (b *broker) Stats() BrokerStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return BrokerStats{
		MemoryBytes: b.memory, MemoryUsed: b.used[forQueries] + b.used[forJobs],
		Threads: int(b.threads), ThreadsUsed: int(b.busy), Waiting: len(b.waiting),
	}
}
