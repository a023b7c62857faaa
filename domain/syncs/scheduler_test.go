package syncs

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"agnes/domain/registry"
)

// A tick starts what is due and nothing else, once, also when it comes again
// before the runs have ended.
func TestSchedulerStartsWhatIsDue(t *testing.T) {
	w := newWorld("new", "fresh", "old", "failed", "manual", "held", "kept", "far", "left", "odd")
	ago := func(d time.Duration) *time.Time { x := w.now.Add(-d); return &x }
	change := func(id registry.TableID, schedule string, status registry.SyncStatus, mode string) {
		t := w.tables[id]
		t.SyncSchedule, t.Status, t.QueryMode = schedule, status, mode
		w.tables[id] = t
	}
	const hourly = "every 1h"
	change("new", hourly, registry.SyncStatus{}, registry.ModeLocal)
	change("fresh", hourly, registry.SyncStatus{State: "ok", LastSync: ago(time.Minute), LastTry: ago(time.Minute)}, registry.ModeLocal)
	change("old", hourly, registry.SyncStatus{State: "ok", LastSync: ago(2 * time.Hour), LastTry: ago(2 * time.Hour)}, registry.ModeLocal)
	change("failed", hourly, registry.SyncStatus{State: "error", LastSync: ago(5 * time.Hour), LastTry: ago(time.Minute)}, registry.ModeLocal)
	change("manual", "", registry.SyncStatus{}, registry.ModeLocal)
	change("held", hourly, registry.SyncStatus{State: registry.StatusHeld, LastSync: ago(5 * time.Hour)}, registry.ModeLocal)
	change("kept", hourly, registry.SyncStatus{State: registry.StatusKept, LastSync: ago(5 * time.Hour), LastTry: ago(time.Minute)}, registry.ModeLocal)
	change("far", hourly, registry.SyncStatus{}, registry.ModeRemote)
	change("left", hourly, registry.SyncStatus{State: "error", ErrorCode: GoneUpstream}, registry.ModeLocal)
	change("odd", "whenever", registry.SyncStatus{}, registry.ModeLocal)

	s := &Scheduler{Tables: w, Syncer: w.idle(), Now: w.clock, Log: slog.New(slog.DiscardHandler)}
	for range 2 {
		if err := s.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var started []string
	for _, r := range w.runs {
		if r.Trigger != BySchedule {
			t.Errorf("run = %+v", r)
		}
		started = append(started, string(r.Table))
	}
	slices.Sort(started)
	if want := []string{"new", "old"}; !slices.Equal(started, want) {
		t.Errorf("started %q, want %q", started, want)
	}

	w.now = w.now.Add(retryFailed) // what failed is tried again, long before its hour
	if err := s.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, live := w.liveRun("failed"); !live {
		t.Error("a table that failed is not tried again the same day")
	}
	if _, live := w.liveRun("fresh"); live {
		t.Error("a table is synced before its hour")
	}
}
