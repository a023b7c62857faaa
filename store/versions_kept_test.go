package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// kept names a table's versions, oldest first.
func kept(tb testing.TB, s *Store, table registry.TableID) string {
	tb.Helper()
	var ids []string
	for _, v := range must[[]registry.Version](tb)(s.ListVersions(tb.Context(), table)) {
		ids = append(ids, string(v.ID))
	}
	slices.Reverse(ids)
	return strings.Join(ids, " ")
}

func TestPruneVersions(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		name      string
		keep      int
		age       time.Duration // 0: any
		restore   registry.VersionID
		want      string
		forgotten int
	}{
		{"by number", 3, 0, "", "v3 v4 v5", 3},
		{"by age", 5, 2*day + time.Hour, "", "v3 v4 v5", 3},
		{"by both", 2, 3*day + time.Hour, "", "v4 v5", 4},
		{"the current one and the one before stay", 1, time.Hour, "", "v4 v5", 4},
		{"also after going back", 1, time.Hour, "v1", "v1 v5", 4},
		{"one gone back to counts as new", 3, 0, "v1", "v1 v4 v5", 3},
		{"all", 10, 30 * day, "", "v0 v1 v2 v3 v4 v5", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, clock := newStore(t)
			mustTables(t, s, "orders", "deals")
			for i := range 6 {
				if i > 0 {
					clock.advance(day)
				}
				publish(t, s, "orders", registry.VersionID(fmt.Sprintf("v%d", i)))
			}
			publish(t, s, "deals", "d0")
			if c.restore != "" {
				clock.advance(time.Minute)
				publish(t, s, "orders", c.restore)
			}
			r := Retention{Keep: c.keep}
			if c.age > 0 {
				r.Since = s.now().Add(-c.age)
			}
			if got := must[int](t)(s.PruneVersions(t.Context(), r)); got != c.forgotten {
				t.Errorf("forgot %d, want %d", got, c.forgotten)
			}
			if got := kept(t, s, "orders"); got != c.want {
				t.Errorf("kept %q, want %q", got, c.want)
			}
			if got := kept(t, s, "deals"); got != "d0" {
				t.Errorf("of another table %q is kept", got)
			}
			if again := must[int](t)(s.PruneVersions(t.Context(), r)); again != 0 {
				t.Errorf("forgot %d again", again)
			}
		})
	}
}

// TestAClockThatJumpsForgetsNoVersions: age counts up to a table's last version,
// and the version before is the one that was published before.
func TestAClockThatJumpsForgetsNoVersions(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		keep int
		jump map[int]time.Duration // before the version of that number
		late time.Duration         // before the versions are looked at
		want string
	}{
		{"no jump", 9, nil, 0, "v0 v1 v2 v3 v4"},
		{"ahead after the last one", 9, nil, 365 * day, "v0 v1 v2 v3 v4"},
		{"back before the last two", 1, map[int]time.Duration{3: -10 * day}, 0, "v3 v4"},
		{"back before the last two, and age", 9, map[int]time.Duration{3: -10 * day}, 0, "v0 v1 v2 v3 v4"},
		{"back for one version", 9, map[int]time.Duration{2: -10 * day, 3: 10 * day}, 0, "v0 v1 v2 v3 v4"},
		{"ahead for one version, then no sync for long", 9, map[int]time.Duration{1: 365 * day, 2: -365 * day}, 40 * day, "v0 v1 v2 v3 v4"},
		{"ahead, and on from there", 9, map[int]time.Duration{3: 365 * day}, 0, "v3 v4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, clock := newStore(t)
			mustTables(t, s, "orders")
			for i := range 5 {
				clock.advance(time.Hour)
				clock.advance(c.jump[i])
				publish(t, s, "orders", registry.VersionID(fmt.Sprintf("v%d", i)))
			}
			clock.advance(c.late)
			must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: c.keep, Since: s.now().Add(-day)}))
			if got := kept(t, s, "orders"); got != c.want {
				t.Errorf("kept %q, want %q", got, c.want)
			}
		})
	}
}

func TestForgottenFilesStayForTheirReaders(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	mustTables(t, s, "orders")
	for i := range 3 {
		publish(t, s, "orders", registry.VersionID(fmt.Sprintf("v%d", i)))
		clock.advance(time.Minute)
	}
	prune := func() int {
		t.Helper()
		must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: 1, Removed: s.now().Add(-time.Hour)}))
		return len(must[map[string]struct{}](t)(s.VersionKeys(t.Context())))
	}
	if keys := prune(); keys != 3 {
		t.Errorf("%d files are kept right after, want 3", keys)
	}
	_, err := s.GetVersion(t.Context(), "orders", "v0")
	wantError(t, "a forgotten version", err, domain.NotFound, "version_not_found")
	clock.advance(2 * time.Hour)
	if keys := prune(); keys != 2 {
		t.Errorf("%d files are kept later, want 2", keys)
	}
}

func TestHeldVersionsAreNotPruned(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	mustTables(t, s, "orders")
	r := held(t, s, "orders", "h1")
	for i := range 3 {
		clock.advance(time.Minute)
		publish(t, s, "orders", registry.VersionID(fmt.Sprintf("v%d", i)))
	}
	must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: 1}))
	if got := kept(t, s, "orders"); got != "h1 v1 v2" {
		t.Errorf("kept %q while h1 is held", got)
	}
	must[syncs.Run](t)(s.DiscardRun(t.Context(), admin, r.ID))
	must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: 1}))
	if got := kept(t, s, "orders"); got != "v1 v2" {
		t.Errorf("kept %q after h1 was discarded", got)
	}
}

func TestUnpublishPutsThePlaceBack(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	mustTables(t, s, "orders")
	for _, id := range []registry.VersionID{"v1", "v2", "v3"} {
		publish(t, s, "orders", id)
		clock.advance(time.Minute)
	}
	v1 := must[registry.Version](t)(s.GetVersion(t.Context(), "orders", "v1"))
	before := must[*registry.Version](t)(s.PublishVersion(t.Context(), v1))
	if at := must[registry.Version](t)(s.GetVersion(t.Context(), "orders", "v1")).PublishedAt; !at.After(*before.PublishedAt) {
		t.Errorf("restored at %v, the one before at %v", at, before.PublishedAt)
	}
	if err := s.UnpublishVersion(t.Context(), v1, before); err != nil {
		t.Fatal(err)
	}
	if got := current(t, s, "orders"); got != "v3" {
		t.Errorf("current is %q, want v3 again", got)
	}
	must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: 1}))
	if got := kept(t, s, "orders"); got != "v2 v3" {
		t.Errorf("kept %q: the failed restore counts as the one before", got)
	}
	unknown := registry.Version{ID: "v9", Table: "nope"}
	wantError(t, "of no table", s.UnpublishVersion(t.Context(), unknown, nil), domain.NotFound, "table_not_found")
	wantError(t, "keep for no table", s.KeepVersion(t.Context(), unknown), domain.NotFound, "table_not_found")
}

func TestGuardIsStored(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	if got := must[registry.Published](t)(s.GetTable(t.Context(), "orders")).Guard; got != registry.DefaultGuard() {
		t.Errorf("a new table has %+v, want %+v", got, registry.DefaultGuard())
	}
	percent, policy := 50, registry.SchemaAsk
	got := must[registry.Published](t)(s.UpdateTable(t.Context(), admin, "orders", registry.TableChange{ShrinkGuard: &percent, SchemaPolicy: &policy}))
	if want := (registry.Guard{ShrinkPercent: 50, Schema: registry.SchemaAsk}); got.Guard != want {
		t.Errorf("changed to %+v, want %+v", got.Guard, want)
	}
	e := newest(t, s, "update_table")
	if fmt.Sprintf("%v %v %v", e.Params["shrink_guard_pct"], e.Params["schema_policy"], e.Before["schema_policy"]) != "50 ask evolve" {
		t.Errorf("audit %v, before %v", e.Params, e.Before)
	}
}
