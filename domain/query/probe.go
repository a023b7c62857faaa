package query

import (
	"context"
	"errors"
	"fmt"
	"io"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
)

// Probe reads through an engine for Agnes itself: to confirm a published
// version, and to know that queries work at all.
type Probe struct{ Engine Engine }

// CountRows counts a table's rows the way analysts read them.
func (p Probe) CountRows(ctx context.Context, c access.Catalog, table string) (int64, error) {
	return p.number(ctx, c, "SELECT count(*) FROM "+registry.Quote(table))
}

// Ready runs a real query through a real child.
func (p Probe) Ready(ctx context.Context) error {
	n, err := p.number(ctx, access.Catalog{}, "SELECT 41 + 1")
	if err != nil {
		return err
	}
	if n != 42 {
		return domain.E(domain.Unavailable, "engine_wrong", "The query engine answers wrongly.")
	}
	return nil
}

// number runs a statement whose one row holds one whole number.
func (p Probe) number(ctx context.Context, c access.Catalog, sql string) (n int64, err error) {
	result, err := p.Engine.Start(ctx, c, Statement{SQL: sql, MaxRows: 1})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	found := false
	for {
		batch, err := result.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if batch.NumRows() > 0 {
			n, found = Value(batch.Column(0), 0).(int64)
		}
		batch.Release()
	}
	if !found {
		return 0, fmt.Errorf("no whole number from %q", sql)
	}
	return n, nil
}
