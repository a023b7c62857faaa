package store

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain/syncs"
)

func TestSources(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	want := []syncs.Source{
		{Name: "crm", Fingerprint: "1", State: "ok", CheckedAt: c.Now()},
		{Name: "shop", Fingerprint: "2", State: "broken", Code: "locked", Message: "The file is locked.", Problems: []syncs.Problem{{Table: "t", Code: "c", Message: "m"}}, CheckedAt: c.Now()},
	}
	for _, i := range []int{1, 0, 1} {
		if err := s.SaveSource(t.Context(), want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, must[[]syncs.Source](t)(s.ListSources(t.Context()))); diff != "" {
		t.Errorf("sources: -want +got\n%s", diff)
	}
	want[1].State, want[1].Problems = "ok", nil
	if err := s.SaveSource(t.Context(), want[1]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, must[[]syncs.Source](t)(s.ListSources(t.Context()))); diff != "" {
		t.Errorf("mended: -want +got\n%s", diff)
	}
}

func TestSourcesKnowWhatWasRemoved(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	mustTables(t, s, "orders")
	src := syncs.Source{Name: "shop", State: syncs.SourceOK, CheckedAt: c.Now(), Tables: []syncs.SourceName{
		{Table: "orders", Name: "orders", ID: "orders"}, {Table: "leads", Name: "leads", ID: "leads"},
	}}
	for range 2 { // what is read is not kept
		if err := s.SaveSource(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		src = must[[]syncs.Source](t)(s.ListSources(t.Context()))[0]
		if src.Tables[0].Removed || !src.Tables[0].Empty || !src.Tables[1].Removed {
			t.Errorf("tables = %+v", src.Tables)
		}
	}
	if err := s.MarkTables(t.Context(), []syncs.TableMark{{Table: "orders", State: "error", Code: "table_unreadable", Message: "It cannot be read."}}); err != nil {
		t.Fatal(err)
	}
	if got := must[[]syncs.Source](t)(s.ListSources(t.Context()))[0]; !got.Tables[0].Failing {
		t.Errorf("a table that fails: %+v", got.Tables)
	}
	mustTables(t, s, "leads")
	if got := must[[]syncs.Source](t)(s.ListSources(t.Context()))[0]; got.Tables[1].Removed {
		t.Errorf("a table that is back: %+v", got.Tables)
	}
}

func TestClaimView(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	for _, c := range []struct{ view, source, want string }{
		{"orders", "shop", "shop"}, {"orders", "crm", "shop"}, {"ORDERS", "crm", "shop"}, {"deals", "crm", "crm"}, {"loose", "shop", "shop"},
	} {
		if got := must[string](t)(s.ClaimView(t.Context(), c.view, c.source)); got != c.want {
			t.Errorf("%s claims %s: owner %s, want %s", c.source, c.view, got, c.want)
		}
	}
	if err := s.DeleteSource(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if got := must[string](t)(s.ClaimView(t.Context(), "loose", "crm")); got != "crm" {
		t.Errorf("a name of a source that is gone still belongs to %s", got)
	}
	if got := must[string](t)(s.ClaimView(t.Context(), "orders", "crm")); got != "shop" {
		t.Errorf("the name of a registered table went to %s", got)
	}
}

func TestClaimViewInParallel(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	owners := make([]string, 10)
	var wg sync.WaitGroup
	for i := range owners {
		wg.Go(func() { owners[i] = must[string](t)(s.ClaimView(t.Context(), "orders", string(rune('a'+i)))) })
	}
	wg.Wait()
	for _, o := range owners {
		if o != owners[0] || o == "" {
			t.Fatalf("owners: %v, want one", owners)
		}
	}
}
