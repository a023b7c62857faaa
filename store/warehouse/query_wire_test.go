//go:build duckdb_arrow

package warehouse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain/work"
)

// parity is n rows of numbers, texts with gaps, and one of words, from first on.
func parity(t *testing.T, first, n int, words ...string) arrow.RecordBatch {
	t.Helper()
	kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "kind", Type: kind, Nullable: true},
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := first; i < first+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(3).(*array.BooleanBuilder).Append(i%3 == 0)
		list := b.Field(4).(*array.ListBuilder)
		list.Append(true)
		for j := range i % 4 {
			list.ValueBuilder().(*array.Int32Builder).Append(int32(j))
		}
		if i%7 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(strings.Repeat("x", i%50))
		}
		if err := b.Field(2).(*array.BinaryDictionaryBuilder).AppendString(words[i%len(words)]); err != nil {
			t.Fatal(err)
		}
	}
	return b.NewRecordBatch()
}

// sentBatches reads the batches that were sent, each in a frame of its own.
func sentBatches(t *testing.T, sent io.Reader) *ipc.Reader {
	t.Helper()
	var stream bytes.Buffer
	for {
		kind, payload, err := work.ReadFrame(sent)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || kind != work.FrameBatch {
			t.Fatalf("frame %c, %v", kind, err)
		}
		stream.Write(payload)
	}
	r, err := ipc.NewReader(&stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Release)
	return r
}

func TestFramesOfAnAnswerAreOneStream(t *testing.T) {
	large, small, others := parity(t, 0, 9000, "even", "odd"), parity(t, 5, 3, "even", "odd"), parity(t, 0, 10, "a", "b", "c")
	part := large.NewSlice(11, 8123)
	none := large.NewSlice(0, 0)
	want := []arrow.RecordBatch{large, small, part, none, others, large}
	var sent bytes.Buffer
	s := newBatchStream(&sent)
	for _, batch := range want {
		if err := s.send(batch); err != nil {
			t.Fatal(err)
		}
	}
	before := sent.Len()
	if err := s.close(); err != nil || sent.Len() != before {
		t.Fatalf("closing sent %d bytes, %v", sent.Len()-before, err)
	}
	r := sentBatches(t, &sent)
	for i, batch := range want {
		if !r.Next() {
			t.Fatalf("no batch %d: %v", i, r.Err())
		}
		if got := r.RecordBatch(); !array.RecordEqual(got, batch) {
			t.Errorf("batch %d: read %v, want %v", i, got, batch)
		}
	}
	if r.Next() {
		t.Error("more batches than were sent")
	}
}

func TestStreamSaysWhatItCannotSend(t *testing.T) {
	batch, other := parity(t, 0, 3, "a"), textBatch(memory.DefaultAllocator, 1, 1)
	s := newBatchStream(closedWriter{})
	if err := s.send(batch); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a channel that is gone: %v", err)
	}
	if err := s.send(other); err == nil {
		t.Error("a batch of another schema was sent")
	}
	if err := newBatchStream(io.Discard).close(); err != nil {
		t.Errorf("a stream without rows: %v", err)
	}
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestOldMemoryDoesNotShow joins chunks in memory that is full of something else.
func TestOldMemoryDoesNotShow(t *testing.T) {
	var dirty scrap
	for size := range 40 {
		b := dirty.fresh.Allocate((1 + size/8) * scrapGrain)
		for i := range b {
			b[i] = 0xff
		}
		dirty.Free(b)
	}
	var sent bytes.Buffer
	s := newBatchStream(&sent)
	b := newBatcher(parity(t, 0, 1, "a").Schema(), s.send)
	b.memory = dirty
	for first := 0; first < 100_000; first += 1001 {
		if err := b.add(parity(t, first, 1001, "even", "odd")); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.flush(), s.close()); err != nil {
		t.Fatal(err)
	}
	next := 0
	for r := sentBatches(t, &sent); r.Next(); {
		got, n := r.RecordBatch(), int(r.RecordBatch().NumRows())
		if want := parity(t, next, n, "even", "odd"); fmt.Sprint(got.Columns()) != fmt.Sprint(want.Columns()) {
			t.Fatalf("rows %d to %d differ", next, next+n)
		}
		next += n
	}
	if next != 100*1001 {
		t.Errorf("%d rows arrived", next)
	}
}

func TestScrapServesAgainAndIsBounded(t *testing.T) {
	var s scrap
	first := s.Allocate(1000)
	s.Free(first)
	if again := s.Allocate(scrapGrain / 2); &again[:1][0] != &first[:1][0] {
		t.Error("memory that was free was not used")
	} else if grown := s.Reallocate(scrapGrain, again); &grown[0] != &first[0] {
		t.Error("memory with room was moved")
	}
	copy(first, "begin")
	if moved := s.Reallocate(10*scrapGrain, first); len(moved) != 10*scrapGrain || string(moved[:5]) != "begin" || s.kept == 0 {
		t.Errorf("%d bytes that begin with %q, %d kept", len(moved), moved[:5], s.kept)
	}
	for range 100 {
		s.Free(make([]byte, 1<<20))
	}
	if s.kept > scrapBytes {
		t.Errorf("%d bytes are kept", s.kept)
	}
	if b := s.Allocate(10); cap(b) > scrapGrain {
		t.Errorf("ten bytes took %d", cap(b))
	}
}
