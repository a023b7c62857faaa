package store

import (
	"slices"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

func TestRestoreGroup(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	g := must[people.Group](t)(s.CreateGroup(t.Context(), admin, "Finance", "books"))
	ada, bob := mustUser(t, s, "ada@example.com", g.ID), mustUser(t, s, "bob@example.com", g.ID)
	for _, table := range []string{"orders", "deals"} {
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.TableResource, ResourceID: table, Reason: "books", ExpiresAt: ptr(s.now().Add(time.Hour))}))
	}
	before := must[people.Group](t)(s.GetGroup(t.Context(), g.ID))
	members := must[[]people.Member](t)(s.ListMembers(t.Context(), g.ID))
	grants := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{ResourceID: "orders"}))

	bin := must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID))
	kept := must[[]access.Binned](t)(s.ListBin(t.Context(), 0))
	if len(kept) != 1 || kept[0].ID != bin || kept[0].Members != 2 || kept[0].Grants != 2 || kept[0].Name != "Finance" || kept[0].DeletedBy != admin.Email {
		t.Errorf("the bin: %+v", kept)
	}
	if err := s.DeleteUser(t.Context(), admin, bob.ID); err != nil {
		t.Fatal(err)
	}
	must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"deals"}))
	if err := s.Restore(t.Context(), admin, bin); err != nil {
		t.Fatal(err)
	}
	after := must[people.Group](t)(s.GetGroup(t.Context(), g.ID))
	before.Members, before.Grants = 1, 1 // bob and deals are gone
	if after != before {
		t.Errorf("restored %+v, it was %+v", after, before)
	}
	if got := must[[]people.Member](t)(s.ListMembers(t.Context(), g.ID)); len(got) != 1 || got[0] != members[0] || got[0].UserID != ada.ID {
		t.Errorf("members %+v of %+v", got, members)
	}
	if got := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{GroupID: g.ID})); len(got) != 1 || got[0].ID != grants[0].ID || !got[0].ExpiresAt.Equal(*grants[0].ExpiresAt) {
		t.Errorf("grants %+v, want %+v", got, grants)
	}
	if got := actions(t, s, 1); got[0] != "user_group.restored" {
		t.Errorf("audit: %v", got)
	}
	wantError(t, "restore twice", s.Restore(t.Context(), admin, bin), domain.Conflict, "restored_already")
	wantError(t, "restore nothing", s.Restore(t.Context(), admin, "nope"), domain.NotFound, "bin_not_found")

	bin = must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID))
	mustGroup(t, s, "FINANCE")
	wantError(t, "a name that is taken", s.Restore(t.Context(), admin, bin), domain.Conflict, "group_name_taken")
	if kept := must[[]access.Binned](t)(s.ListBin(t.Context(), 0)); len(kept) != 2 || kept[0].ID != bin || kept[1].Kind != access.BinTable {
		t.Errorf("the bin: %+v", kept)
	}
}

func TestRestoreTable(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	g := mustGroup(t, s, "Finance")
	full := registry.Table{
		ID: "orders", Name: "Orders", SourceType: "bigquery", Bucket: "b", SourceTable: "st", SourceQuery: "SELECT 1", SyncStrategy: "incremental", QueryMode: "local",
		SyncSchedule: "every 2h", ProfileAfterSync: true, PrimaryKey: []string{"id"}, Folder: "f", Description: "d", IncrementalWindowDays: ptr(3), MaxHistoryDays: ptr(4),
		InitialLoadChunkDays: ptr(5), IncrementalColumn: "at", WhereFilters: []registry.WhereFilter{{Column: "c", Operator: "eq", Values: []string{"v"}}},
		PartitionBy: "p", PartitionGranularity: "day", BQFQN: "a.b.c", ReadOptions: `{"x":1}`,
	}
	must[[]registry.Table](t)(s.RegisterTables(t.Context(), admin, []registry.Registration{{Table: full, GrantTo: []people.GroupID{g.ID, s.everyoneID}}}))
	must[int64](t)(runner{on: s.writer, count: &s.queries}.exec(t.Context(), `UPDATE table_registry SET discoverable = TRUE, owner = 'u1', version = 7, shrink_guard_pct = 12 WHERE id = 'orders'`))
	publish(t, s, "orders", "v1")
	before := must[registry.Published](t)(s.GetTable(t.Context(), "orders"))

	removed := must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"orders"}))
	must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID))
	if err := s.Restore(t.Context(), admin, removed[0].Bin); err != nil {
		t.Fatal(err)
	}
	after := must[registry.Published](t)(s.GetTable(t.Context(), "orders"))
	if after.Version != nil || after.Status.State != "never" {
		t.Errorf("restored with rows: %+v", after)
	}
	if got, want := must[string](t)(encoded(after.Table, 1)), must[string](t)(encoded(before.Table, 1)); got != want {
		t.Errorf("restored %s\nit was %s", got, want)
	}
	kept := must[keptTable](t)(keepTable(t.Context(), s.reader(), after.Table))
	if !kept.Discoverable || kept.Owner != "u1" || kept.Version != 7 || len(kept.Grants) != 1 || kept.Grants[0].GroupID != s.everyoneID {
		t.Errorf("restored %+v", kept)
	}
	if found := must[access.Catalog](t)(s.Catalog(t.Context(), access.Principal{})).Tables(); len(found) != 1 {
		t.Errorf("Everyone reads %v", found)
	}
	if got, want := actions(t, s, 1), []string{"restore_table"}; !slices.Equal(got, want) {
		t.Errorf("audit: %v, want %v", got, want)
	}
	removed = must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"orders"}))
	mustTables(t, s, "ORDERS")
	wantError(t, "a name that is taken", s.Restore(t.Context(), admin, removed[0].Bin), domain.Conflict, "table_exists")
}

func TestSampleTablesAreNotKept(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	must[[]registry.Table](t)(s.RegisterTables(t.Context(), admin, []registry.Registration{{Table: registry.Table{Name: "airports", Sample: true}}}))
	removed := must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"airports"}))
	if removed[0].Bin != "" || len(must[[]access.Binned](t)(s.ListBin(t.Context(), 0))) != 0 {
		t.Errorf("kept %+v", removed)
	}
}

// Deleting both ends of a grant and taking it back in the other order brings the
// grant back.
func TestRestoreBothEnds(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	g := mustGroup(t, s, "Finance")
	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.TableResource, ResourceID: "orders"}))
	group := must[string](t)(s.DeleteGroup(t.Context(), admin, g.ID))
	table := must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"orders"}))[0].Bin
	for _, bin := range []string{table, group} {
		if err := s.Restore(t.Context(), admin, bin); err != nil {
			t.Fatal(err)
		}
	}
	if grants := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{})); len(grants) != 1 {
		t.Errorf("grants %v", grants)
	}
}
