package syncs

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// TestVersionsThatWereNotReadBackAreSettledAtTheStart: the run is ended with
// what became of its rows, whatever became of them.
func TestVersionsThatWereNotReadBackAreSettledAtTheStart(t *testing.T) {
	made := time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)
	cases := []struct {
		name      string
		again     bool // an older version that somebody went back to
		run       bool
		readBack  func() (int64, error)
		current   registry.VersionID
		state     State
		says      string
		confirmed bool // without a run
	}{
		{"whole", false, true, func() (int64, error) { return 10, nil }, "new", OK, "they are served", false},
		{"whole, its run is lost", false, false, func() (int64, error) { return 10, nil }, "new", "", "", true},
		{"rows are missing", false, true, func() (int64, error) { return 9, nil }, "old", Running, "the rows from before are served", false},
		{"unreadable", false, true, func() (int64, error) { return 0, errors.New("no") }, "old", Running, "the rows from before are served", false},
		{"unreadable, somebody went back to it", true, true, func() (int64, error) { return 0, errors.New("no") }, "old", Running, "the rows from before are served", false},
		{"unreadable, its run is lost", false, false, func() (int64, error) { return 0, errors.New("no") }, "old", "", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a")
			w.readBack = c.readBack
			old := registry.Version{ID: "old", Table: "a", Rows: 8}
			table := w.tables["a"]
			table.Version = &registry.Version{ID: "new", Table: "a", RunID: "r", Rows: 10, CreatedAt: made, PublishedAt: &made, Made: 2, Turn: 2}
			if c.again {
				table.Version.Turn = 4
			}
			w.tables["a"] = table
			w.unconfirmed = []Unconfirmed{{Table: table, Before: &old}}
			if c.run {
				w.runs = []Run{{ID: "r", Table: "a", State: Running, Phase: Publish}}
			}
			s := w.idle()
			if err := s.confirmPublished(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := w.current("a"); got != c.current {
				t.Errorf("%s is current, want %s", got, c.current)
			}
			if (len(w.confirmed) > 0) != c.confirmed {
				t.Errorf("confirmed %v, want %t", w.confirmed, c.confirmed)
			}
			if !c.run {
				return
			}
			r := w.runs[0]
			if r.State != c.state || !strings.Contains(r.Message, c.says) || (c.state == Running) != (r.Code == Interrupted) {
				t.Errorf("the run is %s %q: %q, want %s and %q", r.State, r.Code, r.Message, c.state, c.says)
			}
			if last := w.steps[len(w.steps)-1]; (last.State == OK) != (c.state == OK) {
				t.Errorf("its last step is %+v", last)
			}
		})
	}
}

func TestAFirstVersionThatCannotBeReadBackLeavesNoRows(t *testing.T) {
	w := newWorld("a")
	w.readBack = func() (int64, error) { return 0, errors.New("no") }
	table := w.tables["a"]
	table.Version = &registry.Version{ID: "new", Table: "a"}
	w.tables["a"], w.unconfirmed = table, []Unconfirmed{{Table: table}}
	w.runs = []Run{{ID: "r", Table: "a", State: Running, Phase: ReadBack}}
	if err := w.idle().confirmPublished(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.current("a"); got != "" || !strings.Contains(w.runs[0].Message, "no rows") {
		t.Errorf("%q is current, the run says %q", got, w.runs[0].Message)
	}
}

// TestAStopWhileSettlingChangesNothing: what cannot be told is left for the next start.
func TestAStopWhileSettlingChangesNothing(t *testing.T) {
	w := newWorld("a")
	ctx, stop := context.WithCancel(t.Context())
	w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) {
		stop()
		return work.Rebuilt{}, context.Canceled
	}
	table := w.tables["a"]
	table.Version = &registry.Version{ID: "new", Table: "a"}
	w.tables["a"], w.unconfirmed = table, []Unconfirmed{{Table: table}}
	if err := w.idle().confirmPublished(ctx); err == nil {
		t.Error("a stop is no answer")
	}
	if got := w.current("a"); got != "new" || len(w.confirmed) > 0 {
		t.Errorf("%q is current, confirmed %v", got, w.confirmed)
	}
}

// TestASignalLeavesRunsForTheNextStart: a server that ends by a signal says
// another cause than a plain cancel; its runs stay "running" all the same.
func TestASignalLeavesRunsForTheNextStart(t *testing.T) {
	w := newWorld("a")
	started := make(chan struct{})
	w.extract = func(ctx context.Context, _ work.ExtractJob, _ func(work.Event)) (work.Extracted, error) {
		close(started)
		<-ctx.Done()
		return work.Extracted{}, ctx.Err()
	}
	s := w.idle()
	ctx, stop := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx) }()
	if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"a"}); err != nil {
		t.Fatal(err)
	}
	<-started
	stop(errors.New("terminated signal received"))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if r := w.runs[0]; r.State != Running || r.Code != "" {
		t.Errorf("the run is %s %q %q, want running", r.State, r.Code, r.Message)
	}
}

func TestPointsAreReachedInTheirOrder(t *testing.T) {
	w := newWorld("a")
	s := w.idle()
	var points []string
	s.Reached = func(point string) { points = append(points, point) }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx) }()
	w.sync(t, s)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(points, " "); got != pointPublished+" "+pointReadBack {
		t.Errorf("reached %q", got)
	}
}
