//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"agnes/domain/work"
)

// TestViewsAreMadeWhenTheyAreMentioned holds many tables of which few exist:
// only those that a statement mentions are opened.
func TestViewsAreMadeWhenTheyAreMentioned(t *testing.T) {
	queryWorld(t)
	tables := []work.QueryTable{{Name: "orders", Keys: []string{"orders.parquet"}}, {Name: "both", Keys: []string{"orders.parquet", "orders.parquet"}}}
	for i := range 1000 {
		tables = append(tables, work.QueryTable{Name: fmt.Sprintf("t%d", i), Keys: []string{fmt.Sprintf("nosuch/%d.parquet", i)}})
	}
	e := heldEngine(t, tables...)
	views := func() string {
		t.Helper()
		names, err := e.texts("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(names, " ")
	}
	if got := views(); got != "" {
		t.Errorf("before any statement the views %q exist", got)
	}
	for _, step := range []struct{ sql, views string }{
		{"SELECT 1", ""}, {"SELECT count(*) FROM ORDERS", "orders"}, {"SELECT 't1', t2 FROM (SELECT 'both' AS t2)", "both orders"}, {`FROM "both" LIMIT 1`, "both orders"},
	} {
		if _, _, err := e.ask(t, step.sql, 1); err != nil {
			t.Errorf("%s: %v", step.sql, err)
		}
		if got := views(); got != step.views {
			t.Errorf("after %s the views %q exist, want %q", step.sql, got, step.views)
		}
	}
	_, _, err := e.ask(t, "SELECT * FROM t1", 0)
	if got := failureOf(t, err).Code; got != "table_unreadable" {
		t.Errorf("a table without its file: %s, want table_unreadable", got)
	}
	rows, _, err := e.ask(t, "SELECT count(*) FROM \"both\"", 0)
	if err != nil || rows.values[0][0] != "10000" {
		t.Errorf("a table of two files: %v, %v", rows.values, err)
	}
}

// TestTableNamesCannotLeaveTheScratchFolder: a name is a link's name too.
func TestTableNamesCannotLeaveTheScratchFolder(t *testing.T) {
	queryWorld(t)
	for _, name := range []string{"../orders", "/tmp/x", "..", ""} {
		_, err := holdTables(work.QueryConfig{DataDir: "..", Tables: []work.QueryTable{{Name: name, Keys: []string{"orders.parquet"}}}}, t.TempDir())
		if err == nil {
			t.Errorf("a table of the name %q was held", name)
		}
	}
}

func TestPlansNameTables(t *testing.T) {
	queryWorld(t)
	if err := os.MkdirAll("../versions/files", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("../orders.parquet", "../versions/files/orders.qzxw.parquet"); err != nil {
		t.Fatal(err)
	}
	e := heldEngine(t, work.QueryTable{Name: "sales", Keys: []string{"versions/files/orders.qzxw.parquet"}})
	for _, sql := range []string{
		"EXPLAIN FROM sales", "EXPLAIN ANALYZE FROM sales", "EXPLAIN (FORMAT json) FROM sales", "EXPLAIN (ANALYZE, FORMAT json) FROM sales", "EXPLAIN (FORMAT html) FROM sales",
		"EXPLAIN (FORMAT graphviz) FROM sales", "EXPLAIN ANALYZE PIVOT sales ON customer USING sum(amount)", "EXPLAIN ANALYZE SELECT id::BIT FROM sales ORDER BY id LIMIT 3",
		"EXPLAIN SELECT max(id) FROM sales WHERE customer = 'a' UNION ALL SELECT 1",
	} {
		rows, _, err := e.ask(t, sql, 0)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		shown := strings.Join(strings.Fields(strings.ReplaceAll(toText(rows, nil), "│", "")), "")
		if strings.Contains(shown, "qzxw") || strings.Contains(shown, "versions") || strings.Contains(shown, "scratch") {
			t.Errorf("%s shows a key or a place:\n%s", sql, toText(rows, nil))
		}
	}
}
