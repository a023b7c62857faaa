//go:build duckdb_arrow

package warehouse

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// queryInterruptEvery is how often a stop is repeated: the engine forgets an
// interrupt that arrives while it plans.
const queryInterruptEvery = 20 * time.Millisecond

// querySink receives an answer as it arises.
type querySink interface {
	schema(work.QuerySchema) error
	batch(arrow.RecordBatch) error
}

// run executes one statement and streams its rows. Memory is bounded by the
// engine's limits, one batch, and what the sink holds. The error is a
// *queryFailure, or the sink's.
func (e *queryEngine) run(cancel <-chan struct{}, job work.QueryJob, sink querySink) (work.QueryEnd, error) {
	stop := e.interruptOn(cancel)
	end, err := e.execute(cancel, job, sink)
	stop()
	if f := (*queryFailure)(nil); err != nil && !errors.As(err, &f) && isClosed(cancel) {
		err = errCancelled() // it hit a statement of ours
	}
	if tidying := e.tidy(); tidying != nil { // what is left must not be there for the next statement
		return end, fmt.Errorf("tidy up: %w (after: %v)", tidying, err) //nolint:errorlint // err must not be found in it: this one ends the child
	}
	return end, err
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// execute is run without its interrupts. It leaves the engine as it was.
func (e *queryEngine) execute(cancel <-chan struct{}, job work.QueryJob, sink querySink) (work.QueryEnd, error) {
	s, err := e.admit(cancel, job)
	if err != nil {
		return work.QueryEnd{}, err
	}
	if err := e.ready(s.mentions, s.tables); err != nil {
		return work.QueryEnd{}, err
	}
	if s.listed {
		if err := e.fillListing(job.Listing); err != nil {
			return work.QueryEnd{}, cmp.Or(e.ownError(err), err)
		}
	}
	if err := e.begin(); err != nil {
		return work.QueryEnd{}, err
	}
	end, err := e.answer(cancel, job, s, sink)
	if tidying := e.tidy(); err == nil {
		err = tidying
	}
	return end, err
}

// begin opens a transaction that may not write: what might get past the gate
// changes nothing that the next statement would see.
func (e *queryEngine) begin() error {
	e.begun = true
	return e.exec("BEGIN TRANSACTION READ ONLY")
}

// tidy ends the transaction and takes away the listing. What a stop prevented
// is done when it is called again.
func (e *queryEngine) tidy() error {
	if e.begun {
		if err := e.exec("ROLLBACK"); err != nil && !strings.Contains(err.Error(), "no transaction is active") {
			return err
		}
		e.begun = false
	}
	if e.listed {
		return e.dropListing()
	}
	return nil
}

func (e *queryEngine) answer(cancel <-chan struct{}, job work.QueryJob, s *queryStatement, sink querySink) (work.QueryEnd, error) {
	if err := e.prepare(s, s.text); err != nil {
		return work.QueryEnd{}, err
	}
	defer func() { duckdb.DestroyPrepare(&s.prepared) }()
	columns, odd := preparedColumns(s.prepared)
	if odd != nil && s.head == "" {
		if err := e.castOddTypes(s, columns, odd); err != nil {
			return work.QueryEnd{}, err
		}
	}
	if isClosed(cancel) { // an interrupt while the engine planned is forgotten by now
		return work.QueryEnd{}, errCancelled()
	}
	return e.stream(job, s, columns, odd, sink)
}

// interruptOn stops the engine's work once cancel is closed, until stop is called.
func (e *queryEngine) interruptOn(cancel <-chan struct{}) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-cancel:
		case <-done:
			return
		}
		again := time.NewTicker(queryInterruptEvery)
		defer again.Stop()
		for {
			duckdb.Interrupt(e.conn)
			select {
			case <-again.C:
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (e *queryEngine) stream(job work.QueryJob, s *queryStatement, columns []registry.Column, odd []string, sink querySink) (work.QueryEnd, error) {
	var pending duckdb.PendingResult
	// The one call that makes the engine hand out rows as they arise; what is
	// to replace it does not exist yet.
	state := duckdb.PendingPreparedStreaming(s.prepared, &pending)
	defer duckdb.DestroyPending(&pending)
	if state == duckdb.StateError {
		return work.QueryEnd{}, e.statementError(s, duckdb.PendingError(pending))
	}
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.ExecutePending(pending, &result) == duckdb.StateError {
		return work.QueryEnd{}, e.statementError(s, duckdb.ResultError(&result))
	}
	rows, err := newChunkReader(&result)
	if err != nil {
		return work.QueryEnd{}, err
	}
	defer rows.close()
	rows.schema = withTypes(rows.schema, columns, odd)
	if err := sink.schema(work.QuerySchema{Columns: columns}); err != nil {
		return work.QueryEnd{}, err
	}
	end, err := pump(rows, job.MaxRows, sink)
	var text *engineText
	if errors.As(err, &text) {
		err = e.statementError(s, string(*text))
	}
	return end, err
}

// pump sends rows until they end or there are enough of them.
func pump(rows *chunkReader, maxRows int64, sink querySink) (work.QueryEnd, error) {
	batches := newBatcher(rows.schema, sink.batch)
	batches.vectors = newVectorRows(rows.schema, rows.types)
	defer batches.drop()
	for {
		chunk, err := rows.fetch()
		if err != nil {
			return work.QueryEnd{}, err
		}
		if chunk.Ptr == nil {
			return work.QueryEnd{Rows: batches.rows}, batches.flush()
		}
		n, more := int64(duckdb.DataChunkGetSize(chunk)), false //nolint:gosec // at most 2,048
		if room := maxRows - batches.rows; maxRows > 0 && n > room {
			n, more = room, true
		}
		err = batches.take(rows, chunk, n)
		duckdb.DestroyDataChunk(&chunk)
		if err != nil {
			return work.QueryEnd{}, err
		}
		if more {
			return work.QueryEnd{Rows: batches.rows, More: true}, batches.flush()
		}
	}
}

// engineText is an error in the engine's words, before it is made fit to show.
type engineText string

func (t *engineText) Error() string { return string(*t) }

// chunkReader reads a streaming result as Arrow record batches of the
// engine's own size, 2,048 rows.
type chunkReader struct {
	result  *duckdb.Result
	options duckdb.ArrowOptions
	schema  *arrow.Schema
	types   []duckdb.LogicalType
}

func newChunkReader(result *duckdb.Result) (*chunkReader, error) {
	count := duckdb.ColumnCount(result)
	types := make([]duckdb.LogicalType, count)
	names := make([]string, count)
	for i := range types {
		types[i] = duckdb.ColumnLogicalType(result, duckdb.IdxT(i))
		names[i] = duckdb.ColumnName(result, duckdb.IdxT(i))
	}
	options := duckdb.ResultGetArrowOptions(result)
	schema, data := duckdb.NewArrowSchema(options, types, names)
	defer duckdb.DestroyErrorData(&data)
	r := &chunkReader{result: result, options: options, schema: schema, types: types}
	if duckdb.ErrorDataHasError(data) {
		r.close()
		return nil, refuseQuery("type_not_sent", "A column of the answer has a type that cannot be sent. Turn it into text with CAST(column AS VARCHAR).")
	}
	return r, nil
}

func (r *chunkReader) close() {
	duckdb.DestroyArrowOptions(&r.options)
	for i := range r.types {
		duckdb.DestroyLogicalType(&r.types[i])
	}
}

// fetch returns the next rows, which the caller destroys; no pointer at the end.
func (r *chunkReader) fetch() (duckdb.DataChunk, error) {
	chunk := duckdb.FetchChunk(*r.result)
	if chunk.Ptr == nil {
		if text := duckdb.ResultError(r.result); text != "" {
			err := engineText(text)
			return chunk, &err
		}
	}
	return chunk, nil
}

// convert makes a batch of a chunk, which the caller releases.
func (r *chunkReader) convert(chunk duckdb.DataChunk) (arrow.RecordBatch, error) {
	batch, data := duckdb.DataChunkToArrowArray(r.options, r.schema, chunk)
	defer duckdb.DestroyErrorData(&data)
	if duckdb.ErrorDataHasError(data) {
		err := engineText(duckdb.ErrorDataMessage(data))
		return nil, &err
	}
	return batch, nil
}

// next returns the next rows, which the caller releases; nil at the end.
func (r *chunkReader) next() (arrow.RecordBatch, error) {
	chunk, err := r.fetch()
	if err != nil || chunk.Ptr == nil {
		return nil, err // nil is the end, as documented
	}
	defer duckdb.DestroyDataChunk(&chunk)
	return r.convert(chunk)
}
