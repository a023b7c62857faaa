package warehouse

import (
	"fmt"
	"path/filepath"
	"testing"

	"agnes/domain/files"
)

// BenchmarkConvertCSV compares the default way of a CSV file with DuckDB's own
// COPY of the same file in an instance of the same budget.
func BenchmarkConvertCSV(b *testing.B) {
	s := newTestStore(b)
	mustWrite(b, s, "files/x", "")
	in := mustPath(b, s, "files/in.csv")
	mustExec(b, "COPY (SELECT i AS id, 'customer ' || (i % 977) AS name, i * 0.37 AS amount, DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day FROM range(3000000) AS r(i)) TO "+
		quoteLiteral(in)+" (FORMAT csv, HEADER)")
	b.Run("copy", func(b *testing.B) {
		for n := range b.N {
			db, err := s.Open(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := db.ExecContext(b.Context(), "COPY (FROM read_csv("+quoteFile(in)+")) TO "+
				quoteLiteral(filepath.Join(s.dir, fmt.Sprintf("copy-%d.parquet", n)))+" (FORMAT parquet, COMPRESSION zstd)"); err != nil {
				b.Fatal(err)
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("convert", func(b *testing.B) {
		for n := range b.N {
			db, err := s.locked(b.Context(), in, filepath.Join(s.dir, fmt.Sprintf("convert-%d.parquet", n)))
			if err != nil {
				b.Fatal(err)
			}
			r, err := s.prepare(b.Context(), "files/in.csv", files.CSV, files.Options{}, 0)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.convert(b.Context(), db, r, filepath.Join(s.dir, fmt.Sprintf("convert-%d.parquet", n)), nil); err != nil {
				b.Fatal(err)
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
