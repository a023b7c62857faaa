package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
)

// shelf is a Keeper in memory, whose drafts fail when told to.
type shelf struct {
	mu     sync.Mutex
	begin  error
	write  error
	finish error
	ended  []string // "finish q1", "discard q1", "remove q1"
}

func (s *shelf) note(what, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, what+" "+id)
}

func (s *shelf) Draft(id string) (Draft, error) {
	if s.begin != nil {
		return nil, s.begin
	}
	return &sheaf{shelf: s, id: id}, nil
}

func (s *shelf) Open(string, Stored, []registry.Column, int64, int64) (Result, error) {
	return nil, domain.E(domain.NotFound, "result_lost", "gone")
}
func (s *shelf) Key(id string) string { return "results/" + id + ".arrow" }
func (s *shelf) Remove(id string) error {
	s.note("remove", id)
	return nil
}

type sheaf struct {
	shelf *shelf
	id    string
	rows  []int64
}

func (d *sheaf) Write(b arrow.RecordBatch) error {
	d.rows = append(d.rows, b.NumRows())
	return d.shelf.write
}
func (d *sheaf) Bytes() int64 { return int64(len(d.rows)) * 16 }
func (d *sheaf) Finish() (Stored, error) {
	d.shelf.note("finish", d.id)
	return Stored{Bytes: d.Bytes(), Batches: d.rows}, d.shelf.finish
}

func (d *sheaf) Discard() error {
	d.shelf.note("discard", d.id)
	return nil
}

func TestWhatBecomesOfRows(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	cases := []struct {
		name  string
		shelf shelf
		fake  fakes
		limit int64
		kept  Kept
		state State
		ended string
	}{
		{"kept", shelf{}, fakes{batches: 3}, 0, KeptWhole, OK, "finish q1"},
		{"too large", shelf{}, fakes{batches: 30}, 100, KeptTooLarge, OK, "discard q1"},
		{"no place", shelf{begin: full}, fakes{batches: 3}, 0, KeptFailed, OK, ""},
		{"disk full", shelf{write: full}, fakes{batches: 3}, 0, KeptFailed, OK, "discard q1"},
		{"disk full at the end", shelf{finish: full}, fakes{batches: 3}, 0, KeptFailed, OK, "finish q1"},
		{"the query failed", shelf{}, fakes{nextErr: &SQLError{Code: "query_error", Text: "bad cast", Line: 3, Column: 4}}, 0, KeptNot, Failed, "discard q1"},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			r := newRunner(&c.fake)
			r.Keeper, r.Limits.Results.Bytes = &c.shelf, c.limit
			want := int64(c.fake.batches) * 2
			run, err := r.Run(t.Context(), access.Principal{UserID: "u"}, Request{SQL: "SELECT 1", Keep: true})
			if err != nil {
				t.Fatal(err)
			}
			_, err = ReadAll(run, Value)
			if cerr := run.Close(); cerr != nil {
				t.Fatal(cerr)
			}
			end := c.fake.records[1]
			if end.Kept != c.kept || end.State != c.state || strings.Join(c.shelf.ended, ", ") != c.ended {
				t.Errorf("kept %q, state %s, %v; want %q, %s, %s", end.Kept, end.State, c.shelf.ended, c.kept, c.state, c.ended)
			}
			if c.state == OK && (err != nil || end.Rows != want || (end.Stored != nil) != (c.kept == KeptWhole)) {
				t.Errorf("the reader got %d rows of %d, %v", end.Rows, want, err)
			}
			if c.state == Failed && (end.Line != 3 || end.Column != 4) {
				t.Errorf("place %d:%d", end.Line, end.Column)
			}
			if c.kept.Sentence() == "" {
				t.Error("nobody says why")
			}
		})
	}
}

func TestEvictedResultsLoseTheirFiles(t *testing.T) {
	t.Parallel()
	f := &fakes{batches: 1, evicted: []string{"q0"}}
	s := &shelf{}
	r := newRunner(f)
	r.Keeper, r.Limits.Results.PersonBytes = s, 1000
	run, err := r.Run(t.Context(), access.Principal{UserID: "u"}, Request{SQL: "SELECT 1", Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAll(run, Value); err != nil {
		t.Fatal(err)
	}
	if err := run.Close(); err != nil || strings.Join(s.ended, ", ") != "finish q1, remove q0" {
		t.Errorf("%v, %v", s.ended, err)
	}
}

func TestBackground(t *testing.T) {
	t.Parallel()
	f := &fakes{batches: 2}
	s := &shelf{}
	r := newRunner(f)
	r.Keeper = s
	ctx, cancel := context.WithCancel(t.Context())
	rec, err := r.Submit(ctx, access.Principal{UserID: "u"}, Request{SQL: "SELECT 1", Origin: FromBackground})
	cancel() // whoever asked is gone
	if err != nil || rec.State != Running {
		t.Fatal(rec.State, err)
	}
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	end := f.records[len(f.records)-1]
	if end.FinishedAt == nil || end.ID != rec.ID {
		t.Errorf("the end is not recorded: %+v", end)
	}
	if _, err := r.Submit(t.Context(), access.Principal{UserID: "u"}, Request{SQL: "SELECT 1"}); domain.CodeOf(err) != "stopping" {
		t.Errorf("a query began while stopping: %v", err)
	}
	if _, _, ok := r.Live("u", rec.ID); ok {
		t.Error("an ended run is live")
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	f := &fakes{batches: 5}
	r := newRunner(f)
	run, err := r.Run(t.Context(), access.Principal{UserID: "u"}, Request{SQL: "SELECT 1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := r.Live("somebody", run.ID); ok || r.Cancel("somebody", run.ID) {
		t.Error("somebody else reaches the run")
	}
	if rec, place, ok := r.Live("u", run.ID); !ok || place != 0 || rec.State != Running {
		t.Errorf("live %v, place %d", rec.State, place)
	}
	if !r.Cancel("u", run.ID) {
		t.Fatal("not cancelled")
	}
	if _, err := run.Next(); domain.CodeOf(err) != "query_cancelled" || !strings.Contains(err.Error(), "You stopped") {
		t.Errorf("a cancelled run says %v", err)
	}
	if err := run.Close(); err != nil || f.records[1].State != Cancelled {
		t.Errorf("state %s, %v", f.records[1].State, err)
	}
	if r.Cancel("u", run.ID) {
		t.Error("an ended run was cancelled")
	}
}

func TestTablesInTheOrderOfTheText(t *testing.T) {
	t.Parallel()
	var all []registry.Published
	for _, name := range []string{"aa", "bb", "cc"} {
		all = append(all, registry.Published{Table: registry.Table{ID: registry.TableID(name), Name: name}})
	}
	names, ids := mentioned(access.NewCatalog(all), "SELECT * FROM CC JOIN aa")
	if diff := cmp.Diff([]string{"cc", "aa"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]registry.TableID{"cc", "aa"}, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	columns := []registry.Column{{Name: "a"}, {Name: "b,c"}, {Name: "a"}, {Name: "-x"}}
	for text, want := range map[string]string{
		"": "[]", "a": "[{0 false}]", "-a, #3": "[{0 true} {2 false}]", "#2": "[{1 false}]", "--x": "[{3 true}]",
	} {
		keys, err := ParseSort(text, columns)
		if got := fmt.Sprint(keys); got != want || err != nil {
			t.Errorf("ParseSort(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"nope", "#0", "#5", "a,", strings.Repeat("a,", 8) + "a"} {
		if _, err := ParseSort(text, columns); domain.KindOf(err) != domain.Invalid {
			t.Errorf("ParseSort(%q): %v", text, err)
		}
	}
}

func TestSortSQL(t *testing.T) {
	t.Parallel()
	columns := []registry.Column{{Name: `evil"; DROP`, Type: "VARCHAR"}, {Name: "h", Type: "UHUGEINT"}}
	got := sortSQL("result", columns, View{Offset: 5, Limit: 10, Sort: []SortKey{{1, true}, {1, false}}})
	want := "SELECT c0, c1 FROM result AS answer(c0, c1) ORDER BY TRY_CAST(c1 AS UHUGEINT) DESC NULLS LAST, c0 ASC NULLS LAST LIMIT 10 OFFSET 5"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if all := sortSQL("result", columns, View{Sort: []SortKey{{0, false}}}); strings.Contains(all, "LIMIT") || strings.Contains(all, "OFFSET") {
		t.Errorf("all rows: %s", all)
	}
}

func TestPeek(t *testing.T) {
	t.Parallel()
	bad := &SQLError{Code: "query_error", Text: "no"}
	if _, err := Peek(t.Context(), &fakeResult{f: &fakes{nextErr: bad}}); !errors.Is(err, bad) {
		t.Errorf("a failure is told late: %v", err)
	}
	for batches := range 3 {
		r, err := Peek(t.Context(), &fakeResult{f: &fakes{batches: batches}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			b, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			b.Release()
			n++
		}
		if n != batches || r.Close() != nil {
			t.Errorf("%d batches of %d", n, batches)
		}
	}
}

func TestLimitErrors(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 23, 59, 30, 0, time.FixedZone("", 3600))
	if Day(at) != "2026-11-22" || UntilTomorrow(at) != time.Hour+30*time.Second {
		t.Errorf("%s, %s", Day(at), UntilTomorrow(at))
	}
	for _, e := range []*LimitError{{Kind: LimitDaily, Current: 10, Limit: 5, RetryAfter: time.Hour}, {Kind: LimitConcurrent, Current: 3, Limit: 3}} {
		wrapped := fmt.Errorf("record: %w", e)
		if domain.KindOf(wrapped) != domain.Limited || domain.CodeOf(wrapped) != e.Reason() || RetryAfter(wrapped) < time.Second {
			t.Errorf("%v", wrapped)
		}
	}
}

func TestForeignRuns(t *testing.T) {
	t.Parallel()
	f := &fakes{}
	r := &Results{Runs: noHistory{}, Keeper: &shelf{}, Catalogs: f, Engine: f, Runner: newRunner(f), Timeout: time.Minute}
	if _, err := r.Find(t.Context(), access.Principal{UserID: "u"}, "q"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("Find: %v", err)
	}
	if err := r.Forget(t.Context(), access.Principal{UserID: "u"}, "q"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("Forget: %v", err)
	}
}

// noHistory knows no runs.
type noHistory struct{ History }

func (noHistory) GetQueryRun(context.Context, access.Owner, string) (Record, error) {
	return Record{}, domain.E(domain.NotFound, "query_not_found", "Query not found")
}
