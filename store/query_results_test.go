package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// mustQuery records a query that ended well, with rows kept in a file of so many bytes.
func mustQuery(t *testing.T, s *Store, c *clock, by people.UserID, id string, bytes int64) query.Record {
	t.Helper()
	r := query.Record{
		ID: id, By: access.Principal{UserID: by, Email: string(by) + "@example.com"}, Origin: query.FromConsole, SQL: "SELECT " + id, State: query.Running,
		Tables: []string{"orders", "items"}, MaxRows: 9, StartedAt: c.Now(),
	}
	if err := s.StartQuery(t.Context(), r, query.PersonLimits{}); err != nil {
		t.Fatal(err)
	}
	end := c.Now()
	r.State, r.Rows, r.Bytes, r.More, r.FinishedAt = query.OK, 5, 40, true, &end
	r.Columns = []registry.Column{{Name: "n", Type: "BIGINT"}}
	if bytes > 0 {
		r.Kept, r.Stored = query.KeptWhole, &query.Stored{Bytes: bytes, Batches: []int64{2, 3}, Pieces: []query.Piece{{End: 9, Sum: 1 << 31}}}
	}
	if err := s.FinishQuery(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeptRunsAreReadAsTheyWere(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	want := mustQuery(t, s, c, "ada", "q1", 100)
	got := must[query.Record](t)(s.GetQueryRun(t.Context(), "ada", "q1"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err := s.GetQueryRun(t.Context(), "bob", "q1")
	wantError(t, "somebody else's", err, domain.NotFound, "query_not_found")
	wantError(t, "to forget somebody else's", s.ForgetQueryRun(t.Context(), "bob", "q1"), domain.NotFound, "query_not_found")
	entries := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))
	if e := entries[0]; e.Resource != "table:orders" || fmt.Sprint(e.Params["tables"]) != "[orders items]" || e.Params["bytes_returned"] != 40.0 || e.Params["outcome"] != "ok" {
		t.Errorf("audit %s %v", e.Resource, e.Params)
	}
	if err := s.ForgetQueryRun(t.Context(), "ada", "q1"); err != nil {
		t.Fatal(err)
	}
	if kept := must[map[string]struct{}](t)(s.KeptResults(t.Context())); len(kept) != 0 {
		t.Errorf("a forgotten run keeps %v", kept)
	}
	if err := s.StartQuery(t.Context(), query.Record{ID: "live", By: want.By, State: query.Running, StartedAt: c.Now()}, query.PersonLimits{}); err != nil {
		t.Fatal(err)
	}
	wantError(t, "to forget a run under way", s.ForgetQueryRun(t.Context(), "ada", "live"), domain.Conflict, "query_running")
}

func TestEvictAndExpire(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	for i := range 5 {
		mustQuery(t, s, c, "ada", fmt.Sprint("q", i), 100)
		c.advance(time.Hour)
	}
	mustQuery(t, s, c, "bob", "b0", 1000)
	for _, tt := range []struct {
		bytes   int64
		results int
		want    string
	}{{0, 0, ""}, {500, 5, ""}, {399, 0, "q0 q1"}, {0, 2, "q2"}, {300, 9, ""}} {
		if got := strings.Join(must[[]string](t)(s.EvictResults(t.Context(), "ada", tt.bytes, tt.results)), " "); got != tt.want {
			t.Errorf("within %d bytes and %d results: %q, want %q", tt.bytes, tt.results, got, tt.want)
		}
	}
	if r := must[query.Record](t)(s.GetQueryRun(t.Context(), "ada", "q0")); r.Kept != query.KeptEvicted || r.Stored != nil {
		t.Errorf("evicted: %+v", r)
	}
	if got := must[[]string](t)(s.ExpireResults(t.Context(), c.Now().Add(-90*time.Minute))); strings.Join(got, " ") != "q3" {
		t.Errorf("expired %v", got)
	}
	if err := s.LoseResult(t.Context(), "q4"); err != nil {
		t.Fatal(err)
	}
	if r := must[query.Record](t)(s.GetQueryRun(t.Context(), "ada", "q4")); r.Kept != query.KeptLost {
		t.Errorf("lost: %s", r.Kept)
	}
	if kept := must[map[string]struct{}](t)(s.KeptResults(t.Context())); len(kept) != 1 {
		t.Errorf("left %v", kept)
	}
}

func TestHistoryInPages(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	for i := range 7 {
		mustQuery(t, s, c, "ada", fmt.Sprint("q", i), int64(i%2)*10)
		if i%2 == 1 {
			c.advance(time.Second)
		}
	}
	mustQuery(t, s, c, "bob", "b0", 0)
	seen, after := "", ""
	for {
		page := must[[]query.Record](t)(s.QueryHistory(t.Context(), query.HistoryFilter{By: "ada", After: after, Limit: 2}))
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			seen += r.ID + " "
		}
		after = page[len(page)-1].ID
	}
	if seen != "q6 q5 q4 q3 q2 q1 q0 " {
		t.Errorf("pages showed %s", seen)
	}
	for _, tt := range []struct {
		filter query.HistoryFilter
		want   int
	}{
		{query.HistoryFilter{Kept: true}, 3},
		{query.HistoryFilter{Text: "select Q3"}, 1},
		{query.HistoryFilter{Text: "_"}, 0},
		{query.HistoryFilter{State: query.OK, Origin: query.FromConsole}, 7},
		{query.HistoryFilter{State: query.Failed}, 0},
		{query.HistoryFilter{After: "b0"}, 7},
	} {
		tt.filter.By = "ada"
		if got := must[[]query.Record](t)(s.QueryHistory(t.Context(), tt.filter)); len(got) != tt.want {
			t.Errorf("%+v: %d runs, want %d", tt.filter, len(got), tt.want)
		}
	}
}

// The limits are counted in the state: a new process holds people to them too.
func TestLimitsOutliveARestart(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	r := mustQuery(t, s, c, "ada", "q1", 0)
	mustQuery(t, s, c, "ada", "q2", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	if u := must[query.Usage](t)(s.QueryUsage(t.Context(), "ada", c.Now())); u != (query.Usage{Queries: 2, Rows: 10, Bytes: 80}) {
		t.Errorf("usage %+v", u)
	}
	start := func(id string, by people.UserID, l query.PersonLimits) *query.LimitError {
		t.Helper()
		err := s.StartQuery(t.Context(), query.Record{ID: id, By: access.Principal{UserID: by}, State: query.Running, StartedAt: c.Now()}, l)
		var limit *query.LimitError
		if err != nil && !errors.As(err, &limit) {
			t.Fatal(err)
		}
		return limit
	}
	if l := start("a", "ada", query.PersonLimits{DailyBytes: 80}); l == nil || l.Current != 80 || l.RetryAfter <= 0 {
		t.Errorf("daily: %+v", l)
	}
	if l := start("b", "bob", query.PersonLimits{DailyBytes: 80, Concurrent: 1}); l != nil {
		t.Errorf("somebody else: %+v", l)
	}
	if l := start("c", "ada", query.PersonLimits{DailyBytes: 81, Concurrent: 1}); l != nil {
		t.Errorf("within: %+v", l)
	}
	if l := start("d", "ada", query.PersonLimits{Concurrent: 1}); l == nil || l.Kind != query.LimitConcurrent {
		t.Errorf("concurrent: %+v", l)
	}
	if l := start("e", "", query.PersonLimits{Concurrent: 1, DailyBytes: 1}); l != nil {
		t.Errorf("Agnes itself: %+v", l)
	}
	c.advance(24 * time.Hour)
	if l := start("f", "ada", query.PersonLimits{DailyBytes: 1}); l != nil {
		t.Errorf("the next day: %+v", l)
	}
	if err := s.SweepUsage(t.Context(), r.StartedAt.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if u := must[query.Usage](t)(s.QueryUsage(t.Context(), "ada", r.StartedAt)); u.Queries != 0 {
		t.Errorf("swept usage %+v", u)
	}
}
