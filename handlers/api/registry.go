package api

import (
	"context"
	"net/http"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// Registry keeps the tables.
type Registry interface {
	ListTables(ctx context.Context) ([]registry.Published, error)
	GetTable(ctx context.Context, id registry.TableID) (registry.Published, error)
	UpdateTable(ctx context.Context, by audit.Actor, id registry.TableID, c registry.TableChange) (registry.Published, error)
	RegisterTables(ctx context.Context, by audit.Actor, tables []registry.Registration) ([]registry.Table, error)
}

// Remover takes tables out of the registry, with their grants and versions.
type Remover interface {
	Remove(ctx context.Context, by audit.Actor, ids []registry.TableID, seen ...int64) ([]registry.Removed, error)
}

type registryRow struct {
	ID                    string                 `json:"id"`
	Version               int64                  `json:"version" doc:"Counts the changes of the registration; in quotes it is the ETag."`
	Name                  string                 `json:"name"`
	SourceType            *string                `json:"source_type"`
	Bucket                *string                `json:"bucket"`
	SourceTable           *string                `json:"source_table"`
	SourceQuery           *string                `json:"source_query"`
	SyncStrategy          string                 `json:"sync_strategy"`
	QueryMode             string                 `json:"query_mode"`
	SyncSchedule          *string                `json:"sync_schedule"`
	ProfileAfterSync      bool                   `json:"profile_after_sync"`
	PrimaryKey            []string               `json:"primary_key"`
	Folder                *string                `json:"folder"`
	Description           *string                `json:"description"`
	RegisteredBy          *string                `json:"registered_by"`
	RegisteredAt          string                 `json:"registered_at" format:"date-time"`
	IncrementalWindowDays *int                   `json:"incremental_window_days"`
	MaxHistoryDays        *int                   `json:"max_history_days"`
	IncrementalColumn     *string                `json:"incremental_column"`
	WhereFilters          []registry.WhereFilter `json:"where_filters"`
	PartitionBy           *string                `json:"partition_by"`
	PartitionGranularity  *string                `json:"partition_granularity"`
	InitialLoadChunkDays  *int                   `json:"initial_load_chunk_days"`
	BQFQN                 *string                `json:"bq_fqn"`
	ShrinkGuard           int                    `json:"shrink_guard_pct"`
	SchemaPolicy          string                 `json:"schema_policy" enum:"evolve,ask,freeze"`
	Discoverable          bool                   `json:"discoverable"`
	OwnerEmail            *string                `json:"owner_email"`
	ReadOptions           *files.Options         `json:"read_options"`
	LastSyncError         *string                `json:"last_sync_error"`
}

type (
	registryOutput struct {
		Body struct {
			Tables []registryRow `json:"tables"`
			Count  int           `json:"count"`
		}
	}
	registryRowOutput struct {
		Versioned
		Body registryRow
	}
	unregisterInput struct {
		OneTable
		Seen
	}
	registeredOutput struct {
		Body struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			Status string `json:"status" enum:"registered"`
		}
	}
)

func (a *API) registryRoutes() {
	register(a, operation{
		id: "list-registry", method: http.MethodGet, path: "/api/admin/registry", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "List the registry", about: "Every registered table with all its settings and its last error.",
	}, a.listRegistry)
	register(a, operation{
		id: "get-registration", method: http.MethodGet, path: "/api/admin/registry/{id}", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "Get a registration", about: "One registered table with all its settings. Send its ETag as If-Match with a change of it.",
		errors: []int{http.StatusNotFound},
	}, a.getRegistration)
	register(a, operation{
		id: "register-table", method: http.MethodPost, path: "/api/admin/register-table", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "Register a table", status: http.StatusCreated,
		about:   "Makes a table of a file in the data directory's folder files, named by source_table, and starts its first sync. Unknown fields are ignored.",
		errors:  []int{http.StatusConflict, http.StatusUnprocessableEntity},
		example: map[string]any{"name": "orders", "source_type": "local", "source_table": "orders.csv", "description": "One row per order"},
		answer:  map[string]any{"id": "orders", "name": "orders", "status": "registered"},
	}, a.registerTable)
	register(a, operation{
		id: "unregister-table", method: http.MethodDelete, path: "/api/admin/registry/{id}", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "Unregister a table", status: http.StatusNoContent,
		about:  "Takes the table out of everybody's catalog, with its grants and versions. A file that people brought stays. Restoring brings back the registration and the grants; the next sync fills it with rows.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, a.unregisterTable)
	a.updateTableRoutes()
}

func (a *API) listRegistry(ctx context.Context, _ *none) (*registryOutput, error) {
	tables, err := a.Store.ListTables(ctx)
	if err != nil {
		return nil, err
	}
	out := &registryOutput{}
	out.Body.Tables, out.Body.Count = make([]registryRow, len(tables)), len(tables)
	for i, t := range tables {
		out.Body.Tables[i] = registryRowOf(t)
	}
	return out, nil
}

func (a *API) getRegistration(ctx context.Context, in *OneTable) (*registryRowOutput, error) {
	t, err := a.Store.GetTable(ctx, registry.TableID(in.ID))
	if err != nil {
		return nil, err
	}
	return &registryRowOutput{versioned(t.Revision), registryRowOf(t)}, nil
}

func registryRowOf(t registry.Published) registryRow {
	row := registryRow{
		ID: string(t.ID), Version: t.Revision, Name: t.Name, SourceType: orNull(t.SourceType), Bucket: orNull(t.Bucket), SourceTable: orNull(t.SourceTable),
		SourceQuery: orNull(t.SourceQuery), SyncStrategy: t.SyncStrategy, QueryMode: t.QueryMode, SyncSchedule: orNull(t.SyncSchedule),
		ProfileAfterSync: t.ProfileAfterSync, PrimaryKey: t.PrimaryKey, Folder: orNull(t.Folder), Description: orNull(t.Description),
		RegisteredBy: orNull(t.RegisteredBy), RegisteredAt: stamp(t.RegisteredAt),
		IncrementalWindowDays: t.IncrementalWindowDays, MaxHistoryDays: t.MaxHistoryDays, IncrementalColumn: orNull(t.IncrementalColumn),
		WhereFilters: t.WhereFilters, PartitionBy: orNull(t.PartitionBy), PartitionGranularity: orNull(t.PartitionGranularity),
		InitialLoadChunkDays: t.InitialLoadChunkDays, BQFQN: orNull(t.BQFQN),
		ShrinkGuard: t.Guard.ShrinkPercent, SchemaPolicy: string(t.Guard.Schema),
		Discoverable: t.Discoverable, OwnerEmail: orNull(t.OwnerEmail),
	}
	if o, err := files.ParseOptions(t.ReadOptions); err == nil && t.ReadOptions != "" {
		row.ReadOptions = &o
	}
	if t.Status.State == "error" {
		row.LastSyncError = orNull(t.Status.Error)
	}
	return row
}

func (a *API) registerTable(ctx context.Context, in *registerInput) (*registeredOutput, error) {
	t, err := in.Body.table()
	if err != nil {
		return nil, err
	}
	by := principal(ctx).Actor()
	t.RegisteredBy = by.Email
	made, err := a.Store.RegisterTables(ctx, by, []registry.Registration{{Table: t}})
	if err != nil {
		return nil, err
	}
	if t.SourceTable != "" {
		if _, err := a.Syncer.Trigger(ctx, by, syncs.ByPerson, []registry.TableID{made[0].ID}); err != nil {
			return nil, err
		}
	}
	out := &registeredOutput{}
	out.Body.ID, out.Body.Name, out.Body.Status = string(made[0].ID), made[0].Name, "registered"
	return out, nil
}

func (a *API) unregisterTable(ctx context.Context, in *unregisterInput) (*Deleted, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	if !registry.QuotedIdentifier(in.ID) {
		return nil, domain.E(domain.NotFound, "table_not_found", "Table not found")
	}
	removed, err := a.Remover.Remove(ctx, principal(ctx).Actor(), []registry.TableID{registry.TableID(in.ID)}, seen)
	if err != nil {
		return nil, err
	}
	out := &Deleted{}
	for _, t := range removed {
		out.Bin = t.Bin
	}
	return out, nil
}
