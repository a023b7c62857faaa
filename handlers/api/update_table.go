package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
)

// TableChange is the body of contract 4.5: what is sent is changed, and null clears.
type TableChange struct {
	Name *string `json:"name,omitempty" nullable:"true"`
	TableFields
	GuardFields
	sent map[string]json.RawMessage // tells what was sent as null from what was not sent
}

// UnmarshalJSON reads the fields and remembers which were there.
func (c *TableChange) UnmarshalJSON(data []byte) error {
	type plain TableChange
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return err
	}
	return json.Unmarshal(data, &c.sent)
}

type (
	updateTableInput struct {
		OneTable
		Seen
		Body TableChange
	}
	updateTableOutput struct {
		Versioned
		Body struct {
			ID      string   `json:"id"`
			Updated []string `json:"updated" doc:"The fields that were sent."`
		}
	}
	precheckOutput struct {
		Body struct {
			OK    bool `json:"ok"`
			Table struct {
				Name        string         `json:"name"`
				SourceType  *string        `json:"source_type"`
				Bucket      *string        `json:"bucket"`
				SourceTable *string        `json:"source_table"`
				Rows        *int64         `json:"rows"`
				SizeBytes   *int64         `json:"size_bytes"`
				Columns     []schemaColumn `json:"columns"`
				Note        string         `json:"note"`
			} `json:"table"`
		}
	}
)

func (a *API) updateTableRoutes() {
	register(a, operation{
		id: "update-table", method: http.MethodPut, path: "/api/admin/registry/{id}", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "Change a table", about: "Changes the fields that are sent; null clears one. With If-Match, only when nobody changed it since. A table of a custom extractor keeps what its extract says of it.",
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
		example: map[string]any{"description": "One row per order", "sync_schedule": "daily 05:00"},
		answer:  map[string]any{"id": "orders", "updated": []string{"description", "sync_schedule"}},
	}, a.updateTable)
	register(a, operation{
		id: "precheck-table", method: http.MethodPost, path: "/api/admin/register-table/precheck", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "Check a registration", about: "Checks what register-table checks, and registers nothing.",
		errors:  []int{http.StatusUnprocessableEntity},
		example: map[string]any{"name": "orders", "source_type": "local", "source_table": "orders.csv"},
	}, a.precheckTable)
}

func (a *API) updateTable(ctx context.Context, in *updateTableInput) (*updateTableOutput, error) {
	id := registry.TableID(in.ID)
	was, err := a.Store.GetTable(ctx, id)
	if err != nil {
		return nil, err
	}
	change, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	if change.Seen, err = in.version(); err != nil {
		return nil, err
	}
	if change.Seen != 0 && change.Seen != was.Revision { // what they send is judged by what they saw, not by what is there
		if _, err := a.Store.UpdateTable(ctx, principal(ctx).Actor(), id, change); err != nil {
			return nil, err
		}
	}
	t := was.Table
	named := change.Apply(&t)
	if err := changeable(was.Table, t, named); err != nil {
		return nil, err
	}
	if err := was.Renameable(t.Name); err != nil {
		return nil, err
	}
	before := was.Name
	if len(named) > 0 {
		if was, err = a.Store.UpdateTable(ctx, principal(ctx).Actor(), id, change); err != nil {
			return nil, err
		}
	}
	if t.Name != before && a.Rebuilder != nil {
		a.Rebuilder.Request(ctx)
	}
	out := &updateTableOutput{}
	out.Versioned = versioned(was.Revision)
	out.Body.ID, out.Body.Updated = in.ID, append([]string{}, named...)
	return out, nil
}

// change is what was sent, as the registry takes it.
func (c TableChange) change() (registry.TableChange, error) {
	sent := c.sent
	out := registry.TableChange{
		Name: named(sent, "name", text(c.Name)), Folder: named(sent, "folder", text(c.Folder)),
		SyncStrategy: named(sent, "sync_strategy", textOr(c.SyncStrategy, "full_refresh")), PrimaryKey: named(sent, "primary_key", []string(c.PrimaryKey)),
		Description: named(sent, "description", unescape(text(c.Description))), SourceType: named(sent, "source_type", text(c.SourceType)),
		Bucket: named(sent, "bucket", text(c.Bucket)), SourceTable: named(sent, "source_table", text(c.SourceTable)),
		SourceQuery: named(sent, "source_query", text(c.SourceQuery)), QueryMode: named(sent, "query_mode", textOr(c.QueryMode, registry.ModeLocal)),
		SyncSchedule:          named(sent, "sync_schedule", text(c.SyncSchedule)),
		ProfileAfterSync:      named(sent, "profile_after_sync", c.ProfileAfterSync == nil || *c.ProfileAfterSync),
		IncrementalWindowDays: named(sent, "incremental_window_days", c.IncrementalWindowDays),
		MaxHistoryDays:        named(sent, "max_history_days", c.MaxHistoryDays),
		InitialLoadChunkDays:  named(sent, "initial_load_chunk_days", c.InitialLoadChunkDays),
		IncrementalColumn:     named(sent, "incremental_column", text(c.IncrementalColumn)),
		PartitionBy:           named(sent, "partition_by", text(c.PartitionBy)),
		PartitionGranularity:  named(sent, "partition_granularity", text(c.PartitionGranularity)),
		BQFQN:                 named(sent, "bq_fqn", text(c.BQFQN)),
		ShrinkGuard:           named(sent, "shrink_guard_pct", numberOr(c.ShrinkGuard, registry.DefaultGuard().ShrinkPercent)),
		SchemaPolicy:          named(sent, "schema_policy", registry.SchemaPolicy(textOr(c.SchemaPolicy, string(registry.DefaultGuard().Schema)))),
	}
	out.Discoverable = named(sent, "discoverable", c.Discoverable != nil && *c.Discoverable)
	out.OwnerEmail = named(sent, "owner_email", strings.ToLower(text(c.OwnerEmail)))
	options, err := readOptions(c.ReadOptions)
	if err != nil {
		return out, err
	}
	out.ReadOptions = named(sent, "read_options", options)
	conditions, err := filters(c.WhereFilters)
	out.WhereFilters = named(sent, "where_filters", conditions)
	return out, err
}

func numberOr(n *int, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return *n
}

// named is a value that was sent, nil for one that was not.
func named[T any](sent map[string]json.RawMessage, field string, v T) *T {
	if _, ok := sent[field]; !ok {
		return nil
	}
	return &v
}

// changeable checks a table as it would be, by the rules of its source.
func changeable(was, t registry.Table, changed []string) error {
	if was.Foreign() && t.SourceType == was.SourceType {
		return changeableHere(was, t, changed)
	}
	for _, check := range []func(registry.Table) error{words, together, available, guarded} {
		if err := check(t); err != nil {
			return err
		}
	}
	if t.Name == was.Name {
		return nil
	}
	_, err := registry.CheckName(t.Name)
	return err
}

// changeableHere lets pass what Agnes itself knows of a table whose extract
// somebody else writes: an extractor of the company's own, or the predecessor.
// What else the registry has of it may be in words that nobody here knows.
func changeableHere(was, t registry.Table, changed []string) error {
	own := []string{"folder", "description", "primary_key", "sync_schedule", "profile_after_sync", "shrink_guard_pct", "schema_policy", "discoverable", "owner_email"}
	for _, field := range changed {
		switch {
		case slices.Contains(own, field):
		case was.SourceType == registry.SourceCustom:
			return domain.FieldError(field, "%s comes from the extract of %s, so it is changed there.", field, was.Bucket)
		case field != "source_type": // which is the same
			return domain.E(domain.Invalid, "source_not_configured",
				"The source %s is not configured on this server, so nobody could follow another %s. Nothing was changed. These can be: %s.", was.SourceType, field, strings.Join(own, ", "))
		}
	}
	if _, ok := registry.ParseSchedule(t.SyncSchedule); slices.Contains(changed, "sync_schedule") && t.SyncSchedule != "" && !ok {
		return wrongSchedule()
	}
	return guarded(t)
}

func guarded(t registry.Table) error { return t.Guard.Check() }

func (a *API) precheckTable(_ context.Context, in *registerInput) (*precheckOutput, error) {
	t, err := in.Body.table()
	if err != nil {
		return nil, err
	}
	out := &precheckOutput{}
	b := &out.Body.Table
	out.Body.OK, b.Name, b.SourceType, b.Bucket, b.SourceTable = true, t.Name, orNull(t.SourceType), orNull(t.Bucket), orNull(t.SourceTable)
	b.Columns, b.Note = []schemaColumn{}, "Rows and columns are known after the first sync."
	return out, nil
}
