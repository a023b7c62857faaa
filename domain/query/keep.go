package query

import (
	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/registry"
)

// Stored describes a kept result's file.
type Stored struct {
	Bytes   int64
	Batches []int64 // the rows of each batch in it
	Pieces  []Piece // one for each batch, the first with the head of the file, and one for its end
}

// Piece is a part of a file: what lies between the piece before and its End.
type Piece struct {
	End int64  `json:"end"`
	Sum uint32 `json:"sum"` // CRC-32C
}

// Rows is how many rows it holds.
func (s Stored) Rows() int64 {
	var n int64
	for _, rows := range s.Batches {
		n += rows
	}
	return n
}

// Keeper keeps the rows of runs in files.
type Keeper interface {
	// Draft begins a run's result. Nobody sees it until it is finished.
	Draft(runID string) (Draft, error)
	// Open reads a kept result from a row on; limit 0 means to its end. It fails
	// with NotFound when the file is gone or damaged.
	Open(runID string, s Stored, columns []registry.Column, offset, limit int64) (Result, error)
	// Key names a kept result's file for engines.
	Key(runID string) string
	// Remove removes a kept result; one that is gone is no error.
	Remove(runID string) error
}

// Draft is a result that is being written. Finish or Discard ends it.
type Draft interface {
	Write(batch arrow.RecordBatch) error
	Bytes() int64 // written so far
	Finish() (Stored, error)
	Discard() error
}

// batchBytes is what a batch takes in memory, when it shares no buffer.
func batchBytes(batch arrow.RecordBatch) int64 {
	var n int64
	for _, column := range batch.Columns() {
		n += dataBytes(column.Data())
	}
	return n
}

func dataBytes(d arrow.ArrayData) int64 {
	var n int64
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Len())
		}
	}
	for _, child := range d.Children() {
		n += dataBytes(child)
	}
	return n
}

// keeping is what a run does with its rows beside handing them on.
type keeping struct {
	draft Draft
	limit int64
}

// add writes a batch, and says what became of the rows when no more are kept.
func (k *keeping) add(batch arrow.RecordBatch, size int64) (Kept, error) {
	if k.limit > 0 && k.draft.Bytes()+size > k.limit {
		return KeptTooLarge, k.draft.Discard()
	}
	if err := k.draft.Write(batch); err != nil {
		if derr := k.draft.Discard(); derr != nil {
			return KeptFailed, derr
		}
		return KeptFailed, err
	}
	return KeptWhole, nil
}

// draft begins to keep rows. A disk that cannot hold them is no reason to fail
// the query.
func (q *Run) draft() {
	draft, err := q.runner.Keeper.Draft(q.ID)
	if err != nil {
		q.runner.warn("keep a result", q.ID, err)
		q.Kept = KeptFailed
		return
	}
	most := q.runner.limits().Results
	limit := most.Bytes
	if all := most.PersonBytes; all > 0 && (limit <= 0 || all < limit) {
		limit = all
	}
	q.rows = &keeping{draft: draft, limit: limit}
}

// took counts a batch, and keeps it where rows are kept.
func (q *Run) took(batch arrow.RecordBatch) {
	size := batchBytes(batch)
	q.mu.Lock()
	q.Rows += batch.NumRows()
	q.Bytes += size
	q.mu.Unlock()
	if q.rows == nil {
		return
	}
	kept, err := q.rows.add(batch, size)
	if err != nil {
		q.runner.warn("keep rows", q.ID, err)
	}
	if kept != KeptWhole {
		q.mu.Lock()
		q.Kept, q.rows = kept, nil
		q.mu.Unlock()
	}
}

// settle decides how the run ended and what becomes of its rows.
func (q *Run) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.State == Running {
		q.State = OK
		if !q.ended {
			q.State, q.Code, q.Message = Cancelled, "query_cancelled", "The query was stopped before its last row."
		}
	}
	at := q.runner.Now()
	q.FinishedAt = &at
	if q.rows == nil {
		return
	}
	if q.State != OK {
		if err := q.rows.draft.Discard(); err != nil {
			q.runner.warn("discard a result", q.ID, err)
		}
		return
	}
	stored, err := q.rows.draft.Finish()
	if err != nil {
		q.runner.warn("finish a result", q.ID, err)
		q.Kept = KeptFailed
		return
	}
	q.Kept, q.Stored = KeptWhole, &stored
}
