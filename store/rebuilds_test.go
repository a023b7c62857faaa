package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

func TestRebuildsAreRemembered(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	if last := must[*syncs.Rebuild](t)(s.LastRebuild(t.Context())); last != nil {
		t.Errorf("before the first there was %+v", last)
	}
	at := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	for i := range rebuildsKept + 5 {
		r := syncs.Rebuild{ID: fmt.Sprintf("r%03d", i), StartedAt: at, FinishedAt: at.Add(time.Duration(i) * time.Second), State: syncs.OK, Views: i}
		if err := s.SaveRebuild(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	want := syncs.Rebuild{
		ID: "last", StartedAt: at, FinishedAt: at.Add(time.Hour), State: syncs.Failed, Generation: 7, Views: 311, Unchanged: true,
		Problems: []work.Problem{{Source: "crm", Table: "deals", Code: work.VersionMissing, Message: "deals has no rows yet.", Served: true}},
		Code:     "child_died", Message: "It died.", NextStep: "Try again.",
	}
	if err := s.SaveRebuild(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, must[*syncs.Rebuild](t)(s.LastRebuild(t.Context()))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM rebuilds`)); n != rebuildsKept {
		t.Errorf("%d are kept, want %d", n, rebuildsKept)
	}
}

func damage(s *Store, id registry.VersionID, outcome syncs.Outcome, serves registry.VersionID) syncs.Damage {
	return syncs.Damage{
		Version: id, Table: "orders", Name: "orders", Source: "files", FoundAt: s.now(), Code: work.FileChanged,
		Message: "The newest rows of orders are damaged.", Outcome: outcome, Serves: serves,
	}
}

func TestQuarantineServesTheEarlierVersion(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	publish(t, s, "orders", "v2")
	if changed, err := s.QuarantineVersion(t.Context(), damage(s, "v2", syncs.ServesEarlier, "v1")); err != nil || !changed {
		t.Fatalf("quarantine: %t, %v", changed, err)
	}
	table := must[registry.Published](t)(s.GetTable(t.Context(), "orders"))
	if table.Version == nil || table.Version.ID != "v1" || table.Status.State != "error" || table.Status.ErrorCode != codeDamaged {
		t.Errorf("the table is %+v, status %+v", table.Version, table.Status)
	}
	runs := must[[]syncs.Run](t)(s.RecentRuns(t.Context(), 10))
	if len(runs) != 1 || runs[0].Trigger != syncs.ByCheck || runs[0].State != syncs.Failed || runs[0].Message == "" || runs[0].NextStep == "" {
		t.Errorf("runs: %+v", runs)
	}
	list := must[[]syncs.Damage](t)(s.ListDamage(t.Context()))
	if len(list) != 1 || list[0].Version != "v2" || list[0].Serves != "v1" || list[0].Name != "orders" || list[0].Source != "files" || list[0].ServesRows != 3 || list[0].ServesFrom.IsZero() {
		t.Errorf("damage: %+v", list)
	}
	if changed, err := s.QuarantineVersion(t.Context(), damage(s, "v2", syncs.ServesEarlier, "v1")); err != nil || changed {
		t.Errorf("once more: %t, %v", changed, err)
	}
	publish(t, s, "orders", "v3")
	if list := must[[]syncs.Damage](t)(s.ListDamage(t.Context())); len(list) != 0 {
		t.Errorf("after a new version: %+v", list)
	}
	if changed, err := s.QuarantineVersion(t.Context(), damage(s, "v2", syncs.Withdrawn, "")); err != nil || changed {
		t.Errorf("a version that is not current: %t, %v", changed, err)
	}
	if got := current(t, s, "orders"); got != "v3" {
		t.Errorf("%q is current, want v3", got)
	}
}

func TestQuarantineOfTheOnlyVersion(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	for i, wantChanged := range []bool{true, false} {
		if changed, err := s.QuarantineVersion(t.Context(), damage(s, "v1", syncs.KeptAsIs, "")); err != nil || changed != wantChanged {
			t.Errorf("kept, time %d: %t, %v", i, changed, err)
		}
	}
	if got := current(t, s, "orders"); got != "v1" {
		t.Errorf("%q is current, want v1", got)
	}
	if changed, err := s.QuarantineVersion(t.Context(), damage(s, "v1", syncs.Withdrawn, "")); err != nil || !changed {
		t.Errorf("withdrawn: %t, %v", changed, err)
	}
	if got := current(t, s, "orders"); got != "" {
		t.Errorf("%q is current, want none", got)
	}
	_, err := s.QuarantineVersion(t.Context(), syncs.Damage{Version: "v1", Table: "nope"})
	wantError(t, "an unknown table", err, domain.NotFound, "table_not_found")
}

func TestRounds(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	if last := must[time.Time](t)(s.RoundEnded(t.Context(), "verify")); !last.IsZero() {
		t.Errorf("before the first: %v", last)
	}
	for range 2 {
		if err := s.EndRound(t.Context(), "verify"); err != nil {
			t.Fatal(err)
		}
	}
	if last := must[time.Time](t)(s.RoundEnded(t.Context(), "verify")); last.IsZero() {
		t.Error("the round is not stored")
	}
}
