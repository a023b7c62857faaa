package syncs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"agnes/domain/audit"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
)

type fileStates map[string]FileState

func (f fileStates) Changed(_ context.Context, item string) (FileState, error) { return f[item], nil }

func TestDueFiles(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	before, after := at.Add(-time.Hour), at.Add(time.Hour)
	for name, c := range map[string]struct {
		status registry.SyncStatus
		want   bool
	}{
		"never tried":                 {registry.SyncStatus{State: "never"}, true},
		"changed since":               {registry.SyncStatus{State: "ok", LastTry: &before}, true},
		"unchanged":                   {registry.SyncStatus{State: "ok", LastTry: &after}, false},
		"failed, and unchanged since": {registry.SyncStatus{State: "error", LastTry: &after, ErrorCode: "file_row_misfit"}, false},
		"changed while it was read":   {registry.SyncStatus{State: "error", LastTry: &after, ErrorCode: "file_changed"}, true},
		"running":                     {registry.SyncStatus{State: "running", LastTry: &before}, false},
		"queued":                      {registry.SyncStatus{State: "queued"}, false},
	} {
		if got := due(registry.Published{Status: c.status}, FileState{"x", at}); got != c.want {
			t.Errorf("%s: due = %v, want %v", name, got, c.want)
		}
	}
}

func TestFileWatcherWaitsUntilAFileIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld("orders", "other")
	states := fileStates{"orders.csv": {"1", w.now.Add(time.Hour)}, "gone.csv": {}}
	watcher := &FileWatcher{Files: states, Tables: w, Syncer: w.syncer(t), Log: slog.New(slog.DiscardHandler)}
	tick := func() {
		t.Helper()
		if err := watcher.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tick()
	states["orders.csv"] = FileState{"2", w.now.Add(2 * time.Hour)}
	tick() // still being written
	if n := len(w.finished); n != 0 {
		t.Fatalf("%d runs of a file that was not whole", n)
	}
	tick()
	if r := <-w.finished; r.Table != "orders" || r.State != OK || r.Trigger != ByWatch {
		t.Errorf("run %+v", r)
	}
	tick()
	if len(watcher.tried) != 1 {
		t.Errorf("tried %v", watcher.tried)
	}
}

func TestRunKeepsWhatDidNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld("orders")
	orders := w.tables["orders"]
	orders.ReadOptions = `{"misfits":"skip"}`
	w.tables["orders"] = orders
	w.extract = func(_ context.Context, job work.ExtractJob, progress func(work.Event)) (work.Extracted, error) {
		progress(work.Event{Report: &files.Report{Misfits: files.Misfits{Count: 3}, Losses: []files.Loss{{Column: string(job.Options.Misfits), Count: 1}}}})
		return work.Extracted{Rows: 10, Warnings: []string{"Renamed."}}, nil
	}
	if _, err := w.syncer(t).Trigger(t.Context(), audit.System("test"), ByPerson, []registry.TableID{"orders"}); err != nil {
		t.Fatal(err)
	}
	r := <-w.finished
	if r.Report.Misfits.Count != 3 || r.Report.Losses[0].Column != "skip" || r.Report.Warnings[0] != "Renamed." || r.Report.Size() != 3 {
		t.Errorf("report %+v", r.Report)
	}
}
