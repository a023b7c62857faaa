package api

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/handlers/request"
)

// Auditor writes audit rows of what changes nothing by itself.
type Auditor interface {
	Audit(ctx context.Context, e audit.Entry) error
}

// OneTable names a table in an address. It is exported, as every struct that
// others embed, because the library's reflection skips what is not.
type OneTable struct {
	ID string `path:"id" doc:"Id or name of the table." example:"airports"`
}

type listedTable struct {
	ID           string  `json:"id"`
	Name         string  `json:"name" doc:"The name in SQL."`
	Description  *string `json:"description"`
	SourceType   *string `json:"source_type"`
	SyncStrategy string  `json:"sync_strategy"`
	QueryMode    string  `json:"query_mode"`
}

type catalogTable struct {
	ID                string   `json:"id"`
	Name              string   `json:"name" doc:"The name in SQL."`
	Description       *string  `json:"description"`
	SourceType        *string  `json:"source_type"`
	QueryMode         string   `json:"query_mode"`
	SQLFlavor         string   `json:"sql_flavor" enum:"duckdb,bigquery"`
	WhereExamples     []string `json:"where_examples"`
	FetchVia          string   `json:"fetch_via"`
	RoughSizeHint     *string  `json:"rough_size_hint" enum:"small,medium,large,very_large"`
	Rows              *int64   `json:"rows"`
	SizeBytes         *int64   `json:"size_bytes"`
	PartitionBy       *string  `json:"partition_by"`
	ClusteredBy       []string `json:"clustered_by"`
	EntityType        *string  `json:"entity_type"`
	MetadataFreshness string   `json:"metadata_freshness"`
}

type schemaColumn struct {
	Name        string `json:"name"`
	Type        string `json:"type" doc:"DuckDB's name of the type."`
	Nullable    bool   `json:"nullable"`
	Description string `json:"description"`
}

type (
	listedOutput struct {
		Body struct {
			Tables []listedTable `json:"tables"`
			Count  int           `json:"count"`
		}
	}
	catalogOutput struct {
		Body struct {
			Tables     []catalogTable `json:"tables"`
			ServerTime string         `json:"server_time" format:"date-time"`
		}
	}
	schemaOutput struct {
		Body struct {
			TableID           string            `json:"table_id"`
			SourceType        *string           `json:"source_type"`
			SQLFlavor         string            `json:"sql_flavor" enum:"duckdb,bigquery"`
			Columns           []schemaColumn    `json:"columns"`
			PartitionBy       *string           `json:"partition_by"`
			ClusteredBy       []string          `json:"clustered_by"`
			WhereDialectHints map[string]string `json:"where_dialect_hints"`
		}
	}
	sampleInput struct {
		OneTable
		N int `query:"n" minimum:"1" maximum:"100" default:"5" doc:"How many rows."`
	}
	sampleOutput struct {
		Body struct {
			TableID string           `json:"table_id"`
			Rows    []map[string]any `json:"rows"`
			Source  *string          `json:"source"`
		}
	}
)

func (a *API) tableRoutes() {
	register(a, operation{
		id: "list-tables", method: http.MethodGet, path: "/api/catalog/tables", tag: "Catalog", need: access.SignedIn, terms: asks(access.ScopeRead),
		summary: "List your tables", about: "The tables that you may read, by name. Administrators see all.",
	}, a.listTables)
	register(a, operation{
		id: "catalog", method: http.MethodGet, path: "/api/v2/catalog", tag: "Catalog", need: access.SignedIn, terms: asks(access.ScopeRead),
		summary: "List your tables with their sizes",
		about:   "As /api/catalog/tables, with what an agent needs to choose: rows, bytes, the flavour of SQL and how to get the rows.",
	}, a.listCatalog)
	register(a, operation{
		id: "schema", method: http.MethodGet, path: "/api/v2/schema/{id}", tag: "Catalog", need: access.NeedTable, terms: asks(access.ScopeRead), reads: "catalog.schema",
		summary: "Columns of a table", about: "The columns of the current version, with DuckDB's types. Empty until the first sync.",
		errors: []int{http.StatusNotFound},
	}, a.schema)
	register(a, operation{
		id: "sample", method: http.MethodGet, path: "/api/v2/sample/{id}", tag: "Catalog", need: access.NeedTable, terms: asks(access.ScopeRead), long: true, reads: "catalog.sample",
		summary: "Some rows of a table", about: "Up to a hundred rows of the current version, one object each.",
		errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
	}, a.sample)
}

// table returns one of the caller's tables. To those who may not know, a table
// that is denied and one that does not exist answer alike.
func (a *API) table(ctx context.Context, id string) (registry.Published, error) {
	if !registry.QuotedIdentifier(id) {
		return registry.Published{}, notFound()
	}
	p := principal(ctx)
	catalog, err := a.Store.Catalog(ctx, p)
	if err != nil {
		return registry.Published{}, err
	}
	t, err := catalog.Find(id)
	if domain.KindOf(err) == domain.NotFound && !p.Admin {
		return t, domain.E(domain.Forbidden, "no_grant", "No access to table '%s'. Ask an administrator for a grant of it to one of your groups.", id)
	}
	return t, err
}

// note records a look at something. That a row could not be written is logged
// and does not spoil the answer.
func (a *API) note(ctx context.Context, action, resource string, params map[string]any) {
	err := a.Store.Audit(ctx, audit.Entry{Actor: principal(ctx).Actor(), Action: action, Resource: resource, Params: params, Result: "success"})
	if err != nil {
		request.Logger(ctx).Error("audit", "action", action, "err", err)
	}
}

func (a *API) listTables(ctx context.Context, _ *none) (*listedOutput, error) {
	catalog, err := a.Store.Catalog(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	out := &listedOutput{}
	out.Body.Tables = make([]listedTable, 0, len(catalog.Tables()))
	for _, t := range catalog.Tables() {
		out.Body.Tables = append(out.Body.Tables, listedTable{
			ID: string(t.ID), Name: t.Name, Description: orNull(t.Description), SourceType: orNull(t.SourceType),
			SyncStrategy: t.SyncStrategy, QueryMode: t.QueryMode,
		})
	}
	out.Body.Count = len(out.Body.Tables)
	a.note(ctx, "catalog.list", "catalog", nil)
	return out, nil
}

func (a *API) listCatalog(ctx context.Context, _ *none) (*catalogOutput, error) {
	catalog, err := a.Store.Catalog(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	out := &catalogOutput{}
	out.Body.ServerTime = stamp(a.Now())
	out.Body.Tables = make([]catalogTable, 0, len(catalog.Tables()))
	for _, t := range catalog.Tables() {
		out.Body.Tables = append(out.Body.Tables, catalogTableOf(t))
	}
	a.note(ctx, "catalog.list", "catalog", nil)
	return out, nil
}

func catalogTableOf(t registry.Published) catalogTable {
	out := catalogTable{
		ID: string(t.ID), Name: t.Name, Description: orNull(t.Description), SourceType: orNull(t.SourceType), QueryMode: t.QueryMode,
		SQLFlavor: "duckdb", WhereExamples: []string{}, FetchVia: "agnes pull", PartitionBy: orNull(t.PartitionBy),
		ClusteredBy: []string{}, MetadataFreshness: "not_applicable",
	}
	if t.Version != nil {
		hint := sizeHint(t.Version.Bytes)
		out.RoughSizeHint, out.Rows, out.SizeBytes = &hint, &t.Version.Rows, &t.Version.Bytes
	}
	return out
}

// sizeHint is the word of contract 6.4 for a size.
func sizeHint(bytes int64) string {
	const mib = 1 << 20
	switch {
	case bytes <= 100*mib:
		return "small"
	case bytes <= 1024*mib:
		return "medium"
	case bytes <= 10*1024*mib:
		return "large"
	}
	return "very_large"
}

func (a *API) schema(ctx context.Context, in *OneTable) (*schemaOutput, error) {
	t, err := a.table(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &schemaOutput{}
	b := &out.Body
	b.TableID, b.SourceType, b.SQLFlavor, b.PartitionBy = string(t.ID), orNull(t.SourceType), "duckdb", orNull(t.PartitionBy)
	b.Columns, b.ClusteredBy, b.WhereDialectHints = []schemaColumn{}, []string{}, map[string]string{}
	if t.Version != nil {
		for _, c := range t.Version.Columns {
			b.Columns = append(b.Columns, schemaColumn{Name: c.Name, Type: c.Type, Nullable: true})
		}
	}
	a.note(ctx, "catalog.schema", "table:"+string(t.ID), nil)
	return out, nil
}

func (a *API) sample(ctx context.Context, in *sampleInput) (_ *sampleOutput, err error) {
	t, err := a.table(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &sampleOutput{}
	out.Body.TableID, out.Body.Source, out.Body.Rows = string(t.ID), orNull(t.SourceType), []map[string]any{}
	if t.Version == nil {
		a.note(ctx, "catalog.sample", "table:"+string(t.ID), map[string]any{"rows_returned": 0})
		return out, nil
	}
	run, err := a.Queries.Run(ctx, principal(ctx), query.Request{
		SQL: "SELECT * FROM " + registry.Quote(t.Name) + " LIMIT " + strconv.Itoa(in.N), MaxRows: int64(in.N), Origin: query.FromSample,
	})
	if err != nil {
		return nil, err
	}
	defer func() { //nolint:contextcheck // a run ends under the context that it began with
		if cerr := run.Close(); err == nil {
			err = cerr
		}
	}()
	rows, err := query.ReadAll(run, finite)
	if err != nil {
		return nil, err
	}
	for _, row := range rows.Values {
		object := make(map[string]any, len(row))
		for i, v := range row {
			object[rows.Columns[i].Name] = v
		}
		out.Body.Rows = append(out.Body.Rows, object)
	}
	return out, nil
}

// finite is query.Value with null in place of NaN and infinities (contract 6.6).
func finite(column arrow.Array, i int) any {
	var f float64
	switch column := column.(type) {
	case *array.Float64:
		f = column.Value(i)
	case *array.Float32:
		f = float64(column.Value(i))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return query.Value(column, i)
}
