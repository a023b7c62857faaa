package store

import (
	"fmt"
	"maps"
	"testing"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// TestRowsThatComeDuringARunAreSyncedAfterIt: also when the server stops in
// between, and when what runs is no sync but a way back to an older version.
func TestRowsThatComeDuringARunAreSyncedAfterIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		restore bool // the run publishes a kept version
		queued  bool // it has not begun when the rows come
		why     syncs.Trigger
		crash   bool // the server stops before the run has ended
		cancel  bool
		want    string // triggers of the runs that follow
	}{
		{"an upload", false, false, syncs.ByUpload, false, false, "upload"},
		{"a change on disk", false, false, syncs.ByWatch, false, false, "watch"},
		{"a person asks", false, false, syncs.ByPerson, false, false, ""},
		{"the schedule asks", false, false, syncs.BySchedule, false, false, ""},
		{"before a sync begins", false, true, syncs.ByUpload, false, false, ""},
		{"before a way back begins", true, true, syncs.ByUpload, false, false, "upload"},
		{"during a way back", true, false, syncs.ByUpload, false, false, "upload"},
		{"a sync is interrupted", false, false, syncs.ByUpload, true, false, "restart"},
		{"a way back is interrupted", true, false, syncs.ByUpload, true, false, "restore upload"},
		{"a way back is cancelled", true, true, syncs.ByUpload, false, true, "upload"},
		{"a sync that will read them is cancelled", false, true, syncs.ByUpload, false, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, _ := options(t)
			s := mustOpen(t, o)
			mustTables(t, s, "orders")
			publish(t, s, "orders", "v1")
			publish(t, s, "orders", "v2")
			under := must[[]syncs.Run](t)(startRun(t, s, c.restore))[0]
			claim := func() syncs.Run { return must[syncs.Run](t)(s.ClaimRun(t.Context())) }
			if !c.queued {
				under = claim()
			}
			for range 2 { // many changes are one more run
				if r := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, c.why, []registry.TableID{"orders"})); r[0].ID != under.ID {
					t.Fatalf("run %s beside %s", r[0].ID, under.ID)
				}
			}
			switch {
			case c.cancel:
				must[syncs.Run](t)(s.CancelRun(t.Context(), admin, under.ID))
			case c.queued:
				under = claim()
			}
			if c.crash {
				s = crashed(t, s, o)
			} else if !c.cancel {
				endWell(t, s, under)
			}
			got := ""
			for range 4 {
				r, err := s.LiveRun(t.Context(), "orders")
				if domain.CodeOf(err) == "run_not_found" {
					break
				}
				s = crashed(t, s, o) // what waits outlives the server
				r = must[syncs.Run](t)(s.ClaimRun(t.Context()))
				got += fmt.Sprintf("%s ", r.Trigger)
				if r.Trigger == c.why && r.StartedBy != admin.UserID {
					t.Errorf("started by %q", r.StartedBy)
				}
				endWell(t, s, r)
			}
			if want := c.want; got != want && got != want+" " {
				t.Errorf("followed by %q, want %q", got, want)
			}
		})
	}
}

// startRun queues a sync of orders, or the way back to v1.
func startRun(tb testing.TB, s *Store, restore bool) ([]syncs.Run, error) {
	tb.Helper()
	if restore {
		r, err := s.QueueRestore(tb.Context(), admin, "orders", "v1")
		return []syncs.Run{r}, err
	}
	return s.QueueRuns(tb.Context(), admin, syncs.ByPerson, []registry.TableID{"orders"})
}

// crashed opens the state again as the next start does.
func crashed(tb testing.TB, s *Store, o Options) *Store {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	s = mustOpen(tb, o)
	must[[]syncs.Run](tb)(s.RecoverRuns(tb.Context()))
	return s
}

func endWell(tb testing.TB, s *Store, r syncs.Run) {
	tb.Helper()
	r.State = syncs.OK
	if err := s.FinishRun(tb.Context(), r); err != nil {
		tb.Fatal(err)
	}
}

func TestWhatIsReadOfFilesIsRemembered(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	mustTables(t, s, "orders", "deals")
	for _, fingerprint := range []string{"1", "2"} {
		if err := s.NoteRead(t.Context(), "orders", fingerprint); err != nil {
			t.Fatal(err)
		}
	}
	s = crashed(t, s, o)
	if got := must[map[registry.TableID]string](t)(s.FilesRead(t.Context())); !maps.Equal(got, map[registry.TableID]string{"orders": "2"}) {
		t.Errorf("read %v", got)
	}
	must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"orders"}))
	if got := must[map[registry.TableID]string](t)(s.FilesRead(t.Context())); len(got) > 0 {
		t.Errorf("after the table was removed: %v", got)
	}
	_, err := s.LiveRun(t.Context(), "deals")
	wantError(t, "no live run", err, domain.NotFound, "run_not_found")
}
