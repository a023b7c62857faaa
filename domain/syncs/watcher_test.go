package syncs

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

func (w *world) watcher(t *testing.T) *Watcher {
	t.Helper()
	return w.watching(w.syncer(t))
}

// watching is a watcher whose syncs s does.
func (w *world) watching(s *Syncer) *Watcher {
	return &Watcher{Dirs: w, Inspector: w, Attacher: w, Sources: w, Tables: w, Syncer: s, Now: w.clock, Log: slog.New(slog.DiscardHandler)}
}

func tick(t *testing.T, w *Watcher, times int) {
	t.Helper()
	for range times {
		if err := w.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWatcherAdoptsAnExtract(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{
		{Name: "people", Description: "who"},
		{Name: "select"},
		{Name: "lost", Code: "object_missing", Problem: "There is no such object."},
	}
	watch := w.watcher(t)
	tick(t, watch, 1)
	if len(w.tables) != 0 {
		t.Fatal("an extract was adopted in the tick that first saw it; its writer may still be at work")
	}
	tick(t, watch, 1)
	if end := <-w.finished; end.State != OK || end.Table != "people" || end.Trigger != ByWatch {
		t.Errorf("run = %+v", end)
	}
	got := w.tables["people"].Table
	want := registry.Table{
		ID: "people", Name: "people", SourceType: "custom", Bucket: "crm", SourceTable: "people", Description: "who",
		SyncStrategy: "full_refresh", QueryMode: "local", ProfileAfterSync: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registered table (-want +got):\n%s", diff)
	}
	var codes []string
	for _, p := range w.sources["crm"].Problems {
		codes = append(codes, p.Table+" "+p.Code)
	}
	if diff := cmp.Diff([]string{"select invalid_name", "lost object_missing"}, codes); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	tick(t, watch, 2)
	if n := len(w.runs); n != 1 {
		t.Errorf("%d runs after ticks without a change, want 1", n)
	}
	w.dirs[0].Fingerprint = "2"
	tick(t, watch, 2)
	if end := <-w.finished; end.State != OK {
		t.Errorf("run after a change = %+v", end)
	}
}

func TestWatcherKeepsNamesWithTheirFirstOwner(t *testing.T) {
	w := newWorld("orders")
	w.dirs = []ExtractDir{{Name: "a", Fingerprint: "1"}, {Name: "b", Fingerprint: "1"}}
	w.inside["a"] = []work.SourceTable{{Name: "orders"}, {Name: "leads"}}
	w.inside["b"] = []work.SourceTable{{Name: "leads"}}
	tick(t, w.watcher(t), 2)
	<-w.finished
	if got := w.tables["leads"].Bucket; got != "a" {
		t.Errorf("leads belongs to %q, want a", got)
	}
	for _, source := range []string{"a", "b"} {
		if p := w.sources[source].Problems; len(p) != 1 || p[0].Code != "name_taken" {
			t.Errorf("problems of %s = %+v, want one name_taken", source, p)
		}
	}
}

func TestWatcherNamesABrokenExtractAndRetries(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "bad", Fingerprint: "1"}, {Name: "9x", Code: "source_name_invalid", Problem: "A source's folder is named like a table."}}
	w.broken["bad"] = &work.ChildError{Kind: domain.Unavailable, Failure: work.Failure{Code: "extract_unreadable", Message: "The file is damaged."}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	if s := w.sources["bad"]; s.State != "broken" || s.Code != "extract_unreadable" {
		t.Errorf("source bad = %+v", s)
	}
	if s := w.sources["9x"]; s.State != "broken" || s.Code != "source_name_invalid" {
		t.Errorf("source 9x = %+v", s)
	}
	delete(w.broken, "bad")
	w.inside["bad"] = []work.SourceTable{{Name: "fine"}}
	tick(t, watch, 1)
	if len(w.tables) != 0 {
		t.Error("a broken extract was looked at again before its rest was over")
	}
	w.now = w.now.Add(time.Minute)
	tick(t, watch, 1)
	if end := <-w.finished; end.State != OK || end.Table != "fine" {
		t.Errorf("run = %+v", end)
	}
	w.dirs = nil
	tick(t, watch, 1)
	if w.sources["bad"].State != SourceOK {
		t.Error("a source is called gone at the first look without it; it may be in the middle of a rename")
	}
	tick(t, watch, 1)
	if s, there := w.sources["bad"]; !there || s.State != SourceGone || s.GoneAt == nil || len(s.Tables) != 1 {
		t.Errorf("a source that is gone, with a table: %+v", s)
	}
	if _, there := w.sources["9x"]; there {
		t.Error("a source that is gone, without tables, is still listed")
	}
}

func TestSchedulerDue(t *testing.T) {
	w := newWorld()
	ago := func(d time.Duration) *time.Time { x := w.now.Add(-d); return &x }
	table := func(schedule, mode string, success, try *time.Time) registry.Published {
		return registry.Published{
			Table:  registry.Table{ID: "a", SyncSchedule: schedule, QueryMode: mode},
			Status: registry.SyncStatus{LastSync: success, LastTry: try},
		}
	}
	cases := []struct {
		name string
		t    registry.Published
		want bool
	}{
		{"no schedule", table("", "local", nil, nil), false},
		{"unreadable schedule", table("hourly", "local", nil, nil), false},
		{"asked live", table("every 15m", "remote", nil, nil), false},
		{"never synced", table("every 15m", "local", nil, nil), true},
		{"fresh", table("every 1h", "local", ago(30*time.Minute), ago(30*time.Minute)), false},
		{"old", table("every 1h", "local", ago(time.Hour), ago(time.Hour)), true},
		{"failed a moment ago", table("every 1h", "local", ago(2*time.Hour), ago(time.Minute)), false},
		{"failed a while ago", table("every 1h", "local", ago(2*time.Hour), ago(11*time.Minute)), true},
		{"short schedule is its own rest", table("every 2m", "local", ago(time.Hour), ago(2*time.Minute)), true},
	}
	s := &Scheduler{Log: slog.New(slog.DiscardHandler)}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := s.due(c.t, w.now); got != c.want {
				t.Errorf("due = %v, want %v", got, c.want)
			}
		})
	}
}
