package store

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// mustTry takes a try on an account and returns how long to wait, 0 when it was allowed.
func mustTry(t *testing.T, s *Store, account string) time.Duration {
	t.Helper()
	err := (&people.Throttle{Counter: s}).Allow(t.Context(), "password", account)
	if err != nil && domain.KindOf(err) != domain.Limited {
		t.Fatal(err)
	}
	return people.TryAgainAfter(err).Round(time.Second)
}

func TestTriesOnAnAccountWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	for i := range 10 {
		if wait := mustTry(t, s, "ada@example.com"); wait != 0 {
			t.Fatalf("try %d has to wait %s", i+1, wait)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 15, 15, 15} {
		if got := mustTry(t, s, "ada@example.com"); got != want*time.Minute {
			t.Fatalf("wait = %s, want %d minutes", got, want)
		}
		c.advance(want*time.Minute - 2*time.Second)
		if mustTry(t, s, "ada@example.com") == 0 {
			t.Fatalf("a try two seconds before the end of %d minutes was let through", want)
		}
		c.advance(3 * time.Second)
		if wait := mustTry(t, s, "ada@example.com"); wait != 0 {
			t.Fatalf("after %d minutes a try still has to wait %s: that is a lock-out", want, wait)
		}
	}
	if mustTry(t, s, "ben@example.com") != 0 {
		t.Error("tries on one account count for another")
	}
	c.advance(31 * time.Minute)
	for i := range 10 {
		if wait := mustTry(t, s, "ada@example.com"); wait != 0 {
			t.Fatalf("after a rest, try %d has to wait %s", i+1, wait)
		}
	}
}

func TestTriesAreForgotten(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	throttle := &people.Throttle{Counter: s}
	for range 9 {
		mustTry(t, s, "ada@example.com")
	}
	c.advance(15 * time.Minute)
	for i := range 10 {
		if wait := mustTry(t, s, "ada@example.com"); wait != 0 {
			t.Fatalf("after the window, try %d has to wait %s", i+1, wait)
		}
	}
	if err := throttle.Succeeded(t.Context(), "password", "ada@example.com"); err != nil {
		t.Fatal(err)
	}
	if wait := mustTry(t, s, "ada@example.com"); wait != 0 {
		t.Errorf("after a success a try has to wait %s", wait)
	}
}

func TestTriesOfANetwork(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	throttle := &people.Throttle{Counter: s}
	from := func(network, route string) error { return throttle.AllowFrom(t.Context(), network, route, 3) }
	for i := range 3 {
		if err := from("192.0.2.7", "POST /login"); err != nil {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	err := from("192.0.2.7", "POST /login")
	wantError(t, "the fourth", err, domain.Limited, "too_many_attempts")
	if wait := people.TryAgainAfter(err); wait <= 0 || wait > time.Minute {
		t.Errorf("wait = %s", wait)
	}
	for _, other := range [][2]string{{"192.0.2.8", "POST /login"}, {"192.0.2.7", "POST /auth/token"}} {
		if err := from(other[0], other[1]); err != nil {
			t.Errorf("%v: %v", other, err)
		}
	}
	c.advance(time.Minute)
	if err := from("192.0.2.7", "POST /login"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// Of 100 tries at the same time, some of them after a restart, ten get through.
func TestTriesHoldInParallelAndOverARestart(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	var allowed atomic.Int64
	storm := func(s *Store, tries int) {
		var wg sync.WaitGroup
		for range tries {
			wg.Go(func() {
				if mustTry(t, s, "ada@example.com") == 0 {
					allowed.Add(1)
				}
			})
		}
		wg.Wait()
	}
	first := must[*Store](t)(Open(t.Context(), o))
	storm(first, 6)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := mustOpen(t, o)
	storm(second, 100)
	if got := allowed.Load(); got != 10 {
		t.Errorf("%d tries got through, want 10", got)
	}
}

func TestTriesNameNobodyAndAreSwept(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustTry(t, s, "ada@example.com")
	keys := must[[]string](t)(collect(t.Context(), s.reader(), value[string], `SELECT key FROM sign_in_attempts`))
	if len(keys) != 1 || len(keys[0]) != 64 || strings.Contains(keys[0], "ada") {
		t.Errorf("keys: %v", keys)
	}
	count := func() int {
		return must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM sign_in_attempts`))
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{20 * time.Minute, 1}, {11 * time.Minute, 0}} {
		c.advance(step.after)
		if err := s.SweepAttempts(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := count(); got != step.want {
			t.Errorf("%d rows, want %d", got, step.want)
		}
	}
}
