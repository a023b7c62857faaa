package store

import (
	"slices"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// start queues a run of the table and claims it.
func start(tb testing.TB, s *Store, table registry.TableID) syncs.Run {
	tb.Helper()
	must[[]syncs.Run](tb)(s.QueueRuns(tb.Context(), admin, syncs.ByPerson, []registry.TableID{table}))
	return must[syncs.Run](tb)(s.ClaimRun(tb.Context()))
}

// finish carries a run of the table to that end.
func finish(tb testing.TB, s *Store, end syncs.State, table registry.TableID) syncs.Run {
	tb.Helper()
	r := start(tb, s, table)
	r.State = end
	if end != syncs.OK {
		r.Code, r.Message, r.NextStep = "broken", "The file is broken.", "Mend it."
	}
	if err := s.FinishRun(tb.Context(), r); err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestQueueRuns(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	first := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"orders", "orders"}))
	if len(first) != 1 || first[0].State != syncs.Queued || first[0].Name != "orders" || first[0].Source != "files" || first[0].StartedBy != "tester" {
		t.Fatalf("queued %+v", first)
	}
	both := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.BySchedule, []registry.TableID{"deals", "orders"}))
	if len(both) != 2 || both[1].ID != first[0].ID || both[1].Trigger != syncs.ByPerson {
		t.Errorf("a table that waits already got another run: %+v", both)
	}
	_, err := s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"nope"})
	wantError(t, "an unknown table", err, domain.NotFound, "table_not_found")
	if got := must[registry.Published](t)(s.GetTable(t.Context(), "deals")); got.Status.State != "queued" {
		t.Errorf("state of a queued table: %q", got.Status.State)
	}
	if none := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, nil)); none != nil {
		t.Errorf("no tables queued %v", none)
	}
}

func TestClaimRunInParallel(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ids := []registry.TableID{"a", "b", "c", "d", "e"}
	mustTables(t, s, "a", "b", "c", "d", "e")
	queued := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, ids))
	var mu sync.Mutex
	var claimed []string
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			r, err := s.ClaimRun(t.Context())
			if err != nil {
				wantError(t, "claim from an empty queue", err, domain.NotFound, "queue_empty")
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if r.State != syncs.Running || r.StartedAt == nil {
				t.Errorf("claimed %+v", r)
			}
			claimed = append(claimed, r.ID)
		})
	}
	wg.Wait()
	slices.Sort(claimed)
	var want []string
	for _, r := range queued {
		want = append(want, r.ID)
	}
	if !slices.Equal(claimed, want) {
		t.Errorf("claimed %v, want each of %v once", claimed, want)
	}
}

func TestRunToItsEnd(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustTables(t, s, "orders")
	r := start(t, s, "orders")
	r.Phase, r.Fraction, r.Rows, r.Bytes = syncs.Extract, 0.5, 10, 100
	if err := s.SaveRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := must[syncs.Run](t)(s.GetRun(t.Context(), r.ID)); got.Phase != syncs.Extract || got.Fraction != 0.5 || got.Rows != 10 || !got.Live() {
		t.Errorf("saved %+v", got)
	}
	for _, phase := range syncs.Phases() {
		if err := s.AddStep(t.Context(), syncs.Step{RunID: r.ID, Table: "orders", Phase: phase, At: c.Now(), Rows: 10, Duration: 1500 * time.Millisecond, State: syncs.OK}); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, s, "orders", "v1")
	at := c.Now()
	r.State, r.Phase, r.FinishedAt = syncs.OK, syncs.ReadBack, &at
	if err := s.FinishRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	steps := must[[]syncs.Step](t)(s.ListSteps(t.Context(), r.ID))
	if len(steps) != 4 || steps[0].Phase != syncs.Extract || steps[3].Phase != syncs.ReadBack || steps[0].Duration != 1500*time.Millisecond || steps[0].Table != "orders" {
		t.Errorf("steps: %+v", steps)
	}
	whole := must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM sync_history WHERE run_id = $1 AND phase = '' AND status = 'ok' AND table_id = 'orders'`, r.ID))
	if whole != 1 {
		t.Errorf("%d rows of history for the whole run, want 1", whole)
	}
	got := must[registry.Published](t)(s.GetTable(t.Context(), "orders"))
	if got.Status.State != "ok" || got.Status.LastSync == nil || !got.Status.LastSync.Equal(at) {
		t.Errorf("status: %+v", got.Status)
	}
	wantError(t, "finish again", s.FinishRun(t.Context(), r), domain.Conflict, "run_ended")
	wantError(t, "progress after the end", s.SaveRun(t.Context(), r), domain.Conflict, "run_ended")
	wantError(t, "progress of nothing", s.SaveRun(t.Context(), syncs.Run{ID: "nope"}), domain.NotFound, "run_not_found")
	wantError(t, "a step of nothing", s.AddStep(t.Context(), syncs.Step{RunID: "nope"}), domain.NotFound, "run_not_found")
	r.State = syncs.Running
	if err := s.FinishRun(t.Context(), r); err == nil {
		t.Error("a run ended as running")
	}
}

// TestSyncState: only a success moves last_sync, and a cancelled run says
// nothing about the table.
func TestSyncState(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustTables(t, s, "orders")
	status := func() registry.SyncStatus {
		return must[registry.Published](t)(s.GetTable(t.Context(), "orders")).Status
	}
	finish(t, s, syncs.Cancelled, "orders")
	if got := status(); got.State != "never" || got.LastSync != nil {
		t.Errorf("after a cancelled first run: %+v", got)
	}
	finish(t, s, syncs.Failed, "orders")
	if got := status(); got.State != "error" || got.LastSync != nil || got.LastTry == nil || got.ErrorCode != "broken" || got.NextStep != "Mend it." {
		t.Errorf("after a failed first run: %+v", got)
	}
	finish(t, s, syncs.OK, "orders")
	good := status()
	if good.State != "ok" || good.LastSync == nil || good.Error != "" || good.ErrorCode != "" {
		t.Errorf("after a success: %+v", good)
	}
	c.advance(time.Hour)
	for _, end := range []syncs.State{syncs.Failed, syncs.Cancelled} {
		finish(t, s, end, "orders")
		if got := status(); got.State != "error" || !got.LastSync.Equal(*good.LastSync) || !got.LastTry.After(*good.LastTry) {
			t.Errorf("after a success and a %s run: %+v", end, got)
		}
	}
}

func TestRecoverRuns(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	mustTables(t, s, "orders", "deals")
	interrupted := start(t, s, "orders")
	waiting := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"deals"}))[0]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	again := must[[]syncs.Run](t)(s.RecoverRuns(t.Context()))
	if len(again) != 1 || again[0].Table != "orders" || again[0].Trigger != syncs.ByRestart || again[0].State != syncs.Queued {
		t.Fatalf("recovered %+v", again)
	}
	if got := must[syncs.Run](t)(s.GetRun(t.Context(), interrupted.ID)); got.State != syncs.Failed || got.Code != "interrupted" || got.Message == "" || got.FinishedAt == nil {
		t.Errorf("the interrupted run: %+v", got)
	}
	live := must[[]syncs.Run](t)(s.LiveRuns(t.Context()))
	if len(live) != 2 || live[0].ID != waiting.ID || live[1].ID != again[0].ID {
		t.Errorf("live: %+v", live)
	}
	if twice := must[[]syncs.Run](t)(s.RecoverRuns(t.Context())); len(twice) != 0 {
		t.Errorf("recovered again: %v", twice)
	}
}

func TestCancelRun(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	running := start(t, s, "orders")
	queued := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"deals"}))[0]
	if got := must[syncs.Run](t)(s.CancelRun(t.Context(), admin, queued.ID)); got.State != syncs.Cancelled || got.FinishedAt == nil {
		t.Errorf("cancelled while queued: %+v", got)
	}
	if got := must[syncs.Run](t)(s.CancelRun(t.Context(), admin, running.ID)); got.State != syncs.Running {
		t.Errorf("a running run is the caller's to stop: %+v", got)
	}
	_, err := s.CancelRun(t.Context(), admin, queued.ID)
	wantError(t, "cancel again", err, domain.Conflict, "run_ended")
	_, err = s.CancelRun(t.Context(), admin, "nope")
	wantError(t, "cancel nothing", err, domain.NotFound, "run_not_found")
	_, err = s.CancelRun(t.Context(), audit.Actor{}, running.ID)
	if err == nil {
		t.Error("nobody cancelled a run")
	}
	_, err = s.ClaimRun(t.Context())
	wantError(t, "claim a cancelled run", err, domain.NotFound, "queue_empty")
}

func TestListRuns(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	var ids []string
	for range 3 {
		ids = append([]string{finish(t, s, syncs.OK, "orders").ID}, ids...)
	}
	failed := finish(t, s, syncs.Failed, "deals")
	for _, c := range []struct {
		f     syncs.RunFilter
		want  []string
		total int
	}{
		{syncs.RunFilter{}, append([]string{failed.ID}, ids...), 4},
		{syncs.RunFilter{Limit: 2, Offset: 1}, ids[:2], 4},
		{syncs.RunFilter{Table: "orders"}, ids, 3},
		{syncs.RunFilter{Table: "orders", State: syncs.Failed}, nil, 0},
		{syncs.RunFilter{State: syncs.Failed}, []string{failed.ID}, 1},
	} {
		before := s.Queries()
		runs, total, err := s.ListRuns(t.Context(), c.f)
		var got []string
		for _, r := range runs {
			got = append(got, r.ID)
		}
		if err != nil || !slices.Equal(got, c.want) || total != c.total {
			t.Errorf("ListRuns(%+v): %v of %d, %v; want %v of %d", c.f, got, total, err, c.want, c.total)
		}
		if used := s.Queries() - before; used != 2 {
			t.Errorf("ListRuns took %d statements, want 2", used)
		}
	}
}
