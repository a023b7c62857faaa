package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/query"
)

// The list of a person's queries ends somewhere; the audit log does not.
func TestPruneQueryRuns(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	old := mustQuery(t, s, c, "ada", "old", 100)
	if err := s.StartQuery(t.Context(), query.Record{ID: "live", By: old.By, State: query.Running, StartedAt: c.Now()}, query.PersonLimits{}); err != nil {
		t.Fatal(err)
	}
	for i := range sweptAtOnce {
		mustQuery(t, s, c, "bob", fmt.Sprint("b", i), 0)
	}
	before := c.Now()
	c.advance(time.Hour)
	mustQuery(t, s, c, "ada", "new", 100)
	if gone := must[[]string](t)(s.PruneQueryRuns(t.Context(), *old.FinishedAt)); len(gone) != 0 {
		t.Errorf("runs of exactly their age went: %v", gone)
	}
	rows := len(must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0)))
	first := must[[]string](t)(s.PruneQueryRuns(t.Context(), before))
	second := must[[]string](t)(s.PruneQueryRuns(t.Context(), before))
	third := must[[]string](t)(s.PruneQueryRuns(t.Context(), before))
	if len(first) != sweptAtOnce || len(second) != 1 || len(third) != 0 {
		t.Errorf("portions of %d, %d, %d", len(first), len(second), len(third))
	}
	left := must[[]query.Record](t)(s.QueryHistory(t.Context(), query.HistoryFilter{By: "ada"}))
	if len(left) != 2 || left[0].ID != "new" || left[1].ID != "live" {
		t.Errorf("left %d runs", len(left))
	}
	if kept := must[map[string]struct{}](t)(s.KeptResults(t.Context())); len(kept) != 1 {
		t.Errorf("their rows are kept: %v", kept)
	}
	if after := len(must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0))); after != rows {
		t.Errorf("the audit log went from %d to %d rows", rows, after)
	}
}

// A limit is reached with the byte that fills it, and counted across a restart.
func TestLimitsAtTheirEdges(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	start := func(id string, l query.PersonLimits) error {
		return s.StartQuery(t.Context(), query.Record{ID: id, By: access.Principal{UserID: "ada"}, State: query.Running, StartedAt: c.Now()}, l)
	}
	finish := func(id string, state query.State, bytes int64) {
		t.Helper()
		end := c.Now()
		r := query.Record{ID: id, By: access.Principal{UserID: "ada"}, State: state, Bytes: bytes, StartedAt: end, FinishedAt: &end}
		if err := s.FinishQuery(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	two := query.PersonLimits{Concurrent: 2, DailyBytes: 100}
	for _, id := range []string{"a", "b"} {
		if err := start(id, two); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, "the third at once", start("c", two), domain.Limited, "concurrent_slot_exceeded")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	finish("a", query.OK, 99)
	if err := start("d", two); err != nil {
		t.Errorf("99 of 100 bytes: %v", err)
	}
	finish("b", query.Failed, 1)
	wantError(t, "exactly the limit", start("e", two), domain.Limited, "daily_byte_cap_exceeded")
	if err := start("f", query.PersonLimits{Concurrent: 2, DailyBytes: 101}); err != nil {
		t.Errorf("one byte below: %v", err)
	}
	// What a query returns counts on the day on which it ends.
	c.advance(24 * time.Hour)
	finish("d", query.Cancelled, 100)
	wantError(t, "the next day", start("g", two), domain.Limited, "daily_byte_cap_exceeded")
	finish("f", query.OK, 0)
	if u := must[query.Usage](t)(s.QueryUsage(t.Context(), "ada", c.Now())); u.Queries != 2 || u.Bytes != 100 {
		t.Errorf("usage %+v", u)
	}
}

// Results at the edge of a quota stay, and the newest goes only when it is too large alone.
func TestQuotasAtTheirEdges(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	for i := range 3 { // at one moment: their ids decide
		mustQuery(t, s, c, "ada", fmt.Sprint("q", i), 100)
	}
	for _, tt := range []struct {
		bytes   int64
		results int
		want    string
	}{{300, 3, ""}, {299, 0, "q0"}, {200, 2, ""}, {0, 1, "q1"}, {100, 1, ""}, {99, 0, "q2"}, {1, 1, ""}} {
		if got := strings.Join(must[[]string](t)(s.EvictResults(t.Context(), "ada", tt.bytes, tt.results)), " "); got != tt.want {
			t.Errorf("within %d bytes and %d results: %q, want %q", tt.bytes, tt.results, got, tt.want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, o)
	}
}
