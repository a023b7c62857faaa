package syncs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// full refuses what is named as often as was said, like a full disk.
type full struct {
	what  string
	times atomic.Int64
	err   error
}

func refusing(what string, times int64) *full {
	f := &full{what: what, err: domain.E(domain.Unavailable, "disk_full", "The disk with the state is full.")}
	f.times.Store(times)
	return f
}

func (f *full) refuse(what string) error {
	if what != f.what || f.times.Add(-1) < 0 {
		return nil
	}
	return f.err
}

// rests is a clock for rests that a test ends one by one.
type rests struct {
	asked chan time.Duration
	end   chan time.Time
}

func newRests() *rests { return &rests{asked: make(chan time.Duration, 16), end: make(chan time.Time)} }

func (r *rests) after(d time.Duration) <-chan time.Time {
	r.asked <- d
	return r.end
}

// working has s work until the test stops it.
func working(t *testing.T, s *Syncer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Work: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// TestTheEndOfASyncIsWrittenWhenTheStateTakesItAgain: until then the table could
// be neither synced, restored nor removed.
func TestTheEndOfASyncIsWrittenWhenTheStateTakesItAgain(t *testing.T) {
	w := newWorld("a", "b")
	rebuild, rebuilds := w.rebuild, 0
	w.rebuild = func(job work.RebuildJob) (work.Rebuilt, error) {
		rebuilds++
		return rebuild(job)
	}
	w.refuse = refusing("finish a", 3).refuse
	s, pause := w.idle(), newRests()
	s.After, s.Workers = pause.after, 1
	heard := s.Feed.Listen()
	defer heard.Close()
	stop := working(t, s)
	trigger := func(id registry.TableID) Run {
		t.Helper()
		runs, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{id})
		if err != nil {
			t.Fatal(err)
		}
		return runs[0]
	}
	first := trigger("a")
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if got := <-pause.asked; got != want {
			t.Errorf("rest %d is %s, want %s", i, got, want)
		}
		told := slices.DeleteFunc(heard.Take(), func(r Run) bool { return r.ID != first.ID }) // of b they may hear later
		if len(told) != 1 || told[0].State != Running || told[0].Code != "end_unwritten" || !strings.Contains(told[0].Message, "is full") {
			t.Errorf("listeners heard %+v, want that the end is not stored and why", told)
		}
		why := s.Unwritten()
		for _, says := range []string{"A sync has ended", "12:00", "is full"} {
			if domain.CodeOf(why) != "sync_end_unwritten" || !strings.Contains(why.Error(), says) {
				t.Errorf("health says %v, want %q", why, says)
			}
		}
		if again := trigger("a"); again.ID != first.ID {
			t.Errorf("run %s beside %s, which has not ended", again.ID, first.ID)
		}
		if i == 0 {
			other := trigger("b")
			if end := <-w.finished; end.ID != other.ID || end.State != OK {
				t.Errorf("the other table's run ended %+v", end)
			}
		}
		heard.Take()
		pause.end <- time.Time{}
	}
	if end := <-w.finished; end.ID != first.ID || end.State != OK || end.FinishedAt == nil || end.Message != "" {
		t.Errorf("ended %+v, want ok", end)
	}
	if end := w.sync(t, s); end.ID == first.ID || end.State != OK {
		t.Errorf("the next sync ended %+v", end)
	}
	stop()
	if why := s.Unwritten(); why != nil {
		t.Errorf("health afterwards: %v", why)
	}
	if rebuilds != 3 {
		t.Errorf("%d rebuilds for three syncs", rebuilds)
	}
}

// TestAStopLeavesAnUnwrittenEndForTheNextStart: the run stays running, which the
// start settles.
func TestAStopLeavesAnUnwrittenEndForTheNextStart(t *testing.T) {
	w := newWorld("a")
	w.refuse = refusing("finish a", 1).refuse
	s, pause := w.idle(), newRests()
	s.After = pause.after
	stop := working(t, s)
	if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"a"}); err != nil {
		t.Fatal(err)
	}
	<-pause.asked
	stop()
	if r := w.runs[0]; r.State != Running || r.Code != "" {
		t.Errorf("the run is %s %q", r.State, r.Code)
	}
}

// TestWhatCannotBeWrittenIsNotTriedForEver: an end that is settled otherwise, or
// that only a new start can write.
func TestWhatCannotBeWrittenIsNotTriedForEver(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says bool
	}{
		"the table is removed": {domain.E(domain.NotFound, "run_not_found", "There is no such run."), false},
		"it has ended":         {domain.E(domain.Conflict, "run_ended", "It has ended."), false},
		"the disk is broken":   {domain.E(domain.Unavailable, codeStateWrite, "The disk did not confirm."), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld("a")
			refused := make(chan struct{}, 8)
			w.refuse = func(what string) error {
				if what != "finish a" {
					return nil
				}
				refused <- struct{}{}
				return c.err
			}
			s, pause := w.idle(), newRests()
			s.After = pause.after
			stop := working(t, s)
			if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"a"}); err != nil {
				t.Fatal(err)
			}
			<-refused
			stop()
			if len(refused)+len(pause.asked) > 0 {
				t.Error("it was tried again")
			}
			if got := s.Unwritten() != nil; got != c.says {
				t.Errorf("health says %v", s.Unwritten())
			}
		})
	}
}

// TestAPanicOfTheStateIsTriedAgain: it leaves no table taken either.
func TestAPanicOfTheStateIsTriedAgain(t *testing.T) {
	w := newWorld("a")
	first := true
	w.refuse = func(what string) error {
		if what == "finish a" && first {
			first = false
			panic("secret")
		}
		return nil
	}
	s, pause := w.idle(), newRests()
	s.After = pause.after
	working(t, s)
	if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"a"}); err != nil {
		t.Fatal(err)
	}
	<-pause.asked
	pause.end <- time.Time{}
	if end := <-w.finished; end.State != OK {
		t.Errorf("ended %+v", end)
	}
}

// TestRowsThatCannotBeTakenBackAreTakenBackLater: a run does not say that the
// rows from before are served while they are not.
func TestRowsThatCannotBeTakenBackAreTakenBackLater(t *testing.T) {
	w := newWorld("a")
	s, pause := w.idle(), newRests()
	s.After = pause.after
	working(t, s)
	w.sync(t, s)
	good := w.current("a")
	w.readBack = func() (int64, error) { return 0, errors.New("unreadable") }
	w.refuse = refusing("revert", 2).refuse // at once, and once more
	if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"a"}); err != nil {
		t.Fatal(err)
	}
	<-pause.asked
	if s.Unwritten() == nil || len(w.finished) > 0 {
		t.Error("the run ended while its rows are served")
	}
	pause.end <- time.Time{}
	if end := <-w.finished; end.State != Failed || w.current("a") != good {
		t.Errorf("ended %+v, %s is current, want %s", end, w.current("a"), good)
	}
}

// TestNewRowsAreNotForgottenWhenTheStateTakesNothing: nobody else asks for them.
func TestNewRowsAreNotForgottenWhenTheStateTakesNothing(t *testing.T) {
	w := newWorld("a")
	started, read := make(chan struct{}, 2), make(chan struct{})
	w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
		started <- struct{}{}
		<-read
		return work.Extracted{Rows: 10, Bytes: 100}, nil
	}
	s, pause := w.idle(), newRests()
	s.After = pause.after
	working(t, s)
	trigger := func(why Trigger) error {
		_, err := s.Trigger(t.Context(), petra, why, []registry.TableID{"a"})
		return err
	}
	if err := trigger(ByPerson); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := trigger(ByUpload); err != nil {
		t.Fatal(err)
	}
	w.refuse = refusing("queue", 1).refuse
	if err := trigger(ByUpload); err == nil { // it fails, and the upload before it still counts
		t.Fatal("a run was queued")
	}
	w.refuse = refusing("finish a", 1).refuse
	close(read)
	<-pause.asked
	pause.end <- time.Time{}
	<-w.finished
	if end := <-w.finished; end.Trigger != ByUpload || end.State != OK {
		t.Errorf("ended %+v, want a sync of the uploaded rows", end)
	}
}
