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
		read   string // as the file, "x", was when the last sync began; "": not known
		want   bool
	}{
		"never tried":                         {registry.SyncStatus{State: "never"}, "", true},
		"changed since":                       {registry.SyncStatus{State: "ok", LastTry: &before}, "", true},
		"unchanged":                           {registry.SyncStatus{State: "ok", LastTry: &after}, "", false},
		"failed, and unchanged since":         {registry.SyncStatus{State: "error", LastTry: &after, ErrorCode: "file_row_misfit"}, "", false},
		"changed while it was read":           {registry.SyncStatus{State: "error", LastTry: &after, ErrorCode: "file_changed"}, "x", true},
		"another one than was read":           {registry.SyncStatus{State: "ok", LastTry: &after}, "w", true},
		"the one that was read":               {registry.SyncStatus{State: "ok", LastTry: &after}, "x", false},
		"the one that was read, dated later":  {registry.SyncStatus{State: "ok", LastTry: &before}, "x", false},
		"another one than was read, it fails": {registry.SyncStatus{State: "error", LastTry: &after, ErrorCode: "file_row_misfit"}, "w", true},
		"running":                             {registry.SyncStatus{State: "running", LastTry: &before}, "w", false},
		"queued":                              {registry.SyncStatus{State: "queued"}, "", false},
	} {
		if got := due(registry.Published{Status: c.status}, FileState{"x", at}, c.read); got != c.want {
			t.Errorf("%s: due = %v, want %v", name, got, c.want)
		}
	}
}

func TestFileWatcherWaitsUntilAFileIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld("orders", "other")
	states := fileStates{"orders.csv": {"1", w.now.Add(time.Hour)}, "gone.csv": {}}
	watcher := &FileWatcher{Files: states, Reads: w, Tables: w, Syncer: w.syncer(t), Log: slog.New(slog.DiscardHandler)}
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

// TestAFileThatChangesAfterItWasReadIsSyncedAgain: its date is before the end of
// the sync that read it, and with a clock that was set back before its beginning.
func TestAFileThatChangesAfterItWasReadIsSyncedAgain(t *testing.T) {
	t.Parallel()
	for name, dated := range map[string]time.Duration{"while it is published": -time.Minute, "after a clock was set back": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld("orders")
			states := fileStates{"orders.csv": {"1", w.now.Add(-time.Hour)}}
			w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) {
				states["orders.csv"] = FileState{"2", w.now.Add(dated)}
				return work.Rebuilt{}, nil
			}
			s := w.idle()
			s.Files = states
			stop := working(t, s)
			if _, err := s.Trigger(t.Context(), petra, ByPerson, []registry.TableID{"orders"}); err != nil {
				t.Fatal(err)
			}
			<-w.finished
			orders := w.tables["orders"]
			orders.Status = registry.SyncStatus{State: "ok", LastSync: &w.now, LastTry: &w.now}
			w.tables["orders"] = orders
			stop() // what is remembered outlives the server

			w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) { return work.Rebuilt{}, nil }
			s = w.idle()
			s.Files = states
			working(t, s)
			watcher := &FileWatcher{Files: states, Reads: w, Tables: w, Syncer: s, Log: slog.New(slog.DiscardHandler)}
			for range 3 {
				if err := watcher.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if r := <-w.finished; r.Trigger != ByWatch || r.State != OK || w.read["orders"] != "2" {
				t.Errorf("run %+v, read %q", r, w.read["orders"])
			}
			for range 3 {
				if err := watcher.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(w.runs) != 2 {
				t.Errorf("%d runs, want 2", len(w.runs))
			}
		})
	}
}

// TestAFileWhoseSyncCannotBeQueuedIsTriedAgain: nobody else would ask for it.
func TestAFileWhoseSyncCannotBeQueuedIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld("orders")
	w.refuse = refusing("queue", 1).refuse
	states := fileStates{"orders.csv": {"1", w.now}}
	watcher := &FileWatcher{Files: states, Reads: w, Tables: w, Syncer: w.syncer(t), Log: slog.New(slog.DiscardHandler)}
	refused := 0
	for range 3 {
		if err := watcher.Tick(t.Context()); err != nil {
			refused++
		}
	}
	if r := <-w.finished; refused != 1 || r.State != OK || r.Trigger != ByWatch {
		t.Errorf("refused %d times, then %+v", refused, r)
	}
}

// TestACancelledSyncIsNotTakenUpByTheWatcher: whoever cancelled it knows what
// file it was for.
func TestACancelledSyncIsNotTakenUpByTheWatcher(t *testing.T) {
	t.Parallel()
	w := newWorld("orders")
	w.read["orders"] = "1"
	orders := w.tables["orders"]
	orders.Status = registry.SyncStatus{State: "ok", LastTry: &w.now}
	w.tables["orders"] = orders
	states := fileStates{"orders.csv": {"2", w.now}}
	s := w.idle()
	s.Files = states
	runs, err := s.Trigger(t.Context(), petra, ByUpload, []registry.TableID{"orders"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Cancel(t.Context(), petra, runs[0].ID); err != nil || r.State != Cancelled {
		t.Fatalf("%+v, %v", r, err)
	}
	watcher := &FileWatcher{Files: states, Reads: w, Tables: w, Syncer: s, Log: slog.New(slog.DiscardHandler)}
	for range 3 {
		if err := watcher.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.runs) != 1 {
		t.Errorf("%d runs, want the cancelled one alone", len(w.runs))
	}
}

// A table of several files that has again the ones of before is not the one that
// somebody synced in between.
func TestFilesThatAreBackAreSyncedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld("orders")
	orders := w.tables["orders"]
	orders.Status = registry.SyncStatus{State: "ok", LastTry: &w.now}
	w.tables["orders"] = orders
	one, both := FileState{"a", w.now.Add(-time.Hour)}, FileState{"ab", w.now.Add(-time.Hour)}
	states := fileStates{"orders.csv": both}
	watcher := &FileWatcher{Files: states, Reads: w, Tables: w, Syncer: w.idle(), Log: slog.New(slog.DiscardHandler)}
	look := func(is FileState, runs int, why string) {
		t.Helper()
		states["orders.csv"] = is
		for range 3 {
			if err := watcher.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(w.runs) != runs {
			t.Fatalf("%s: %d runs, want %d", why, len(w.runs), runs)
		}
		for i := range w.runs { // each ends at once
			w.runs[i].State = OK
		}
	}
	w.read = map[registry.TableID]string{"orders": "ab"}
	look(both, 0, "nothing changed")
	look(one, 1, "a file is gone")
	w.read["orders"] = "ab" // it is back, and somebody synced it by hand
	look(both, 1, "both are read")
	look(one, 2, "it is gone once more")
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
