package warehouse

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"agnes/domain/work"
)

// BenchmarkProfile profiles in this process a table of 3 million flights, and
// one of a hundred columns and 200,000 rows. Memory is the engine's budget; the
// child's peak is told by its own process.
func BenchmarkProfile(b *testing.B) {
	flights, err := filepath.Abs("../../node_modules/vega-datasets/data/flights-3m.parquet")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(flights); err != nil {
		b.Skip("the sample data is not installed")
	}
	var columns []string
	for i := range 100 {
		n := strconv.Itoa(i)
		columns = append(columns, []string{
			"(i * 7919 + " + n + ") % 1000003", "random() * " + n, "'value ' || (i * 31 + " + n + ") % 5000", "DATE '2020-01-01' + CAST((i + " + n + ") % 2000 AS INTEGER)",
			"CASE WHEN i % 3 = 0 THEN md5(CAST(i + " + n + " AS VARCHAR)) END",
		}[i%5]+" AS c"+n)
	}
	for name, query := range map[string]string{
		"flights": "SELECT * FROM read_parquet(" + quoteFile(flights) + ")",
		"wide":    "SELECT " + strings.Join(columns, ", ") + " FROM range(200000) r(i)",
	} {
		b.Run(name, func(b *testing.B) {
			s, err := NewStore(b.TempDir(), work.Budget{MemoryBytes: 512 << 20, Threads: 2, ScratchKey: "scratch/bench"}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			job := profileJob(s, mustParquet(b, s, "bench", query))
			for b.Loop() {
				p, err := s.Profile(b.Context(), job)
				if err != nil || p.Incomplete {
					b.Fatalf("incomplete %v, %v", p.Incomplete, err)
				}
			}
		})
	}
}
