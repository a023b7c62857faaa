package store

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"agnes/domain/activity"
	"agnes/domain/audit"
)

// sink counts lines and how much lives in memory while they come.
type sink struct {
	lines, writes int
	bytes, peak   uint64
	fail          error // instead of the second write
}

// Write takes one piece.
func (s *sink) Write(b []byte) (int, error) {
	s.writes++
	if s.fail != nil && s.writes > 1 {
		return 0, s.fail
	}
	s.lines += bytes.Count(b, []byte("\n"))
	s.bytes += uint64(len(b))
	if s.writes%50 == 1 {
		s.peak = max(s.peak, living())
	}
	return len(b), nil
}

// living is what is reachable.
func living() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// An export of 100,000 rows holds a page of them at a time. Not parallel: it
// looks at the memory of the process.
func TestExportIsBounded(t *testing.T) { //nolint:paralleltest // measures the whole process
	const rows = 100_000
	s, now := logOf(t)
	fillAudit(t, s, rows, now)
	log := &activity.Log{Store: s, Now: func() time.Time { return now.Add(time.Hour) }}
	by := audit.Actor{UserID: "u1", Email: "ada@example.com"}
	for _, format := range []activity.Format{activity.CSV, activity.JSONL} {
		out := &sink{}
		before := living()
		if err := log.Export(t.Context(), by, out, format, audit.Filter{Reads: true}.Over(audit.AllTime, now)); err != nil {
			t.Fatal(err)
		}
		want := rows
		if format == activity.CSV {
			want++ // the head
		} else {
			want++ // the row of the export before
		}
		if out.lines != want {
			t.Errorf("%s: %d lines, want %d", format, out.lines, want)
		}
		if grown := int64(out.peak) - int64(before); grown > 8<<20 || out.bytes < 16<<20 {
			t.Errorf("%s: %d bytes of memory more for %d bytes of file", format, grown, out.bytes)
		}
	}
	page, err := s.ListActivity(t.Context(), audit.Filter{Action: "activity.export"}, audit.ListOptions{Limit: 5})
	if err != nil || len(page.Rows) != 2 || page.Rows[0].Params["rows"] != float64(rows+1) {
		t.Errorf("rows of the exports: %+v, %v", page.Rows, err)
	}
}

// An export that breaks off says so in the log.
func TestExportThatBreaksOff(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	fillAudit(t, s, 5000, now)
	log := &activity.Log{Store: s, Now: func() time.Time { return now.Add(time.Hour) }}
	by := audit.Actor{UserID: "u1"}
	gone := errors.New("connection reset")
	if err := log.Export(t.Context(), by, &sink{fail: gone}, activity.CSV, audit.Filter{}); !errors.Is(err, gone) {
		t.Errorf("the reader left: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Export(ctx, by, &sink{}, activity.CSV, audit.Filter{}); err == nil {
		t.Error("an export that was stopped ended well")
	}
	page, err := s.ListActivity(t.Context(), audit.Filter{Action: "activity.export"}, audit.ListOptions{Limit: 5})
	if err != nil || len(page.Rows) != 2 || page.Rows[0].Result != "error.499" || page.Rows[1].Result != "error.499" {
		t.Errorf("rows: %+v, %v", page.Rows, err)
	}
}

// Old rows go in pieces, and the log says how many went.
func TestRetention(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	fillAudit(t, s, 5000, now) // over a year
	log := &activity.Log{Store: s, Now: func() time.Time { return now }}
	if err := log.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := audit.Filter{Reads: true}
	count := func() int64 {
		c, err := s.CountActivity(t.Context(), all, false)
		if err != nil {
			t.Fatal(err)
		}
		return c.Events
	}
	if got := count(); got != 5000 {
		t.Errorf("%d rows, of 5000 that are kept for ever", got)
	}
	log.Retention = 73 * 24 * time.Hour // a fifth of the year
	for range 2 {                       // the second time there is nothing to do
		if err := log.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	page, err := s.ListActivity(t.Context(), audit.Filter{Action: "audit.pruned"}, audit.ListOptions{Limit: 5})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("rows %+v, %v", page.Rows, err)
	}
	row := page.Rows[0]
	if left := count(); row.Params["rows"] != float64(5001-left) || left < 990 || left > 1010 || row.Params["days"] != 73.0 || row.Actor.UserID != "system:retention" {
		t.Errorf("%d rows left, %+v", left, row)
	}
}
