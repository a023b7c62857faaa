package store

import (
	"testing"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// backs lists what is unconfirmed as table, version and the one to go back to.
func backs(tb testing.TB, s *Store) (all []string) {
	tb.Helper()
	for _, u := range must[[]syncs.Unconfirmed](tb)(s.Unconfirmed(tb.Context())) {
		back := "-"
		if u.Before != nil {
			back = string(u.Before.ID)
		}
		all = append(all, string(u.Table.ID)+" "+string(u.Table.Version.ID)+" "+back)
	}
	return all
}

func wantBacks(tb testing.TB, s *Store, when string, want ...string) {
	tb.Helper()
	got := backs(tb, s)
	if len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
		tb.Errorf("%s: unconfirmed %q, want %q", when, got, want)
	}
}

func TestAVersionIsConfirmedByItsRunsEnd(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	run := func() syncs.Run {
		must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"orders"}))
		return must[syncs.Run](t)(s.ClaimRun(t.Context()))
	}
	end := func(r syncs.Run, state syncs.State) {
		r.State = state
		if err := s.FinishRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	wantBacks(t, s, "at first")
	r := run()
	publish(t, s, "orders", "v1")
	wantBacks(t, s, "published", "orders v1 -")
	end(r, syncs.OK)
	wantBacks(t, s, "its run ended well")

	r = run()
	publish(t, s, "orders", "v2")
	wantBacks(t, s, "the next one", "orders v2 v1")
	publish(t, s, "orders", "v3")
	wantBacks(t, s, "another over it", "orders v3 v1")
	end(r, syncs.Failed)
	wantBacks(t, s, "a failure confirms nothing", "orders v3 v1")
	if n := must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: 0, Since: s.now()})); n != 0 {
		t.Errorf("%d versions forgotten, of which one may have to be gone back to", n)
	}
	if err := s.ConfirmVersion(t.Context(), registry.Version{ID: "v2", Table: "orders"}); err != nil {
		t.Fatal(err)
	}
	wantBacks(t, s, "another version was read back", "orders v3 v1")
	if err := s.RevertVersion(t.Context(), registry.Version{ID: "v3", Table: "orders"}, &registry.Version{ID: "v1"}); err != nil {
		t.Fatal(err)
	}
	wantBacks(t, s, "gone back")
	publish(t, s, "orders", "v4")
	if err := s.ConfirmVersion(t.Context(), registry.Version{ID: "v4", Table: "orders"}); err != nil {
		t.Fatal(err)
	}
	wantBacks(t, s, "read back by another start")
}

// TestAnInterruptedRunKeepsItsWords: what became of its rows was said before.
func TestAnInterruptedRunKeepsItsWords(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "people")
	must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"orders", "people"}))
	told := must[syncs.Run](t)(s.ClaimRun(t.Context()))
	silent := must[syncs.Run](t)(s.ClaimRun(t.Context()))
	told.Code, told.Message, told.NextStep = syncs.Interrupted, "They were taken back.", "Wait."
	if err := s.SaveRun(t.Context(), told); err != nil {
		t.Fatal(err)
	}
	if again := must[[]syncs.Run](t)(s.RecoverRuns(t.Context())); len(again) != 2 {
		t.Errorf("%d runs queued again, want 2", len(again))
	}
	if r := must[syncs.Run](t)(s.GetRun(t.Context(), told.ID)); r.State != syncs.Failed || r.Message != told.Message || r.NextStep != told.NextStep {
		t.Errorf("the run that said it is %+v", r)
	}
	if r := must[syncs.Run](t)(s.GetRun(t.Context(), silent.ID)); r.State != syncs.Failed || r.Code != syncs.Interrupted || r.Message == "" {
		t.Errorf("the other run is %+v", r)
	}
}
