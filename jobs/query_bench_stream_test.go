//go:build duckdb_arrow

package jobs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sys/unix"

	"agnes/domain/access"
	"agnes/domain/query"
)

// BenchmarkStreamTen streams ten million rows of six columns. Budget: at least
// 0.8 of the speed of the driver's own Arrow stream, child at most 300 MB,
// parent at most 50 MB more. Each of the four ways is run in turn:
//
//	ipc      the rows written on as an Arrow IPC stream, as a client gets them
//	batches  the rows as batches in memory, where the driver has them without
//	         any encoding and the child's went through a socket
//
// The figures of processor time do not depend on what else the machine does.
func BenchmarkStreamTen(b *testing.B) {
	p, c := newPool(b, PoolConfig{Limits: Limits{Children: 1, MemoryBytes: 256 << 20, Threads: 2}}, map[string]string{"wide": benchWide})
	db := warmDuckDB(b, p, "wide")
	readPool(b, p, c, query.Statement{SQL: "SELECT count(*) FROM wide"})
	const text = "SELECT * FROM wide"
	var child, own, childBatches, ownBatches timed
	var more int64
	for b.Loop() {
		runtime.GC()
		peak := watchMemory(b)
		child.run(b, func() { poolArrow(b, p, c, text, true) })
		more = max(more, peak())
		own.run(b, func() { driverArrow(b, db, text, true) })
		childBatches.run(b, func() { poolArrow(b, p, c, text, false) })
		ownBatches.run(b, func() { driverArrow(b, db, text, false) })
	}
	b.ReportMetric(10/middle(child.wall, 50).Seconds(), "ipc-Mrows/s")
	b.ReportMetric(10/middle(own.wall, 50).Seconds(), "ipc-driver-Mrows/s")
	b.ReportMetric(child.speed(&own), "ipc-ratio")
	b.ReportMetric(middle(child.cpu, 50).Seconds(), "ipc-cpu-s")
	b.ReportMetric(middle(own.cpu, 50).Seconds(), "ipc-driver-cpu-s")
	b.ReportMetric(childBatches.speed(&ownBatches), "batches-ratio")
	b.ReportMetric(middle(childBatches.cpu, 50).Seconds(), "batches-cpu-s")
	b.ReportMetric(middle(ownBatches.cpu, 50).Seconds(), "batches-driver-cpu-s")
	b.ReportMetric(float64(more)/1024, "parent-MB-more")
	b.ReportMetric(float64(childPeak(b))/1024, "child-MB-peak")
}

// timed holds what runs took, by the clock and of the processors.
type timed struct{ wall, cpu []time.Duration }

func (t *timed) run(b *testing.B, f func()) {
	b.Helper()
	cpu, began := processorTime(b), time.Now()
	f()
	t.wall, t.cpu = append(t.wall, time.Since(began)), append(t.cpu, processorTime(b)-cpu)
}

// speed is how fast this was as a share of the other.
func (t *timed) speed(other *timed) float64 {
	return float64(middle(other.wall, 50)) / float64(middle(t.wall, 50))
}

// poolArrow reads a statement through a child, and writes it on where asked to.
func poolArrow(b *testing.B, p *QueryPool, c access.Catalog, text string, on bool) {
	b.Helper()
	result, err := p.Start(context.Background(), c, query.Statement{SQL: text})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = result.Close() }()
	out := &onward{on: on}
	for {
		batch, err := result.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		out.take(b, batch)
		query.Spent(batch) // as an export does; the driver's memory serves again too
	}
	out.end(b)
}

// driverArrow reads a statement as the driver's own Arrow stream.
func driverArrow(b *testing.B, db *sql.DB, text string, on bool) {
	b.Helper()
	conn, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	out := &onward{on: on}
	err = conn.Raw(func(c any) error {
		engine, err := duckdb.NewArrowFromConn(c.(driver.Conn))
		if err != nil {
			return err
		}
		reader, err := engine.QueryContext(b.Context(), text)
		if err != nil {
			return err
		}
		defer reader.Release()
		for reader.Next() {
			out.take(b, reader.RecordBatch())
		}
		return reader.Err()
	})
	if err != nil {
		b.Fatal(err)
	}
	out.end(b)
}

// onward counts rows, and writes them as an Arrow IPC stream to nowhere.
type onward struct {
	on   bool
	rows int64
	w    *ipc.Writer
}

func (o *onward) take(b *testing.B, batch arrow.RecordBatch) {
	b.Helper()
	o.rows += batch.NumRows()
	if !o.on {
		return
	}
	if o.w == nil {
		o.w = ipc.NewWriter(io.Discard, ipc.WithSchema(batch.Schema()))
	}
	if err := o.w.Write(batch); err != nil {
		b.Fatal(err)
	}
}

func (o *onward) end(b *testing.B) {
	b.Helper()
	if o.rows != 10_000_000 {
		b.Fatal(o.rows)
	}
	if o.w != nil {
		if err := o.w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// processorTime is what this process and its children have used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var own unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	total := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, pid := range children(b) {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it ended
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		for _, field := range fields[11:13] { // in hundredths of a second
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total
}

// watchMemory looks at this process's memory until it is asked by how much it
// grew at most, in kB.
func watchMemory(b *testing.B) func() int64 {
	b.Helper()
	before := statusKB(b, os.Getpid(), "VmRSS")
	var most atomic.Int64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(10 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				most.Store(max(most.Load(), statusKB(b, os.Getpid(), "VmRSS")-before))
			case <-done:
				return
			}
		}
	}()
	return func() int64 { close(done); <-ended; return most.Load() }
}

// childPeak is the most that a child of this process ever held, in kB.
func childPeak(b *testing.B) (peak int64) {
	b.Helper()
	for _, pid := range children(b) {
		peak = max(peak, statusKB(b, pid, "VmHWM"))
	}
	return peak
}

// children are the processes that this one started.
func children(b *testing.B) (pids []int) {
	b.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		b.Fatal(err)
	}
	for _, file := range tasks {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		for word := range strings.FieldsSeq(string(data)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// statusKB reads one figure of a process's status; 0 when the process is gone.
func statusKB(b *testing.B, pid int, key string) int64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, found := strings.Cut(string(data), key+":")
	if !found {
		return 0
	}
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
