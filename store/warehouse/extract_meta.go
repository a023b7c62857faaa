package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// What is read of an extract's own tables, at most: they are somebody else's
// and may be views that never end.
const (
	metaRows    = 20000
	remoteRows  = 100
	lookTimeout = 10 * time.Second // at one table, or at _meta
)

// metaShape is the columns that a _meta table has, with their types; names are
// lower case.
type metaShape map[string]string

// shape reads the columns of _meta and fails unless it names tables. The other
// columns of the contract may be absent or of another type: what can be read of
// them is.
func (e *extract) shape(ctx context.Context, source string) (metaShape, error) {
	shape, err := e.columns(ctx, "_meta")
	if err != nil {
		return nil, damaged(err, source)
	}
	if len(shape) == 0 {
		return nil, refuse("meta_missing", nextAskOwner, "The extract of %s has no table _meta, so Agnes cannot tell what it offers.", source)
	}
	kind, there := shape["table_name"]
	if !there {
		return nil, refuse("meta_invalid", nextAskOwner, "The table _meta in the extract of %s has no column table_name.", source)
	}
	if kind != "VARCHAR" {
		return nil, refuse("meta_invalid", nextAskOwner, "The column table_name of _meta in the extract of %s has type %s.", source, shorten(kind, 40))
	}
	return shape, nil
}

// columns returns the columns of a table or view of the extract by their lower
// case names; none when there is no such table.
func (e *extract) columns(ctx context.Context, table string) (metaShape, error) {
	query := `SELECT lower(column_name), data_type FROM duckdb_columns()
		WHERE database_name = ` + quoteLiteral(e.alias) + ` AND schema_name = 'main' AND lower(table_name) = ` + quoteLiteral(table)
	columns, err := collect(ctx, e.db, query, func(r *sql.Rows) (registry.Column, error) {
		var c registry.Column
		return c, r.Scan(&c.Name, &c.Type)
	})
	shape := make(metaShape, len(columns))
	for _, c := range columns {
		shape[c.Name] = c.Type
	}
	return shape, err
}

// text is a column as text of at most limit characters, or the fallback where
// the column is absent, NULL, or nothing that can be text.
func (m metaShape) text(column string, limit int, fallback string) string {
	if _, there := m[column]; !there {
		return quoteLiteral(fallback)
	}
	return fmt.Sprintf("coalesce(left(TRY_CAST(%s AS VARCHAR), %d), %s)", quoteIdent(column), limit, quoteLiteral(fallback))
}

// number is a column as a count, 0 where it is none.
func (m metaShape) number(column string) string {
	if _, there := m[column]; !there {
		return "CAST(0 AS BIGINT)"
	}
	return fmt.Sprintf("greatest(coalesce(TRY_CAST(TRY_CAST(%s AS VARCHAR) AS BIGINT), 0), 0)", quoteIdent(column))
}

// offered reads _meta.
func (e *extract) offered(ctx context.Context, source string) ([]work.SourceTable, error) {
	query := fmt.Sprintf("SELECT %s, %s, %s, %s, lower(%s) FROM %s.main._meta LIMIT %d",
		e.meta.text("table_name", 200, ""), e.meta.text("description", 4000, ""), e.meta.number("rows"), e.meta.number("size_bytes"),
		e.meta.text("query_mode", 20, registry.ModeLocal), quoteIdent(e.alias), metaRows+1)
	tables, err := within(ctx, lookTimeout, func(ctx context.Context) ([]work.SourceTable, error) {
		return collect(ctx, e.db, query, func(r *sql.Rows) (work.SourceTable, error) {
			var t work.SourceTable
			err := r.Scan(&t.Name, &t.Description, &t.Rows, &t.Bytes, &t.QueryMode)
			return t, err
		})
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errTooLong):
		return nil, refuse("meta_too_slow", nextAskOwner, "Reading _meta in the extract of %s takes longer than %s.", source, lookTimeout).because(err)
	case err != nil:
		return nil, damaged(err, source)
	case len(tables) > metaRows:
		return nil, refuse("meta_too_large", nextAskOwner, "The table _meta in the extract of %s has more than %d rows.", source, metaRows)
	}
	return tables, nil
}

// remote reads _remote_attach. One that is absent names nothing, and one that
// cannot be read is one row that says so: the tables of the extract are served
// all the same.
func (e *extract) remote(ctx context.Context) []work.RemoteRow {
	shape, err := e.columns(ctx, "_remote_attach")
	switch {
	case err != nil:
		return []work.RemoteRow{{Unreadable: true}}
	case len(shape) == 0:
		return nil
	}
	query := fmt.Sprintf("SELECT %s, %s, %s, %s FROM %s.main._remote_attach LIMIT %d",
		shape.text("alias", 200, ""), shape.text("extension", 200, ""), shape.text("url", 4000, ""), shape.text("token_env", 200, ""),
		quoteIdent(e.alias), remoteRows)
	rows, err := within(ctx, lookTimeout, func(ctx context.Context) ([]work.RemoteRow, error) {
		return collect(ctx, e.db, query, func(r *sql.Rows) (work.RemoteRow, error) {
			var one work.RemoteRow
			return one, r.Scan(&one.Alias, &one.Extension, &one.URL, &one.TokenEnv)
		})
	})
	if err != nil {
		return []work.RemoteRow{{Unreadable: true}}
	}
	return rows
}

// errTooLong is why within gave up.
var errTooLong = errors.New("takes too long")

// within bounds the time of one look at somebody else's SQL.
func within[T any](ctx context.Context, limit time.Duration, look func(context.Context) (T, error)) (T, error) {
	bounded, stop := context.WithTimeout(ctx, limit)
	defer stop()
	found, err := look(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = errors.Join(errTooLong, err)
	}
	return found, err
}
