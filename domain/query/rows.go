package query

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/registry"
)

// Rows is a bounded result, held whole: what pages and JSON answers show.
type Rows struct {
	Columns []registry.Column
	Values  [][]any // as Value returns them
	More    bool    // rows beyond the limit existed
}

// ReadAll reads a run to its end with cell, usually Value, and leaves closing
// to the caller. The run's MaxRows bounds what is held.
func ReadAll(run *Run, cell func(arrow.Array, int) any) (Rows, error) {
	out := Rows{Columns: run.Columns(), Values: [][]any{}}
	for {
		batch, err := run.Next()
		if errors.Is(err, io.EOF) {
			out.More = run.More()
			return out, nil
		}
		if err != nil {
			return Rows{}, err
		}
		for i := range int(batch.NumRows()) {
			row := make([]any, batch.NumCols())
			for c := range row {
				row[c] = cell(batch.Column(c), i)
			}
			out.Values = append(out.Values, row)
		}
		batch.Release()
	}
}

// TextCell is Text in the shape of Value: nil for NULL.
func TextCell(a arrow.Array, i int) any {
	if s, ok := Text(a, i); ok {
		return s
	}
	return nil
}
