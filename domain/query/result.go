// Package query runs people's SQL: one reading statement, over one catalog,
// with limits, recorded before it starts and after it ends.
package query

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Statement is one SQL text for an engine, which stops after MaxRows rows (0: never).
type Statement struct {
	SQL     string
	MaxRows int64
	RunID   string        // the run that it belongs to; "" for one of Agnes's own
	By      people.UserID // whose turn it takes in the queue; "" for one of Agnes's own
}

// Engine runs statements in children that hold one catalog each.
type Engine interface {
	// Start begins a statement over c. It fails with an *SQLError when the text
	// is at fault, with Limited, Unavailable or Cancelled otherwise. The result
	// must be closed.
	Start(ctx context.Context, c access.Catalog, s Statement) (Result, error)
}

// Result is a running statement's rows, in record batches as they arrive.
type Result interface {
	// Columns names the columns with their DuckDB types.
	Columns() []registry.Column
	// Next returns the next batch, which the caller releases; io.EOF at the end.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	// More reports, after io.EOF, whether rows beyond MaxRows existed.
	More() bool
	// Close ends the statement if it still runs.
	Close() error
}

// SQLError says what is wrong with a statement, in the engine's words or the
// gate's. It is the one error whose text people see as it came.
type SQLError struct {
	Code   string // query_error, several_statements, not_a_reading_statement …
	Text   string
	Line   int // from 1; 0 when unknown
	Column int // from 1; 0 when unknown
	// Statements are the places of the statements of a text that holds several,
	// where these could be told apart.
	Statements []work.Place
}

// Error returns the text.
func (e *SQLError) Error() string { return e.Text }

// Unwrap makes KindOf(err) Invalid.
func (e *SQLError) Unwrap() error {
	return &domain.Error{Kind: domain.Invalid, Code: e.Code, Message: e.Text}
}
