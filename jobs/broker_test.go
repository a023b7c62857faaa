package jobs

import (
	"context"
	"errors"
	"testing"
)

func limitsOf(memory int64, threads int) Limits { return Limits{MemoryBytes: memory, Threads: threads} }

func mustTry(t *testing.T, b *broker, c class, want Limits) *share {
	t.Helper()
	s, ok := b.try(c, want)
	if !ok {
		t.Fatalf("no share of %+v: %+v", want, b.Stats())
	}
	return s
}

func TestBrokerKeepsTheSum(t *testing.T) {
	b := newBroker(Capacity{MemoryBytes: 100, Threads: 5})
	b.expect(forJobs, limitsOf(30, 2))
	b.expect(forQueries, limitsOf(30, 2))
	first, second := mustTry(t, b, forQueries, limitsOf(30, 2)), mustTry(t, b, forQueries, limitsOf(30, 2))
	if s, ok := b.try(forQueries, limitsOf(30, 2)); ok {
		t.Errorf("queries took %+v, which is kept for jobs", s.limits)
	}
	job := mustTry(t, b, forJobs, limitsOf(30, 4))
	if job.limits.Threads != 1 {
		t.Errorf("%d threads, want the one that was left", job.limits.Threads)
	}
	if got := b.Stats(); got.MemoryUsed != 90 || got.ThreadsUsed != 5 {
		t.Errorf("%+v, want 90 and 5", got)
	}
	first.release()
	first.release()
	if got := b.Stats(); got.MemoryUsed != 60 || got.ThreadsUsed != 3 {
		t.Errorf("%+v after one was given back twice, want 60 and 3", got)
	}
	second.release()
	job.release()
	if got := mustTry(t, b, forJobs, limitsOf(1000, 1)).limits.MemoryBytes; got != 70 {
		t.Errorf("one who asks for all got %d, want 70: 30 are kept for queries", got)
	}
}

func TestBrokerServesInOrder(t *testing.T) {
	b := newBroker(Capacity{MemoryBytes: 10})
	all := mustTry(t, b, forQueries, limitsOf(10, 1))
	pressed := 0
	b.onPressure(func() { pressed++ })
	var order []string
	for _, name := range []string{"large", "small"} {
		size := map[string]int64{"large": 10, "small": 1}[name]
		b.ask(&claim{class: forJobs, want: limitsOf(size, 1), granted: func(s *share) {
			order = append(order, name)
			s.release()
		}})
	}
	if waits, starved := b.jobsWait(); !waits || !starved || pressed != 2 {
		t.Errorf("waits %v, starved %v, pressed %d; want jobs that starve and say so", waits, starved, pressed)
	}
	if _, ok := b.try(forJobs, limitsOf(0, 1)); ok {
		t.Error("a small job overtook")
	}
	all.release()
	if len(order) != 2 || order[0] != "large" {
		t.Errorf("served %v, want the large one first", order)
	}
	if got := b.Stats(); got.MemoryUsed != 0 || got.Waiting != 0 {
		t.Errorf("%+v, want all given back", got)
	}
}

func TestBrokerWaitersLeave(t *testing.T) {
	b := newBroker(Capacity{MemoryBytes: 10})
	all := mustTry(t, b, forJobs, limitsOf(10, 1))
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no patience")
	cancel(why)
	if _, err := b.takeJob(ctx, limitsOf(1, 1)); !errors.Is(err, why) {
		t.Errorf("%v, want the reason", err)
	}
	all.release()
	if got := b.Stats(); got.MemoryUsed != 0 || got.Waiting != 0 {
		t.Errorf("%+v, want nothing taken", got)
	}
	s, err := b.takeJob(t.Context(), limitsOf(4, 1))
	if err != nil || s.limits.MemoryBytes != 4 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWithoutACapacityAllIsGiven(t *testing.T) {
	b := newBroker(Capacity{})
	for range 10 {
		if got := mustTry(t, b, forQueries, limitsOf(1<<40, 64)).limits; got != limitsOf(1<<40, 64) {
			t.Errorf("%+v, want what was asked for", got)
		}
	}
}
