package api

import (
	"bytes"
	"encoding/json"
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

// rowWriter writes a run as the JSON of contract 3.1, batch by batch, in
// memory that does not grow with the rows.
type rowWriter struct {
	run   *query.Run
	limit int64
	rows  int64
	extra bool // rows beyond the limit came
	buf   bytes.Buffer
	json  *json.Encoder // into buf
	done  bool
}

func newRowWriter(run *query.Run, limit int64) *rowWriter {
	w := &rowWriter{run: run, limit: limit}
	w.json = json.NewEncoder(&w.buf)
	w.json.SetEscapeHTML(false)
	return w
}

// fill writes the beginning, as much as is held back.
func (w *rowWriter) fill() error {
	w.buf.WriteString(`{"columns":[`)
	for i, c := range w.run.Columns() {
		if i > 0 {
			w.buf.WriteByte(',')
		}
		if err := w.value(c.Name); err != nil {
			return err
		}
	}
	w.buf.WriteString(`],"rows":[`)
	for !w.done && w.buf.Len() < heldBytes {
		if err := w.next(); err != nil {
			return err
		}
	}
	return nil
}

// drain sends what is held and then the rest.
func (w *rowWriter) drain(to io.Writer) error {
	for {
		if _, err := w.buf.WriteTo(to); err != nil {
			return fmt.Errorf("send rows: %w", err)
		}
		if w.done {
			return nil
		}
		if err := w.next(); err != nil {
			return err
		}
	}
}

// next writes one batch, or the end.
func (w *rowWriter) next() error {
	batch, err := w.run.Next()
	if errors.Is(err, io.EOF) {
		w.done = true
		truncated := w.extra || w.run.More()
		w.buf.WriteString(`],"row_count":` + strconv.FormatInt(w.rows, 10) + `,"truncated":` + strconv.FormatBool(truncated) + "}\n")
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
		if err := w.row(batch, i); err != nil {
			return err
		}
	}
	return nil
}

func (w *rowWriter) row(batch arrow.RecordBatch, i int) error {
	if w.rows > 0 {
		w.buf.WriteByte(',')
	}
	w.rows++
	w.buf.WriteByte('[')
	for c := range int(batch.NumCols()) {
		if c > 0 {
			w.buf.WriteByte(',')
		}
		if err := w.value(query.Value(batch.Column(c), i)); err != nil {
			return err
		}
	}
	w.buf.WriteByte(']')
	return nil
}

// value writes one value as query.Value returns it.
func (w *rowWriter) value(v any) error {
	switch v := v.(type) {
	case nil:
		w.buf.WriteString("null")
	case bool:
		w.buf.WriteString(strconv.FormatBool(v))
	case int64:
		w.buf.WriteString(strconv.FormatInt(v, 10))
	case uint64:
		w.buf.WriteString(strconv.FormatUint(v, 10))
	default:
		if err := w.json.Encode(v); err != nil {
			return fmt.Errorf("encode a value: %w", err)
		}
		w.buf.Truncate(w.buf.Len() - 1) // the encoder's line end
	}
	return nil
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
