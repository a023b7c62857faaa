//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
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
	if err != nil {
		// Ends the transaction that an error may have left behind; when there
		// is none, that it fails is what is wanted.
		_ = e.exec("ROLLBACK")
	}
	return end, err
}

func (e *queryEngine) execute(cancel <-chan struct{}, job work.QueryJob, sink querySink) (work.QueryEnd, error) {
	s, err := e.admit(job.SQL)
	if err != nil {
		return work.QueryEnd{}, err
	}
	defer duckdb.DestroyPrepare(&s.prepared)
	columns := preparedColumns(s.prepared)
	if err := e.castOddTypes(job.SQL, &s, columns); err != nil {
		return work.QueryEnd{}, err
	}
	select {
	case <-cancel: // an interrupt while the engine planned is forgotten by now
		return work.QueryEnd{}, refuseQuery(codeQueryCancelled, "The query was stopped.")
	default:
	}
	return e.stream(job, s, columns, sink)
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

func (e *queryEngine) stream(job work.QueryJob, s queryStatement, columns []registry.Column, sink querySink) (work.QueryEnd, error) {
	var pending duckdb.PendingResult
	// The one call that makes the engine hand out rows as they arise; what is
	// to replace it does not exist yet.
	state := duckdb.PendingPreparedStreaming(s.prepared, &pending)
	defer duckdb.DestroyPending(&pending)
	if state == duckdb.StateError {
		return work.QueryEnd{}, e.engineError(job.SQL, duckdb.PendingError(pending))
	}
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.ExecutePending(pending, &result) == duckdb.StateError {
		return work.QueryEnd{}, e.engineError(job.SQL, duckdb.ResultError(&result))
	}
	rows, err := newChunkReader(&result)
	if err != nil {
		return work.QueryEnd{}, err
	}
	defer rows.close()
	if err := sink.schema(work.QuerySchema{Columns: columns}); err != nil {
		return work.QueryEnd{}, err
	}
	end, err := pump(rows, job.MaxRows, sink)
	var text *engineText
	if errors.As(err, &text) {
		err = e.engineError(job.SQL, string(*text))
	}
	return end, err
}

// pump sends rows until they end or there are enough of them.
func pump(rows *chunkReader, maxRows int64, sink querySink) (work.QueryEnd, error) {
	batches := newBatcher(rows.schema, sink.batch)
	defer batches.drop()
	for {
		chunk, err := rows.next()
		if err != nil {
			return work.QueryEnd{}, err
		}
		if chunk == nil {
			return work.QueryEnd{Rows: batches.rows}, batches.flush()
		}
		more := false
		if room := maxRows - batches.rows; maxRows > 0 && chunk.NumRows() > room {
			kept := chunk.NewSlice(0, room)
			chunk.Release()
			chunk, more = kept, true
		}
		if err := batches.add(chunk); err != nil {
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
}

func newChunkReader(result *duckdb.Result) (*chunkReader, error) {
	count := duckdb.ColumnCount(result)
	types := make([]duckdb.LogicalType, count)
	names := make([]string, count)
	for i := range types {
		types[i] = duckdb.ColumnLogicalType(result, duckdb.IdxT(i))
		names[i] = duckdb.ColumnName(result, duckdb.IdxT(i))
		defer duckdb.DestroyLogicalType(&types[i])
	}
	options := duckdb.ResultGetArrowOptions(result)
	schema, data := duckdb.NewArrowSchema(options, types, names)
	defer duckdb.DestroyErrorData(&data)
	if duckdb.ErrorDataHasError(data) {
		duckdb.DestroyArrowOptions(&options)
		return nil, refuseQuery("type_not_sent", "A column of the answer has a type that cannot be sent. Turn it into text with CAST(column AS VARCHAR).")
	}
	return &chunkReader{result: result, options: options, schema: schema}, nil
}

func (r *chunkReader) close() { duckdb.DestroyArrowOptions(&r.options) }

// next returns the next rows, which the caller releases; nil at the end.
func (r *chunkReader) next() (arrow.RecordBatch, error) {
	chunk := duckdb.FetchChunk(*r.result)
	if chunk.Ptr == nil {
		if text := duckdb.ResultError(r.result); text != "" {
			err := engineText(text)
			return nil, &err
		}
		return nil, nil //nolint:nilnil // nil is the end, as documented
	}
	defer duckdb.DestroyDataChunk(&chunk)
	batch, data := duckdb.DataChunkToArrowArray(r.options, r.schema, chunk)
	defer duckdb.DestroyErrorData(&data)
	if duckdb.ErrorDataHasError(data) {
		err := engineText(duckdb.ErrorDataMessage(data))
		return nil, &err
	}
	return batch, nil
}

// textOf runs one of our prepared statements with one text and returns the one
// text that it answers.
func (e *queryEngine) textOf(prepared duckdb.PreparedStatement, argument string) (string, error) {
	if duckdb.BindVarchar(prepared, 1, argument) == duckdb.StateError {
		return "", errors.New("bind a text")
	}
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.ExecutePrepared(prepared, &result) == duckdb.StateError {
		return "", e.engineError(argument, duckdb.ResultError(&result))
	}
	texts, err := readTexts(&result)
	if err != nil || len(texts) != 1 {
		return "", errors.Join(fmt.Errorf("read one text, got %d", len(texts)), err)
	}
	return texts[0], nil
}

// texts runs a query of ours that answers one column of texts.
func (e *queryEngine) texts(sql string) ([]string, error) {
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.Query(e.conn, sql, &result) == duckdb.StateError {
		return nil, fmt.Errorf("run %s: %s", sql, duckdb.ResultError(&result))
	}
	return readTexts(&result)
}

func readTexts(result *duckdb.Result) ([]string, error) {
	rows, err := newChunkReader(result)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	var texts []string
	for {
		batch, err := rows.next()
		if err != nil || batch == nil {
			return texts, err
		}
		column, isText := batch.Column(0).(*array.String)
		for i := 0; isText && i < column.Len(); i++ {
			texts = append(texts, strings.Clone(column.Value(i))) // the engine owns the bytes until Release
		}
		batch.Release()
	}
}
