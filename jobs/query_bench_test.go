//go:build duckdb_arrow

package jobs

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"agnes/domain/query"
)

const (
	benchRows      = "SELECT range AS id, range % 50 AS kind, random() * 100 AS amount FROM range(3000000)"
	benchAggregate = "SELECT kind, count(*) AS n, sum(amount) AS total FROM orders GROUP BY kind ORDER BY total DESC LIMIT 10"
)

// BenchmarkSmallAggregate compares an aggregate through a query child with the
// same in a warm DuckDB of this process. Budget: at most 1.5 times and 5 ms.
func BenchmarkSmallAggregate(b *testing.B) {
	p, c := newPool(b, PoolConfig{Limits: Limits{MemoryBytes: 1 << 30, Threads: 2}}, map[string]string{"orders": benchRows})
	b.Run("child", func(b *testing.B) {
		for b.Loop() {
			if rows, _, err := p.answer(context.Background(), c, benchAggregate, 1000); err != nil || len(rows) != 10 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("in_process", func(b *testing.B) {
		db, err := sql.Open("duckdb", "?threads=2&memory_limit=1GB")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		file := filepath.Join(p.supervisor.cfg.DataDir, "orders.parquet")
		if _, err := db.ExecContext(b.Context(), "CREATE VIEW orders AS SELECT * FROM read_parquet('"+file+"')"); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			scanAggregate(b, db)
		}
	})
}

func scanAggregate(b *testing.B, db *sql.DB) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), benchAggregate)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, n int64
		var total float64
		if err := rows.Scan(&kind, &n, &total); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOverhead is what the way through a child costs by itself.
func BenchmarkOverhead(b *testing.B) {
	p, c := newPool(b, PoolConfig{}, nil)
	for b.Loop() {
		if _, _, err := p.answer(context.Background(), c, "SELECT 1", 10); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStream reads ten million rows of three columns through a child.
func BenchmarkStream(b *testing.B) {
	p, c := newPool(b, PoolConfig{Limits: Limits{MemoryBytes: 1 << 30, Threads: 2}}, map[string]string{"orders": benchRows})
	for b.Loop() {
		result, err := p.Start(context.Background(), c, query.Statement{SQL: "SELECT * FROM orders UNION ALL FROM orders UNION ALL FROM orders"})
		if err != nil {
			b.Fatal(err)
		}
		var rows int64
		for {
			batch, err := result.Next(context.Background())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.NumRows()
			batch.Release()
		}
		if err := result.Close(); err != nil || rows != 9000000 {
			b.Fatal(rows, err)
		}
		b.SetBytes(rows * 24)
	}
}
