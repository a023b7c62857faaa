package store

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/query"
)

func TestQueryRuns(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	ada := mustUser(t, s, "ada@example.com")
	p := access.Principal{UserID: ada.ID, Email: ada.Email, Client: audit.Actor{ClientKind: "cli", ClientIP: "192.0.2.1", RequestID: "r9"}}
	sql := "SELECT '" + strings.Repeat("ä", 300) + "'"
	for _, q := range []struct {
		id, code, result string
		state            query.State
	}{
		{"q1", "", "success", query.OK},
		{"q2", "query_error", "error.400", query.Failed},
		{"q3", "", "error.500", query.Failed},
		{"q4", "query_timeout", "error.499", query.Cancelled},
	} {
		r := query.Record{ID: q.id, By: p, Origin: query.FromAPI, SQL: sql, State: query.Running, StartedAt: c.Now()}
		if err := s.StartQuery(t.Context(), r, query.PersonLimits{}); err != nil {
			t.Fatal(err)
		}
		end := r.StartedAt.Add(1500 * time.Millisecond)
		r.State, r.Code, r.Rows, r.FinishedAt = q.state, q.code, 7, &end
		if err := s.FinishQuery(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		e := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
		if e.Action != "query.local" || e.Result != q.result || e.Actor.ClientKind != "cli" || e.Actor.Email != ada.Email || e.DurationMS != 1500 {
			t.Errorf("%s: audit row %+v, want result %s", q.id, e, q.result)
		}
		if preview, ok := e.Params["sql_preview"].(string); !ok || len([]rune(preview)) != 200 || e.Params["rows_returned"] != 7.0 {
			t.Errorf("%s: params %v", q.id, e.Params)
		}
		if billed, there := e.Params["bytes_billed"]; !there || billed != nil {
			t.Errorf("%s: bytes_billed %v", q.id, billed)
		}
	}
	runs := must[[]query.Record](t)(s.ListQueryRuns(t.Context(), ada.ID, 2))
	if len(runs) != 2 || runs[0].ID != "q4" || runs[1].ID != "q3" || runs[0].SQL != sql || runs[0].Duration() != 1500*time.Millisecond {
		t.Errorf("newest two: %+v", runs)
	}
	if others := must[[]query.Record](t)(s.ListQueryRuns(t.Context(), "bob", 0)); len(others) != 0 {
		t.Errorf("somebody else sees %v", others)
	}
	wantError(t, "the end of nothing", s.FinishQuery(t.Context(), query.Record{ID: "nope", By: p}), domain.NotFound, "query_not_found")
}

func TestInterruptedQuery(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	s := mustOpen(t, o)
	if err := s.StartQuery(t.Context(), query.Record{ID: "q", By: access.Principal{UserID: "ada"}, State: query.Running, StartedAt: c.Now()}, query.PersonLimits{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	r := must[[]query.Record](t)(s.ListQueryRuns(t.Context(), "ada", 0))[0]
	if r.State != query.Failed || r.Code != "interrupted" || r.FinishedAt == nil {
		t.Errorf("a query that the stop interrupted: %+v", r)
	}
}

// TestQueriesAreAnsweredWhileTheStateCannotBeWritten: the server's log takes note
// of them, without their text.
func TestQueriesAreAnsweredWhileTheStateCannotBeWritten(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	o, c := options(t)
	o.Log = slog.New(slog.NewTextHandler(&said, nil))
	s := mustOpen(t, o)
	ada := mustUser(t, s, "ada@example.com")
	end := c.Now()
	r := query.Record{ID: "q1", By: access.Principal{UserID: ada.ID}, Origin: query.FromAPI, SQL: "SELECT 'hunter2'", State: query.Running, StartedAt: end}
	s.ended.Store(true)
	if err := s.StartQuery(t.Context(), r, query.PersonLimits{}); err != nil {
		t.Errorf("StartQuery = %v", err)
	}
	s.ended.Store(false) // as a disk that has room again
	r.State, r.FinishedAt = query.OK, &end
	if err := s.FinishQuery(t.Context(), r); err != nil {
		t.Errorf("FinishQuery = %v", err)
	}
	wantError(t, "the end of a query that never began", s.FinishQuery(t.Context(), r), domain.NotFound, "query_not_found")
	if got := said.String(); !strings.Contains(got, "query_id=q1") || !strings.Contains(got, string(ada.ID)) || strings.Contains(got, "hunter2") {
		t.Errorf("the log says %q", got)
	}
}
