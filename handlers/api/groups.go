package api

import (
	"context"
	"net/http"
	"strings"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Groups keeps groups and their members.
type Groups interface {
	ListGroups(ctx context.Context) ([]people.Group, error)
	GetGroup(ctx context.Context, id people.GroupID) (people.Group, error)
	CreateGroup(ctx context.Context, by audit.Actor, name, description string) (people.Group, error)
	UpdateGroup(ctx context.Context, by audit.Actor, id people.GroupID, c people.GroupChange) (people.Group, error)
	DeleteGroup(ctx context.Context, by audit.Actor, id people.GroupID, seen ...int64) (binID string, err error)
	ListMembers(ctx context.Context, id people.GroupID) ([]people.Member, error)
	AddMember(ctx context.Context, by audit.Actor, id people.GroupID, email string, source people.MemberSource) (people.Member, error)
	RemoveMember(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) error
}

type group struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	Description     *string `json:"description"`
	IsSystem        bool    `json:"is_system" doc:"Admin and Everyone belong to Agnes and keep their names."`
	Origin          string  `json:"origin" enum:"system,google_sync,oidc_sync,custom"`
	CreatedAt       string  `json:"created_at" format:"date-time"`
	CreatedBy       *string `json:"created_by"`
	MemberCount     int     `json:"member_count"`
	GrantCount      int     `json:"grant_count"`
	IsGoogleManaged bool    `json:"is_google_managed"`
	MappedEmail     *string `json:"mapped_email"`
}

func groupOf(g people.Group) group {
	return group{
		ID: string(g.ID), Name: g.Name, Description: orNull(g.Description), IsSystem: g.System, Origin: origin(g),
		CreatedAt: stamp(g.CreatedAt), CreatedBy: orNull(g.CreatedBy), MemberCount: g.Members, GrantCount: g.Grants,
		IsGoogleManaged: g.GoogleManaged(), MappedEmail: mappedEmail(g),
	}
}

// mappedEmail is the group of Google Workspace that this one follows. Those
// that a sync made are named by its address (contract 9.3).
func mappedEmail(g people.Group) *string {
	if g.CreatedBy == people.MadeByGoogle {
		return orNull(g.Name)
	}
	return orNull(g.Mapped)
}

func origin(g people.Group) string {
	switch {
	case g.System:
		return "system"
	case g.CreatedBy == people.MadeByGoogle:
		return "google_sync"
	case g.CreatedBy == people.MadeByOIDC:
		return "oidc_sync"
	}
	return "custom"
}

type member struct {
	UserID  string  `json:"user_id"`
	Email   string  `json:"email"`
	Name    string  `json:"name"`
	Active  bool    `json:"active"`
	Source  string  `json:"source" enum:"admin,google_sync,oidc_sync,system_seed,cli_break_glass"`
	AddedAt string  `json:"added_at" format:"date-time"`
	AddedBy *string `json:"added_by"`
}

func memberOf(m people.Member) member {
	return member{
		UserID: string(m.UserID), Email: m.Email, Name: m.Name, Active: m.Active, Source: string(m.Source),
		AddedAt: stamp(m.AddedAt), AddedBy: orNull(m.AddedBy),
	}
}

// OneGroup names a group in an address.
type OneGroup struct {
	ID string `path:"id" doc:"Id of the group."`
}

type (
	groupsOutput struct{ Body []group }
	groupOutput  struct {
		Versioned
		Body group
	}
	membersOutput    struct{ Body []member }
	memberOutput     struct{ Body member }
	createGroupInput struct {
		Body struct {
			Name        string  `json:"name" example:"finance"`
			Description *string `json:"description,omitempty" nullable:"true"`
		}
	}
	updateGroupInput struct {
		OneGroup
		Seen
		Body struct {
			Name        *string `json:"name,omitempty" nullable:"true"`
			Description *string `json:"description,omitempty" nullable:"true"`
		}
	}
	deleteGroupInput struct {
		OneGroup
		Seen
	}
	addMemberInput struct {
		OneGroup
		Body struct {
			Email string `json:"email" example:"ada@example.com"`
		}
	}
	removeMemberInput struct {
		OneGroup
		UserID string `path:"user_id" doc:"Id of the person."`
	}
)

func (a *API) groupRoutes() {
	base := operation{tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin), invalid: http.StatusBadRequest}
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		o := base
		o.id, o.method, o.path, o.summary, o.about, o.status, o.errors = id, method, path, summary, about, status, errors
		return o
	}
	const groups, one, members = "/api/admin/groups", "/api/admin/groups/{id}", "/api/admin/groups/{id}/members"
	register(a, with("list-groups", http.MethodGet, groups, "List groups", "All groups, the two of Agnes itself first.", 0), a.listGroups)
	register(a, with("get-group", http.MethodGet, one, "Get a group", "One group with the number of its active members and grants.", 0, http.StatusNotFound), a.getGroup)
	create := with("create-group", http.MethodPost, groups, "Create a group", "A new group has no members and no grants.", http.StatusCreated, http.StatusBadRequest, http.StatusConflict)
	create.example = map[string]any{"name": "finance", "description": "Everybody who closes the books"}
	register(a, create, a.createGroup)
	register(a, with("update-group", http.MethodPatch, one, "Change a group", "Changes what is sent. Groups of Agnes itself keep their names.", 0, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed), a.updateGroup)
	register(a, with("delete-group", http.MethodDelete, one, "Delete a group", "Its memberships and grants go with it, and come back with it when it is restored. Groups of Agnes itself stay.", http.StatusNoContent, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed), a.deleteGroup)
	register(a, with("list-members", http.MethodGet, members, "List a group's members", "Everybody is a member of Everyone.", 0, http.StatusNotFound), a.listMembers)
	add := with("add-member", http.MethodPost, members, "Add a member", "The person needs an account.", http.StatusCreated, http.StatusNotFound, http.StatusConflict)
	add.example = map[string]any{"email": "ada@example.com"}
	register(a, add, a.addMember)
	register(a, with("remove-member", http.MethodDelete, members+"/{user_id}", "Remove a member", "The last active administrator stays. Memberships that another system made are changed there.", http.StatusNoContent, http.StatusNotFound, http.StatusConflict), a.removeMember)
}

func (a *API) listGroups(ctx context.Context, _ *none) (*groupsOutput, error) {
	groups, err := a.Store.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	out := &groupsOutput{Body: make([]group, len(groups))}
	for i, g := range groups {
		out.Body[i] = groupOf(g)
	}
	return out, nil
}

func (a *API) getGroup(ctx context.Context, in *OneGroup) (*groupOutput, error) {
	g, err := a.Store.GetGroup(ctx, people.GroupID(in.ID))
	if err != nil {
		return nil, err
	}
	return &groupOutput{versioned(g.Version), groupOf(g)}, nil
}

func (a *API) createGroup(ctx context.Context, in *createGroupInput) (*groupOutput, error) {
	name, err := people.GroupName(in.Body.Name)
	if err != nil {
		return nil, err
	}
	description := ""
	if in.Body.Description != nil {
		description = strings.TrimSpace(*in.Body.Description)
	}
	g, err := a.Store.CreateGroup(ctx, principal(ctx).Actor(), name, description)
	if err != nil {
		return nil, err
	}
	return &groupOutput{versioned(g.Version), groupOf(g)}, nil
}

func (a *API) updateGroup(ctx context.Context, in *updateGroupInput) (*groupOutput, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		name, err := people.GroupName(*in.Body.Name)
		if err != nil {
			return nil, err
		}
		in.Body.Name = &name
	}
	g, err := a.Store.UpdateGroup(ctx, principal(ctx).Actor(), people.GroupID(in.ID), people.GroupChange{Name: in.Body.Name, Description: in.Body.Description, Seen: seen})
	if err != nil {
		return nil, err
	}
	return &groupOutput{versioned(g.Version), groupOf(g)}, nil
}

func (a *API) deleteGroup(ctx context.Context, in *deleteGroupInput) (*Deleted, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	bin, err := a.Store.DeleteGroup(ctx, principal(ctx).Actor(), people.GroupID(in.ID), seen)
	if err != nil {
		return nil, err
	}
	return &Deleted{Bin: bin}, nil
}

func (a *API) listMembers(ctx context.Context, in *OneGroup) (*membersOutput, error) {
	members, err := a.Store.ListMembers(ctx, people.GroupID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &membersOutput{Body: make([]member, len(members))}
	for i, m := range members {
		out.Body[i] = memberOf(m)
	}
	return out, nil
}

func (a *API) addMember(ctx context.Context, in *addMemberInput) (*memberOutput, error) {
	if err := a.recentForGroup(ctx, in.ID); err != nil {
		return nil, err
	}
	m, err := a.Store.AddMember(ctx, principal(ctx).Actor(), people.GroupID(in.ID), in.Body.Email, people.ByAdmin)
	if err != nil {
		return nil, err
	}
	return &memberOutput{Body: memberOf(m)}, nil
}

func (a *API) removeMember(ctx context.Context, in *removeMemberInput) (*none, error) {
	if err := a.recentForGroup(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, a.Store.RemoveMember(ctx, principal(ctx).Actor(), people.GroupID(in.ID), people.UserID(in.UserID))
}

// recentForGroup is recentFor a group's id.
func (a *API) recentForGroup(ctx context.Context, id string) error {
	g, err := a.Store.GetGroup(ctx, people.GroupID(id))
	if err != nil {
		return err
	}
	return a.recentFor(ctx, g)
}

// recentFor asks for a recent proof of who one is before somebody becomes an
// administrator or is none any more.
func (a *API) recentFor(ctx context.Context, g people.Group) error {
	if !g.System || g.Name != people.AdminGroup {
		return nil
	}
	return principal(ctx).Meet(access.Terms{Scope: access.ScopeAdmin, Recent: true}, a.Now())
}
