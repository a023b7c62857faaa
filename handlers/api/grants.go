package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Grants keeps grants.
type Grants interface {
	ListGrants(ctx context.Context, f access.GrantFilter) ([]access.Grant, error)
	CreateGrant(ctx context.Context, by audit.Actor, n access.NewGrant) (access.Grant, error)
	UpdateGrant(ctx context.Context, by audit.Actor, id string, c access.GrantChange) (access.Grant, error)
	DeleteGrant(ctx context.Context, by audit.Actor, id string) error
	Memberships(ctx context.Context, id people.UserID) ([]people.Membership, error)
	EffectiveAccess(ctx context.Context, id people.UserID) ([]access.Effective, error)
	Reasons(ctx context.Context, id people.UserID) ([]access.Reason, error)
}

type grant struct {
	ID           string  `json:"id"`
	GroupID      string  `json:"group_id"`
	GroupName    string  `json:"group_name"`
	ResourceType string  `json:"resource_type"`
	ResourceID   string  `json:"resource_id"`
	AssignedAt   string  `json:"assigned_at" format:"date-time"`
	AssignedBy   *string `json:"assigned_by"`
	ExpiresAt    *string `json:"expires_at" format:"date-time" doc:"From then on it opens nothing; null: it never ends."`
	Reason       *string `json:"reason"`
}

func grantOf(g access.Grant) grant {
	return grant{
		ID: g.ID, GroupID: string(g.GroupID), GroupName: g.GroupName, ResourceType: string(g.ResourceType), ResourceID: g.ResourceID,
		AssignedAt: stamp(g.AssignedAt), AssignedBy: orNull(g.AssignedBy), ExpiresAt: stampOf(g.ExpiresAt), Reason: orNull(g.Reason),
	}
}

type resourceType struct {
	Key         string `json:"key"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	IDFormat    string `json:"id_format"`
}

// GrantChange is what is sent of a grant's end and reason; null clears.
type GrantChange struct {
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"null: it never ends."`
	Reason    *string    `json:"reason,omitempty" nullable:"true"`
	sent      map[string]json.RawMessage
}

// UnmarshalJSON reads the fields and remembers which were there.
func (c *GrantChange) UnmarshalJSON(data []byte) error {
	type plain GrantChange
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return err
	}
	return json.Unmarshal(data, &c.sent)
}

// OneGrant names a grant in an address.
type OneGrant struct {
	ID string `path:"id" doc:"Id of the grant."`
}

type (
	grantsInput struct {
		ResourceType string `query:"resource_type" doc:"One of those at /api/admin/resource-types."`
		ResourceID   string `query:"resource_id"`
		GroupID      string `query:"group_id"`
		Ended        bool   `query:"ended" doc:"Those that ended too."`
	}
	grantsOutput struct{ Body []grant }
	grantOutput  struct {
		Versioned
		Body grant
	}
	resourceTypesOutput struct{ Body []resourceType }
	createGrantInput    struct {
		Body struct {
			GroupID      string     `json:"group_id"`
			ResourceType string     `json:"resource_type" example:"table"`
			ResourceID   string     `json:"resource_id" example:"orders"`
			ExpiresAt    *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"When it ends; null: never."`
			Reason       *string    `json:"reason,omitempty" nullable:"true" doc:"Why, for those who look at it later; at most 500 characters."`
		}
	}
	updateGrantInput struct {
		OneGrant
		Seen
		Body GrantChange
	}
)

func (a *API) grantRoutes() {
	base := operation{tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin), invalid: http.StatusBadRequest}
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		o := base
		o.id, o.method, o.path, o.summary, o.about, o.status, o.errors = id, method, path, summary, about, status, errors
		return o
	}
	const grants, one = "/api/admin/grants", "/api/admin/grants/{id}"
	register(a, with("resource-types", http.MethodGet, "/api/admin/resource-types", "What can be granted", "The kinds of things that a grant may name, and what their ids look like.", 0), a.resourceTypes)
	register(a, with("list-grants", http.MethodGet, grants, "List grants", "The grants that open something now, or those of a group, a kind or a resource; with ended=true those that ended too.", 0, http.StatusBadRequest), a.listGrants)
	create := with("create-grant", http.MethodPost, grants, "Grant a resource to a group", "It holds from the next request on, until its end. That the resource exists is not checked. A grant that ended makes way for a new one.", http.StatusCreated, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict)
	create.example = map[string]any{"group_id": "0198c2f4-5a8e-7c1d-9d2f-6b0f3e1c4a77", "resource_type": "table", "resource_id": "orders", "expires_at": "2027-03-31T00:00:00Z", "reason": "Audit of the quarter"}
	register(a, create, a.createGrant)
	update := with("update-grant", http.MethodPatch, one, "Change when a grant ends, or why it is", "Changes what is sent; null clears. A grant that ended can be extended.", 0, http.StatusBadRequest, http.StatusNotFound, http.StatusPreconditionFailed)
	update.example = map[string]any{"expires_at": "2027-06-30T00:00:00Z"}
	register(a, update, a.updateGrant)
	register(a, with("delete-grant", http.MethodDelete, one, "Take a grant back", "It ends with the next request. Grants on system plugins stay.", http.StatusNoContent, http.StatusNotFound, http.StatusConflict), a.deleteGrant)
}

func (a *API) resourceTypes(context.Context, *none) (*resourceTypesOutput, error) {
	out := &resourceTypesOutput{}
	for _, r := range access.Resources() {
		out.Body = append(out.Body, resourceType{string(r.Type), r.DisplayName, r.Description, r.IDFormat})
	}
	return out, nil
}

func (a *API) listGrants(ctx context.Context, in *grantsInput) (*grantsOutput, error) {
	f := access.GrantFilter{ResourceID: in.ResourceID, GroupID: people.GroupID(in.GroupID), Live: !in.Ended}
	if in.ResourceType != "" {
		kind, err := access.FindResource(in.ResourceType)
		if err != nil {
			return nil, err
		}
		f.ResourceType = kind.Type
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
	n := access.NewGrant{Group: people.GroupID(in.Body.GroupID), ResourceType: kind, ResourceID: id, ExpiresAt: in.Body.ExpiresAt, Reason: trimmed(in.Body.Reason)}
	g, err := a.Store.CreateGrant(ctx, principal(ctx).Actor(), n)
	if err != nil {
		return nil, err
	}
	return &grantOutput{versioned(g.Version), grantOf(g)}, nil
}

// trimmed is a text that may be null.
func trimmed(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}

func (a *API) updateGrant(ctx context.Context, in *updateGrantInput) (*grantOutput, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	c := access.GrantChange{ExpiresAt: named(in.Body.sent, "expires_at", in.Body.ExpiresAt), Reason: named(in.Body.sent, "reason", trimmed(in.Body.Reason)), Seen: seen}
	if c.ExpiresAt == nil && c.Reason == nil {
		return nil, domain.E(domain.Invalid, "nothing_sent", "Send expires_at, reason or both.")
	}
	g, err := a.Store.UpdateGrant(ctx, principal(ctx).Actor(), in.ID, c)
	if err != nil {
		return nil, err
	}
	return &grantOutput{versioned(g.Version), grantOf(g)}, nil
}

func (a *API) deleteGrant(ctx context.Context, in *OneGrant) (*none, error) {
	return nil, a.Store.DeleteGrant(ctx, principal(ctx).Actor(), in.ID)
}
