package store

import (
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// held makes a run of a table whose version waits for a person.
func held(tb testing.TB, s *Store, table registry.TableID, id registry.VersionID) syncs.Run {
	tb.Helper()
	must[[]syncs.Run](tb)(s.QueueRuns(tb.Context(), admin, syncs.BySchedule, []registry.TableID{table}))
	r := must[syncs.Run](tb)(s.ClaimRun(tb.Context()))
	v := version(s, table, id)
	v.RunID = r.ID
	if err := s.KeepVersion(tb.Context(), v); err != nil {
		tb.Fatal(err)
	}
	r.State, r.Code, r.Message, r.NextStep, r.Version = syncs.Held, "shrink_guard", "It came back smaller.", "Decide.", id
	if err := s.FinishRun(tb.Context(), r); err != nil {
		tb.Fatal(err)
	}
	return r
}

func status(tb testing.TB, s *Store, table registry.TableID) registry.SyncStatus {
	tb.Helper()
	return must[registry.Published](tb)(s.GetTable(tb.Context(), table)).Status
}

func newest(tb testing.TB, s *Store, action string) audit.Entry {
	tb.Helper()
	for _, e := range must[[]audit.Entry](tb)(s.ListAudit(tb.Context(), 100)) {
		if e.Action == action {
			return e
		}
	}
	tb.Fatalf("no audit row says %s", action)
	return audit.Entry{}
}

func TestHeldRunIsReleased(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	r := held(t, s, "orders", "h1")
	if got := status(t, s, "orders"); got.State != registry.StatusHeld || got.Error != "" || got.ErrorCode != "shrink_guard" || got.LastSync != nil {
		t.Errorf("status %+v", got)
	}
	if all := must[[]syncs.Run](t)(s.HeldRuns(t.Context())); len(all) != 1 || all[0].Version != "h1" || all[0].Live() {
		t.Errorf("held runs %+v", all)
	}
	if got := current(t, s, "orders"); got != "v1" {
		t.Errorf("current is %q while newer rows are held", got)
	}
	clock.advance(time.Hour)
	again := must[syncs.Run](t)(s.ReleaseRun(t.Context(), admin, r.ID))
	if again.State != syncs.Queued || again.Version != "h1" || again.Message != "" || again.FinishedAt != nil {
		t.Errorf("released: %+v", again)
	}
	claimed := must[syncs.Run](t)(s.ClaimRun(t.Context()))
	before := must[*registry.Version](t)(s.PublishVersion(t.Context(), must[registry.Version](t)(s.GetVersion(t.Context(), "orders", "h1"))))
	if claimed.ID != r.ID || before.ID != "v1" {
		t.Errorf("claimed %s, before it %v", claimed.ID, before)
	}
	claimed.State = syncs.OK
	if err := s.FinishRun(t.Context(), claimed); err != nil {
		t.Fatal(err)
	}
	if got := status(t, s, "orders"); got.State != "ok" || got.LastSync == nil {
		t.Errorf("status after publishing %+v", got)
	}
	_, err := s.ReleaseRun(t.Context(), admin, r.ID)
	wantError(t, "release what is not held", err, domain.Conflict, "run_not_held")
	_, err = s.ReleaseRun(t.Context(), admin, "nope")
	wantError(t, "release nothing", err, domain.NotFound, "run_not_found")
	if e := newest(t, s, "sync.publish_held"); e.Params["version"] != "h1" {
		t.Errorf("audit %+v", e)
	}
}

func TestHeldRunIsDiscarded(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	r := held(t, s, "orders", "h1")
	got := must[syncs.Run](t)(s.DiscardRun(t.Context(), admin, r.ID))
	if got.State != syncs.Cancelled || got.Code != "held_discarded" {
		t.Errorf("discarded: %+v", got)
	}
	if got := status(t, s, "orders"); got.State != registry.StatusKept || got.LastTry == nil || got.ErrorCode != "" {
		t.Errorf("status %+v", got)
	}
	if got := kept(t, s, "orders"); got != "v1 h1" && got != "h1 v1" {
		t.Errorf("kept %q", got)
	}
	_, err := s.DiscardRun(t.Context(), admin, r.ID)
	wantError(t, "discard twice", err, domain.Conflict, "run_not_held")
	newest(t, s, "sync.discard_held")
}

func TestNewerRowsSupersedeHeldOnes(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	mustTables(t, s, "orders", "deals")
	publish(t, s, "orders", "v1")
	first, other := held(t, s, "orders", "h1"), held(t, s, "deals", "d1")
	clock.advance(time.Minute)
	second := held(t, s, "orders", "h2")
	if got := must[syncs.Run](t)(s.GetRun(t.Context(), first.ID)); got.State != syncs.Cancelled || got.Code != "held_superseded" || got.NextStep != "" {
		t.Errorf("the older held run: %+v", got)
	}
	for _, r := range []syncs.Run{second, other} {
		if got := must[syncs.Run](t)(s.GetRun(t.Context(), r.ID)); got.State != syncs.Held {
			t.Errorf("run %s of %s is %s, want held", r.ID, r.Table, got.State)
		}
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	finish := func(r syncs.Run, state syncs.State) {
		t.Helper()
		r.State = state
		if err := s.FinishRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"orders"}))
	synced := must[syncs.Run](t)(s.ClaimRun(t.Context()))
	publish(t, s, "orders", "v2")
	_, err := s.QueueRestore(t.Context(), admin, "orders", "v1")
	wantError(t, "while a sync runs", err, domain.Conflict, "sync_running")
	finish(synced, syncs.OK)
	was := status(t, s, "orders")
	clock.advance(time.Hour)

	_, err = s.QueueRestore(t.Context(), admin, "orders", "v2")
	wantError(t, "the current one", err, domain.Conflict, "version_current")
	_, err = s.QueueRestore(t.Context(), admin, "orders", "v9")
	wantError(t, "an unknown one", err, domain.NotFound, "version_not_found")
	_, err = s.QueueRestore(t.Context(), admin, "nope", "v1")
	wantError(t, "of an unknown table", err, domain.NotFound, "table_not_found")
	r := must[syncs.Run](t)(s.QueueRestore(t.Context(), admin, "orders", "v1"))
	if r.Version != "v1" || r.Trigger != syncs.ByRestore || r.StartedBy != admin.UserID {
		t.Errorf("queued %+v", r)
	}
	claimed := must[syncs.Run](t)(s.ClaimRun(t.Context()))
	must[*registry.Version](t)(s.PublishVersion(t.Context(), must[registry.Version](t)(s.GetVersion(t.Context(), "orders", "v1"))))
	finish(claimed, syncs.OK)
	now := status(t, s, "orders")
	if now.State != "ok" || !now.LastSync.Equal(*was.LastSync) {
		t.Errorf("status %+v after a restore: the last sync must stay %v", now, was.LastSync)
	}
	if e := newest(t, s, "version.restore"); e.Params["version"] != "v1" || e.Before["version"] != "v2" {
		t.Errorf("audit %+v", e)
	}

	must[syncs.Run](t)(s.QueueRestore(t.Context(), admin, "orders", "v2"))
	claimed = must[syncs.Run](t)(s.ClaimRun(t.Context()))
	finish(claimed, syncs.Failed)
	if got := status(t, s, "orders"); got.State != "ok" {
		t.Errorf("a restore that came to nothing makes the table %s", got.State)
	}
	if streaks := must[map[registry.TableID]syncs.Streak](t)(s.Streaks(t.Context())); len(streaks) != 0 {
		t.Errorf("and counts as a failure to sync: %v", streaks)
	}
}

// TestOlderRowsBringNoSourceBack: a table that its source does not offer stays
// marked as that when somebody goes back to rows of it, or publishes held ones;
// else its schedule would begin to fail.
func TestOlderRowsBringNoSourceBack(t *testing.T) {
	t.Parallel()
	for name, queue := range map[string]func(t *testing.T, s *Store){
		"restored": func(t *testing.T, s *Store) {
			t.Helper()
			must[syncs.Run](t)(s.QueueRestore(t.Context(), admin, "orders", "v1"))
		},
		"held and published": func(t *testing.T, s *Store) {
			t.Helper()
			all := must[[]syncs.Run](t)(s.HeldRuns(t.Context()))
			must[syncs.Run](t)(s.ReleaseRun(t.Context(), admin, all[0].ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newStore(t)
			mustTables(t, s, "orders")
			publish(t, s, "orders", "v1")
			publish(t, s, "orders", "v2")
			held(t, s, "orders", "h1")
			if err := s.MarkTables(t.Context(), []syncs.TableMark{{Table: "orders", State: "error", Code: syncs.GoneUpstream, Message: "It left.", NextStep: "Bring it back."}}); err != nil {
				t.Fatal(err)
			}
			queue(t, s)
			r := must[syncs.Run](t)(s.ClaimRun(t.Context()))
			must[*registry.Version](t)(s.PublishVersion(t.Context(), must[registry.Version](t)(s.GetVersion(t.Context(), "orders", r.Version))))
			r.State = syncs.OK
			if err := s.FinishRun(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if got := current(t, s, "orders"); got != r.Version {
				t.Errorf("%s is current, want %s", got, r.Version)
			}
			if got := status(t, s, "orders"); got.State != "error" || got.ErrorCode != syncs.GoneUpstream || got.Error != "It left." || got.NextStep != "Bring it back." {
				t.Errorf("status %+v, want that its source does not offer it", got)
			}
			// A sync that brings rows proves that it is back.
			must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"orders"}))
			r = must[syncs.Run](t)(s.ClaimRun(t.Context()))
			publish(t, s, "orders", "v3")
			r.State = syncs.OK
			if err := s.FinishRun(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if got := status(t, s, "orders"); got.State != "ok" || got.ErrorCode != "" {
				t.Errorf("status %+v after a sync", got)
			}
		})
	}
}

func TestInterruptedRestoreIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	publish(t, s, "orders", "v2")
	must[syncs.Run](t)(s.QueueRestore(t.Context(), admin, "orders", "v1"))
	must[syncs.Run](t)(s.ClaimRun(t.Context()))
	again := must[[]syncs.Run](t)(s.RecoverRuns(t.Context()))
	if len(again) != 1 || again[0].Version != "v1" || again[0].Trigger != syncs.ByRestore || again[0].StartedBy != admin.UserID {
		t.Errorf("taken up again as %+v", again)
	}
}
