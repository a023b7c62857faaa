package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/profile"
	"agnes/domain/registry"
)

func TestProfiles(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "people")
	ctx := t.Context()
	if _, err := s.GetProfile(ctx, "orders"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("no profile: %v, want NotFound", err)
	}
	kept := profile.Kept{
		Table: "orders", Version: "v1", VersionAt: s.now(), ProfiledAt: s.now().Add(time.Second),
		Profile: profile.Profile{RowCount: 3, Columns: []profile.Column{{Name: "id", Numeric: &profile.NumericStats{Min: "-170141183460469231731687303715884105728", Max: "0"}}}},
	}
	for range 2 {
		if err := s.SaveProfile(ctx, kept); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(kept, must[profile.Kept](t)(s.GetProfile(ctx, "orders"))); diff != "" {
			t.Errorf("-saved +read\n%s", diff)
		}
		kept.Version, kept.Profile.RowCount = "v2", 4
	}
	kept.Table = "nothing"
	if err := s.SaveProfile(ctx, kept); domain.KindOf(err) != domain.NotFound {
		t.Errorf("profile of no table: %v, want NotFound", err)
	}
	must[[]registry.Removed](t)(s.Unregister(ctx, admin, []registry.TableID{"orders"}))
	mustTables(t, s, "orders")
	if _, err := s.GetProfile(ctx, "orders"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("the profile outlives its table: %v", err)
	}
}

// A profile that another program wrote is none.
func TestProfileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	err := s.tx(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `INSERT INTO table_profiles (table_id, profile, profiled_at) VALUES ('orders', '{"columns": "many"}', 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetProfile(t.Context(), "orders"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("%v, want NotFound", err)
	}
}

func TestUnprofiledTables(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "counted", "empty", "new", "older", "quiet")
	for _, id := range []registry.TableID{"counted", "new", "older", "quiet"} {
		publish(t, s, id, registry.VersionID(id)+"-v1")
		wanted := id != "quiet"
		if _, err := s.UpdateTable(t.Context(), admin, id, registry.TableChange{ProfileAfterSync: &wanted}); err != nil {
			t.Fatal(err)
		}
	}
	for table, version := range map[registry.TableID]registry.VersionID{"counted": "counted-v1", "older": "older-v0"} {
		if err := s.SaveProfile(t.Context(), profile.Kept{Table: table, Version: version}); err != nil {
			t.Fatal(err)
		}
	}
	got := must[[]registry.TableID](t)(s.UnprofiledTables(t.Context()))
	if want := []registry.TableID{"new", "older"}; !slices.Equal(got, want) {
		t.Errorf("without a profile: %v, want %v", got, want)
	}
}
