//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var textSchema = arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// textBatch is n rows of a text of the given size, in memory that is accounted for.
func textBatch(mem memory.Allocator, n, size int) arrow.RecordBatch {
	b := array.NewStringBuilder(mem)
	defer b.Release()
	for range n {
		b.Append(strings.Repeat("x", size))
	}
	column := b.NewArray()
	defer column.Release()
	return array.NewRecordBatch(textSchema, []arrow.Array{column}, int64(n))
}

func TestBatcherGathersAndCuts(t *testing.T) {
	tests := []struct {
		name       string
		chunks     [][2]int // rows, bytes of each row
		want       []int64  // rows of the batches
		afterFlush []int64
	}{
		{"one small", [][2]int{{10, 5}}, nil, []int64{10}},
		{"first goes out at once", [][2]int{{2048, 5}, {2048, 5}, {2048, 5}, {2048, 5}, {2048, 5}}, []int64{2048, 8192}, []int64{2048, 8192}},
		{"many bytes", [][2]int{{1000, 3000}, {1000, 3000}}, []int64{1000}, []int64{1000, 1000}},
		{"large chunk is cut", [][2]int{{10, 5}, {8, 1 << 20}}, []int64{10, 2, 2, 2, 2}, []int64{10, 2, 2, 2, 2}},
		{"large rows go alone", [][2]int{{2, 8 << 20}}, []int64{1, 1}, []int64{1, 1}},
		{"nothing", [][2]int{{0, 0}}, nil, nil},
	}
	for _, test := range tests {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		var got []int64
		b := newBatcher(textSchema, func(r arrow.RecordBatch) error { got = append(got, r.NumRows()); return nil })
		for _, c := range test.chunks {
			if err := b.add(textBatch(mem, c[0], c[1])); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
		}
		if !equal(got, test.want) {
			t.Errorf("%s: batches %v before the end, want %v", test.name, got, test.want)
		}
		if err := b.flush(); err != nil || !equal(got, test.afterFlush) {
			t.Errorf("%s: batches %v, %v; want %v", test.name, got, err, test.afterFlush)
		}
		b.drop()
		mem.AssertSize(t, 0)
	}
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestBatcherReleasesWhenSendingFails(t *testing.T) {
	gone := errors.New("gone")
	for _, chunks := range [][][2]int{{{2048, 5}}, {{10, 5}, {8, 1 << 20}}, {{1000, 3000}, {1000, 3000}}} {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		b := newBatcher(textSchema, func(arrow.RecordBatch) error { return gone })
		var err error
		for _, c := range chunks {
			if err = b.add(textBatch(mem, c[0], c[1])); err != nil {
				break
			}
		}
		if !errors.Is(err, gone) {
			t.Errorf("%v: error %v, want the sender's", chunks, err)
		}
		b.drop()
		mem.AssertSize(t, 0)
	}
}

func TestRecordBytesCountsTheSlice(t *testing.T) {
	whole := textBatch(memory.DefaultAllocator, 100, 1000)
	defer whole.Release()
	part := whole.NewSlice(10, 20)
	defer part.Release()
	if got, want := recordBytes(whole), int64(100*1004); got != want {
		t.Errorf("whole: %d bytes, want %d", got, want)
	}
	if got, want := recordBytes(part), int64(10*1004); got != want {
		t.Errorf("ten rows of it: %d bytes, want %d", got, want)
	}
	list := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Int64)
	defer list.Release()
	values := list.ValueBuilder().(*array.Int64Builder)
	for range 4 {
		list.Append(true)
		values.AppendValues(make([]int64, 100), nil)
	}
	lists := list.NewArray()
	defer lists.Release()
	if got := arrayBytes(lists); got < 3200 || got > 3700 {
		t.Errorf("four lists of 100 numbers: %d bytes, want about 3216", got)
	}
	if got := arrayBytes(array.NewNull(3)); got < 0 || got > 100 {
		t.Errorf("three nulls: %d bytes", got)
	}
}
