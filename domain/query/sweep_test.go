package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// attic is a History and the Files of results with the time that each was kept at.
type attic struct {
	past
	kept    map[string]time.Time
	runs    map[string]time.Time // query_runs by their end
	files   map[string]time.Time
	usage   time.Time
	fail    error // of Remove
	unread  error // of KeptResults
	batches int   // portions in which results expired
}

func (a *attic) ExpireResults(_ context.Context, before time.Time) ([]string, error) {
	var due []string
	for id, at := range a.kept {
		if at.Before(before) && len(due) < 2 {
			due = append(due, id)
		}
	}
	for _, id := range due {
		delete(a.kept, id)
	}
	a.batches++
	return due, nil
}

func (a *attic) PruneQueryRuns(_ context.Context, before time.Time) ([]string, error) {
	var due []string
	for id, at := range a.runs {
		if at.Before(before) && len(due) < 2 {
			due = append(due, id)
		}
	}
	for _, id := range due {
		delete(a.runs, id)
		delete(a.kept, id)
	}
	return due, nil
}

func (a *attic) KeptResults(context.Context) (map[string]struct{}, error) {
	all := map[string]struct{}{}
	for id := range a.kept {
		all[id] = struct{}{}
	}
	return all, a.unread
}

func (a *attic) SweepUsage(_ context.Context, before time.Time) error {
	a.usage = before
	return nil
}

func (a *attic) Remove(id string) error {
	delete(a.files, id)
	return a.fail
}

func (a *attic) Sweep(_ context.Context, before time.Time, keep func(string) bool) (removed int, err error) {
	for id, at := range a.files {
		if at.Before(before) && !keep(id) {
			delete(a.files, id)
			removed++
		}
	}
	return removed, nil
}

func (a *attic) left() []string {
	left := []string{}
	for id := range a.files {
		left = append(left, id)
	}
	slices.Sort(left)
	return left
}

// newAttic has results of 0 to 4 days, and a file of two days that no run has.
func newAttic(now time.Time) *attic {
	a := &attic{kept: map[string]time.Time{}, files: map[string]time.Time{"orphan": now.Add(-48 * time.Hour), "begun": now}, runs: map[string]time.Time{}}
	for i := range 5 {
		at := now.Add(-time.Duration(i) * 24 * time.Hour)
		id := fmt.Sprint("q", i)
		a.kept[id], a.files[id], a.runs[id] = at, at, at
	}
	return a
}

func TestSweeper(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		name         string
		age, history time.Duration
		left         []string
		runs         int
	}{
		{"kept for ever", 0, 0, []string{"begun", "q0", "q1", "q2", "q3", "q4"}, 5},
		{"exactly their age", 2 * day, 0, []string{"begun", "q0", "q1", "q2"}, 5},
		{"a moment less", 2*day - 1, 0, []string{"begun", "q0", "q1"}, 5},
		{"a moment more", 2*day + 1, 0, []string{"begun", "q0", "q1", "q2"}, 5},
		{"the run itself is forgotten", 0, 3 * day, []string{"begun", "q0", "q1", "q2", "q3"}, 4},
		{"every run is", 0, 1, []string{"begun", "q0"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAttic(now)
			s := &Sweeper{Runs: a, Files: a, Age: c.age, HistoryAge: c.history, Now: func() time.Time { return now }}
			for range 2 { // the second finds nothing to do
				if err := s.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if left := a.left(); !slices.Equal(left, c.left) || len(a.runs) != c.runs {
				t.Errorf("left %v and %d runs, want %v and %d", left, len(a.runs), c.left, c.runs)
			}
			if days := now.Sub(a.usage) / day; days != 35 {
				t.Errorf("usage of %d days is shown", days)
			}
		})
	}
}

func TestSweepThatFails(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := newAttic(now)
	s := &Sweeper{Runs: a, Files: a, Age: time.Hour, HistoryAge: time.Hour, Now: func() time.Time { return now }}
	a.fail = errors.New("disk is read-only")
	if err := s.Sweep(t.Context()); !errors.Is(err, a.fail) {
		t.Errorf("files stay and nobody says so: %v", err)
	}
	if _, there := a.files["orphan"]; !there || a.batches != 1 {
		t.Errorf("it went on: %v", a.left())
	}
	// A list of what is kept that cannot be read must not empty the folder.
	a = newAttic(now)
	a.unread = errors.New("state is locked")
	s.Runs, s.Files, s.Age, s.HistoryAge = a, a, 0, 0
	if err := s.Sweep(t.Context()); !errors.Is(err, a.unread) || len(a.files) != 7 {
		t.Errorf("%v, left %v", err, a.left())
	}
}
