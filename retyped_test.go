package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/syncs"
)

// TestAColumnThatParquetCannotHoldAnyMoreObeysThePolicy: a view's intervals stay
// intervals until one of them would lose something, and are text then. That is a
// change of the columns like any other.
func TestAColumnThatParquetCannotHoldAnyMoreObeysThePolicy(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	crm := mustDir(t, i.cfg.Dirs.Data, "extracts", "crm")
	mustDir(t, crm, "data")
	calls := 0
	write := func(days int) syncs.Run {
		t.Helper()
		calls++
		file := filepath.Join(crm, "data", fmt.Sprintf("calls%d.parquet", calls))
		writeExtract(t, crm,
			fmt.Sprintf(`COPY (SELECT %d AS days) TO '%s' (FORMAT parquet)`, days, file),
			fmt.Sprintf(`CREATE VIEW calls AS SELECT INTERVAL (days) DAY AS span FROM read_parquet('%s')`, file),
			metaTable, `INSERT INTO _meta (table_name) VALUES ('calls')`)
		return i.waitFor("calls")["calls"]
	}
	policy := func(word string) {
		t.Helper()
		admin.call(http.MethodPut, "/api/admin/registry/calls", map[string]any{"schema_policy": word}, http.StatusOK, nil)
	}
	want := func(kind string) {
		t.Helper()
		if got := fmt.Sprint(admin.query("SELECT typeof(span) FROM calls").Rows); got != "[["+kind+"]]" {
			t.Errorf("the column is %s, want %s", got, kind)
		}
	}
	if r := write(1); r.State != syncs.OK {
		t.Fatalf("the first sync ended %s: %s", r.State, r.Message)
	}
	want("INTERVAL")

	policy("ask")
	held := write(-1)
	if held.State != syncs.Held || held.Code != "schema_changed" || !strings.Contains(held.Message, "span is VARCHAR instead of INTERVAL") {
		t.Fatalf("when asked, it ended %s %s: %s", held.State, held.Code, held.Message)
	}
	want("INTERVAL")
	if _, page := admin.send(http.MethodGet, "/tables/calls?tab=versions", "", nil); !strings.Contains(string(page), "span is VARCHAR instead of INTERVAL") {
		t.Error("the table's page does not say what would change")
	}

	policy("freeze")
	admin.call(http.MethodPost, "/api/sync/runs/"+held.ID+"/publish", nil, http.StatusConflict, nil)
	want("INTERVAL")

	policy("evolve")
	if r := write(-2); r.State != syncs.OK {
		t.Fatalf("when it may change, it ended %s: %s", r.State, r.Message)
	}
	want("VARCHAR")
	if made := admin.versions("calls")[1].SchemaChanges; made == nil || *made != "span is VARCHAR instead of INTERVAL" {
		t.Errorf("the version that changed the column says %v", made)
	}
}
