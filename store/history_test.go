package store

import (
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustTables(t, s, "orders", "deals", "calendar")
	finish(t, s, syncs.Failed, "orders")
	for range 2 {
		r := start(t, s, "orders")
		c.advance(2 * time.Second)
		r.State = syncs.OK
		if err := s.FinishRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	first := finish(t, s, syncs.Failed, "orders")
	c.advance(time.Minute)
	last := finish(t, s, syncs.Failed, "orders")
	finish(t, s, syncs.OK, "deals")
	waiting := must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"calendar"}))[0]

	streaks := must[map[registry.TableID]syncs.Streak](t)(s.Streaks(t.Context()))
	since := must[syncs.Run](t)(s.GetRun(t.Context(), first.ID)).FinishedAt
	if got := streaks["orders"]; len(streaks) != 1 || got.Tries != 2 || !got.Since.Equal(*since) {
		t.Errorf("streaks: %v, want orders twice since %v: failures before a success do not count", streaks, since)
	}
	usual := must[map[registry.TableID]time.Duration](t)(s.UsualDurations(t.Context(), []registry.TableID{"orders", "calendar"}))
	if got := usual["orders"].Round(time.Second); len(usual) != 1 || got != 2*time.Second {
		t.Errorf("usual durations: %v, want orders 2s", usual)
	}
	recent := must[[]syncs.Run](t)(s.RecentRuns(t.Context(), 2))
	if len(recent) != 2 || recent[0].Name != "deals" || recent[1].ID != last.ID {
		t.Errorf("recent runs: %+v; the one that waits, %s, is not among them", recent, waiting.ID)
	}
	for _, id := range []string{last.ID, first.ID} {
		if err := s.AddStep(t.Context(), syncs.Step{RunID: id, Phase: syncs.Extract, At: c.Now(), State: syncs.OK}); err != nil {
			t.Fatal(err)
		}
	}
	if steps := must[[]syncs.Step](t)(s.Steps(t.Context(), []string{first.ID, last.ID, "nope"})); len(steps) != 2 || steps[0].RunID != first.ID {
		t.Errorf("steps: %+v", steps)
	}
	if none := must[[]syncs.Step](t)(s.Steps(t.Context(), nil)); none != nil {
		t.Errorf("the steps of no runs: %v", none)
	}
}

func TestAnyAnswer(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	if must[bool](t)(s.AnyAnswer(t.Context())) {
		t.Error("there is an answer before any query")
	}
	r := query.Record{ID: "q", By: access.Principal{UserID: "ada"}, Origin: query.FromConsole, State: query.Running, StartedAt: c.Now()}
	if err := s.StartQuery(t.Context(), r, query.PersonLimits{}); err != nil {
		t.Fatal(err)
	}
	if must[bool](t)(s.AnyAnswer(t.Context())) {
		t.Error("a query that still runs counts as answered")
	}
	r.State = query.OK
	if err := s.FinishQuery(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if !must[bool](t)(s.AnyAnswer(t.Context())) {
		t.Error("an answered query does not count")
	}
}
