package results

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain"
	"agnes/domain/query"
)

// words is a batch of texts, numbers and lists, whose places can be damaged.
func words(t *testing.T) arrow.RecordBatch {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "e", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for i := range 5 {
		b.Field(0).(*array.StringBuilder).Append("word")
		l := b.Field(1).(*array.ListBuilder)
		l.Append(true)
		l.ValueBuilder().(*array.Int32Builder).Append(int32(i))
		if err := b.Field(2).(*array.BinaryDictionaryBuilder).AppendString("member"); err != nil {
			t.Fatal(err)
		}
	}
	b.Field(0).AppendNull()
	b.Field(1).AppendNull()
	b.Field(2).AppendNull()
	return b.NewRecordBatch()
}

// readAll reads every cell, as an answer would.
func readAll(t *testing.T, f Folder, s query.Stored) (rows int64, err error) {
	t.Helper()
	r, err := f.Open("q", s, columns, 0, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for c := range int(b.NumCols()) {
			for i := range int(b.NumRows()) {
				query.Text(b.Column(c), i)
			}
		}
		rows += b.NumRows()
		b.Release()
	}
}

// One flipped bit, wherever: the rows are lost, and nobody is shown other ones.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	d, err := f.Draft("q")
	if err != nil {
		t.Fatal(err)
	}
	b := words(t)
	defer b.Release()
	if err := d.Write(b); err != nil {
		t.Fatal(err)
	}
	s, err := d.Finish()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, f.Key("q"))
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 3 {
		bad := append([]byte(nil), whole...)
		bad[at] ^= 1 << (at % 8)
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if rows, err := readAll(t, f, s); domain.CodeOf(err) != "result_lost" {
			t.Errorf("byte %d of %d: %d rows, %v", at, len(whole), rows, err)
		}
	}
}

// What follows a damaged batch is lost with it; what lies before is not.
func TestDamageInTheMiddle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	s := mustKeep(t, f, "q", 10, 20, 30)
	name := filepath.Join(dir, f.Key("q"))
	bad, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	bad[s.Pieces[2].End-1] ^= 1
	if err := os.WriteFile(name, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[int64]string{0: "", 5: "", 10: "", 20: "result_lost", 25: "result_lost"} {
		r, err := f.Open("q", s, columns, from, 5)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.Next(t.Context())
		if domain.CodeOf(err) != want {
			t.Errorf("from %d: %v", from, err)
		}
		if err == nil {
			b.Release()
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	s := mustKeep(t, f, "q", 7, 9)
	for size := s.Bytes - 1; size >= 0; size -= 7 {
		if err := os.Truncate(filepath.Join(dir, f.Key("q")), size); err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(t, f, s); domain.CodeOf(err) != "result_lost" {
			t.Errorf("cut to %d of %d bytes: %v", size, s.Bytes, err)
		}
	}
}

// Who began to read goes on reading while the result makes room for a newer one.
func TestReadersOutliveEviction(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, t.TempDir())
	for range 20 {
		s := mustKeep(t, f, "q", 100, 200, 300)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				r, err := f.Open("q", s, columns, 0, 0)
				if domain.CodeOf(err) == "result_lost" {
					return // it came too late
				}
				if err != nil {
					t.Error(err)
					return
				}
				var rows int64
				for {
					b, err := r.Next(t.Context())
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Error(err)
						break
					}
					rows += b.NumRows()
					b.Release()
				}
				if err := r.Close(); err != nil || rows != 300 {
					t.Errorf("%d rows, %v", rows, err)
				}
			})
		}
		all.Go(func() {
			if err := f.Remove("q"); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
	}
}

// A process that stops while it writes leaves nothing that anybody finds.
func TestHalfFilesGoAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, dir)
	mustKeep(t, f, "whole", 3)
	b := batch(t, 0, 1000)
	defer b.Release()
	for _, run := range []string{"one", "two"} {
		d, err := f.Draft(run)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "results", "folder.part"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
	if got := names(t, dir); got != "folder.part whole.arrow" {
		t.Errorf("after the start there is %q", got)
	}
}
