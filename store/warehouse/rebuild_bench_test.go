package warehouse

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"agnes/domain/work"
)

// manyTables makes a source of n tables, each with a small file of its own name.
func manyTables(tb testing.TB, s *Store, n int) work.RebuildSource {
	tb.Helper()
	one := filepath.Join(s.dir, "one.parquet")
	mustExec(tb, "COPY (SELECT i AS id, 'order ' || i AS name, i * 1.5 AS price, DATE '2026-11-22' AS day FROM range(100) AS t(i)) TO "+
		quoteLiteral(one)+" (FORMAT parquet)")
	info, err := os.Stat(one)
	if err != nil {
		tb.Fatal(err)
	}
	source := work.RebuildSource{Name: "files", Owned: true, Tables: make([]work.RebuildTable, n)}
	for i := range source.Tables {
		name := "table_" + strconv.Itoa(i)
		key := fmt.Sprintf("versions/files/%s/v1.parquet", name)
		file := filepath.Join(s.dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			tb.Fatal(err)
		}
		if err := os.Link(one, file); err != nil {
			tb.Fatal(err)
		}
		source.Tables[i] = work.RebuildTable{
			Name: name, Description: "Table " + name, Rows: 100, Bytes: info.Size(), QueryMode: "local",
			ExtractedAt: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Keys: []string{key}, Sizes: []int64{info.Size()},
		}
	}
	return source
}

// BenchmarkRebuild measures the body of the rebuild child: everything new (all),
// one table with a new version (one), and nothing new (none).
func BenchmarkRebuild(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		for _, what := range []string{"all", "one", "none"} {
			b.Run(fmt.Sprintf("%d/%s", n, what), func(b *testing.B) { benchmarkRebuild(b, n, what) })
		}
	}
}

func benchmarkRebuild(b *testing.B, n int, what string) {
	b.Helper()
	budget := work.Budget{MemoryBytes: 1 << 30, Threads: 2, ScratchKey: "scratch/bench"}
	s, err := NewStore(b.TempDir(), budget, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	source := manyTables(b, s, n)
	rebuild := func() work.Rebuilt {
		out, err := s.Rebuild(b.Context(), []work.RebuildSource{source}, nil)
		if err != nil || out.Views != n || len(out.Problems) > 0 {
			b.Fatalf("rebuilt %d views, %d problems, %v", out.Views, len(out.Problems), err)
		}
		return out
	}
	if what != "all" {
		rebuild()
	}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		switch what {
		case "all":
			forget(b, s)
		case "one":
			source.Tables[i%n].Rows++
			source.Tables[i%n].Keys = source.Tables[(i+1)%n].Keys
		}
		b.StartTimer()
		if out := rebuild(); out.Unchanged != (what == "none") {
			b.Fatalf("unchanged: %t", out.Unchanged)
		}
	}
}

// forget removes what was published, so that all of it is made again.
func forget(tb testing.TB, s *Store) {
	tb.Helper()
	for _, dir := range []string{analyticsDir, extractsDir} {
		if err := os.RemoveAll(filepath.Join(s.dir, dir)); err != nil {
			tb.Fatal(err)
		}
	}
}
