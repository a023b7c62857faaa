package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

func TestProfileFailures(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "people")
	ctx := t.Context()
	for _, id := range []registry.TableID{"orders", "people"} {
		publish(t, s, id, registry.VersionID(id)+"-v1")
		yes := true
		must[registry.Published](t)(s.UpdateTable(ctx, admin, id, registry.TableChange{ProfileAfterSync: &yes}))
	}
	if _, err := s.GetProfileFailure(ctx, "orders"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("none: %v, want NotFound", err)
	}
	want := syncs.ProfileFailure{
		Table: "orders", Version: "orders-v1", At: s.now().Add(time.Second),
		Failure: work.Failure{Code: "out_of_memory", Message: "Too little memory.", NextStep: "Give more."},
	}
	for range 2 {
		if err := s.SaveProfileFailure(ctx, want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, must[syncs.ProfileFailure](t)(s.GetProfileFailure(ctx, "orders"))); diff != "" {
			t.Errorf("-saved +read\n%s", diff)
		}
		want.Code = "profile_timeout"
	}
	unprofiled := func() []registry.TableID { return must[[]registry.TableID](t)(s.UnprofiledTables(ctx)) }
	if got := unprofiled(); !slices.Equal(got, []registry.TableID{"people"}) {
		t.Errorf("tried again by themselves: %v", got)
	}
	publish(t, s, "orders", "orders-v2")
	if got := unprofiled(); !slices.Equal(got, []registry.TableID{"orders", "people"}) {
		t.Errorf("with a new version: %v", got)
	}
	if err := s.SaveProfile(ctx, profile.Kept{Table: "orders", Version: "orders-v2", VersionAt: s.now(), ProfiledAt: s.now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetProfileFailure(ctx, "orders"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("after a profile: %v, want NotFound", err)
	}
	want.Table = "nothing"
	if err := s.SaveProfileFailure(ctx, want); domain.KindOf(err) != domain.NotFound {
		t.Errorf("of no table: %v, want NotFound", err)
	}
}

func TestMetricsOf(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	err := s.tx(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `INSERT INTO metric_definitions (id, name, table_name, tables) VALUES
			('finance/mrr', 'mrr', 'Orders', NULL), ('finance/churn', 'churn', 'people', '["people","ORDERS"]'),
			('ops/x', NULL, NULL, '["orders"]'), ('ops/odd', 'odd', NULL, 'not json'), ('ops/other', 'other', 'order', '["orders_old"]')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []profile.Metric{{Name: "churn", File: "finance/churn.yml"}, {Name: "mrr", File: "finance/mrr.yml"}, {Name: "ops/x", File: "ops/x.yml"}}
	if diff := cmp.Diff(want, must[[]profile.Metric](t)(s.MetricsOf(t.Context(), "orders"))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := must[[]profile.Metric](t)(s.MetricsOf(t.Context(), "nothing")); got == nil || len(got) != 0 {
		t.Errorf("of no metric: %#v, want an empty list", got)
	}
}
