package api_test

import (
	"net/http"
	"strings"
	"testing"

	"agnes/domain/registry"
)

func TestRegisterTable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.as(s.admin, http.MethodPost, "/api/admin/register-table", map[string]any{
		"name": " Orders ", "source_type": "local", "source_table": "orders.csv", "primary_key": "id", "description": `One\nline, \'two\'`,
		"folder": "shop", "sync_schedule": "every 15m", "profile_after_sync": nil, "query_mode": nil, "sync_strategy": "", "unknown": true,
	}).is(http.StatusCreated)
	if body["id"] != "orders" || body["name"] != "Orders" || body["status"] != "registered" || len(body) != 3 {
		t.Errorf("body %v", body)
	}
	if got := s.live(); got != "" {
		t.Errorf("live %q", got)
	}
	runs, err := s.store.LiveRuns(t.Context())
	must(t, err)
	if len(runs) != 1 || runs[0].Table != "orders" {
		t.Errorf("its first sync: %+v", runs)
	}
	list := s.as(s.admin, http.MethodGet, "/api/admin/registry", nil)
	got := strings.TrimSpace(list.Body.String())
	want := `{"tables":[{"id":"orders","version":1,"name":"Orders","source_type":"local","bucket":null,"source_table":"orders.csv","source_query":null,` +
		`"sync_strategy":"full_refresh","query_mode":"local","sync_schedule":"every 15m","profile_after_sync":true,"primary_key":["id"],"folder":"shop",` +
		`"description":"One\nline, 'two'","registered_by":"ada@example.com","registered_at":"2026-11-22T14:31:00+00:00","incremental_window_days":null,` +
		`"max_history_days":null,"incremental_column":null,"where_filters":null,"partition_by":null,"partition_granularity":null,"initial_load_chunk_days":null,` +
		`"bq_fqn":null,"shrink_guard_pct":20,"schema_policy":"evolve","discoverable":false,"owner_email":null,"read_options":null,"last_sync_error":null}],"count":1}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, name := range []string{"Orders", "orders", "ORDERS"} {
		s.as(s.admin, http.MethodPost, "/api/admin/register-table", map[string]any{"name": name}).is(http.StatusConflict)
	}
	if len(s.audited("register_table")) != 1 {
		t.Error("audit rows")
	}
}

func TestRegisterTableRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	filter := []any{map[string]any{"column": "a", "values": []any{1, "b", true}}}
	type body = map[string]any
	tests := []struct {
		name string
		body body
		want string // in the answer
	}{
		{"no name", body{}, `"loc":["body","name"]`},
		{"a blank name", body{"name": " "}, `"loc":["body","name"]`},
		{"a name that is no identifier", body{"name": "a-b"}, "Nearest: a_b"},
		{"a name of a path", body{"name": "../etc"}, `"loc":["body","name"]`},
		{"a word of SQL", body{"name": "order"}, "Nearest: order_table"},
		{"an unknown strategy", body{"name": "a", "sync_strategy": "x"}, `"loc":["body","sync_strategy"]`},
		{"an unknown source", body{"name": "a", "source_type": "oracle"}, `"loc":["body","source_type"]`},
		{"a reserved mode", body{"name": "a", "query_mode": "internal"}, `"loc":["body","query_mode"]`},
		{"a schedule like cron", body{"name": "a", "sync_schedule": "*/5 * * * *"}, `"loc":["body","sync_schedule"]`},
		{"a query of a local table", body{"name": "a", "source_query": "SELECT 1"}, `"loc":["body","source_query"]`},
		{"materialized without a query", body{"name": "a", "query_mode": "materialized"}, `"loc":["body","source_query"]`},
		{"partitioned by nothing", body{"name": "a", "sync_strategy": "partitioned"}, `"loc":["body","partition_by"]`},
		{"partitioned and remote", body{"name": "a", "sync_strategy": "partitioned", "partition_by": "d", "query_mode": "remote"}, `"loc":["body","sync_strategy"]`},
		{"an unknown granularity", body{"name": "a", "partition_granularity": "week"}, `"loc":["body","partition_granularity"]`},
		{"incremental and filtered", body{"name": "a", "sync_strategy": "incremental", "where_filters": filter}, `"loc":["body","where_filters"]`},
		{"remote and filtered", body{"name": "a", "query_mode": "remote", "where_filters": filter}, `"loc":["body","where_filters"]`},
		{"a filter without a column", body{"name": "a", "where_filters": []any{body{"column": "", "values": []any{1}}}}, "names no column"},
		{"a filter without values", body{"name": "a", "where_filters": []any{body{"column": "a", "values": []any{}}}}, "has no values"},
		{"a filter by nothing", body{"name": "a", "where_filters": []any{body{"column": "a", "values": []any{nil}}}}, "texts, numbers"},
		{"an unknown operator", body{"name": "a", "where_filters": []any{body{"column": "a", "operator": "like", "values": []any{1}}}}, "operator"},
		{"bq_fqn elsewhere", body{"name": "a", "bq_fqn": "p.d.t"}, `"loc":["body","bq_fqn"]`},
		{"keboola", body{"name": "a", "source_type": "keboola", "bucket": "in.c-x", "source_table": "t"}, `"detail":"The source keboola is not configured`},
		{"bigquery", body{"name": "a", "source_type": "bigquery", "bq_fqn": "p.d.t"}, `"detail":"The source bigquery is not configured`},
		{"jira", body{"name": "a", "source_type": "jira"}, `"detail":"The source jira is not configured`},
		{"remote files", body{"name": "a", "query_mode": "remote"}, "not configured"},
		{"incremental files", body{"name": "a", "sync_strategy": "incremental"}, "read whole"},
		{"filtered files", body{"name": "a", "where_filters": filter}, "read whole"},
		{"a file in another folder", body{"name": "a", "source_table": "../state/system.db"}, `"loc":["body","source_table"]`},
		{"a key of the wrong type", body{"name": "a", "primary_key": 7}, `"loc":["body","primary_key"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.as(s.admin, http.MethodPost, "/api/admin/register-table", tt.body)
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("got %d %s, want 422 with %s", w.Code, w.Body, tt.want)
			}
		})
	}
	if tables, err := s.store.ListTables(t.Context()); err != nil || len(tables) != 0 {
		t.Errorf("registered all the same: %v, %v", tables, err)
	}
}

func TestUpdateTable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", func(t *registry.Table) {
		t.Description, t.SyncSchedule, t.PrimaryKey = "Orders", "every 1h", []string{"id"}
	}, 1)
	s.mustTable("taken", nil)
	s.mustTable("events", func(t *registry.Table) { t.SourceType, t.Bucket = registry.SourceCustom, "shop" })
	s.mustTable("moved", func(t *registry.Table) { // from the predecessor
		t.SourceType, t.SyncStrategy, t.SyncSchedule, t.WhereFilters = "keboola", "sometimes", "now and then", []registry.WhereFilter{{Column: "a", Operator: "eq", Values: []string{"1"}}}
	})
	const orders, events, moved = "/api/admin/registry/orders", "/api/admin/registry/events", "/api/admin/registry/moved"
	s.ask([]call{
		{"unknown", http.MethodPut, "/api/admin/registry/nothing", object{"description": "x"}, 404, "detail"},
		{"nothing", http.MethodPut, orders, object{"unknown": 1}, 200, `{"id":"orders","updated":[]}`},
		{"some", http.MethodPut, orders, object{"primary_key": "key", "description": "One per order"}, 200, `"updated":["primary_key","description"]`},
		{"cleared", http.MethodPut, orders, object{"sync_schedule": nil, "where_filters": nil}, 200, `"updated":["sync_schedule","where_filters"]`},
		{"wrong", http.MethodPut, orders, object{"sync_schedule": "often"}, 422, `"loc":["body","sync_schedule"]`},
		{"not available", http.MethodPut, orders, object{"source_type": "keboola"}, 422, "not configured"},
		{"a query", http.MethodPut, orders, object{"source_query": "SELECT 1"}, 422, `"loc":["body","source_query"]`},
		{"a wrong name", http.MethodPut, orders, object{"name": "a b"}, 422, "Nearest: a_b"},
		{"a wrong filter", http.MethodPut, orders, object{"where_filters": []any{object{"column": "", "values": []any{1}}}}, 422, "names no column"},
		{"a taken name", http.MethodPut, orders, object{"name": "taken"}, 409, "detail"},
		{"another name", http.MethodPut, orders, object{"name": "sales"}, 200, `"updated":["name"]`},
		{"of an extract", http.MethodPut, events, object{"description": "Clicks", "sync_schedule": "every 1h"}, 200, `"updated":["description","sync_schedule"]`},
		{"what the extract says", http.MethodPut, events, object{"bucket": "other"}, 422, "comes from the extract of shop"},
		{"of the predecessor", http.MethodPut, moved, object{"source_type": "keboola", "description": "Clients", "primary_key": "id"}, 200, `"updated":["primary_key","description","source_type"]`},
		{"its schedule", http.MethodPut, moved, object{"sync_schedule": "daily 05:00"}, 200, `"updated":["sync_schedule"]`},
		{"no schedule", http.MethodPut, moved, object{"sync_schedule": "now and then"}, 422, `"loc":["body","sync_schedule"]`},
		{"what its source reads", http.MethodPut, moved, object{"where_filters": nil}, 422, "The source keboola is not configured"},
		{"its name", http.MethodPut, moved, object{"name": "clients"}, 422, "The source keboola is not configured"},
		{"no object", http.MethodPut, orders, "[]", 422, "dict_type"},
	})
	if s.rebuilds != 1 {
		t.Errorf("%d rebuilds were asked for, want 1", s.rebuilds)
	}
	got, err := s.store.GetTable(t.Context(), "orders")
	must(t, err)
	if got.Name != "sales" || got.Description != "One per order" || got.SyncSchedule != "" || len(got.PrimaryKey) != 1 || got.PrimaryKey[0] != "key" {
		t.Errorf("table %+v", got.Table)
	}
	if n := len(s.audited("update_table")); n != 6 {
		t.Errorf("%d audit rows, want 6", n)
	}
}

func TestPrecheck(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.ask([]call{
		{
			"good", http.MethodPost, "/api/admin/register-table/precheck",
			object{"name": "orders", "source_table": "orders.csv", "primary_key": nil, "where_filters": nil},
			200,
			`{"ok":true,"table":{"name":"orders","source_type":null,"bucket":null,"source_table":"orders.csv","rows":null,"size_bytes":null,"columns":[],"note":"`,
		},
		{"bad", http.MethodPost, "/api/admin/register-table/precheck", object{"name": "orders", "source_type": "keboola"}, 422, "not configured"},
	})
	if tables, err := s.store.ListTables(t.Context()); err != nil || len(tables) != 0 {
		t.Errorf("a check registered %v, %v", tables, err)
	}
}

func TestUnregisterTable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustGrant("orders")
	s.as(s.admin, http.MethodDelete, "/api/admin/registry/orders", nil).is(http.StatusNoContent)
	s.as(s.admin, http.MethodDelete, "/api/admin/registry/orders", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodDelete, "/api/admin/registry/a%20b", nil).is(http.StatusNotFound)
	if got := s.as(s.admin, http.MethodGet, "/api/admin/grants", nil).list(); len(got) != 0 {
		t.Errorf("its grants stayed: %v", got)
	}
	s.as(s.analyst, http.MethodGet, "/api/data/orders/download", nil).is(http.StatusForbidden)
}

func TestRegistryNamesTheLastError(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil)
	s.as(s.admin, http.MethodPost, "/api/sync/trigger", `["orders"]`).is(200)
	r, err := s.store.ClaimRun(t.Context())
	must(t, err)
	at := s.clock.now()
	r.State, r.Code, r.Message, r.FinishedAt = "failed", "file_missing", "The file orders.csv is not there.", &at
	must(t, s.store.FinishRun(t.Context(), r))
	row := s.as(s.admin, http.MethodGet, "/api/admin/registry", nil).is(200)["tables"].([]any)[0].(map[string]any)
	if row["last_sync_error"] != "The file orders.csv is not there." {
		t.Errorf("row %v", row)
	}
	entry := s.as(s.admin, http.MethodGet, "/api/sync/manifest", nil).is(200)["tables"].(map[string]any)["orders"].(map[string]any)
	if entry["hash"] != nil || entry["rows"] != nil || entry["size_bytes"] != nil {
		t.Errorf("a table that never succeeded: %v", entry)
	}
}
