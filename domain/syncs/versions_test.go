package syncs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

var petra = audit.Actor{UserID: "petra"}

// rows makes the extraction and the read-back of w bring so many rows.
func (w *world) rows(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
		return work.Extracted{Rows: n}, nil
	}
	w.readBack = func() (int64, error) { return n, nil }
}

func (w *world) guard(g registry.Guard) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, t := range w.tables {
		t.Guard = g
		w.tables[id] = t
	}
}

func (w *world) current(id registry.TableID) registry.VersionID {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.tables[id].Version; v != nil {
		return v.ID
	}
	return ""
}

// sync triggers table a and returns its run's end.
func (w *world) sync(t *testing.T, s *Syncer) Run {
	t.Helper()
	if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"a"}); err != nil {
		t.Fatal(err)
	}
	return <-w.finished
}

func TestShrunkRowsWaitForAPerson(t *testing.T) {
	w := newWorld("a")
	s := w.syncer(t)
	w.guard(registry.DefaultGuard())
	w.rows(1000)
	if end := w.sync(t, s); end.State != OK {
		t.Fatalf("first sync ended %s %s", end.State, end.Message)
	}
	good := w.current("a")
	w.rows(10)
	held := w.sync(t, s)
	if held.State != Held || held.Code != "shrink_guard" || held.Version == "" || held.Message == "" || held.NextStep == "" {
		t.Fatalf("the shrunk run ended %+v", held)
	}
	if got := w.current("a"); got != good {
		t.Errorf("current %s while %s is held", got, held.Version)
	}
	w.mu.Lock()
	last := w.steps[len(w.steps)-1]
	w.mu.Unlock()
	if last.Phase != Publish || last.State != Held || last.Code != "shrink_guard" {
		t.Errorf("last step %+v", last)
	}

	if _, err := s.PublishHeld(t.Context(), petra, held.ID); err != nil {
		t.Fatal(err)
	}
	if end := <-w.finished; end.State != OK || end.ID != held.ID || end.Message != "" {
		t.Errorf("published anyway: %+v", end)
	}
	if got := w.current("a"); got != held.Version {
		t.Errorf("current %s, want %s", got, held.Version)
	}
	_, err := s.PublishHeld(t.Context(), petra, held.ID)
	if domain.KindOf(err) != domain.Conflict {
		t.Errorf("published twice: %v", err)
	}
	if _, err := s.PublishHeld(t.Context(), petra, "nothing"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("publish of no run: %v", err)
	}
}

func TestHeldRowsAreDiscarded(t *testing.T) {
	w := newWorld("a")
	s := w.syncer(t)
	w.guard(registry.DefaultGuard())
	w.rows(1000)
	w.sync(t, s)
	good := w.current("a")
	w.rows(10)
	held := w.sync(t, s)
	r, err := s.DiscardHeld(t.Context(), petra, held.ID)
	if err != nil || r.State != Cancelled {
		t.Errorf("discard: %+v, %v", r, err)
	}
	if got := w.current("a"); got != good {
		t.Errorf("current %s, want %s still", got, good)
	}
	if _, err := s.DiscardHeld(t.Context(), petra, held.ID); domain.KindOf(err) != domain.Conflict {
		t.Errorf("discarded twice: %v", err)
	}
}

func TestFrozenColumnsAreNotPublishedAnyway(t *testing.T) {
	w := newWorld("a")
	s := w.syncer(t)
	w.guard(registry.Guard{ShrinkPercent: 20, Schema: registry.SchemaFreeze})
	w.sync(t, s)
	w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
		return work.Extracted{Rows: 10, Columns: []registry.Column{{Name: "new", Type: "DATE"}}}, nil
	}
	held := w.sync(t, s)
	if held.State != Held || held.Code != "schema_changed" {
		t.Fatalf("ended %+v", held)
	}
	if _, err := s.PublishHeld(t.Context(), petra, held.ID); domain.CodeOf(err) != "schema_frozen" {
		t.Errorf("published although frozen: %v", err)
	}
	w.guard(registry.DefaultGuard())
	if _, err := s.PublishHeld(t.Context(), petra, held.ID); err != nil {
		t.Fatal(err)
	}
	if end := <-w.finished; end.State != OK {
		t.Errorf("ended %s %s", end.State, end.Message)
	}
}

func TestRestore(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(w *world)
		state  State
		code   string
		back   bool // to the first version
	}{
		{"whole", func(*world) {}, OK, "", true},
		{"damaged", func(w *world) {
			w.damage = []work.Problem{{Key: "k", Code: "file_changed", Message: "A file of this version is not what was published."}}
		}, Failed, "version_damaged", false},
		{"unreadable", func(w *world) { w.readBack = func() (int64, error) { return 0, errors.New("no") } }, Failed, "internal", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld("a")
			s := w.syncer(t)
			w.sync(t, s)
			first := w.current("a")
			w.sync(t, s)
			second := w.current("a")
			c.change(w)
			if _, err := s.Restore(t.Context(), petra, "a", first); err != nil {
				t.Fatal(err)
			}
			end := <-w.finished
			if end.State != c.state || end.Code != c.code || end.Trigger != ByRestore {
				t.Errorf("ended %s %q %q, want %s %q", end.State, end.Code, end.Message, c.state, c.code)
			}
			want := second
			if c.back {
				want = first
			}
			if got := w.current("a"); got != want {
				t.Errorf("current %s, want %s", got, want)
			}
		})
	}
	w := newWorld("a")
	if _, err := w.syncer(t).Restore(t.Context(), petra, "a", "nothing"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("restore of nothing: %v", err)
	}
}

func TestAnUnconfirmedWriteEndsWriting(t *testing.T) {
	w := newWorld("a", "b")
	unconfirmed := &work.ChildError{Kind: domain.Invalid, Failure: work.Failure{Code: "disk_write_failed", Message: "The disk did not confirm."}}
	w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
		return work.Extracted{}, unconfirmed
	}
	s := w.syncer(t)
	if s.Writing() != nil {
		t.Fatal("writing is stopped from the start")
	}
	if end := w.sync(t, s); end.Code != "disk_write_failed" {
		t.Fatalf("ended %+v", end)
	}
	if domain.CodeOf(s.Writing()) != "writing_stopped" {
		t.Fatalf("writing goes on: %v", s.Writing())
	}
	if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"b"}); err != nil {
		t.Fatal(err)
	}
	live, err := s.Runs.LiveRuns(t.Context())
	if err != nil || len(live) != 1 || live[0].State != Queued || !strings.Contains(live[0].Message, "did not confirm") {
		t.Errorf("runs that wait: %+v, %v; want one that says why", live, err)
	}
	if _, ok := s.tryClaim(t.Context()); ok {
		t.Error("a run is claimed after an unconfirmed write")
	}
	if _, err := s.Restore(t.Context(), petra, "a", "x"); domain.CodeOf(err) != "writing_stopped" {
		t.Errorf("restore: %v", err)
	}
	if _, err := s.PublishHeld(t.Context(), petra, "x"); domain.CodeOf(err) != "writing_stopped" {
		t.Errorf("publish held: %v", err)
	}
	s.Rebuilder.Writes = s.Writes
	if _, err := s.Rebuilder.Rebuild(t.Context()); domain.CodeOf(err) != "writing_stopped" {
		t.Errorf("rebuild: %v", err)
	}
}

func TestLatch(t *testing.T) {
	w := newWorld()
	l := &Latch{Now: w.clock}
	failed := &work.ChildError{Failure: work.Failure{Code: "disk_write_failed"}}
	if l.Trip(nil) || l.Trip(errors.New("x")) || l.Err() != nil {
		t.Error("closed by what is no unconfirmed write")
	}
	if !l.Trip(errors.Join(failed)) || l.Trip(failed) || l.Err() == nil {
		t.Error("an unconfirmed write must close it, once")
	}
	var none *Latch
	if none.Trip(failed) || none.Err() != nil {
		t.Error("without a latch nothing closes")
	}
}

func TestHeldTablesAreNotDue(t *testing.T) {
	w := newWorld("a")
	s := Scheduler{Now: w.clock}
	last, decided := w.now.Add(-3*3600e9), w.now.Add(-60e9)
	table := registry.Published{Table: registry.Table{SyncSchedule: "every 1h"}, Status: registry.SyncStatus{LastSync: &last, LastTry: &last, State: "ok"}}
	for state, want := range map[string]bool{"ok": true, registry.StatusHeld: false, registry.StatusKept: true} {
		table.Status.State = state
		if got := s.due(table, w.now); got != want {
			t.Errorf("%s: due %v, want %v", state, got, want)
		}
	}
	table.Status.State, table.Status.LastTry = registry.StatusKept, &decided
	if s.due(table, w.now) {
		t.Error("due a minute after a person kept the old rows")
	}
}
