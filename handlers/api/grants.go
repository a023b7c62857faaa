package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Grants keeps grants.
type Grants interface {
	ListGrants(ctx context.Context, f access.GrantFilter) ([]access.Grant, error)
	CreateGrant(ctx context.Context, by audit.Actor, n access.NewGrant) (access.Grant, error)
	DeleteGrant(ctx context.Context, by audit.Actor, id string) error
	Memberships(ctx context.Context, id people.UserID) ([]people.Membership, error)
	EffectiveAccess(ctx context.Context, id people.UserID) ([]access.Effective, error)
}

type grant struct {
	ID           string  `json:"id"`
	GroupID      string  `json:"group_id"`
	GroupName    string  `json:"group_name"`
	ResourceType string  `json:"resource_type" enum:"table,memory_domain,marketplace_plugin"`
	ResourceID   string  `json:"resource_id"`
	AssignedAt   string  `json:"assigned_at" format:"date-time"`
	AssignedBy   *string `json:"assigned_by"`
}

func grantOf(g access.Grant) grant {
	return grant{
		ID: g.ID, GroupID: string(g.GroupID), GroupName: g.GroupName, ResourceType: string(g.ResourceType), ResourceID: g.ResourceID,
		AssignedAt: stamp(g.AssignedAt), AssignedBy: orNull(g.AssignedBy),
	}
}

type resourceType struct {
	Key         string `json:"key"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	IDFormat    string `json:"id_format"`
}

type (
	grantsInput struct {
		ResourceType string `query:"resource_type" doc:"table, memory_domain or marketplace_plugin."`
		ResourceID   string `query:"resource_id"`
		GroupID      string `query:"group_id"`
	}
	grantsOutput        struct{ Body []grant }
	grantOutput         struct{ Body grant }
	resourceTypesOutput struct{ Body []resourceType }
	createGrantInput    struct {
		Body struct {
			GroupID      string `json:"group_id"`
			ResourceType string `json:"resource_type" example:"table"`
			ResourceID   string `json:"resource_id" example:"orders"`
		}
	}
	grantInput struct {
		ID string `path:"id" doc:"Id of the grant."`
	}
)

func (a *API) grantRoutes() {
	base := operation{tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin), invalid: http.StatusBadRequest}
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		o := base
		o.id, o.method, o.path, o.summary, o.about, o.status, o.errors = id, method, path, summary, about, status, errors
		return o
	}
	register(a, with("resource-types", http.MethodGet, "/api/admin/resource-types", "What can be granted", "The kinds of things that a grant may name, and what their ids look like.", 0), a.resourceTypes)
	register(a, with("list-grants", http.MethodGet, "/api/admin/grants", "List grants", "All grants, or those of a group, a kind or a resource.", 0, http.StatusBadRequest), a.listGrants)
	create := with("create-grant", http.MethodPost, "/api/admin/grants", "Grant a resource to a group", "It holds from the next request on. That the resource exists is not checked.", http.StatusCreated, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict)
	create.example = map[string]any{"group_id": "0198c2f4-5a8e-7c1d-9d2f-6b0f3e1c4a77", "resource_type": "table", "resource_id": "orders"}
	register(a, create, a.createGrant)
	register(a, with("delete-grant", http.MethodDelete, "/api/admin/grants/{id}", "Take a grant back", "It ends with the next request.", http.StatusNoContent, http.StatusNotFound), a.deleteGrant)
}

func (a *API) resourceTypes(context.Context, *none) (*resourceTypesOutput, error) {
	return &resourceTypesOutput{Body: []resourceType{
		{string(access.TableResource), "Tables", "Tables that people query and pull.", "<table_id>"},
		{string(access.MemoryDomainResource), "Memory domains", "Domains of the corporate memory.", "<domain>"},
		{string(access.PluginResource), "Plugins", "Plugins of the marketplace.", "<marketplace_slug>/<plugin_name>"},
	}}, nil
}

func (a *API) listGrants(ctx context.Context, in *grantsInput) (*grantsOutput, error) {
	f := access.GrantFilter{ResourceID: in.ResourceID, GroupID: people.GroupID(in.GroupID)}
	if in.ResourceType != "" {
		kind, _, err := access.CheckGrant(in.ResourceType, "any")
		if err != nil {
			return nil, err
		}
		f.ResourceType = kind
	}
	grants, err := a.Store.ListGrants(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &grantsOutput{Body: make([]grant, len(grants))}
	for i, g := range grants {
		out.Body[i] = grantOf(g)
	}
	return out, nil
}

func (a *API) createGrant(ctx context.Context, in *createGrantInput) (*grantOutput, error) {
	kind, id, err := access.CheckGrant(in.Body.ResourceType, in.Body.ResourceID)
	if err != nil {
		return nil, err
	}
	g, err := a.Store.CreateGrant(ctx, principal(ctx).Actor(), access.NewGrant{Group: people.GroupID(in.Body.GroupID), ResourceType: kind, ResourceID: id})
	if err != nil {
		return nil, err
	}
	return &grantOutput{Body: grantOf(g)}, nil
}

func (a *API) deleteGrant(ctx context.Context, in *grantInput) (*none, error) {
	return nil, a.Store.DeleteGrant(ctx, principal(ctx).Actor(), in.ID)
}
