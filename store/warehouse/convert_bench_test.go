package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// BenchmarkConvertCSV compares the whole way of a CSV file (guess, convert, read
// back, hash, flush, compare with the disk, publish) with DuckDB's own COPY of the
// same file in an instance of the same budget, which does none of the latter.
// Both run in turns, so that whatever else the machine does slows both, and the
// medians are compared. xCOPY is COPY's time by ours: 1 is as fast, and 0.9 is
// what is promised. xCOPYsynced is the same for a COPY whose file is flushed.
func BenchmarkConvertCSV(b *testing.B) {
	orders := "SELECT i AS id, 'customer ' || (i %% 977) AS name, i * 0.37 AS amount, DATE '2020-01-01' + CAST(i %% 2000 AS INTEGER) AS day FROM range(%d) AS r(i)"
	for _, shape := range []struct{ name, rows string }{
		{"rows=100k", fmt.Sprintf(orders, 100_000)},
		{"rows=3M", fmt.Sprintf(orders, 3_000_000)},
		{"columns=100", "SELECT " + columnsOf(100, "(i * %d) %% 10007 AS c%[1]d") + " FROM range(1, 200001) AS r(i)"},
		{"texts=12", "SELECT " + columnsOf(12, "'word ' || (i * 7919 %% %d0007) || ' of ' || md5(CAST(i // %[1]d AS VARCHAR)) AS t%[1]d") + " FROM range(400000) AS r(i)"},
		{"rows=10M", fmt.Sprintf("SELECT *, 'a remark about row ' || id AS remark FROM ("+orders+")", 10_000_000)},
	} {
		b.Run(shape.name, func(b *testing.B) { convertBeside(b, shape.rows) })
	}
}

// columnsOf is a list of columns, each made of its number.
func columnsOf(n int, form string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(form, i+1)
	}
	return strings.Join(all, ", ")
}

// convertBeside converts a file of these rows and has COPY do it, in turns.
func convertBeside(b *testing.B, rows string) {
	b.Helper()
	s := newTestStore(b)
	s.budget.MemoryBytes = 1 << 30
	mustWrite(b, s, "files/x", "")
	in := mustPath(b, s, "files/in.csv")
	mustExec(b, "COPY ("+rows+") TO "+quoteLiteral(in)+" (FORMAT csv, HEADER)")
	var copying, flushing, converting []time.Duration
	n := 0
	round := func() {
		n++
		start := b.Elapsed()
		copied := filepath.Join(s.dir, fmt.Sprintf("copy-%d.parquet", n))
		copyCSV(b, s, in, copied)
		done := b.Elapsed()
		if err := syncFile(copied); err != nil {
			b.Fatal(err)
		}
		flushed := b.Elapsed()
		mustRemove(b, copied)
		half := b.Elapsed()
		to := Target{"files", "t", registry.VersionID(fmt.Sprintf("v%d", n))}
		made, err := s.Convert(b.Context(), "files/in.csv", files.CSV, to, nil)
		if err != nil {
			b.Fatal(err)
		}
		copying, flushing, converting = append(copying, done-start), append(flushing, flushed-start), append(converting, b.Elapsed()-half)
		mustRemove(b, mustPath(b, s, made.Files[0].Key))
	}
	b.ResetTimer()
	round() // warm: the file is in memory for both
	copying, flushing, converting = nil, nil, nil
	for b.Loop() {
		round()
	}
	plain, synced, ours := median(copying), median(flushing), median(converting)
	b.ReportMetric(plain/ours, "xCOPY")
	b.ReportMetric(synced/ours, "xCOPYsynced")
	b.ReportMetric(plain*1000, "ms/COPY")
	b.ReportMetric(ours*1000, "ms/convert")
}

func median(of []time.Duration) (seconds float64) {
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]).Seconds() / 2
}

func mustRemove(b *testing.B, file string) {
	b.Helper()
	if err := os.Remove(file); err != nil {
		b.Fatal(err)
	}
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
}
