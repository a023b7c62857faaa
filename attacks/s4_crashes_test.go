//go:build duckdb_arrow

package attacks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// nextAnswer is how soon the statement after a crash must be answered.
const nextAnswer = 200 * time.Millisecond

// crashes is S4: children that end by a statement, by SIGSEGV and by SIGKILL,
// while four clients work. Every client gets a clear answer, and the next
// statement is answered at once.
func crashes(t *trials) {
	w := t.newWorld("crashes", "AGNES_QUERY_TIMEOUT_SECONDS=3", "AGNES_QUERY_MEMORY_MB=256", "AGNES_QUERY_CHILDREN=4")
	defer w.kill()
	must(t.warm(w))
	ctx, cancel := context.WithCancel(t.ctx)
	var load crowd
	load.work(ctx, w)
	var nexts []time.Duration
	deep := []string{
		"SELECT " + strings.Repeat("[", 900) + strings.Repeat("]", 900),
		"SELECT json_structure('" + strings.Repeat("[", 100_000) + "')",
	}
	for i := range t.n {
		t.one(fmt.Sprintf("#%d", i+1), func() error {
			switch i % 3 {
			case 0:
				if _, err := w.analyst.query(deep[i/3%2]); understood(err) != nil {
					return fmt.Errorf("the deep statement: %w", err)
				}
			case 1:
				strike(t, w, syscall.SIGSEGV)
			default:
				strike(t, w, syscall.SIGKILL)
			}
			began := time.Now()
			_, err := w.other.ask("SELECT count(*) FROM orders")
			took := time.Since(began)
			nexts = append(nexts, took)
			if err := understood(err); err != nil {
				return fmt.Errorf("the next statement: %w", err)
			}
			if took > t.promised(nextAnswer) {
				return fmt.Errorf("the next statement was answered after %s", took)
			}
			return nil
		})
	}
	cancel()
	load.wg.Wait()
	t.note("next statement p50 %s p95 %s; under load %d answered, %d told of the crash", percentile(nexts, 50).Round(time.Millisecond),
		percentile(nexts, 95).Round(time.Millisecond), load.answered.Load(), load.told.Load())
	t.also("clients under load", load.err)
	t.also("the server", func() error {
		if w.gone() {
			return errors.New("it ended")
		}
		_, err := w.analyst.send("GET", "/api/health/ready", "", nil)
		return err
	})
}

// strike ends one query child, if there is any at the moment.
func strike(t *trials, w *world, sig syscall.Signal) {
	if pids := w.queryChildren(); len(pids) > 0 {
		_ = syscall.Kill(pids[t.IntN(len(pids))], sig)
	}
}

// crowd is four clients at work.
type crowd struct {
	wg             sync.WaitGroup
	answered, told atomic.Int64
	mu             sync.Mutex
	wrong          []error
}

func (l *crowd) work(ctx context.Context, w *world) {
	for i := range 4 {
		who := []*client{w.analyst, w.other}[i%2]
		l.wg.Go(func() {
			for ctx.Err() == nil {
				_, err := who.queryIn(w.c.ctx, "SELECT kind, sum(amount), count(*) FROM orders GROUP BY kind", 100, "")
				var no *refused
				switch {
				case err == nil:
					l.answered.Add(1)
				case errors.As(err, &no) && understood(err) == nil:
					l.told.Add(1)
				default:
					l.mu.Lock()
					l.wrong = append(l.wrong, err)
					l.mu.Unlock()
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

func (l *crowd) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d answers were not clear, first: %w", len(l.wrong), l.wrong[0])
}
