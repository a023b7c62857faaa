//go:build duckdb_arrow

package attacks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	bombMemory = 512 << 20              // of DuckDB in one child
	otherP95   = 300 * time.Millisecond // of another person's SELECT 1 meanwhile
	overtime   = time.Second            // that a bomb may take beyond its limit
	growth     = 64 << 10               // kB that the server may grow by
)

// bombs is S3: statements that want all of the machine, one after another,
// while another person asks SELECT 1 five times a second.
func bombs(t *trials) {
	limit := 10 * time.Second
	if !t.long {
		limit = 2 * time.Second
	}
	w := t.newWorld("bombs", fmt.Sprintf("AGNES_QUERY_TIMEOUT_SECONDS=%d", limit/time.Second), fmt.Sprint("AGNES_QUERY_MEMORY_MB=", bombMemory>>20), "AGNES_QUERY_CHILDREN=2")
	defer w.kill()
	must(t.warm(w))
	m := watch(w)
	chosen := t.choose(corpus("bombs.sql", w.dir))
	for _, e := range chosen {
		t.one(e.class+" "+short(e.text), func() error {
			began := time.Now()
			_, err := w.analyst.query(e.text)
			if took := time.Since(began); took > limit+t.promised(overtime) {
				return fmt.Errorf("ended after %s, %s over its limit", took, took-limit)
			}
			return understood(err)
		})
	}
	m.stop()
	t.n = len(chosen)
	m.judge(t, w)
	t.also("afterwards", func() error { return settledTo(w, m.idle) })
}

// choose takes all of a corpus in the long form, else some of each class.
func (t *trials) choose(all []entry) []entry {
	if t.long {
		return all
	}
	t.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b entry) int { return 0 })
	taken := map[string]int{}
	var out []entry
	for _, e := range all {
		if taken[e.class] < t.line.short/4 {
			taken[e.class]++
			out = append(out, e)
		}
	}
	return out
}

// warm lets both persons have a child that runs.
func (c *campaign) warm(w *world) error {
	return eventually(c.ctx, 10*time.Second, func() error {
		for _, p := range []*client{w.analyst, w.other} {
			if _, err := p.ask("SELECT count(*) FROM orders"); err != nil {
				return err
			}
		}
		return nil
	})
}

// understood fails unless a statement was answered, or refused in words that are true of it.
func understood(err error) error {
	var no *refused
	if err == nil {
		return nil
	}
	if !errors.As(err, &no) {
		return fmt.Errorf("no clear answer: %w", err)
	}
	if no.status != http.StatusBadRequest && no.status != http.StatusServiceUnavailable && no.status != http.StatusTooManyRequests {
		return fmt.Errorf("not a clear answer: %w", no)
	}
	return nil
}

// meter watches a server's processes, and how soon another person is answered.
type meter struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	times    []time.Duration // of the other person's SELECT 1
	failed   []error
	idle     int64 // kB of the server and its children before
	server   int64 // kB of the server before
	peak     int64 // kB of the server
	child    int64 // kB of the largest child
	over     error // a child beyond its limit
	children map[int]bool
}

func watch(w *world) *meter {
	ctx, cancel := context.WithCancel(w.c.ctx)
	m := &meter{cancel: cancel, children: map[int]bool{}, server: kilobytes(w.pid, "VmRSS"), idle: family(w)}
	m.done.Go(func() { m.ask(ctx, w) })
	m.done.Go(func() { m.sample(ctx, w) })
	return m
}

func family(w *world) int64 {
	sum := kilobytes(w.pid, "VmRSS")
	for _, pid := range childrenOf(w.pid) {
		sum += kilobytes(pid, "VmRSS")
	}
	return sum
}

// ask is the other person, five times a second whatever became of the last one.
func (m *meter) ask(ctx context.Context, w *world) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.done.Go(func() {
			began := time.Now()
			_, err := w.other.queryIn(w.c.ctx, "SELECT 1", 10, "")
			m.mu.Lock()
			defer m.mu.Unlock()
			m.times = append(m.times, time.Since(began))
			if err != nil {
				m.failed = append(m.failed, err)
			}
		})
	}
}

// sample looks at the memory of all processes twenty times a second.
func (m *meter) sample(ctx context.Context, w *world) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.mu.Lock()
		m.peak = max(m.peak, kilobytes(w.pid, "VmRSS"))
		for _, pid := range w.queryChildren() {
			m.children[pid] = true
			held, limit := kilobytes(pid, "VmRSS"), dataLimit(pid)>>10
			m.child = max(m.child, held)
			if limit > 0 && held > limit+limit/4 {
				m.over = fmt.Errorf("a child held %d MB, its limit is %d MB", held>>10, limit>>10)
			}
		}
		m.mu.Unlock()
	}
}

func (m *meter) stop() {
	m.cancel()
	m.done.Wait()
}

// p is a percentile of the other person's times.
func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// judge holds what was measured against what is promised.
func (m *meter) judge(t *trials, w *world) {
	p95 := percentile(m.times, 95)
	t.note("the other's SELECT 1 p50 %s p95 %s of %d; largest child %d MB, server +%d MB", percentile(m.times, 50).Round(time.Millisecond),
		p95.Round(time.Millisecond), len(m.times), m.child>>10, max(0, m.peak-m.server)>>10)
	t.also("the other person", func() error {
		if len(m.failed) > 0 {
			return fmt.Errorf("%d of %d were not answered, first: %w", len(m.failed), len(m.times), m.failed[0])
		}
		if most := t.promised(otherP95); p95 > most {
			return fmt.Errorf("p95 %s, at most %s are promised", p95, most)
		}
		return nil
	})
	t.also("memory of a child", func() error { return m.over })
	t.also("memory of the server", func() error {
		if m.peak-m.server > growth {
			return fmt.Errorf("it grew by %d MB", (m.peak-m.server)>>10)
		}
		return nil
	})
	t.also("the server", func() error {
		if w.gone() {
			return errors.New("it ended")
		}
		return nil
	})
}

// settledTo fails unless memory comes back to its level: that of the server, and
// of no more children than there may be. Idle children live for a minute.
func settledTo(w *world, before int64) error {
	return eventually(w.c.ctx, 90*time.Second, func() error {
		if now := family(w); now > before+128<<10 {
			return fmt.Errorf("server and children hold %d MB, before it was %d MB", now>>10, before>>10)
		}
		return nil
	})
}

// leftBombs is S3c: bombs whose client goes away. With one child, the next
// statement is answered when the bomb has stopped.
func leftBombs(t *trials) {
	w := t.newWorld("left", "AGNES_QUERY_TIMEOUT_SECONDS=60", fmt.Sprint("AGNES_QUERY_MEMORY_MB=", bombMemory>>20), "AGNES_QUERY_CHILDREN=1")
	defer w.kill()
	must(t.warm(w))
	before := family(w)
	chosen := t.choose(corpus("bombs.sql", w.dir))
	t.n = len(chosen)
	var worst time.Duration
	for _, e := range chosen {
		t.one(e.class+" "+short(e.text), func() error {
			ctx, cancel := context.WithCancel(t.ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = w.analyst.queryIn(ctx, e.text, 1000, "") // its client does not listen
			}()
			select {
			case <-ended:
			case <-time.After(400 * time.Millisecond):
			}
			cancel()
			<-ended
			began := time.Now()
			_, err := w.other.ask("SELECT 1")
			took := time.Since(began)
			worst = max(worst, took)
			if err != nil {
				return fmt.Errorf("the next statement: %w", err)
			}
			if took > t.promised(overtime) {
				return fmt.Errorf("stopped %s after its client had left", took)
			}
			return nil
		})
	}
	t.note("the next statement was answered after %s at most", worst.Round(time.Millisecond))
	t.also("afterwards", func() error { return settledTo(w, before) })
}
