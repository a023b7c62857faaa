package results

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"agnes/domain/query"
	"agnes/domain/registry"
)

// reader hands out a part of a kept result, batch by batch.
type reader struct {
	columns []registry.Column
	file    *os.File // nil for a result without rows
	arrow   *ipc.FileReader
	batches []int64
	next    int   // batch
	skip    int64 // rows of it
	left    int64 // rows to hand out; below 0: all
	more    bool
}

// Open reads a kept result from a row on; limit 0 means to its end. It fails
// with NotFound when the file is gone or is not the one that was written.
func (f Folder) Open(runID string, s query.Stored, columns []registry.Column, offset, limit int64) (query.Result, error) {
	r := &reader{columns: columns, batches: s.Batches, skip: max(offset, 0), left: limit}
	if limit <= 0 {
		r.left = -1
	}
	if len(s.Batches) == 0 {
		return r, nil
	}
	file, err := f.root.Open(runID + ending)
	if err != nil {
		return nil, lost(err)
	}
	if err := r.open(file, s); err != nil {
		return nil, lost(errors.Join(fmt.Errorf("open the result of %s: %w", runID, err), file.Close()))
	}
	for r.next < len(s.Batches) && r.skip >= s.Batches[r.next] {
		r.skip -= s.Batches[r.next]
		r.next++
	}
	return r, nil
}

func (r *reader) open(file *os.File, s query.Stored) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != s.Bytes {
		return fmt.Errorf("%d bytes instead of %d", info.Size(), s.Bytes)
	}
	if err := guarded(func() (err error) {
		r.arrow, err = ipc.NewFileReader(file)
		return err
	}); err != nil {
		return err
	}
	if r.arrow.NumRecords() != len(s.Batches) {
		return fmt.Errorf("%d batches instead of %d", r.arrow.NumRecords(), len(s.Batches))
	}
	r.file = file
	return nil
}

// guarded runs a step of the library, which panics on some damaged files.
func guarded(step func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read an Arrow file: %v", r)
		}
	}()
	return step()
}

// Columns names the columns with their DuckDB types.
func (r *reader) Columns() []registry.Column { return r.columns }

// Schema returns the columns as Arrow has them; nil for a result without rows.
func (r *reader) Schema() *arrow.Schema {
	if r.arrow == nil {
		return nil
	}
	return r.arrow.Schema()
}

// More reports, after io.EOF, whether rows after these exist.
func (r *reader) More() bool { return r.more }

// Next returns the next rows, which the caller releases; io.EOF at the end.
func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.next >= len(r.batches) || r.left == 0 {
		r.more = r.next < len(r.batches)
		return nil, io.EOF
	}
	var batch arrow.RecordBatch
	if err := guarded(func() (err error) {
		batch, err = r.arrow.RecordBatchAt(r.next)
		return err
	}); err != nil {
		return nil, lost(err)
	}
	if batch.NumRows() != r.batches[r.next] {
		defer batch.Release()
		return nil, lost(fmt.Errorf("batch %d has %d rows instead of %d", r.next, batch.NumRows(), r.batches[r.next]))
	}
	from, to := r.skip, batch.NumRows()
	if r.left >= 0 && to-from > r.left {
		to = from + r.left
	}
	if to == batch.NumRows() {
		r.next, r.skip = r.next+1, 0
	} else {
		r.skip = to
	}
	if r.left >= 0 {
		r.left -= to - from
	}
	if from == 0 && to == batch.NumRows() {
		return batch, nil
	}
	defer batch.Release()
	return batch.NewSlice(from, to), nil
}

// Close lets go of the file.
func (r *reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.arrow.Close(), r.file.Close())
	r.file = nil
	return err
}
