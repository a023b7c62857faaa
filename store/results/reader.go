package results

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
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
	pieces  []query.Piece
	next    int   // batch
	skip    int64 // rows of it
	left    int64 // rows to hand out; below 0: all
	more    bool
	unread  bool // nothing of the file was handed out
}

// Open reads a kept result from a row on; limit 0 means to its end. It fails
// with NotFound when the file is gone or is not the one that was written.
func (f Folder) Open(runID string, s query.Stored, columns []registry.Column, offset, limit int64) (query.Result, error) {
	r := &reader{columns: columns, batches: s.Batches, pieces: s.Pieces, skip: max(offset, 0), left: limit, unread: true}
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
	if len(s.Pieces) != len(s.Batches)+1 {
		return fmt.Errorf("%d pieces of %d batches", len(s.Pieces), len(s.Batches))
	}
	r.file = file
	for _, piece := range []int{0, len(s.Pieces) - 1} {
		if err := r.check(piece); err != nil {
			return err
		}
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
	return nil
}

// check compares a piece of the file with the sum of what was written: a disk
// may give back other bytes without any error, and the library trusts them.
func (r *reader) check(piece int) error {
	from, p := int64(0), r.pieces[piece]
	if piece > 0 {
		from = r.pieces[piece-1].End
	}
	sum := crc32.New(sums())
	if _, err := io.Copy(sum, io.NewSectionReader(r.file, from, p.End-from)); err != nil {
		return fmt.Errorf("read a piece: %w", err)
	}
	if sum.Sum32() != p.Sum {
		return fmt.Errorf("piece %d has the sum %08x instead of %08x", piece, sum.Sum32(), p.Sum)
	}
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
	if r.skip == 0 || r.unread {
		if err := r.check(r.next); err != nil {
			return nil, lost(err)
		}
		r.unread = false
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
