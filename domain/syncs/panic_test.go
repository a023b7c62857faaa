package syncs

import (
	"context"
	"sync/atomic"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/guard"
	"agnes/domain/work"
)

// TestPanicsFailOneRun has what carries syncs out panic, in a sync's own work
// and in a rebuild: the run fails and says so, and the next one is carried out.
func TestPanicsFailOneRun(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	fine, whole := w.extract, w.rebuild
	var breaks atomic.Value // what panics at the moment
	breaks.Store("")
	w.extract = func(ctx context.Context, job work.ExtractJob, progress func(work.Event)) (work.Extracted, error) {
		if breaks.Load() == "an extraction" {
			panic("secret")
		}
		return fine(ctx, job, progress)
	}
	w.rebuild = func(job work.RebuildJob) (work.Rebuilt, error) {
		if breaks.Load() == "a rebuild" {
			panic("secret")
		}
		return whole(job)
	}
	g := &guard.Guard{}
	s := w.idle()
	s.Guard, s.Rebuilder.Guard = g, g
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx) }()
	sync := func() Run {
		if _, err := s.Trigger(t.Context(), audit.Actor{UserID: "u"}, ByPerson, nil); err != nil {
			t.Fatal(err)
		}
		return <-w.finished
	}
	for i := range 20 {
		what := []string{"an extraction", "a rebuild"}[i%2]
		breaks.Store(what)
		if end := sync(); end.State != Failed || end.Code != "internal" || end.Message == "" {
			t.Errorf("a panic in %s: the run ended %s %q %q", what, end.State, end.Code, end.Message)
		}
		breaks.Store("")
		if end := sync(); end.State != OK {
			t.Errorf("after a panic in %s: the run ended %s %q", what, end.State, end.Message)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if g.Panics() < 20 { // a rebuild is asked for once more after it failed
		t.Errorf("%d panics counted", g.Panics())
	}
}
