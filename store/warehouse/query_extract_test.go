//go:build duckdb_arrow

package warehouse

import (
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/work"
)

// TestTablesOfCustomExtractsAreIsolatedAlike grants one of two tables that lie
// in one extract.duckdb: the version made of it is all that a child opens.
func TestTablesOfCustomExtractsAreIsolatedAlike(t *testing.T) {
	s := newTestStore(t)
	newShop(t, s, metaFor("shop", "('sales','',2,0,now(),'local')", "('wages','',1,0,now(),'local')"),
		"CREATE TABLE shop.sales AS SELECT 7 AS id UNION ALL SELECT 8", "CREATE TABLE shop.wages AS SELECT '"+canary+"' AS word")
	var tables []work.QueryTable
	for _, name := range []string{"sales", "wages"} {
		out, err := s.Snapshot(t.Context(), "shop", name, Target{"shop", name, "v1"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, work.QueryTable{Name: name, Keys: []string{out.Files[0].Key}})
	}
	forbidden := filepath.Join(s.dir, tables[1].Keys[0])
	t.Chdir(t.TempDir())
	e := holding(t, work.QueryConfig{DataDir: s.dir, Budget: work.Budget{MemoryBytes: 64 << 20, Threads: 1}, Tables: tables[:1]})
	if rows, _, err := e.ask(t, "SELECT sum(id) FROM sales", 0); err != nil || rows.values[0][0] != "15" {
		t.Errorf("the granted table: %v, %v", rows.values, err)
	}
	extract := filepath.Join(s.dir, "extracts", "shop", "extract.duckdb")
	for _, sql := range []string{
		"FROM wages", "FROM shop.wages", "FROM shop.main.wages", "FROM '" + extract + "'", "FROM '" + forbidden + "'", "FROM read_duckdb('" + extract + "', table_name := 'wages')",
		"ATTACH '" + extract + "' AS shop", "FROM read_blob('" + extract + "')", "FROM read_parquet('" + forbidden + "')", "FROM _meta", "FROM shop._meta", "FROM query('FROM shop.wages')",
	} {
		rows, _, gated := e.ask(t, sql, 0)
		if gated == nil || strings.Contains(toText(rows, gated), canary) {
			t.Errorf("%s: %s", sql, toText(rows, gated))
		}
		rows, ungated := e.ungated(sql)
		if ungated == nil || strings.Contains(toText(rows, ungated), canary) {
			t.Errorf("%s without the gate: %s", sql, toText(rows, ungated))
		}
	}
}
