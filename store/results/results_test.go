package results

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
)

var columns = []registry.Column{{Name: "n", Type: "BIGINT"}, {Name: "e", Type: "ENUM('a', 'b')"}}

func schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "e", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
	}, nil)
}

// batch is the numbers from..to-1, each batch with a dictionary of its own.
func batch(t *testing.T, from, to int64) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema())
	defer b.Release()
	for n := from; n < to; n++ {
		b.Field(0).(*array.Int64Builder).Append(n)
		if err := b.Field(1).(*array.BinaryDictionaryBuilder).AppendString(string(rune('a' + from%26))); err != nil {
			t.Fatal(err)
		}
	}
	return b.NewRecordBatch()
}

func mustOpen(t *testing.T, dir string) Folder {
	t.Helper()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return f
}

// mustKeep writes a result whose batches end at these rows.
func mustKeep(t *testing.T, f Folder, run string, ends ...int64) query.Stored {
	t.Helper()
	d, err := f.Draft(run)
	if err != nil {
		t.Fatal(err)
	}
	from := int64(0)
	for _, to := range ends {
		b := batch(t, from, to)
		if err := d.Write(b); err != nil {
			t.Fatal(err)
		}
		b.Release()
		from = to
	}
	s, err := d.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func numbers(t *testing.T, r query.Result) []int64 {
	t.Helper()
	got := []int64{}
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Column(0).(*array.Int64).Int64Values()...)
		b.Release()
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "results"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestRowsFromAnywhere(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, t.TempDir())
	s := mustKeep(t, f, "q", 3, 4, 10)
	if s.Rows() != 10 || len(s.Batches) != 3 {
		t.Fatalf("stored %+v", s)
	}
	for from := int64(0); from <= 11; from++ {
		for limit := int64(0); limit <= 11; limit++ {
			r, err := f.Open("q", s, columns, from, limit)
			if err != nil {
				t.Fatal(err)
			}
			want := []int64{}
			for n := from; n < 10 && (limit == 0 || n < from+limit); n++ {
				want = append(want, n)
			}
			if diff := cmp.Diff(want, numbers(t, r)); diff != "" {
				t.Errorf("from %d, %d rows (-want +got):\n%s", from, limit, diff)
			}
			if more := limit > 0 && from+limit < 10; r.More() != more {
				t.Errorf("from %d, %d rows: more %v", from, limit, r.More())
			}
		}
	}
}

func TestDictionariesOfEachBatch(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, t.TempDir())
	s := mustKeep(t, f, "q", 1, 2)
	r, err := f.Open("q", s, columns, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := query.Text(b.Column(1), 0); text != "b" || !ok || r.Columns()[1].Type != columns[1].Type {
		t.Errorf("the second batch's member is %q", text)
	}
	b.Release()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsSeenBeforeItIsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	d, err := f.Draft("q")
	if err != nil {
		t.Fatal(err)
	}
	b := batch(t, 0, 5)
	defer b.Release()
	if err := d.Write(b); err != nil || d.Bytes() == 0 {
		t.Fatal(err, d.Bytes())
	}
	if _, err := f.Open("q", query.Stored{Batches: []int64{5}}, columns, 0, 0); domain.KindOf(err) != domain.NotFound {
		t.Errorf("half a result opened: %v", err)
	}
	other := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil), b.Columns()[:1], 5)
	defer other.Release()
	if err := d.Write(other); err == nil {
		t.Error("a batch of other columns was taken")
	}
	if err := d.Discard(); err != nil || names(t, dir) != "" {
		t.Errorf("discarded, there is %q, %v", names(t, dir), err)
	}
	info, err := os.Stat(filepath.Join(dir, "results"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder's mode is %v", info.Mode())
	}
}

func TestResultsOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	s := mustKeep(t, f, "kept", 2)
	if _, err := f.Draft("half"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = mustOpen(t, dir)
	if got := names(t, dir); got != "kept.arrow" {
		t.Errorf("after a restart there is %q", got)
	}
	r, err := f.Open("kept", s, columns, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, r); len(got) != 2 {
		t.Errorf("rows %v", got)
	}
}

func TestDamagedResults(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(file string) error{
		"gone":      os.Remove,
		"cut":       func(file string) error { return os.Truncate(file, 100) },
		"emptied":   func(file string) error { return os.Truncate(file, 0) },
		"exchanged": func(file string) error { return os.WriteFile(file, []byte("ARROW1"), 0o600) },
		"scribbled": func(file string) error {
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for i := 16; i < len(raw)-20; i++ {
				raw[i] = 0xff
			}
			return os.WriteFile(file, raw, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := mustOpen(t, dir)
			s := mustKeep(t, f, "q", 100)
			if err := damage(filepath.Join(dir, f.Key("q"))); err != nil {
				t.Fatal(err)
			}
			r, err := f.Open("q", s, columns, 0, 0)
			if err == nil {
				_, err = r.Next(t.Context())
				if cerr := r.Close(); cerr != nil {
					t.Error(cerr)
				}
			}
			if domain.CodeOf(err) != "result_lost" || domain.KindOf(err) != domain.NotFound {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	mustKeep(t, f, "known", 1)
	mustKeep(t, f, "orphan", 1)
	if err := os.WriteFile(filepath.Join(dir, "results", "excelize-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	known := func(id string) bool { return id == "known" }
	past := time.Unix(1000, 0)
	if n, err := f.Sweep(t.Context(), past, known); n != 0 || err != nil {
		t.Errorf("young files were swept: %d, %v", n, err)
	}
	for _, name := range strings.Fields(names(t, dir)) {
		if err := os.Chtimes(filepath.Join(dir, "results", name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.Sweep(t.Context(), past.Add(time.Hour), known); n != 2 || err != nil || names(t, dir) != "known.arrow" {
		t.Errorf("swept %d, %v; left %q", n, err, names(t, dir))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Sweep(ctx, past, known); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped sweep: %v", err)
	}
	for range 2 {
		if err := f.Remove("known"); err != nil {
			t.Error(err)
		}
	}
}

func TestNoNameLeavesTheFolder(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, t.TempDir())
	if _, err := f.Draft("../x"); err == nil {
		t.Error("a result was begun outside")
	}
	if _, err := f.Open("../../etc/x", query.Stored{Batches: []int64{1}}, nil, 0, 0); domain.KindOf(err) != domain.NotFound {
		t.Errorf("outside: %v", err)
	}
}

func TestResultWithoutRows(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, t.TempDir())
	s := mustKeep(t, f, "q")
	r, err := f.Open("q", s, columns, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, r); len(got) != 0 || r.More() || len(r.Columns()) != 2 {
		t.Errorf("rows %v", got)
	}
}
