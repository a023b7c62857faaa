//go:build duckdb_arrow

package attacks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// several runs clients side by side until a time is over and returns how long
// each statement took.
func several(w *world, clients int, length time.Duration, ask func() error) (times []time.Duration, failed []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	end := time.Now().Add(length)
	for range clients {
		wg.Go(func() {
			for time.Now().Before(end) && w.c.ctx.Err() == nil {
				began := time.Now()
				err := ask()
				mu.Lock()
				times = append(times, time.Since(began))
				if err != nil {
					failed = append(failed, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return times, failed
}

// loadSmall is L2: at least 25 small aggregates a second on a million rows with
// eight clients, p95 below 400 ms.
func loadSmall(t *trials) {
	w := t.theWorld()
	length := 30 * time.Second
	if !t.long {
		length = 5 * time.Second
	}
	t.one("8 clients", func() error {
		times, failed := several(w, 8, length, func() error {
			_, err := w.analyst.query("SELECT kind, count(*), sum(amount) FROM million GROUP BY kind ORDER BY kind")
			return err
		})
		qps, p95 := float64(len(times))/length.Seconds(), percentile(times, 95)
		t.note("%.0f a second, p50 %s, p95 %s", qps, percentile(times, 50).Round(time.Millisecond), p95.Round(time.Millisecond))
		switch {
		case len(failed) > 0:
			return fmt.Errorf("%d of %d failed, first: %w", len(failed), len(times), failed[0])
		case t.long && qps < 25, p95 > t.promised(400*time.Millisecond):
			return fmt.Errorf("%.1f a second with p95 %s; 25 and 400ms are promised", qps, p95)
		}
		return nil
	})
}

// fairQueue is how many statements may wait in L3, half of them of one person.
const fairQueue = 40

// loadFair is L3: fifty statements of one person at once, more than may wait, and
// one of another in between: the other waits less than two seconds; who is sent
// away is told when to come back, and nobody else is.
func loadFair(t *trials) {
	w := t.newWorld("fair", "AGNES_QUERY_CHILDREN=2", fmt.Sprint("AGNES_QUERY_QUEUE=", fairQueue), "AGNES_QUERY_TIMEOUT_SECONDS=60")
	defer w.kill()
	must(t.warm(w))
	t.one("50 and 1", func() error {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var wrong []error
		answered, sent := 0, 0
		for range 50 {
			wg.Go(func() {
				_, err := w.analyst.query("SELECT count(*), sum(sqrt(a.id * b.id)) FROM million a, range(4) b(id)")
				mu.Lock()
				defer mu.Unlock()
				var no *refused
				switch {
				case err == nil:
					answered++
				case errors.As(err, &no) && no.status == http.StatusTooManyRequests && no.answer.header.Get("Retry-After") != "":
					sent++
				default:
					wrong = append(wrong, err)
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		began := time.Now()
		_, err := w.other.ask("SELECT count(*) FROM orders")
		took := time.Since(began)
		wg.Wait()
		t.note("the other waited %s; of 50, %d answered and %d sent away", took.Round(time.Millisecond), answered, sent)
		switch {
		case err != nil:
			return fmt.Errorf("the other person: %w", err)
		case took > t.promised(2*time.Second):
			return fmt.Errorf("the other person waited %s", took)
		case len(wrong) > 0:
			return fmt.Errorf("%d unclear answers, first: %w", len(wrong), wrong[0])
		case sent == 0 || answered < fairQueue/2:
			return fmt.Errorf("%d were answered and %d sent away, but %d may wait", answered, sent, fairQueue/2)
		}
		return nil
	})
}

// loadWide is L4: a million rows as JSON and as CSV are streamed.
func loadWide(t *trials) {
	w := t.theWorld()
	reader := *w.analyst
	reader.barred = false // a million numbers hold every short one
	for _, accept := range []string{"application/json", "text/csv"} {
		t.one(accept, func() error {
			before := kilobytes(w.pid, "VmRSS")
			ctx, cancel := context.WithTimeout(t.ctx, 2*time.Minute)
			defer cancel()
			m := &meter{children: map[int]bool{}}
			m.done.Go(func() { m.sample(ctx, w) })
			began := time.Now()
			got, err := reader.queryIn(t.ctx, "SELECT * FROM million", 2_000_000, accept)
			took := time.Since(began)
			cancel()
			m.done.Wait()
			if err != nil {
				return err
			}
			t.note("%s: %d MB in %s, first byte %s, server +%d MB", accept, len(got.body)>>20, took.Round(10*time.Millisecond), got.first.Round(time.Millisecond), max(0, m.peak-before)>>10)
			switch {
			case got.header.Get("Content-Type") == "" || len(got.body) < 20<<20:
				return fmt.Errorf("%d bytes of %s", len(got.body), got.header.Get("Content-Type"))
			case got.first > t.promised(500*time.Millisecond):
				return fmt.Errorf("first byte after %s", got.first)
			case m.peak-before > growth:
				return fmt.Errorf("the server grew by %d MB", (m.peak-before)>>10)
			}
			return nil
		})
	}
}
