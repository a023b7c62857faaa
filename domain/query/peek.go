package query

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// Peek reads the first batch ahead, so that what fails at once fails before
// anything was sent. The result that it returns is closed by the caller; one
// that failed is closed already.
func Peek(ctx context.Context, r Result) (Result, error) {
	batch, err := r.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, r.Close())
	}
	return &peeked{Result: r, batch: batch, ahead: true, over: err}, nil
}

type peeked struct {
	Result
	batch arrow.RecordBatch
	ahead bool
	over  error
}

// Next returns the batch read ahead, then the others.
func (p *peeked) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if p.ahead {
		batch := p.batch
		p.ahead, p.batch = false, nil
		return batch, p.over
	}
	return p.Result.Next(ctx)
}

// Close ends the result.
func (p *peeked) Close() error {
	if p.batch != nil {
		p.batch.Release()
		p.batch = nil
	}
	return p.Result.Close()
}

// AsResult is a run as a Result: its own context bounds it.
func AsResult(run *Run) Result { return runResult{run} }

type runResult struct{ *Run }

// Next returns the next batch of rows, which the caller releases; io.EOF at the end.
func (r runResult) Next(context.Context) (arrow.RecordBatch, error) { return r.Run.Next() }
