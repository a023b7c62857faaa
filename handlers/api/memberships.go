package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/people"
)

type membership struct {
	GroupID   string  `json:"group_id"`
	GroupName string  `json:"group_name"`
	IsSystem  bool    `json:"is_system"`
	Origin    string  `json:"origin" enum:"system,google_sync,oidc_sync,custom"`
	Source    string  `json:"source"`
	AddedAt   string  `json:"added_at" format:"date-time"`
	AddedBy   *string `json:"added_by"`
}

type viaGroup struct {
	GroupID   string `json:"group_id"`
	GroupName string `json:"group_name"`
	*viaChain
}

// viaChain is why a group opens something to somebody.
type viaChain struct {
	Source     string  `json:"source" doc:"Who put the person into the group; of Everyone system_seed."`
	MemberFrom string  `json:"member_from" format:"date-time"`
	AddedBy    *string `json:"added_by"`
	GrantID    string  `json:"grant_id" doc:"Removing this grant, or the person from the group, ends this way."`
	GrantedAt  string  `json:"granted_at" format:"date-time"`
	GrantedBy  *string `json:"granted_by"`
	ExpiresAt  *string `json:"expires_at" format:"date-time"`
	Reason     *string `json:"reason"`
}

func viaOf(w access.Reason) viaGroup {
	return viaGroup{string(w.Group.ID), w.Group.Name, &viaChain{
		Source: string(w.Member.Source), MemberFrom: stamp(w.Member.AddedAt), AddedBy: orNull(w.Member.AddedBy),
		GrantID: w.Grant.ID, GrantedAt: stamp(w.Grant.AssignedAt), GrantedBy: orNull(w.Grant.AssignedBy),
		ExpiresAt: stampOf(w.Grant.ExpiresAt), Reason: orNull(w.Grant.Reason),
	}}
}

type effective struct {
	ResourceType string     `json:"resource_type"`
	ResourceID   string     `json:"resource_id"`
	ViaGroups    []viaGroup `json:"via_groups"`
}

type (
	membershipsOutput  struct{ Body []membership }
	membershipOutput   struct{ Body membership }
	addMembershipInput struct {
		OneUser
		Body struct {
			GroupID string `json:"group_id"`
		}
	}
	removeMembershipInput struct {
		OneUser
		GroupID string `path:"group_id" doc:"Id of the group."`
	}
	effectiveInput struct {
		OneUser
		Chain bool `query:"chain" doc:"Says of each group also why: membership and grant, by whom and since when."`
	}
	effectiveOutput struct {
		Body struct {
			IsAdmin bool        `json:"is_admin" doc:"Administrators read everything, whatever is listed."`
			Items   []effective `json:"items"`
		}
	}
)

func (a *API) membershipRoutes() {
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		return operation{
			tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin), id: id, method: method, path: path,
			summary: summary, about: about, status: status, errors: errors,
		}
	}
	const memberships = "/api/admin/users/{id}/memberships"
	register(a, with("list-memberships", http.MethodGet, memberships, "List a person's groups", "The groups that the person was put into.", 0, http.StatusNotFound), a.listMemberships)
	register(a, with("add-membership", http.MethodPost, memberships, "Put a person into a group", "As adding a member to the group.", http.StatusCreated, http.StatusNotFound, http.StatusConflict), a.addMembership)
	register(a, with("remove-membership", http.MethodDelete, memberships+"/{group_id}", "Take a person out of a group", "As removing the member from the group.", http.StatusNoContent, http.StatusNotFound, http.StatusConflict), a.removeMembership)
	register(a, with("effective-access", http.MethodGet, "/api/admin/users/{id}/effective-access", "What a person may read", "Every granted resource, and the groups that open it; with chain=true also why the person is in them and who granted it.", 0, http.StatusNotFound), a.effectiveAccess)
	mine := with("my-effective-access", http.MethodGet, "/api/me/effective-access", "What you may read", "Every granted resource, and the groups that open it.", 0)
	mine.need, mine.terms = access.SignedIn, asks(access.ScopeRead)
	register(a, mine, func(ctx context.Context, _ *none) (*effectiveOutput, error) {
		p := principal(ctx)
		return a.effectiveOf(ctx, p.UserID, p.Admin)
	})
}

func (a *API) listMemberships(ctx context.Context, in *OneUser) (*membershipsOutput, error) {
	list, err := a.Store.Memberships(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &membershipsOutput{Body: make([]membership, len(list))}
	for i, m := range list {
		out.Body[i] = membershipOf(m)
	}
	return out, nil
}

func membershipOf(m people.Membership) membership {
	out := membership{
		GroupID: string(m.GroupID), GroupName: m.GroupName, IsSystem: m.System, Origin: "custom",
		Source: string(m.Source), AddedAt: stamp(m.AddedAt), AddedBy: orNull(m.AddedBy),
	}
	switch {
	case m.System:
		out.Origin = "system"
	case m.Source == people.ByGoogleSync:
		out.Origin = "google_sync"
	case m.Source == people.ByOIDCSync:
		out.Origin = "oidc_sync"
	}
	return out
}

func (a *API) addMembership(ctx context.Context, in *addMembershipInput) (*membershipOutput, error) {
	u, err := a.Store.GetUser(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	g, err := a.Store.GetGroup(ctx, people.GroupID(in.Body.GroupID))
	if err != nil {
		return nil, err
	}
	if err := a.recentFor(ctx, g); err != nil {
		return nil, err
	}
	m, err := a.Store.AddMember(ctx, principal(ctx).Actor(), g.ID, u.Email, people.ByAdmin)
	if err != nil {
		return nil, err
	}
	return &membershipOutput{Body: membershipOf(people.Membership{
		GroupID: g.ID, GroupName: g.Name, System: g.System, Source: m.Source, AddedAt: m.AddedAt, AddedBy: m.AddedBy,
	})}, nil
}

func (a *API) removeMembership(ctx context.Context, in *removeMembershipInput) (*none, error) {
	if err := a.recentForGroup(ctx, in.GroupID); err != nil {
		return nil, err
	}
	return nil, a.Store.RemoveMember(ctx, principal(ctx).Actor(), people.GroupID(in.GroupID), people.UserID(in.ID))
}

func (a *API) effectiveAccess(ctx context.Context, in *effectiveInput) (*effectiveOutput, error) {
	u, err := a.Store.GetUser(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	if !in.Chain {
		return a.effectiveOf(ctx, u.ID, u.Admin)
	}
	reasons, err := a.Store.Reasons(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	out := &effectiveOutput{}
	b := &out.Body
	b.IsAdmin, b.Items = u.Admin, []effective{}
	for _, w := range reasons {
		if n := len(b.Items); n == 0 || b.Items[n-1].ResourceType != string(w.ResourceType) || b.Items[n-1].ResourceID != w.ResourceID {
			b.Items = append(b.Items, effective{ResourceType: string(w.ResourceType), ResourceID: w.ResourceID})
		}
		last := &b.Items[len(b.Items)-1]
		last.ViaGroups = append(last.ViaGroups, viaOf(w))
	}
	return out, nil
}

func (a *API) effectiveOf(ctx context.Context, id people.UserID, admin bool) (*effectiveOutput, error) {
	list, err := a.Store.EffectiveAccess(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &effectiveOutput{}
	out.Body.IsAdmin, out.Body.Items = admin, make([]effective, len(list))
	for i, e := range list {
		item := effective{ResourceType: string(e.ResourceType), ResourceID: e.ResourceID, ViaGroups: make([]viaGroup, len(e.Groups))}
		for g, group := range e.Groups {
			item.ViaGroups[g] = viaGroup{GroupID: string(group.ID), GroupName: group.Name}
		}
		out.Body.Items[i] = item
	}
	return out, nil
}
