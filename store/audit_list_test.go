package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// note writes a row of the log at a time.
func noteAt(t *testing.T, s *Store, e audit.Entry) {
	t.Helper()
	if e.Actor.UserID == "" {
		e.Actor = audit.Actor{UserID: "u1", Email: "ada@example.com", ClientKind: "web"}
	}
	if e.Result == "" {
		e.Result = "success"
	}
	if err := s.Audit(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func idsOf(page audit.Page) []string {
	ids := make([]string, len(page.Rows))
	for i, row := range page.Rows {
		ids[i] = row.ID
	}
	return ids
}

// everything is the filter of all rows.
var everything = audit.Filter{Reads: true}

// logOf opens a store whose log holds only what a test writes.
func logOf(t *testing.T) (*Store, time.Time) {
	t.Helper()
	s, _ := newStore(t)
	if err := s.tx(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `DELETE FROM audit_log`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s, time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
}

func TestListActivityFilters(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	u := mustUser(t, s, "grace@example.com")
	grace := audit.Actor{UserID: string(u.ID), Email: u.Email, ClientKind: "cli", RequestID: "req-7"}
	if err := s.tx(t.Context(), func(tx runner) error { _, err := tx.exec(t.Context(), `DELETE FROM audit_log`); return err }); err != nil {
		t.Fatal(err)
	}
	at := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	for _, e := range []audit.Entry{
		{ID: "a", Timestamp: at(1), Action: "query.local", Resource: "table:orders", Params: params{"sql_preview": "SELECT 100% of a_b > 'x'"}},
		{ID: "b", Timestamp: at(2), Action: "query.local", Resource: "table:towns", Result: "error.400", Params: params{"sql_preview": "SELECT 100 of axb"}},
		{ID: "c", Timestamp: at(3), Action: "user.update", Resource: "user:u2", Actor: grace, Params: params{"name": "New"}, Before: params{"name": "Grace Old"}},
		{ID: "d", Timestamp: at(4), Action: "user_group.created", Resource: "group:g1", Actor: grace},
		{ID: "e", Timestamp: at(5), Action: "data.download", Resource: "table:orders", Actor: grace, Result: "error.403"},
		{ID: "f", Timestamp: at(6), Action: audit.ActionRead, Resource: "audit_log"},
		{ID: "g", Timestamp: at(7), Action: "query%", Resource: "table:or_ers"},
	} {
		noteAt(t, s, e)
	}
	tests := []struct {
		name   string
		filter audit.Filter
		want   string
	}{
		{"all", everything, "abcdefg"},
		{"without looks", audit.Filter{}, "abcdeg"},
		{"person by id", audit.Filter{Person: string(u.ID)}, "cde"},
		{"person by address in another case", audit.Filter{Person: "Grace@Example.com"}, "cde"},
		{"person unknown", audit.Filter{Person: "nobody@example.com"}, ""},
		{"action", audit.Filter{Action: "user"}, "cd"},
		{"action with a dot", audit.Filter{Action: "user."}, "c"},
		{"action that looks like a pattern", audit.Filter{Action: "query%"}, "g"},
		{"looks at the log", audit.Filter{Action: audit.ActionRead}, "f"},
		{"action unknown", audit.Filter{Action: "zzz"}, ""},
		{"resource", audit.Filter{Resource: "table:orders"}, "ae"},
		{"resource is no pattern", audit.Filter{Resource: "table:or_ers"}, "g"},
		{"failed", audit.Filter{Result: audit.Failed}, "be"},
		{"succeeded", audit.Filter{Result: audit.Succeeded}, "acdg"},
		{"result pattern", audit.Filter{Result: "error.4_3"}, "e"},
		{"client", audit.Filter{ClientKind: "cli"}, "cde"},
		{"text", audit.Filter{Text: "grace old"}, "c"},
		{"text with a per cent sign", audit.Filter{Text: "100%"}, "a"},
		{"text with a line", audit.Filter{Text: "a_b"}, "a"},
		{"text that JSON escapes", audit.Filter{Text: "> 'x'"}, "a"},
		{"text of a resource", audit.Filter{Text: "TABLE:TOWNS"}, "b"},
		{"request", audit.Filter{Text: "req-7"}, "cde"},
		{"an exclamation mark", audit.Filter{Text: "!"}, ""},
		{"since and until", audit.Filter{Since: at(4), Until: at(2)}, "cd"},
		{"several", audit.Filter{Person: string(u.ID), Resource: "table:orders", Result: audit.Failed, Action: "data."}, "e"},
		{"several that do not meet", audit.Filter{Person: string(u.ID), Result: "error.400"}, ""},
	}
	for _, tt := range tests {
		page, err := s.ListActivity(t.Context(), tt.filter, audit.ListOptions{Limit: 50})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := ""
		for _, id := range idsOf(page) {
			got += id
		}
		if got != tt.want || page.Older != nil || page.Newer != nil {
			t.Errorf("%s: %q, want %q; older %v, newer %v", tt.name, got, tt.want, page.Older, page.Newer)
		}
		counts, err := s.CountActivity(t.Context(), tt.filter, true)
		if err != nil || int(counts.Events) != len(tt.want) || counts.From != nil {
			t.Errorf("%s: counts %+v, %v; want %d events", tt.name, counts, err, len(tt.want))
		}
		bars, err := s.ChartActivity(t.Context(), tt.filter, now)
		sum := int64(0)
		for _, b := range bars {
			sum += b.Events
		}
		if err != nil || int(sum) != len(tt.want) {
			t.Errorf("%s: the chart holds %d of %d, %v", tt.name, sum, len(tt.want), err)
		}
	}
}

func TestCountActivity(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	for i := range 20 {
		e := audit.Entry{Timestamp: now.Add(-time.Duration(i) * time.Hour), Action: "query.local", Resource: "table:orders", DurationMS: int64(i + 1)}
		e.Actor = audit.Actor{UserID: fmt.Sprintf("u%d", i%3), ClientKind: "web"}
		switch {
		case i == 0:
			e.Actor = audit.System("watch")
		case i == 1:
			e.Actor.UserID = audit.Anonymous
		case i%5 == 0:
			e.Result = "error.500"
		}
		noteAt(t, s, e)
	}
	c, err := s.CountActivity(t.Context(), everything, true)
	if err != nil || c.Events != 20 || c.People != 3 || c.Failed != 3 || c.P95 == nil || *c.P95 != 19 {
		t.Errorf("counts: %+v, %v", c, err)
	}
	if len(c.Users) != 5 || c.Actions[0] != (audit.Counted{Value: "query.local", Count: 20}) || c.Sources[0] != (audit.Counted{Value: "web", Count: 19}) || c.Resources[0].Count != 20 {
		t.Errorf("kinds: %+v", c)
	}
	bars, err := s.ChartActivity(t.Context(), audit.Filter{Reads: true}.Over("24h", now), now.Add(time.Second))
	failed := int64(0)
	for _, b := range bars {
		failed += b.Failed
	}
	if err != nil || failed != 3 || len(bars) > 60 || len(bars) < 20 {
		t.Errorf("chart: %d bars, %d failed, %v", len(bars), failed, err)
	}
}

// Pages go through the whole log, down and up again, while others write: no row
// twice, none lost.
func TestActivityPagesUnderWriting(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	const rows = 300
	for i := range rows {
		// Many at the same time, so that ids decide.
		noteAt(t, s, audit.Entry{ID: fmt.Sprintf("r%04d", i), Timestamp: now.Add(time.Duration(i/40) * time.Second), Action: []string{"query.local", "data.download", "query.remote"}[i%3]})
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	writers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				noteAt(t, s, audit.Entry{ID: fmt.Sprintf("new%06d", i), Timestamp: now.Add(time.Hour + time.Duration(i)*time.Millisecond), Action: "query.local"})
			}
		}
	})
	for name, f := range map[string]audit.Filter{"plain": everything, "by action": {Action: "query."}, "looked through": {Text: "", ClientKind: "web", Action: "query."}} {
		f.Until = now.Add(time.Minute)
		var down []string
		o := audit.ListOptions{Limit: 7}
		var last *audit.Cursor
		for {
			page, err := s.ListActivity(t.Context(), f, o)
			if err != nil {
				t.Fatal(err)
			}
			down = append(down, idsOf(page)...)
			if page.Older == nil {
				last = cursorOf(page.Rows[len(page.Rows)-1])
				break
			}
			o.From = page.Older
		}
		want := rows
		if f.Action != "" {
			want = 200
		}
		if len(down) != want || len(distinct(down)) != want {
			t.Errorf("%s: %d rows, %d different, want %d", name, len(down), len(distinct(down)), want)
		}
		up := []string{last.ID}
		o = audit.ListOptions{Limit: 7, From: last, Newer: true}
		for {
			page, err := s.ListActivity(t.Context(), f, o)
			if err != nil {
				t.Fatal(err)
			}
			here := idsOf(page)
			slices.Reverse(here)
			up = append(up, here...)
			if page.Newer == nil {
				break
			}
			o.From = page.Newer
		}
		slices.Reverse(up)
		if !slices.Equal(up, down) {
			t.Errorf("%s: up again is another list: %d and %d rows", name, len(up), len(down))
		}
	}
	close(stop)
	writers.Wait()
}

// A search that finds nothing stops after a bounded number of rows, says how far
// it got, and goes on from there until it has seen all.
func TestActivitySearchIsBounded(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	total := 2*auditLooked + 100
	err := s.tx(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
			INSERT INTO audit_log (id, timestamp, user_id, action, params, result)
			SELECT 'n' || i, $2 - i * 1000, 'u1', 'query.local', CASE WHEN i = $1 - 1 THEN '{"a":"needle"}' ELSE '{"a":"hay"}' END, 'success' FROM n`, total, micros(now))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o, pages := audit.ListOptions{Limit: 10}, 0
	for {
		page, err := s.ListActivity(t.Context(), audit.Filter{Text: "needle"}, o)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		if page.Older == nil {
			if ids := idsOf(page); !slices.Equal(ids, []string{fmt.Sprintf("n%d", total-1)}) {
				t.Errorf("found %v", ids)
			}
			break
		}
		if page.Searched == nil || len(page.Rows) != 0 || !page.Searched.After(page.Older.At) {
			t.Fatalf("page %d: %d rows, searched %v, older %v", pages, len(page.Rows), page.Searched, page.Older)
		}
		o.From = page.Older
	}
	if pages != 3 {
		t.Errorf("%d pages, want 3", pages)
	}
	c, err := s.CountActivity(t.Context(), audit.Filter{Text: "hay"}, false)
	if err != nil || c.From == nil || c.Events < auditLooked || c.Events > auditLooked+1 {
		t.Errorf("counts: %+v, %v", c, err)
	}
}

func TestCountNewer(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	for i := range 5 {
		noteAt(t, s, audit.Entry{ID: fmt.Sprint(i), Timestamp: now, Action: []string{"query.local", audit.ActionRead}[i%2]})
	}
	from := audit.Cursor{At: now, ID: "1"}
	for most, want := range map[int]int{100: 2, 1: 1} {
		if n, err := s.CountNewer(t.Context(), audit.Filter{}, from, most); err != nil || n != want {
			t.Errorf("at most %d: %d, %v; want %d", most, n, err, want)
		}
	}
}

// The list of one filter takes a fixed number of statements, however long the
// log is.
func TestActivityTakesAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	f := audit.Filter{Person: "grace@example.com", Action: "user", Result: audit.Failed, Text: "x"}.Over("30d", now)
	ask := func() int64 {
		before := s.Queries()
		if _, err := s.ListActivity(t.Context(), f, audit.ListOptions{Limit: 50}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CountActivity(t.Context(), f, true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChartActivity(t.Context(), f, now); err != nil {
			t.Fatal(err)
		}
		return s.Queries() - before
	}
	fill := func(n int) {
		for i := range n {
			noteAt(t, s, audit.Entry{Timestamp: now.Add(-time.Duration(i) * time.Minute), Action: fmt.Sprintf("user%d.x", i), Result: "error.500"})
		}
	}
	fill(10)
	few := ask()
	fill(200) // more actions than there may be branches
	if many := ask(); many != few {
		t.Errorf("%d statements with 10 rows, %d with 210", few, many)
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ada, ben := mustUser(t, s, "ada@example.com"), mustUser(t, s, "ben@example.com")
	by := func(u people.User) audit.Actor { return audit.Actor{UserID: string(u.ID), Email: u.Email} }
	v, err := s.SaveView(t.Context(), by(ada), "Failed", `{"result":"failed"}`)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.SaveView(t.Context(), by(ada), "Failed", `{"result":"error.4%"}`)
	if err != nil || again.ID != v.ID || again.Query != `{"result":"error.4%"}` {
		t.Errorf("saved again: %+v, %v", again, err)
	}
	wantError(t, "another's view", s.DeleteView(t.Context(), by(ben), v.ID), domain.NotFound, "view_not_found")
	if views, err := s.ListViews(t.Context(), string(ben.ID)); err != nil || len(views) != 0 {
		t.Errorf("ben's views: %v, %v", views, err)
	}
	for i := range 99 {
		if _, err := s.SaveView(t.Context(), by(ada), fmt.Sprint(i), "{}"); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.SaveView(t.Context(), by(ada), "one more", "{}")
	wantError(t, "the hundred and first", err, domain.Invalid, "too_many_views")
	if _, err = s.SaveView(t.Context(), by(ada), "Failed", "{}"); err != nil {
		t.Errorf("replaced among a hundred: %v", err)
	}
	if err := s.DeleteView(t.Context(), by(ada), v.ID); err != nil {
		t.Error(err)
	}
	got := actions(t, s, 0)
	for _, want := range []string{"activity.view_created", "activity.view_updated", "activity.view_deleted"} {
		if !slices.Contains(got, want) {
			t.Errorf("no row %s", want)
		}
	}
}

func TestPruneAudit(t *testing.T) {
	t.Parallel()
	s, now := logOf(t)
	for i := range 10 {
		noteAt(t, s, audit.Entry{ID: fmt.Sprint(i), Timestamp: now.Add(-time.Duration(i) * time.Hour), Action: "x"})
	}
	before := now.Add(-4 * time.Hour) // 5 to 9 are older
	var got []int
	for range 3 {
		n, err := s.PruneAudit(t.Context(), before, 3)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	page, err := s.ListActivity(t.Context(), everything, audit.ListOptions{Limit: 50})
	if err != nil || !slices.Equal(got, []int{3, 2, 0}) || !slices.Equal(idsOf(page), []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("pruned %v, left %v, %v", got, idsOf(page), err)
	}
}
