package syncs

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

func TestSyncOutcomes(t *testing.T) {
	refused := &work.ChildError{Kind: domain.Invalid, Failure: work.Failure{Code: "not_csv", Message: "This is not a CSV file.", NextStep: "Upload another file."}}
	cases := []struct {
		name    string
		change  func(w *world)
		state   State
		code    string
		phases  []Phase
		version bool // a version is current afterwards
	}{
		{"all well", func(*world) {}, OK, "", Phases(), true},
		{"extraction fails", func(w *world) {
			w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
				return work.Extracted{}, refused
			}
		}, Failed, "not_csv", []Phase{Extract}, false},
		{"rebuild leaves the table out", func(w *world) {
			w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) {
				return work.Rebuilt{Problems: []work.Problem{{Source: "files", Table: "a", Code: "version_unreadable", Message: "The file cannot be read."}}}, nil
			}
		}, Failed, "version_unreadable", []Phase{Extract, Convert, Publish}, false},
		{"rebuild fails", func(w *world) {
			w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) { return work.Rebuilt{}, errors.New("no room") }
		}, Failed, "internal", []Phase{Extract, Convert, Publish}, false},
		{"rows are missing on read-back", func(w *world) {
			w.readBack = func() (int64, error) { return 9, nil }
		}, Failed, "read_back_differs", Phases(), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a")
			c.change(w)
			s := w.syncer(t)
			if _, err := s.Trigger(t.Context(), audit.Actor{UserID: "u"}, ByPerson, nil); err != nil {
				t.Fatal(err)
			}
			end := <-w.finished
			if end.State != c.state || end.Code != c.code || end.FinishedAt == nil {
				t.Errorf("run ended %s %q %q, want %s %q", end.State, end.Code, end.Message, c.state, c.code)
			}
			if c.state != OK && end.Message == "" {
				t.Error("a failed run says nothing")
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			var phases []Phase
			for _, step := range w.steps {
				phases = append(phases, step.Phase)
			}
			if diff := cmp.Diff(c.phases, phases); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if got := w.tables["a"].Version != nil; got != c.version {
				t.Errorf("a version is current: %v, want %v", got, c.version)
			}
		})
	}
}

func TestFailedReadBackRestoresThePreviousVersion(t *testing.T) {
	w := newWorld("a")
	s := w.syncer(t)
	sync := func() Run {
		t.Helper()
		if _, err := s.Trigger(t.Context(), audit.Actor{UserID: "u"}, ByPerson, []registry.TableID{"a"}); err != nil {
			t.Fatal(err)
		}
		return <-w.finished
	}
	sync()
	good := w.tables["a"].Version.ID
	w.readBack = func() (int64, error) { return 0, errors.New("unreadable") }
	if end := sync(); end.State != Failed {
		t.Fatalf("run ended %s, want failed", end.State)
	}
	if got := w.tables["a"].Version.ID; got != good {
		t.Errorf("current version %s after a failed read-back, want %s again", got, good)
	}
}

func TestCancelStopsARunningSync(t *testing.T) {
	w := newWorld("a")
	started := make(chan struct{})
	w.extract = func(ctx context.Context, _ work.ExtractJob, _ func(work.Event)) (work.Extracted, error) {
		close(started)
		<-ctx.Done()
		return work.Extracted{}, ctx.Err()
	}
	s := w.syncer(t)
	runs, err := s.Trigger(t.Context(), audit.Actor{UserID: "u"}, ByPerson, []registry.TableID{"a"})
	if err != nil {
		t.Fatal(err)
	}
	<-started
	if _, err := s.Cancel(t.Context(), audit.Actor{UserID: "u"}, runs[0].ID); err != nil {
		t.Fatal(err)
	}
	if end := <-w.finished; end.State != Cancelled || end.Code != "sync_cancelled" {
		t.Errorf("run ended %s %q, want cancelled sync_cancelled", end.State, end.Code)
	}
	if _, err := s.Cancel(t.Context(), audit.Actor{UserID: "u"}, "absent"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("Cancel(absent) = %v, want NotFound", err)
	}
}

func TestFeedKeepsTheLatestOfEachRun(t *testing.T) {
	f := NewFeed()
	l := f.Listen()
	f.Tell(Run{ID: "1", Rows: 1})
	f.Tell(Run{ID: "1", Rows: 2})
	<-l.Wake
	got := l.Take()
	if len(got) != 1 || got[0].Rows != 2 {
		t.Errorf("Take = %+v, want the run with 2 rows once", got)
	}
	l.Close()
	f.Tell(Run{ID: "2"})
	if got := l.Take(); len(got) != 0 {
		t.Errorf("a closed listener heard %+v", got)
	}
}

func TestRebuildsCoalesce(t *testing.T) {
	w := newWorld("a")
	begun, release := make(chan struct{}, 8), make(chan struct{})
	w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) {
		begun <- struct{}{}
		<-release
		return work.Rebuilt{Views: 1}, nil
	}
	r := w.syncer(t).Rebuilder
	first := r.join(t.Context())
	<-begun
	waiting := []*rebuild{r.join(t.Context()), r.join(t.Context()), r.join(t.Context())}
	close(release)
	for _, b := range append(waiting, first) {
		<-b.done
		if b.err != nil || b.report.Views != 1 {
			t.Errorf("rebuild = %+v, %v", b.report, b.err)
		}
	}
	if extra := len(begun); extra != 1 {
		t.Errorf("%d rebuilds after the first for three callers, want one", extra)
	}
}
