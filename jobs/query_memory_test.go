//go:build duckdb_arrow

package jobs

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"agnes/domain/query"
)

// TestTextsOutliveTheirBatch reads batches whose memory would serve again if
// they were spent, some of which are.
func TestTextsOutliveTheirBatch(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	for name, spent := range map[string]func(n int) bool{
		"none": func(int) bool { return false }, "all": func(int) bool { return true }, "each second": func(n int) bool { return n%2 == 0 },
	} {
		result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT 'text that is longer ' || range AS v FROM range(1000000)"})
		if err != nil {
			t.Fatal(err)
		}
		kept := map[int]string{}
		rows, again, places := 0, 0, map[*byte]struct{}{}
		for n := 0; ; n++ {
			batch, err := result.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			column := batch.Column(0).(*array.String)
			if got, want := column.Value(column.Len()-1), fmt.Sprint("text that is longer ", rows+column.Len()-1); got != want {
				t.Fatalf("%s: %q, want %q", name, got, want)
			}
			place := &column.ValueBytes()[0]
			if _, used := places[place]; used {
				again++
			}
			places[place] = struct{}{}
			if spent(n) {
				query.Spent(batch)
			} else {
				kept[rows] = column.Value(0)
				batch.Release()
			}
			rows += column.Len()
		}
		for row, got := range kept {
			if want := fmt.Sprint("text that is longer ", row); got != want {
				t.Errorf("%s: row %d became %q", name, row, got)
			}
		}
		if rows != 1000000 || (again > 0) != (name != "none") {
			t.Errorf("%s: %d rows, memory served again %d times", name, rows, again)
		}
	}
}

func TestSpentMemoryIsBoundedAndForgotten(t *testing.T) {
	var m bodies
	batch := func() arrow.RecordBatch {
		return m.spendable(array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 0))
	}
	var all [][]byte
	for i := range 10 {
		m.begin()
		all = append(all, m.Allocate(bodyGrain+i))
		query.Spent(batch())
	}
	for _, b := range all {
		m.Free(b)
		m.Free(b) // it was spent only once
	}
	if len(m.spare) != bodySpare || len(m.spent) != 0 {
		t.Errorf("%d pieces are spare, %d spent", len(m.spare), len(m.spent))
	}
	if b := m.Reallocate(3*bodyGrain, m.Allocate(bodyGrain)); len(b) != 3*bodyGrain {
		t.Errorf("%d bytes, want %d", len(b), 3*bodyGrain)
	}
	for _, size := range []int{1, bodyLarge + 1} {
		m.begin()
		m.Free(m.Allocate(size))
		if _, can := batch().(spendable); can {
			t.Errorf("%d bytes can be spent", size)
		}
	}
	m.begin()
	late := m.Allocate(bodyGrain)
	query.Spent(batch())
	m.end()
	m.Free(late)
	if len(m.spare) != 0 {
		t.Error("an answer that is over keeps memory")
	}
}
