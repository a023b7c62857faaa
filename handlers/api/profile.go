package api

import (
	"context"
	"net/http"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// Profiler knows what is in the columns of a table that the caller may read.
type Profiler interface {
	Of(ctx context.Context, t registry.Published) (syncs.ProfileView, error)
	Refresh(ctx context.Context, by audit.Actor, table registry.TableID) (profile.Kept, error)
}

type (
	profileInput struct {
		ID string `path:"table_name" doc:"Id or name of the table." example:"airports"`
	}
	profileBody struct {
		profile.Profile
		ProfiledAt string `json:"profiled_at" format:"date-time"`
		// VersionID and Current say which rows were counted.
		VersionID string `json:"version_id" doc:"The version that was counted."`
		Current   bool   `json:"current" doc:"Whether that is the version that queries read now."`
	}
	profileOutput   struct{ Body profileBody }
	refreshedOutput struct {
		Body struct {
			Status  string `json:"status" example:"ok"`
			Table   string `json:"table"`
			Columns int    `json:"columns"`
		}
	}
)

func (a *API) profileRoutes() {
	register(a, operation{
		id: "profile", method: http.MethodGet, path: "/api/catalog/profile/{table_name}", tag: "Catalog", need: access.NeedTable, terms: asks(access.ScopeRead), reads: "catalog.profile",
		summary: "What is in a table's columns",
		about: "Missing and different values, least and largest, quantiles, histograms, the most frequent values and what deserves a look. Counted after a sync; 404 until then, with why when counting failed. " +
			"related_tables are those of the caller's that can be joined by a declared primary key, used_by_metrics the metric definitions that name the table.",
		errors: []int{http.StatusNotFound},
	}, a.profile)
	register(a, operation{
		id: "refresh-profile", method: http.MethodPost, path: "/api/catalog/profile/{table_name}/refresh", tag: "Catalog", need: access.NeedTable, terms: asks(access.ScopeSync), long: true, reads: "catalog.profile_refresh",
		summary: "Count what is in a table's columns again",
		about:   "Answers when it is done. Where the current version is counted already, only an administrator has it counted again.",
		errors:  []int{http.StatusNotFound, http.StatusInternalServerError},
	}, a.refreshProfile)
}

func (a *API) profile(ctx context.Context, in *profileInput) (*profileOutput, error) {
	t, err := a.table(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	v, err := a.Profiler.Of(ctx, t)
	if err != nil {
		return nil, err
	}
	if v.Kept == nil && v.Failure != nil {
		return nil, domain.E(domain.NotFound, "profile_failed", "Table %s has no profile: %s %s", t.Name, v.Failure.Message, v.Failure.NextStep)
	}
	if v.Kept == nil {
		return nil, domain.E(domain.NotFound, "profile_not_found", "Table %s has no profile yet. It gets one after its next sync, or by a refresh.", t.Name)
	}
	catalog, err := a.Store.Catalog(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	found := v.Kept.Profile
	found.RelatedTables = profile.Related(t, catalog.Tables())
	a.note(ctx, "catalog.profile", "table:"+string(t.ID), nil)
	return &profileOutput{Body: profileBody{
		Profile: found, ProfiledAt: stamp(v.Kept.ProfiledAt), VersionID: string(v.Kept.Version), Current: v.Current,
	}}, nil
}

func (a *API) refreshProfile(ctx context.Context, in *profileInput) (*refreshedOutput, error) {
	t, err := a.table(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	v, err := a.Profiler.Of(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &refreshedOutput{}
	out.Body.Status, out.Body.Table = "ok", t.Name
	if v.Current && !principal(ctx).Admin {
		out.Body.Columns = v.Kept.Profile.ColumnCount
	} else {
		kept, err := a.Profiler.Refresh(ctx, principal(ctx).Actor(), t.ID)
		if err != nil {
			return nil, err
		}
		out.Body.Columns = kept.Profile.ColumnCount
	}
	return out, nil
}
