package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func TestSourceAliases(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	by := audit.Actor{UserID: "u1", Email: "ada@example.com"}
	set := func(source, table, alias string) error {
		return s.SetSourceAlias(t.Context(), by, source, table, alias)
	}
	for _, c := range []struct{ source, table, alias, code string }{
		{"crm", "leads", "crm_leads", ""},
		{"crm", "leads", "prospects", ""},
		{"shop", "leads", "shop_leads", ""},
		{"shop", "orders", "PROSPECTS", "table_exists"},
		{"shop", "leads", "", ""},
		{"shop", "leads", "", ""},
	} {
		if err := set(c.source, c.table, c.alias); domain.CodeOf(err) != c.code {
			t.Errorf("%s.%s as %q: %v, want %q", c.source, c.table, c.alias, err, c.code)
		}
	}
	if diff := cmp.Diff(map[string]string{"leads": "prospects"}, must[map[string]string](t)(s.SourceAliases(t.Context(), "crm"))); diff != "" {
		t.Errorf("names of crm: -want +got\n%s", diff)
	}
	if got := must[map[string]string](t)(s.SourceAliases(t.Context(), "shop")); len(got) != 0 {
		t.Errorf("names of shop: %v", got)
	}
	if err := s.SetSourceAlias(t.Context(), audit.Actor{}, "crm", "leads", "x"); err == nil {
		t.Error("nobody renamed a table")
	}
	entries := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 10))
	if e := entries[0]; e.Action != "source.rename_table" || e.Resource != "source:shop" {
		t.Errorf("audit = %+v", e)
	}
	if err := s.DeleteSource(t.Context(), "crm"); err != nil {
		t.Fatal(err)
	}
	if got := must[map[string]string](t)(s.SourceAliases(t.Context(), "crm")); len(got) != 0 {
		t.Errorf("names of a source that is forgotten: %v", got)
	}
}

func TestMarkTables(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "far")
	status := func(id registry.TableID) registry.SyncStatus {
		t.Helper()
		all := must[[]registry.Published](t)(s.ListTables(t.Context())) // through what is kept of the registry
		for _, p := range all {
			if p.ID == id {
				return p.Status
			}
		}
		t.Fatalf("no table %s", id)
		return registry.SyncStatus{}
	}
	status("orders")
	mark := func(marks ...syncs.TableMark) {
		t.Helper()
		if err := s.MarkTables(t.Context(), marks); err != nil {
			t.Fatal(err)
		}
	}
	mark(syncs.TableMark{Table: "orders", State: "error", Code: syncs.GoneUpstream, Message: "It left.", NextStep: "Bring it back."},
		syncs.TableMark{Table: "unknown", State: "error"}, syncs.TableMark{Table: "far", State: syncs.ModeMark, Code: "extension_missing"})
	want := registry.SyncStatus{State: "error", Error: "It left.", ErrorCode: syncs.GoneUpstream, NextStep: "Bring it back."}
	if diff := cmp.Diff(want, status("orders")); diff != "" {
		t.Errorf("orders: -want +got\n%s", diff)
	}
	if got := status("far"); got.State != syncs.ModeMark || got.ErrorCode != "extension_missing" {
		t.Errorf("far = %+v", got)
	}
	mark(syncs.TableMark{Table: "orders"}, syncs.TableMark{Table: "far"})
	if diff := cmp.Diff(registry.SyncStatus{State: "never"}, status("orders")); diff != "" {
		t.Errorf("orders, taken back: -want +got\n%s", diff)
	}
	mark()
}
