package query

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

type fakes struct {
	startErr  error
	nextErr   error
	batches   int
	records   []Record
	statement Statement
	evicted   []string
}

func (f *fakes) Catalog(context.Context, access.Principal) (access.Catalog, error) {
	return access.NewCatalog(nil), nil
}

func (f *fakes) Principal(_ context.Context, id people.UserID) (access.Principal, error) {
	return access.Principal{UserID: id}, nil
}

func (f *fakes) StartQuery(_ context.Context, r Record, _ PersonLimits) error {
	f.records = append(f.records, r)
	return nil
}

func (f *fakes) FinishQuery(ctx context.Context, r Record) error {
	f.records = append(f.records, r)
	return ctx.Err()
}

func (f *fakes) EvictResults(context.Context, people.UserID, int64, int) ([]string, error) {
	return f.evicted, nil
}

func (f *fakes) Start(ctx context.Context, _ access.Catalog, s Statement) (Result, error) {
	f.statement = s
	if f.startErr != nil {
		return nil, f.startErr
	}
	return &fakeResult{f: f}, nil
}

type fakeResult struct{ f *fakes }

func (r *fakeResult) Columns() []registry.Column {
	return []registry.Column{{Name: "n", Type: "BIGINT"}}
}
func (r *fakeResult) More() bool   { return true }
func (r *fakeResult) Close() error { return nil }

func (r *fakeResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.f.nextErr != nil {
		return nil, r.f.nextErr
	}
	if r.f.batches == 0 {
		return nil, io.EOF
	}
	r.f.batches--
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]int64{1, 2}, nil)
	col := b.NewArray()
	defer col.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{col}, 2), nil
}

func newRunner(f *fakes) *Runner {
	return &Runner{
		Catalogs: f, Engine: f, Log: f, Limits: Limits{Timeout: time.Minute, MaxSQL: 100},
		Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string { return "q1" },
	}
}

func TestRunRecordsHowItEnded(t *testing.T) {
	cancelled := domain.E(domain.Cancelled, "query_cancelled", "The query was stopped.")
	cases := []struct {
		name  string
		fake  fakes
		read  bool
		state State
		code  string
		rows  int64
	}{
		{"read to the end", fakes{batches: 2}, true, OK, "", 4},
		{"left early", fakes{batches: 2}, false, Cancelled, "query_cancelled", 0},
		{"text at fault", fakes{startErr: &SQLError{Code: "query_error", Text: "no such column", Line: 2}}, true, Failed, "query_error", 0},
		{"fault in mid-stream", fakes{nextErr: &SQLError{Code: "query_error", Text: "bad cast"}}, true, Failed, "query_error", 0},
		{"stopped in mid-stream", fakes{nextErr: cancelled}, true, Cancelled, "query_cancelled", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			run, err := newRunner(&c.fake).Run(t.Context(), access.Principal{UserID: "u"}, Request{SQL: "SELECT 1", MaxRows: 9})
			if err == nil {
				if c.read {
					_, err = ReadAll(run, Value)
				}
				if cerr := run.Close(); cerr != nil {
					t.Fatalf("Close: %v", cerr)
				}
			}
			if len(c.fake.records) != 2 {
				t.Fatalf("%d records, want one at the start and one at the end", len(c.fake.records))
			}
			start, end := c.fake.records[0], c.fake.records[1]
			if start.State != Running || start.FinishedAt != nil {
				t.Errorf("record before the start = %+v", start)
			}
			if end.State != c.state || end.Code != c.code || end.Rows != c.rows || end.FinishedAt == nil {
				t.Errorf("record at the end = %s %q %d rows; want %s %q %d", end.State, end.Code, end.Rows, c.state, c.code, c.rows)
			}
			if c.state == OK && err != nil {
				t.Errorf("error %v of a query that succeeded", err)
			}
			if c.fake.statement.MaxRows != 9 {
				t.Errorf("engine got MaxRows %d, want 9", c.fake.statement.MaxRows)
			}
		})
	}
}

func TestRunRefusesBeforeItRecords(t *testing.T) {
	for name, sql := range map[string]string{"empty": " \n", "too long": string(make([]byte, 101))} {
		t.Run(name, func(t *testing.T) {
			f := &fakes{}
			if name == "too long" {
				sql = "SELECT '" + sql + "'"
			}
			_, err := newRunner(f).Run(t.Context(), access.Principal{}, Request{SQL: sql})
			if domain.KindOf(err) != domain.Invalid || len(f.records) != 0 {
				t.Errorf("Run(%s) = %v with %d records; want Invalid and none", name, err, len(f.records))
			}
		})
	}
}

func TestRunTellsTheDeadline(t *testing.T) {
	f := &fakes{batches: 1}
	r := newRunner(f)
	r.Limits.Timeout = 0 // already over
	run, err := r.Run(t.Context(), access.Principal{}, Request{SQL: "SELECT 1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Next()
	if domain.CodeOf(err) != "query_timeout" {
		t.Errorf("Next after the deadline = %v, want code query_timeout", err)
	}
	if err := run.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if end := f.records[1]; end.State != Cancelled || end.Code != "query_timeout" {
		t.Errorf("recorded %s %q, want cancelled query_timeout", end.State, end.Code)
	}
}

func TestRunThatItsReaderLeft(t *testing.T) {
	f := &fakes{batches: 1}
	ctx, leave := context.WithCancel(t.Context())
	run, err := newRunner(f).Run(ctx, access.Principal{}, Request{SQL: "SELECT 1"})
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if _, err := run.Next(); domain.KindOf(err) != domain.Cancelled || errors.Is(err, io.EOF) {
		t.Errorf("Next = %v, want Cancelled", err)
	}
	if err := run.Close(); err != nil {
		t.Errorf("Close after the reader left: %v", err)
	}
}

func TestProbe(t *testing.T) {
	p := Probe{Engine: &fakes{batches: 1}} // the fake's first value is 1
	if n, err := p.CountRows(t.Context(), access.Catalog{}, `we"ird`); n != 1 || err != nil {
		t.Errorf("CountRows = %d, %v; want 1", n, err)
	}
	if err := (Probe{Engine: &fakes{batches: 1}}).Ready(t.Context()); domain.CodeOf(err) != "engine_wrong" {
		t.Errorf("Ready of an engine that answers 1 = %v, want engine_wrong", err)
	}
	if err := (Probe{Engine: &fakes{}}).Ready(t.Context()); err == nil {
		t.Error("Ready of an engine without rows succeeded")
	}
	broken := &fakes{startErr: errors.New("no child")}
	if err := (Probe{Engine: broken}).Ready(t.Context()); !errors.Is(err, broken.startErr) {
		t.Errorf("Ready = %v, want the engine's error", err)
	}
	f := &fakes{batches: 1}
	if _, err := (Probe{Engine: f}).CountRows(t.Context(), access.Catalog{}, `we"ird`); err != nil || f.statement.SQL != `SELECT count(*) FROM "we""ird"` {
		t.Errorf("CountRows asked %q, %v", f.statement.SQL, err)
	}
}
