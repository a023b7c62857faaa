//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"testing"

	"agnes/domain/work"
)

// BenchmarkQueryEngineStart measures what a child does between its
// configuration and its first answer, but for the process and its sandbox.
func BenchmarkQueryEngineStart(b *testing.B) {
	for _, held := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(held, "_tables_held"), func(b *testing.B) {
			world := worldOf(b, held)
			for b.Loop() {
				b.Chdir(b.TempDir())
				e := holding(b, world)
				if _, err := e.run(nil, work.QueryJob{SQL: "SELECT count(*) FROM t0"}, &collected{}); err != nil {
					b.Fatal(err)
				}
				e.close()
			}
		})
	}
}

// BenchmarkGate measures what the gate costs per statement: parsing, the walk
// through the tree, the transaction.
func BenchmarkGate(b *testing.B) {
	b.Chdir(b.TempDir())
	e := holding(b, worldOf(b, 10))
	for _, sql := range []string{"SELECT 1", "SELECT count(*) FROM t0 a JOIN t1 b USING (id) WHERE a.id > 3 GROUP BY ALL ORDER BY ALL"} {
		b.Run(fmt.Sprint(len(sql), "_letters"), func(b *testing.B) {
			for b.Loop() {
				if _, err := e.admit(nil, work.QueryJob{SQL: sql}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// worldOf is a data directory with that many tables of three rows.
func worldOf(b *testing.B, count int) work.QueryConfig {
	b.Helper()
	cfg := work.QueryConfig{DataDir: b.TempDir(), Budget: work.Budget{MemoryBytes: 256 << 20, Threads: 2}}
	writer := &queryEngine{}
	if err := writer.open(); err != nil {
		b.Fatal(err)
	}
	defer writer.close()
	for i := range count {
		key := fmt.Sprintf("t%d.parquet", i)
		if err := writer.exec("COPY (SELECT range AS id FROM range(3)) TO " + quoteLiteral(cfg.DataDir+"/"+key)); err != nil {
			b.Fatal(err)
		}
		cfg.Tables = append(cfg.Tables, work.QueryTable{Name: fmt.Sprintf("t%d", i), Keys: []string{key}})
	}
	return cfg
}
