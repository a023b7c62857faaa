package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// Versions reads the kept versions of tables.
type Versions interface {
	ListVersions(ctx context.Context, table registry.TableID) ([]registry.Version, error)
}

// Restorer publishes versions that are kept, and says whether anything is
// published at all.
type Restorer interface {
	Restore(ctx context.Context, by audit.Actor, table registry.TableID, id registry.VersionID) (syncs.Run, error)
	PublishHeld(ctx context.Context, by audit.Actor, id string) (syncs.Run, error)
	DiscardHeld(ctx context.Context, by audit.Actor, id string) (syncs.Run, error)
	Writing() error
	Unwritten() error
}

// tableVersion is a version as clients read it.
type tableVersion struct {
	ID            string           `json:"id"`
	State         string           `json:"state" enum:"current,kept,unpublished" doc:"unpublished: it was never served, as while it is held."`
	CreatedAt     string           `json:"created_at" format:"date-time"`
	PublishedAt   *string          `json:"published_at" format:"date-time" doc:"When it last became current."`
	Rows          int64            `json:"rows"`
	SizeBytes     int64            `json:"size_bytes"`
	Columns       []versionColumn  `json:"columns"`
	Files         []versionContent `json:"files" doc:"The manifest: what the version consists of."`
	RunID         string           `json:"run_id" doc:"The run that made it."`
	Trigger       *string          `json:"trigger" enum:"person,upload,schedule,watch,restart,check,restore" doc:"Why that run began."`
	TriggeredBy   *string          `json:"triggered_by" doc:"Who began it, when it was a person."`
	SchemaChanges *string          `json:"schema_changes" doc:"How its columns differ from the version made before, in words; null when they do not."`
}

type versionColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type versionContent struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

type (
	versionsOutput struct {
		Body struct {
			Versions []tableVersion `json:"versions"`
			Count    int            `json:"count"`
		}
	}
	restoreInput struct {
		OneTable
		Version string `path:"version" doc:"Id of the version."`
	}
)

func (a *API) versionRoutes() {
	register(a, operation{
		id: "list-versions", method: http.MethodGet, path: "/api/admin/registry/{id}/versions", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "List a table's versions", about: "The newest first, each with its files' SHA-256 and how its columns differ from the one before.",
		errors: []int{http.StatusNotFound},
	}, a.listVersions)
	register(a, operation{
		id: "restore-version", method: http.MethodPost, path: "/api/admin/registry/{id}/versions/{version}/restore", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "Go back to a version", status: http.StatusAccepted,
		about: "Starts a run that compares every file of the version with its SHA-256, makes it current and reads it back. " +
			"It pins nothing: the next sync brings newer rows as usual.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, a.restoreVersion)
	register(a, operation{
		id: "publish-held-run", method: http.MethodPost, path: "/api/sync/runs/{id}/publish", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "Publish held rows anyway", status: http.StatusAccepted,
		about:  "A run that shrank its table or changed its columns is held. This publishes its version as it is.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, a.publishHeld)
	register(a, operation{
		id: "discard-held-run", method: http.MethodPost, path: "/api/sync/runs/{id}/discard", tag: "Sync", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "Keep the old rows", about: "Ends a held run. Its version stays among the table's versions until it is past keeping.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.discardHeld)
}

func (a *API) listVersions(ctx context.Context, in *OneTable) (*versionsOutput, error) {
	t, err := a.Store.GetTable(ctx, registry.TableID(in.ID))
	if err != nil {
		return nil, err
	}
	versions, err := a.Store.ListVersions(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	out := &versionsOutput{}
	out.Body.Versions, out.Body.Count = make([]tableVersion, len(versions)), len(versions)
	for i, v := range versions {
		row := versionOf(v)
		if t.Version != nil && t.Version.ID == v.ID {
			row.State = "current"
		}
		if i+1 < len(versions) {
			row.SchemaChanges = orNull(registry.CompareColumns(versions[i+1].Columns, v.Columns).Words())
		}
		out.Body.Versions[i] = row
	}
	return out, nil
}

func versionOf(v registry.Version) tableVersion {
	row := tableVersion{
		ID: string(v.ID), State: "kept", CreatedAt: stamp(v.CreatedAt), PublishedAt: stampOf(v.PublishedAt), Rows: v.Rows, SizeBytes: v.Bytes,
		Columns: make([]versionColumn, len(v.Columns)), Files: make([]versionContent, len(v.Files)),
		RunID: v.RunID, Trigger: orNull(v.Cause), TriggeredBy: orNull(v.Maker),
	}
	if v.PublishedAt == nil {
		row.State = "unpublished"
	}
	for i, c := range v.Columns {
		row.Columns[i] = versionColumn{Name: c.Name, Type: c.Type}
	}
	for i, f := range v.Files {
		row.Files[i] = versionContent{Bytes: f.Bytes, SHA256: f.SHA256}
	}
	return row
}

func (a *API) restoreVersion(ctx context.Context, in *restoreInput) (*runOutput, error) {
	r, err := a.Syncer.Restore(ctx, principal(ctx).Actor(), registry.TableID(in.ID), registry.VersionID(in.Version))
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: runOf(r)}, nil
}

func (a *API) publishHeld(ctx context.Context, in *runInput) (*runOutput, error) {
	r, err := a.Syncer.PublishHeld(ctx, principal(ctx).Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: runOf(r)}, nil
}

func (a *API) discardHeld(ctx context.Context, in *runInput) (*runOutput, error) {
	r, err := a.Syncer.DiscardHeld(ctx, principal(ctx).Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: runOf(r)}, nil
}
