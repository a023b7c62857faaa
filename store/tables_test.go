package store

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func TestRegisterTables(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	finance := mustGroup(t, s, "Finance")
	want := registry.Table{
		Name: "Orders", SourceType: registry.SourceCustom, Bucket: "shop", SourceTable: "o.csv", SourceQuery: "SELECT 1", SyncStrategy: "partitioned",
		QueryMode: registry.ModeLocal, SyncSchedule: "every 15m", ProfileAfterSync: true, PrimaryKey: []string{"id", "line"}, Folder: "f",
		Description: "All orders.", IncrementalWindowDays: ptr(7), MaxHistoryDays: ptr(0), IncrementalColumn: "at",
		WhereFilters: []registry.WhereFilter{{Column: "c", Operator: "eq", Values: []string{"x", "y"}}},
		PartitionBy:  "at", PartitionGranularity: "month", BQFQN: "p.d.t", Sample: true,
	}
	added := must[[]registry.Table](t)(s.RegisterTables(t.Context(), admin, []registry.Registration{
		{Table: want, GrantTo: []people.GroupID{finance.ID, s.everyoneID, finance.ID}},
	}))
	want.ID, want.RegisteredBy, want.RegisteredAt, want.Revision = "orders", admin.Email, added[0].RegisteredAt, 1
	want.Guard = registry.DefaultGuard()
	got := must[registry.Published](t)(s.GetTable(t.Context(), "orders"))
	if diff := cmp.Diff(want, got.Table); diff != "" {
		t.Errorf("registered: -want +got\n%s", diff)
	}
	if got.Version != nil || got.Status.State != "never" {
		t.Errorf("a new table has version %v and state %q", got.Version, got.Status.State)
	}
	if grants := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{})); len(grants) != 2 {
		t.Errorf("grants: %v, want two", grants)
	}
	for what, reg := range map[string]registry.Registration{
		"same id":                  {Table: registry.Table{ID: "orders", Name: "other"}},
		"same name in other case":  {Table: registry.Table{ID: "other", Name: "ORDERS"}},
		"same name twice in a row": {Table: registry.Table{Name: "fresh"}},
	} {
		_, err := s.RegisterTables(t.Context(), admin, []registry.Registration{{Table: registry.Table{Name: "fresh"}}, reg})
		wantError(t, what, err, domain.Conflict, "table_exists")
	}
	_, err := s.RegisterTables(t.Context(), admin, []registry.Registration{{Table: registry.Table{Name: "fresh"}, GrantTo: []people.GroupID{"nope"}}})
	wantError(t, "grant to no group", err, domain.NotFound, "group_not_found")
	_, err = s.GetTable(t.Context(), "fresh")
	wantError(t, "what a failed registration left", err, domain.NotFound, "table_not_found")
}

func TestUpdateTable(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	finish(t, s, syncs.OK, "orders")
	got := must[registry.Published](t)(s.UpdateTable(t.Context(), admin, "orders", registry.TableChange{
		Name: ptr("purchases"), Description: ptr("Bought things."), PrimaryKey: ptr([]string{"id"}), MaxHistoryDays: ptr(ptr(3)),
	}))
	if got.Name != "purchases" || got.Description != "Bought things." || got.Status.State != "ok" || *got.MaxHistoryDays != 3 || got.ID != "orders" {
		t.Errorf("after the change: %+v", got)
	}
	entry := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if entry.Action != "update_table" || entry.Before["name"] != "orders" || entry.Params["name"] != "purchases" || len(entry.Params) != 4 {
		t.Errorf("audit row: %+v", entry)
	}
	got = must[registry.Published](t)(s.UpdateTable(t.Context(), admin, "orders", registry.TableChange{MaxHistoryDays: ptr[*int](nil), PrimaryKey: ptr[[]string](nil)}))
	if got.MaxHistoryDays != nil || got.PrimaryKey != nil || got.Description != "Bought things." {
		t.Errorf("after clearing: %+v", got)
	}
	_, err := s.UpdateTable(t.Context(), admin, "orders", registry.TableChange{Name: ptr("DEALS")})
	wantError(t, "a taken name", err, domain.Conflict, "table_exists")
	_, err = s.UpdateTable(t.Context(), admin, "nope", registry.TableChange{})
	wantError(t, "an unknown table", err, domain.NotFound, "table_not_found")
	start(t, s, "orders")
	_, err = s.UpdateTable(t.Context(), admin, "orders", registry.TableChange{Name: ptr("bought")})
	wantError(t, "rename during a sync", err, domain.Conflict, "sync_running")
	if _, err = s.UpdateTable(t.Context(), admin, "orders", registry.TableChange{Description: ptr("x")}); err != nil {
		t.Errorf("describe during a sync: %v", err)
	}
}

func TestUnregister(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals", "calendar")
	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: s.everyoneID, ResourceType: access.TableResource, ResourceID: "orders"}))
	must[string](t)(s.ClaimView(t.Context(), "orders", "files"))
	publish(t, s, "orders", "v1")
	finish(t, s, syncs.OK, "orders")
	must[[]syncs.Run](t)(s.QueueRuns(t.Context(), admin, syncs.ByPerson, []registry.TableID{"orders"}))

	_, err := s.Unregister(t.Context(), admin, []registry.TableID{"orders", "nope"})
	wantError(t, "an unknown table", err, domain.NotFound, "table_not_found")
	removed := must[[]registry.Removed](t)(s.Unregister(t.Context(), admin, []registry.TableID{"orders", "calendar", "orders"}))
	if len(removed) != 2 || removed[0].Version == nil || removed[0].Version.ID != "v1" {
		t.Errorf("removed %+v", removed)
	}
	for _, table := range []string{"resource_grants", "table_versions", "sync_runs", "sync_history", "sync_state", "view_ownership"} {
		if n := must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM `+table)); n != 0 {
			t.Errorf("%d rows stay in %s", n, table)
		}
	}
	left := must[[]registry.Published](t)(s.ListTables(t.Context()))
	if len(left) != 1 || left[0].ID != "deals" {
		t.Errorf("left: %+v", left)
	}
	mustTables(t, s, "orders")
	if again := must[registry.Published](t)(s.GetTable(t.Context(), "orders")); again.Status.State != "never" || again.Version != nil {
		t.Errorf("registered again with an old state: %+v", again)
	}
	start(t, s, "deals")
	_, err = s.Unregister(t.Context(), admin, []registry.TableID{"orders", "deals"})
	wantError(t, "a table that is being synced", err, domain.Conflict, "sync_running")
	if left := must[[]registry.Published](t)(s.ListTables(t.Context())); len(left) != 2 {
		t.Errorf("a refused removal removed something: %v", left)
	}
}

func TestListTablesIsACopy(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals")
	must[[]registry.Published](t)(s.ListTables(t.Context()))[0].Name = "scribbled"
	var got []string
	for _, table := range must[[]registry.Published](t)(s.ListTables(t.Context())) {
		got = append(got, table.Name)
	}
	if want := []string{"deals", "orders"}; !slices.Equal(got, want) {
		t.Errorf("tables: %v, want %v", got, want)
	}
}
