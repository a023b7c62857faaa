package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// BenchmarkConvertCSV compares the whole way of a CSV file (guess, convert, read
// back, hash, flush, compare with the disk, publish) with DuckDB's own COPY of the
// same file in an instance of the same budget, which does none of the latter.
// Both run in turns, so that whatever else the machine does slows both. xCOPY is
// COPY's time by ours: 1 is as fast, and 0.9 is what is promised.
func BenchmarkConvertCSV(b *testing.B) {
	s := newTestStore(b)
	s.budget.MemoryBytes = 1 << 30
	mustWrite(b, s, "files/x", "")
	in := mustPath(b, s, "files/in.csv")
	mustExec(b, "COPY (SELECT i AS id, 'customer ' || (i % 977) AS name, i * 0.37 AS amount, DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day FROM range(3000000) AS r(i)) TO "+
		quoteLiteral(in)+" (FORMAT csv, HEADER)")
	var copying, converting time.Duration
	round := func(n int) {
		start := b.Elapsed()
		copyCSV(b, s, in, filepath.Join(s.dir, fmt.Sprintf("copy-%d.parquet", n)))
		half := b.Elapsed()
		to := Target{"files", "t", registry.VersionID(fmt.Sprintf("v%d", n))}
		if _, err := s.Convert(b.Context(), "files/in.csv", files.CSV, to, nil); err != nil {
			b.Fatal(err)
		}
		copying, converting = copying+half-start, converting+b.Elapsed()-half
	}
	n := 0
	round(n) // warm: the file is in memory for both
	copying, converting = 0, 0
	b.ResetTimer()
	for b.Loop() {
		n++
		round(n)
	}
	b.ReportMetric(float64(copying)/float64(converting), "xCOPY")
	b.ReportMetric(copying.Seconds()/float64(b.N), "s/COPY")
	b.ReportMetric(converting.Seconds()/float64(b.N), "s/convert")
}

// copyCSV is what anybody would type.
func copyCSV(b *testing.B, s *Store, from, to string) {
	b.Helper()
	db, err := s.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), "COPY (FROM read_csv("+quoteFile(from)+")) TO "+quoteLiteral(to)+" (FORMAT parquet, COMPRESSION zstd)"); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Remove(to); err != nil {
		b.Fatal(err)
	}
}
