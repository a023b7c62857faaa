//go:build duckdb_arrow

package warehouse

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

const (
	// A batch goes out when it has this many rows or bytes. The first is small,
	// so that a reader sees rows at once, and each next one four times as long.
	firstBatchRows = 2048
	maxBatchRows   = 64 << 10
	maxBatchBytes  = 4 << 20
	// maxRowBytes bounds one row; the server holds a batch of at least one.
	maxRowBytes = 64 << 20
)

// batcher gathers the engine's small chunks into batches worth sending, and
// cuts chunks of large values into batches that are not too large. A batch is
// valid only while it is sent: the next is put together in the same memory.
type batcher struct {
	send    func(arrow.RecordBatch) error
	schema  *arrow.Schema
	pending []arrow.RecordBatch
	held    int64       // rows in pending
	bytes   int64       // bytes in pending
	target  int64       // rows of the next batch
	rows    int64       // rows taken in all
	memory  scrap       // of the batch that is being sent
	vectors *vectorRows // takes chunks of plain columns in the place of pending; nil when there are others
}

func newBatcher(schema *arrow.Schema, send func(arrow.RecordBatch) error) *batcher {
	return &batcher{send: send, schema: schema, target: firstBatchRows}
}

// take adds the first n rows of a chunk, and sends what is full.
func (b *batcher) take(rows *chunkReader, chunk duckdb.DataChunk, n int64) error {
	if b.vectors != nil {
		size := b.vectors.look(chunk, int(n))
		if b.bytes+size > maxBatchBytes || len(b.pending) > 0 {
			if err := b.flush(); err != nil {
				return err
			}
		}
		if size <= maxBatchBytes {
			return b.takeVectors(n, size)
		}
	}
	batch, err := rows.convert(chunk)
	if err != nil {
		return err
	}
	if n < batch.NumRows() {
		whole := batch
		batch = whole.NewSlice(0, n)
		whole.Release()
	}
	return b.add(batch)
}

func (b *batcher) takeVectors(n, size int64) error {
	b.vectors.take(int(n))
	b.rows += n
	b.held += n
	b.bytes += size
	if b.held >= b.target {
		return b.flush()
	}
	return nil
}

// add takes rows over, and sends what is full.
func (b *batcher) add(chunk arrow.RecordBatch) error {
	if chunk.NumRows() == 0 {
		chunk.Release()
		return nil
	}
	b.rows += chunk.NumRows()
	size := recordBytes(chunk)
	if size > maxBatchBytes {
		defer chunk.Release()
		if err := b.flush(); err != nil {
			return err
		}
		return b.cut(chunk, size)
	}
	if b.bytes+size > maxBatchBytes {
		if err := b.flush(); err != nil {
			chunk.Release()
			return err
		}
	}
	b.pending = append(b.pending, chunk)
	b.held += chunk.NumRows()
	b.bytes += size
	if b.held >= b.target {
		return b.flush()
	}
	return nil
}

// cut sends a large chunk in halves of halves, down to one row.
func (b *batcher) cut(chunk arrow.RecordBatch, size int64) error {
	n := chunk.NumRows()
	if n == 1 && size > maxRowBytes {
		return refuseQuery("row_too_large", "A row of the answer has more than %d MB. Ask for fewer or shorter values, for instance with left(column, 1000).", maxRowBytes>>20)
	}
	if n == 1 || size <= maxBatchBytes {
		return b.send(chunk)
	}
	for _, part := range []arrow.RecordBatch{chunk.NewSlice(0, n/2), chunk.NewSlice(n/2, n)} {
		err := b.cut(part, recordBytes(part))
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// flush sends what is pending.
func (b *batcher) flush() error {
	defer b.drop()
	if b.held == 0 {
		return nil
	}
	b.target = min(b.target*4, maxBatchRows)
	if b.vectors != nil && b.vectors.rows > 0 {
		whole := b.vectors.batch()
		defer whole.Release()
		return b.send(whole)
	}
	if len(b.pending) == 1 {
		return b.send(b.pending[0])
	}
	columns := make([]arrow.Array, b.schema.NumFields())
	parts := make([]arrow.Array, len(b.pending))
	for c := range columns {
		for p, chunk := range b.pending {
			parts[p] = chunk.Column(c)
		}
		joined, err := array.Concatenate(parts, &b.memory)
		if err != nil { // a type that cannot be joined is sent in the engine's chunks
			releaseAll(columns[:c])
			return b.sendApart()
		}
		columns[c] = joined
	}
	whole := array.NewRecordBatch(b.schema, columns, b.held)
	releaseAll(columns)
	defer whole.Release()
	return b.send(whole)
}

func (b *batcher) sendApart() error {
	for _, chunk := range b.pending {
		if err := b.send(chunk); err != nil {
			return err
		}
	}
	return nil
}

// drop releases what is pending.
func (b *batcher) drop() {
	for _, chunk := range b.pending {
		chunk.Release()
	}
	b.pending, b.held, b.bytes = b.pending[:0], 0, 0
	if b.vectors != nil {
		b.vectors.reset()
	}
}

func releaseAll(arrays []arrow.Array) {
	for _, a := range arrays {
		a.Release()
	}
}

// recordBytes estimates what a batch takes on the wire. Unlike the sizes of its
// buffers, it counts only the rows of a slice.
func recordBytes(batch arrow.RecordBatch) int64 {
	var total int64
	for _, column := range batch.Columns() {
		total += arrayBytes(column)
	}
	return total
}

func arrayBytes(a arrow.Array) int64 {
	n := int64(a.Len())
	if n == 0 {
		return 0
	}
	switch a := a.(type) {
	case *array.String:
		return 4*n + int64(len(a.ValueBytes()))
	case *array.Binary:
		return 4*n + int64(len(a.ValueBytes()))
	case array.ListLike: // also maps
		first, _ := a.ValueOffsets(0)
		_, last := a.ValueOffsets(a.Len() - 1)
		values := array.NewSlice(a.ListValues(), first, last)
		defer values.Release()
		return 4*n + arrayBytes(values)
	case *array.Struct:
		var total int64
		for i := range a.NumField() {
			total += arrayBytes(a.Field(i))
		}
		return total
	}
	if fixed, isFixed := a.DataType().(arrow.FixedWidthDataType); isFixed {
		return n * int64(fixed.BitWidth()+7) / 8
	}
	return n * 16
}
