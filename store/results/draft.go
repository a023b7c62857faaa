package results

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"agnes/domain/query"
)

// bufferBytes gathers the many small writes of a batch.
const bufferBytes = 256 << 10

// draft is a result that is being written, under a name that nobody reads.
type draft struct {
	folder  Folder
	run     string
	file    *os.File
	out     *bufio.Writer
	arrow   *ipc.FileWriter // nil before the first batch
	schema  *arrow.Schema
	batches []int64
	pieces  []query.Piece
	piece   query.Piece // that is being written
	bytes   int64
}

// sums is the polynomial of CRC-32C, which processors know.
func sums() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// summed takes the sum of what the file will hold.
type summed struct{ *draft }

// Write writes to the file.
func (s summed) Write(p []byte) (int, error) {
	n, err := s.out.Write(p)
	s.piece.Sum = crc32.Update(s.piece.Sum, sums(), p[:n])
	s.piece.End += int64(n)
	return n, err //nolint:wrapcheck // the callers name the run
}

// cut ends a piece.
func (d *draft) cut() {
	d.pieces = append(d.pieces, d.piece)
	d.piece.Sum = 0
}

// Draft begins a run's result.
func (f Folder) Draft(runID string) (query.Draft, error) {
	file, err := f.root.OpenFile(runID+partEnding, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin the result of %s: %w", runID, err)
	}
	d := &draft{folder: f, run: runID, file: file}
	d.out = bufio.NewWriterSize(counter{d}, bufferBytes)
	return d, nil
}

// counter counts what reaches the file.
type counter struct{ *draft }

// Write writes to the file.
func (c counter) Write(p []byte) (int, error) {
	n, err := c.file.Write(p)
	c.bytes += int64(n)
	return n, err
}

// Bytes is what was written so far.
func (d *draft) Bytes() int64 { return d.bytes + int64(d.out.Buffered()) }

// Write adds a batch. All batches have the columns of the first.
func (d *draft) Write(batch arrow.RecordBatch) error {
	batch, err := query.Plain(batch)
	if err != nil {
		return fmt.Errorf("write the result of %s: %w", d.run, err)
	}
	defer batch.Release()
	if d.arrow == nil {
		d.schema = batch.Schema()
		if d.arrow, err = ipc.NewFileWriter(summed{d}, ipc.WithSchema(d.schema)); err != nil {
			return fmt.Errorf("write the result of %s: %w", d.run, err)
		}
	}
	if !batch.Schema().Equal(d.schema) {
		return fmt.Errorf("write the result of %s: batch %d has other columns than the first", d.run, len(d.batches))
	}
	if err := d.arrow.Write(batch); err != nil {
		return fmt.Errorf("write the result of %s: %w", d.run, err)
	}
	d.batches = append(d.batches, batch.NumRows())
	d.cut()
	return nil
}

// Finish makes the result readable. It is not synced to the disk: what a power
// cut takes is noticed when it is read, and costs one more run of the query.
func (d *draft) Finish() (query.Stored, error) {
	var err error
	if d.arrow != nil {
		err = d.arrow.Close()
		d.cut()
	}
	if err = errors.Join(err, d.out.Flush(), d.file.Close()); err != nil {
		return query.Stored{}, errors.Join(fmt.Errorf("end the result of %s: %w", d.run, err), d.remove())
	}
	if err := d.folder.root.Rename(d.run+partEnding, d.run+ending); err != nil {
		return query.Stored{}, errors.Join(fmt.Errorf("end the result of %s: %w", d.run, err), d.remove())
	}
	return query.Stored{Bytes: d.bytes, Batches: d.batches, Pieces: d.pieces}, nil
}

// Discard removes what was written.
func (d *draft) Discard() error {
	return errors.Join(d.file.Close(), d.remove())
}

func (d *draft) remove() error {
	if err := d.folder.root.Remove(d.run + partEnding); err != nil {
		return fmt.Errorf("discard the result of %s: %w", d.run, err)
	}
	return nil
}
