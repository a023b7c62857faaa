package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/query"
)

// heldBytes is how much of an answer is held back before its first byte leaves.
const heldBytes = 1 << 20

// rowWriter writes rows as the JSON of contract 3.1, batch by batch, in
// memory that does not grow with the rows.
type rowWriter struct {
	src   query.Result
	limit int64 // below 0: all that src has
	rows  int64
	extra bool // rows beyond the limit came
	buf   []byte
	tail  func(truncated bool) []byte // what follows the rows
	done  bool
}

func newRowWriter(src query.Result, limit int64) *rowWriter {
	w := &rowWriter{src: src, limit: limit}
	w.buf = append(w.buf, `{"columns":[`...)
	for i, c := range src.Columns() {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = query.AppendJSONText(w.buf, c.Name)
	}
	w.buf = append(w.buf, `],"rows":[`...)
	w.tail = func(truncated bool) []byte {
		return []byte(`],"row_count":` + strconv.FormatInt(w.rows, 10) + `,"truncated":` + strconv.FormatBool(truncated) + "}\n")
	}
	return w
}

// fill writes the beginning, as much as is held back.
func (w *rowWriter) fill(ctx context.Context) error {
	for !w.done && len(w.buf) < heldBytes {
		if err := w.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// drain sends what is held and then the rest.
func (w *rowWriter) drain(ctx context.Context, to io.Writer) error {
	for {
		if _, err := to.Write(w.buf); err != nil {
			return fmt.Errorf("send rows: %w", err)
		}
		w.buf = w.buf[:0]
		if w.done {
			return nil
		}
		if err := w.next(ctx); err != nil {
			return err
		}
	}
}

// next writes one batch, or the end.
func (w *rowWriter) next(ctx context.Context) error {
	batch, err := w.src.Next(ctx)
	if errors.Is(err, io.EOF) {
		w.done = true
		w.buf = append(w.buf, w.tail(w.extra || w.src.More())...)
		return nil
	}
	if err != nil {
		return err
	}
	defer batch.Release()
	for i := range int(batch.NumRows()) {
		if w.rows == w.limit {
			w.extra = true
			break
		}
		w.row(batch, i)
	}
	return nil
}

func (w *rowWriter) row(batch arrow.RecordBatch, i int) {
	if w.rows > 0 {
		w.buf = append(w.buf, ',')
	}
	w.rows++
	w.buf = append(w.buf, '[')
	for c := range int(batch.NumCols()) {
		if c > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = query.AppendJSONValue(w.buf, query.Value(batch.Column(c), i), false)
	}
	w.buf = append(w.buf, ']')
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
