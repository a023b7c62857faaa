package api_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
	"agnes/store"
)

// files are the files of versions, by key.
type files map[string]string

type content struct{ *strings.Reader }

func (content) Close() error { return nil }

func (f files) Open(_ context.Context, file registry.File) (io.ReadSeekCloser, time.Time, error) {
	text, ok := f[file.Key]
	if !ok {
		return nil, time.Time{}, errors.New("open /srv/data/versions/lost.parquet: no such file")
	}
	return content{strings.NewReader(text)}, time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), nil
}

// rebuilds counts the rebuilds that were asked for.
type rebuilds int

func (r *rebuilds) Request(context.Context) { *r++ }

func (r *rebuilds) Rebuild(context.Context) (work.Rebuilt, error) {
	*r++
	return work.Rebuilt{Views: 311, Generation: 7, Problems: []work.Problem{{Source: "crm", Table: "deals", Code: work.VersionMissing, Message: "deals has no rows yet."}}}, nil
}

type remover struct{ store *store.Store }

func (r remover) Remove(ctx context.Context, by audit.Actor, ids []registry.TableID, seen ...int64) ([]registry.Removed, error) {
	return r.store.Unregister(ctx, by, ids, seen...)
}

// engine answers every statement with the same rows, or an error.
type engine struct {
	start   error // instead of rows
	schema  *arrow.Schema
	batches []func(*array.RecordBuilder)
	after   error // instead of the end
	columns []registry.Column
	more    bool
	asked   []query.Statement
	tables  []string // of the last catalog
	closed  int
}

func (e *engine) Start(_ context.Context, c access.Catalog, s query.Statement) (query.Result, error) {
	e.asked = append(e.asked, s)
	e.tables = nil
	for _, t := range c.Tables() {
		e.tables = append(e.tables, t.Name)
	}
	if e.start != nil {
		return nil, e.start
	}
	return &result{engine: e}, nil
}

type result struct {
	engine *engine
	at     int
}

func (r *result) Columns() []registry.Column { return r.engine.columns }
func (r *result) More() bool                 { return r.engine.more }

func (r *result) Close() error {
	r.engine.closed++
	return nil
}

func (r *result) Next(context.Context) (arrow.RecordBatch, error) {
	if r.at == len(r.engine.batches) {
		if r.engine.after != nil {
			return nil, r.engine.after
		}
		return nil, io.EOF
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, r.engine.schema)
	defer b.Release()
	r.engine.batches[r.at](b)
	r.at++
	return b.NewRecordBatch(), nil
}

// numbers makes the engine answer with n rows of one whole number, in batches.
func (e *engine) numbers(n, batch int) {
	e.schema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	e.columns = []registry.Column{{Name: "n", Type: "BIGINT"}}
	e.batches = nil
	for from := 0; from < n; from += batch {
		e.batches = append(e.batches, func(b *array.RecordBuilder) {
			for i := from; i < min(from+batch, n); i++ {
				b.Field(0).(*array.Int64Builder).Append(int64(i))
			}
		})
	}
}

// long makes the engine answer with one text of n characters.
func (e *engine) long(n int) {
	e.schema = arrow.NewSchema([]arrow.Field{{Name: "t", Type: arrow.BinaryTypes.String}}, nil)
	e.columns = []registry.Column{{Name: "t", Type: "VARCHAR"}}
	e.batches = []func(*array.RecordBuilder){func(b *array.RecordBuilder) { b.Field(0).(*array.StringBuilder).Append(strings.Repeat("x", n)) }}
}
