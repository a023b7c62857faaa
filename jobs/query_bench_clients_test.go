//go:build duckdb_arrow

package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
)

// The budgets of queries are ratios against the same statement on a warm DuckDB
// of the test process, asked in turn, so that a busy machine slows both.
const (
	benchWide = "SELECT range AS id, range % 50 AS kind, random() * 100 AS amount, 'label ' || range % 1000 AS label, TIMESTAMP '2024-01-01' + range * INTERVAL 1 SECOND AS ts, range % 3 = 0 AS flag FROM range(10000000)"
	benchScan = "SELECT count(*), min(id), max(id), avg(kind), sum(amount), count(DISTINCT label), max(ts), count(*) FILTER (WHERE flag) FROM wide WHERE id % 10 < 3"
)

// warmDuckDB is a DuckDB of this process over the pool's files.
func warmDuckDB(b *testing.B, p *QueryPool, tables ...string) *sql.DB {
	b.Helper()
	db, err := sql.Open("duckdb", "?threads=2&memory_limit=1GB")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(64)
	for _, t := range tables {
		file := filepath.Join(p.supervisor.cfg.DataDir, t+".parquet")
		if _, err := db.ExecContext(b.Context(), "CREATE VIEW "+t+" AS SELECT * FROM read_parquet('"+file+"')"); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

// readSQL reads a statement's rows to the end in the test process.
func readSQL(b *testing.B, db *sql.DB, text string) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), text)
	if err != nil {
		b.Error(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		continue
	}
	if err := rows.Err(); err != nil {
		b.Error(err)
	}
}

// readPool reads a statement's batches to the end through a child and returns its rows.
func readPool(b *testing.B, p *QueryPool, c access.Catalog, st query.Statement) (n int64) {
	b.Helper()
	result, err := p.Start(context.Background(), c, st)
	if err != nil {
		b.Error(err)
		return 0
	}
	for {
		batch, err := result.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Error(err)
			break
		}
		n += batch.NumRows()
		batch.Release()
	}
	if err := result.Close(); err != nil {
		b.Error(err)
	}
	return n
}

// BenchmarkRatios times each statement through a child and in process in turn.
func BenchmarkRatios(b *testing.B) {
	p, c := newPool(b, PoolConfig{Limits: Limits{MemoryBytes: 1 << 30, Threads: 2}}, map[string]string{"orders": benchRows, "wide": benchWide})
	db := warmDuckDB(b, p, "orders", "wide")
	for name, text := range map[string]string{"small_aggregate": benchAggregate, "wide_scan": benchScan, "one": "SELECT 1"} {
		b.Run(name, func(b *testing.B) {
			readPool(b, p, c, query.Statement{SQL: text})
			readSQL(b, db, text)
			var child, own []time.Duration
			for b.Loop() {
				began := time.Now()
				readPool(b, p, c, query.Statement{SQL: text})
				between := time.Now()
				readSQL(b, db, text)
				child, own = append(child, between.Sub(began)), append(own, time.Since(between))
			}
			report(b, child, own)
		})
	}
}

// report shows medians and their ratio.
func report(b *testing.B, child, own []time.Duration) {
	b.Helper()
	x, y := middle(child, 50), middle(own, 50)
	b.ReportMetric(float64(x.Microseconds())/1000, "child-ms")
	b.ReportMetric(float64(y.Microseconds())/1000, "in-process-ms")
	b.ReportMetric(float64(x)/float64(max(y, 1)), "ratio")
}

func middle(times []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

// BenchmarkClients has 64 clients of 16 people ask small aggregates at once.
func BenchmarkClients(b *testing.B) {
	p, c := newPool(b, PoolConfig{Limits: Limits{MemoryBytes: 512 << 20, Threads: 1}}, map[string]string{"orders": benchRows})
	db := warmDuckDB(b, p, "orders")
	text := "SELECT kind, count(*), sum(amount) FROM orders WHERE id < 100000 GROUP BY kind"
	clients := func(ask func(client int)) (times []time.Duration, throughput float64) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		began := time.Now()
		for i := range 64 {
			wg.Go(func() {
				for range 8 {
					at := time.Now()
					ask(i)
					mu.Lock()
					times = append(times, time.Since(at))
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return times, float64(len(times)) / time.Since(began).Seconds()
	}
	for b.Loop() {
		child, perSecond := clients(func(i int) {
			readPool(b, p, c, query.Statement{SQL: text, RunID: "r" + strconv.Itoa(i), By: people.UserID(fmt.Sprint("person", i%16))})
		})
		own, ownPerSecond := clients(func(int) { readSQL(b, db, text) })
		b.ReportMetric(perSecond, "child-q/s")
		b.ReportMetric(ownPerSecond, "in-process-q/s")
		b.ReportMetric(float64(middle(child, 50).Milliseconds()), "child-p50-ms")
		b.ReportMetric(float64(middle(child, 99).Milliseconds()), "child-p99-ms")
		b.ReportMetric(float64(middle(own, 50).Milliseconds()), "in-process-p50-ms")
		b.ReportMetric(float64(middle(own, 99).Milliseconds()), "in-process-p99-ms")
	}
}
