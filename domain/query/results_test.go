package query

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// past is a History that holds one run, of ada.
type past struct {
	rec       Record
	lost      []string
	forgotten []string
	err       error // of whatever is written
}

func (h *past) GetQueryRun(_ context.Context, by people.UserID, id string) (Record, error) {
	if by != "ada" || id != h.rec.ID {
		return Record{}, domain.E(domain.NotFound, "query_not_found", "There is no such query.")
	}
	return h.rec, nil
}

func (h *past) LoseResult(_ context.Context, id string) error {
	h.lost = append(h.lost, id)
	return h.err
}

func (h *past) ForgetQueryRun(_ context.Context, _ people.UserID, id string) error {
	if h.rec.State == Running {
		return StillRunning()
	}
	h.forgotten = append(h.forgotten, id)
	return h.err
}

func (*past) QueryHistory(context.Context, HistoryFilter) ([]Record, error) { return nil, nil }
func (*past) ExpireResults(context.Context, time.Time) ([]string, error)    { return nil, nil }
func (*past) KeptResults(context.Context) (map[string]struct{}, error) {
	return map[string]struct{}{}, nil
}
func (*past) SweepUsage(context.Context, time.Time) error                 { return nil }
func (*past) PruneQueryRuns(context.Context, time.Time) ([]string, error) { return nil, nil }

// granted hands out the catalog of these tables.
type granted []string

func (granted) Principal(_ context.Context, id people.UserID) (access.Principal, error) {
	return access.Principal{UserID: id}, nil
}

func (g granted) Catalog(context.Context, access.Principal) (access.Catalog, error) {
	tables := make([]registry.Published, len(g))
	for i, name := range g {
		tables[i].Table = registry.Table{ID: registry.TableID(name), Name: name}
	}
	return access.NewCatalog(tables), nil
}

func keptRecord() Record {
	return Record{
		ID: "q1", State: OK, Kept: KeptWhole, Rows: 4, Tables: []string{"orders"}, Stored: &Stored{Bytes: 64, Batches: []int64{3, 1}},
		Columns: []registry.Column{{Name: "n", Type: "BIGINT"}, {Name: "n", Type: "VARCHAR"}},
	}
}

func TestWhoseRowsAreRead(t *testing.T) {
	t.Parallel()
	ada := access.Principal{UserID: "ada"}
	cases := []struct {
		name   string
		who    access.Principal
		tables granted
		change func(*Record)
		kind   domain.Kind
		code   string
		says   string
	}{
		{"somebody else's", access.Principal{UserID: "bob", Admin: true}, granted{"orders"}, func(*Record) {}, domain.NotFound, "query_not_found", ""},
		{"still running", ada, granted{"orders"}, func(r *Record) { r.State = Running }, domain.Conflict, "query_running", "Ask again"},
		{"failed", ada, granted{"orders"}, func(r *Record) { r.State = Failed }, domain.NotFound, "query_without_rows", "did not end well"},
		{"cancelled", ada, granted{"orders"}, func(r *Record) { r.State = Cancelled }, domain.NotFound, "query_without_rows", ""},
		{"too large", ada, granted{"orders"}, func(r *Record) { r.Kept, r.Stored = KeptTooLarge, nil }, domain.NotFound, "result_gone", "more than one result may hold"},
		{"expired", ada, granted{"orders"}, func(r *Record) { r.Kept, r.Stored = KeptExpired, nil }, domain.NotFound, "result_gone", "kept for their time"},
		{"evicted", ada, granted{"orders"}, func(r *Record) { r.Kept, r.Stored = KeptEvicted, nil }, domain.NotFound, "result_gone", "newer results"},
		{"lost", ada, granted{"orders"}, func(r *Record) { r.Kept, r.Stored = KeptLost, nil }, domain.NotFound, "result_gone", "gone or damaged"},
		{"without a place", ada, granted{"orders"}, func(r *Record) { r.Stored = nil }, domain.NotFound, "result_gone", ""},
		{"the table was revoked", ada, granted{"items"}, func(*Record) {}, domain.NotFound, "result_withdrawn", "not yours to read any more"},
		{"one of two tables was revoked", ada, granted{"orders"}, func(r *Record) { r.Tables = []string{"orders", "items"} }, domain.NotFound, "result_withdrawn", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := &past{rec: keptRecord()}
			c.change(&h.rec)
			r := &Results{Runs: h, Keeper: &shelf{}, Catalogs: c.tables}
			_, err := r.Find(t.Context(), c.who, "q1")
			if domain.KindOf(err) != c.kind || domain.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Find: %v", err)
			}
		})
	}
	r := &Results{Runs: &past{rec: keptRecord()}, Catalogs: granted{"ORDERS"}}
	if rec, err := r.Find(t.Context(), ada, "q1"); err != nil || rec.Stored.Rows() != 4 {
		t.Errorf("her own: %+v, %v", rec, err)
	}
}

// A file that is gone is noted once, so that nobody is offered it again.
func TestLostRowsAreNoted(t *testing.T) {
	t.Parallel()
	h, s := &past{rec: keptRecord()}, &shelf{}
	r := &Results{Runs: h, Keeper: s}
	if _, err := r.Open(t.Context(), access.Principal{}, h.rec, View{}); domain.CodeOf(err) != "result_lost" || domain.KindOf(err) != domain.NotFound {
		t.Errorf("Open: %v", err)
	}
	if !slices.Equal(h.lost, []string{"q1"}) || !slices.Equal(s.ended, []string{"remove q1"}) {
		t.Errorf("noted %v, %v", h.lost, s.ended)
	}
	h.err = errors.New("state is read-only")
	if _, err := r.Open(t.Context(), access.Principal{}, h.rec, View{}); !errors.Is(err, h.err) || domain.CodeOf(err) != "result_lost" {
		t.Errorf("that could not be noted: %v", err)
	}
}

// damaged is a Keeper whose rows break off.
type damaged struct{ shelf }

func (*damaged) Open(string, Stored, []registry.Column, int64, int64) (Result, error) {
	return &fakeResult{f: &fakes{nextErr: domain.E(domain.NotFound, "result_lost", "The kept rows are damaged.")}}, nil
}

func TestDamageThatReadingFindsIsNoted(t *testing.T) {
	t.Parallel()
	h, s := &past{rec: keptRecord()}, &damaged{}
	r := &Results{Runs: h, Keeper: s}
	rows, err := r.Open(t.Context(), access.Principal{}, h.rec, View{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Peek(t.Context(), rows); domain.CodeOf(err) != "result_lost" || !slices.Equal(h.lost, []string{"q1"}) || !slices.Equal(s.ended, []string{"remove q1"}) {
		t.Errorf("%v; noted %v, %v", err, h.lost, s.ended)
	}
}

func TestSortedRows(t *testing.T) {
	t.Parallel()
	f := &fakes{batches: 2}
	h := &past{rec: keptRecord()}
	r := &Results{Runs: h, Keeper: &shelf{}, Engine: f, Timeout: time.Minute}
	ada := access.Principal{UserID: "ada"}
	rows, err := r.Open(t.Context(), ada, h.rec, View{Sort: []SortKey{{Column: 1, Down: true}}, Offset: 2, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h.rec.Columns, rows.Columns()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	n := 0
	for {
		b, err := rows.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n += int(b.NumRows())
		b.Release()
	}
	if err := rows.Close(); err != nil || n != 4 {
		t.Errorf("%d rows, %v", n, err)
	}
	if f.statement.By != "ada" || f.statement.RunID != "" || !strings.HasSuffix(f.statement.SQL, "ORDER BY c1 DESC NULLS LAST, c0 ASC NULLS LAST LIMIT 1 OFFSET 2") {
		t.Errorf("asked %+v", f.statement)
	}
	if _, err := rows.Next(t.Context()); err == nil {
		t.Error("a closed sort goes on")
	}
}

// People did not write the statement that sorts, so they are not told of its text.
func TestSortingThatFails(t *testing.T) {
	t.Parallel()
	text := &SQLError{Code: "query_error", Text: "Binder Error: c7"}
	busy := domain.E(domain.Limited, "query_queue_full", "Many wait.")
	view := View{Sort: []SortKey{{Column: 0}}}
	for _, c := range []struct {
		name string
		fake fakes
		code string
	}{
		{"at its start", fakes{startErr: text}, "sort_failed"},
		{"on its way", fakes{nextErr: text}, "sort_failed"},
		{"queue", fakes{startErr: busy}, "query_queue_full"},
		{"died", fakes{nextErr: domain.E(domain.Unavailable, "child_died", "It died.")}, "child_died"},
	} {
		r := &Results{Keeper: &shelf{}, Engine: &c.fake, Timeout: time.Minute}
		rows, err := r.Open(t.Context(), access.Principal{}, keptRecord(), view)
		if err == nil {
			_, err = rows.Next(t.Context())
			if cerr := rows.Close(); cerr != nil {
				t.Error(cerr)
			}
		}
		if domain.CodeOf(err) != c.code || strings.Contains(err.Error(), "Run the query") && strings.HasPrefix(err.Error(), "Binder") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	one := keptRecord()
	one.Rows = 1 // needs no engine
	if _, err := (&Results{Runs: &past{}, Keeper: &shelf{}}).Open(t.Context(), access.Principal{}, one, view); domain.CodeOf(err) != "result_lost" {
		t.Errorf("one row was sorted: %v", err)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	ada := access.Principal{UserID: "ada"}
	f := &fakes{batches: 2}
	runner := newRunner(f)
	run, err := runner.Run(t.Context(), ada, Request{SQL: "SELECT 1"})
	if err != nil {
		t.Fatal(err)
	}
	h, s := &past{rec: Record{ID: run.ID, State: Running}}, &shelf{}
	r := &Results{Runs: h, Keeper: s, Runner: runner}
	if err := r.Forget(t.Context(), ada, run.ID); err != nil || len(h.forgotten) != 0 {
		t.Errorf("one that runs is cancelled: %v, %v", err, h.forgotten)
	}
	if _, err := run.Next(); domain.CodeOf(err) != "query_cancelled" {
		t.Errorf("it runs on: %v", err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Forget(t.Context(), ada, run.ID); domain.KindOf(err) != domain.Conflict {
		t.Errorf("one whose end is not recorded yet: %v", err)
	}
	h.rec.State = OK
	if err := r.Forget(t.Context(), ada, run.ID); err != nil || !slices.Equal(h.forgotten, []string{run.ID}) || !slices.Equal(s.ended, []string{"remove " + run.ID}) {
		t.Errorf("%v, %v, %v", err, h.forgotten, s.ended)
	}
	h.err = errors.New("state is locked")
	if err := r.Forget(t.Context(), ada, run.ID); !errors.Is(err, h.err) || len(s.ended) != 1 {
		t.Errorf("its file went though its row stayed: %v, %v", err, s.ended)
	}
}

func TestWhatIsSaidOfRows(t *testing.T) {
	t.Parallel()
	seen := map[string]Kept{}
	for _, k := range []Kept{KeptNot, KeptWhole, KeptTooLarge, KeptFailed, KeptExpired, KeptEvicted, KeptLost} {
		said := k.Sentence()
		if other, again := seen[said]; again || said == "" {
			t.Errorf("%q and %q say the same: %q", k, other, said)
		}
		seen[said] = k
	}
	began := time.Unix(100, 0)
	ended := began.Add(1500 * time.Millisecond)
	if d := (Record{StartedAt: began, FinishedAt: &ended}).Duration(); d != 1500*time.Millisecond || (Record{StartedAt: began}).Duration() != 0 {
		t.Errorf("duration %s", d)
	}
}

// A run as a result goes by its own context, and counts what passes.
func TestRunAsResult(t *testing.T) {
	t.Parallel()
	f := &fakes{batches: 1}
	run, err := newRunner(f).Run(t.Context(), access.Principal{}, Request{SQL: "SELECT 1"})
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	rows, err := Peek(over, AsResult(run))
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil || f.records[1].Rows != 2 {
		t.Errorf("%+v, %v", f.records[1], err)
	}
}

// What a batch takes counts every buffer of nested columns.
func TestBatchBytes(t *testing.T) {
	t.Parallel()
	f := &fakes{batches: 1}
	b, err := (&fakeResult{f: f}).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	flat := batchBytes(b)
	list := build(t, arrow.ListOf(arrow.PrimitiveTypes.Int64), fillList)
	if flat < 16 || dataBytes(list.Data()) <= dataBytes(list.Data().Children()[0]) {
		t.Errorf("two numbers take %d bytes, a list of them %d", flat, dataBytes(list.Data()))
	}
}
