//go:build duckdb_arrow

package jobs

import (
	"context"
	"fmt"
	"testing"

	"agnes/domain/access"
)

// BenchmarkColdChild is a statement that needs a new child: started for it, or
// started ahead, over one granted table and over ten thousand.
func BenchmarkColdChild(b *testing.B) {
	for _, spares := range []int{0, 1} {
		for _, granted := range []int{1, 10_000} {
			b.Run(fmt.Sprintf("spares=%d/granted=%d", spares, granted), func(b *testing.B) {
				p, one := newPool(b, PoolConfig{MaxQueries: 1, Spares: spares}, map[string]string{"orders": ordersSQL})
				tables := one.Tables()
				for i := range granted - 1 {
					tables = append(tables, publishedTable(fmt.Sprint("t", i), fmt.Sprintf("t%d.parquet", i)))
				}
				c := access.NewCatalog(tables)
				for b.Loop() {
					if rows, _, err := p.answer(context.Background(), c, "SELECT count(*) FROM orders", 10); err != nil || len(rows) != 1 {
						b.Fatal(rows, err)
					}
					b.StopTimer()
					until(func() bool { s := p.Stats(); return s.Children == 0 && s.Spares == spares })
					b.StartTimer()
				}
			})
		}
	}
}
