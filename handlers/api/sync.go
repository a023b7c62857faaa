package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/request"
)

// Syncer starts, counts and stops syncs.
type Syncer interface {
	Trigger(ctx context.Context, by audit.Actor, why syncs.Trigger, tables []registry.TableID) ([]syncs.Run, error)
	Busy(ctx context.Context) (bool, error)
	Cancel(ctx context.Context, by audit.Actor, id string) (syncs.Run, error)
	Restorer
}

// Pulls records that somebody fetched the manifest.
type Pulls interface {
	TouchPull(ctx context.Context, by audit.Actor, id people.UserID) error
}

type manifestTable struct {
	Hash       *string `json:"hash" doc:"MD5 of the Parquet file; empty when there is no single file."`
	Updated    *string `json:"updated" format:"date-time"`
	SizeBytes  *int64  `json:"size_bytes"`
	Rows       *int64  `json:"rows"`
	QueryMode  string  `json:"query_mode"`
	SourceType string  `json:"source_type"`
}

type (
	manifestOutput struct {
		Body struct {
			Tables     map[string]manifestTable     `json:"tables" doc:"By the table's name in SQL."`
			Assets     map[string]map[string]string `json:"assets"`
			ServerTime string                       `json:"server_time" format:"date-time"`
		}
	}
	syncStatusOutput struct {
		Body struct {
			Locked bool `json:"locked" doc:"Whether a sync is queued or running."`
		}
	}
	triggerInput struct {
		RawBody []byte `contentType:"application/json"`
	}
	triggerOutput struct {
		Body struct {
			Status  string `json:"status" enum:"triggered"`
			Tables  any    `json:"tables" doc:"The ids that were named, or the text all."`
			Message string `json:"message"`
		}
	}
)

func (a *API) syncRoutes() {
	register(a, operation{
		id: "manifest", method: http.MethodGet, path: "/api/sync/manifest", tag: "Data", need: access.SignedIn, terms: asks(access.ScopeRead),
		summary: "What there is to pull",
		about:   "Your tables with the hash, size and age of their current versions. Tables that were never synced are left out.",
	}, a.manifest)
	register(a, operation{
		id: "sync-status", method: http.MethodGet, path: "/api/sync/status", tag: "Sync", need: access.Public,
		summary: "Whether a sync is running", about: "For scripts that wait.",
	}, a.syncStatus)
	o := operation{
		id: "trigger-sync", method: http.MethodPost, path: "/api/sync/trigger", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "Start syncs",
		about: "With ids, syncs those tables, whatever their schedules. Without a body, syncs every table that has no schedule or is due. " +
			"A table that is being synced keeps that run; 409 when this holds for all of them.",
		ownBody: true,
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		example: []string{"orders", "customers"},
		answer:  map[string]any{"status": "triggered", "tables": []string{"orders", "customers"}, "message": "2 syncs started."},
	}
	register(a, o, a.trigger)
	ids := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}
	body := a.OpenAPI().Paths[o.path].Post.RequestBody
	body.Required = false
	body.Content["application/json"].Schema = &huma.Schema{OneOf: []*huma.Schema{
		ids, {Type: huma.TypeObject, Properties: map[string]*huma.Schema{"tables": ids}},
	}}
}

func (a *API) manifest(ctx context.Context, _ *none) (*manifestOutput, error) {
	p := principal(ctx)
	catalog, err := a.Store.Catalog(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &manifestOutput{}
	out.Body.Tables = make(map[string]manifestTable, len(catalog.Tables()))
	out.Body.Assets = map[string]map[string]string{}
	out.Body.ServerTime = stamp(a.Now())
	for _, t := range catalog.Tables() {
		if t.Version == nil && t.Status.State != "error" {
			continue
		}
		out.Body.Tables[t.Name] = manifestOf(t)
	}
	by := p.Actor()
	by.ClientKind = request.API // as contract 0.1 has it
	if err := a.Store.TouchPull(ctx, by, p.UserID); err != nil {
		request.Logger(ctx).Warn("record a pull", "err", err) // the manifest is good all the same
	}
	return out, nil
}

func manifestOf(t registry.Published) manifestTable {
	entry := manifestTable{Updated: stampOf(t.Status.LastSync), QueryMode: t.QueryMode, SourceType: t.SourceType}
	if v := t.Version; v != nil {
		entry.Hash, entry.SizeBytes, entry.Rows = &v.MD5, &v.Bytes, &v.Rows
		if entry.Updated == nil {
			entry.Updated = stampOf(&v.CreatedAt)
		}
	}
	return entry
}

func (a *API) syncStatus(ctx context.Context, _ *none) (*syncStatusOutput, error) {
	busy, err := a.Syncer.Busy(ctx)
	if err != nil {
		return nil, err
	}
	out := &syncStatusOutput{}
	out.Body.Locked = busy
	return out, nil
}

func (a *API) trigger(ctx context.Context, in *triggerInput) (*triggerOutput, error) {
	named, all, err := triggered(in.RawBody)
	if err != nil {
		return nil, err
	}
	out := &triggerOutput{}
	out.Body.Status, out.Body.Tables = "triggered", named
	if all {
		out.Body.Tables = "all"
		named, err = a.due(ctx)
	} else {
		named, err = a.copied(ctx, named)
	}
	if err != nil {
		return nil, err
	}
	if len(named) == 0 {
		out.Body.Message = "There is no table to sync, so nothing was started."
		return out, nil
	}
	by := principal(ctx).Actor()
	if err := a.notAllLive(ctx, by, named); err != nil {
		return nil, err
	}
	runs, err := a.Syncer.Trigger(ctx, by, syncs.ByPerson, named)
	if err != nil {
		return nil, err
	}
	out.Body.Message = fmt.Sprintf("%d syncs started.", len(runs))
	if len(runs) == 1 {
		out.Body.Message = "1 sync started."
	}
	return out, nil
}

// triggered reads the body of contract 1.3: null, ids, or an object with ids.
func triggered(body []byte) (named []registry.TableID, all bool, err error) {
	wrong := &failure{status: http.StatusUnprocessableEntity, Detail: []fault{{
		Type: "value_error", Loc: []any{"body"}, Msg: `The body is empty, a list of table ids, or {"tables": [ids]}.`,
	}}}
	body = bytes.TrimSpace(body)
	if len(body) == 0 || bytes.Equal(body, []byte("null")) {
		return nil, true, nil
	}
	if body[0] == '{' {
		var object struct {
			Tables json.RawMessage `json:"tables"`
		}
		if json.Unmarshal(body, &object) != nil {
			return nil, false, wrong
		}
		if len(object.Tables) == 0 || bytes.Equal(object.Tables, []byte("null")) {
			return nil, true, nil
		}
		body = object.Tables
	}
	var ids []*string
	if body[0] != '[' || json.Unmarshal(body, &ids) != nil || slices.Contains(ids, nil) {
		return nil, false, wrong
	}
	named = make([]registry.TableID, len(ids))
	for i, id := range ids {
		named[i] = registry.TableID(*id)
	}
	return named, false, nil
}

// due lists the tables that are copied here and either have no schedule or are due by it.
func (a *API) due(ctx context.Context) ([]registry.TableID, error) {
	tables, err := a.Store.ListTables(ctx)
	if err != nil {
		return nil, err
	}
	var due []registry.TableID
	for _, t := range tables {
		if t.QueryMode == registry.ModeRemote {
			continue
		}
		schedule, ok := registry.ParseSchedule(t.SyncSchedule)
		if !ok || schedule.Due(a.Now(), t.Status.LastSync) {
			due = append(due, t.ID)
		}
	}
	return due, nil
}

// copied leaves of named tables those whose rows can be copied here: a sync of
// one that stays outside could only fail.
func (a *API) copied(ctx context.Context, named []registry.TableID) ([]registry.TableID, error) {
	if len(named) == 0 {
		return nil, nil
	}
	tables, err := a.Store.ListTables(ctx)
	if err != nil {
		return nil, err
	}
	outside := map[registry.TableID]bool{}
	for _, t := range tables {
		outside[t.ID] = t.QueryMode == registry.ModeRemote
	}
	return slices.DeleteFunc(slices.Clone(named), func(id registry.TableID) bool { return outside[id] }), nil
}

// notAllLive refuses a trigger that would start nothing new.
func (a *API) notAllLive(ctx context.Context, by audit.Actor, tables []registry.TableID) error {
	runs, err := a.Store.LiveRuns(ctx)
	if err != nil {
		return err
	}
	live := make(map[registry.TableID]bool, len(runs))
	for _, r := range runs {
		live[r.Table] = true
	}
	if slices.ContainsFunc(tables, func(id registry.TableID) bool { return !live[id] }) {
		return nil
	}
	err = a.Store.Audit(ctx, audit.Entry{
		Actor: by, Action: "sync.trigger", Resource: "sync", Params: map[string]any{"tables": tables}, Result: "error.in_progress",
	})
	if err != nil {
		return err
	}
	return domain.E(domain.Conflict, "sync_already_in_progress", "sync_already_in_progress")
}
