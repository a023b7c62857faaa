package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

// Overviews read access as a whole.
type Overviews interface {
	AccessOverview(ctx context.Context) (access.Overview, error)
	ListPermissions(ctx context.Context, f access.PermissionFilter) (page []access.Permission, next *access.Permission, err error)
	Administrators(ctx context.Context) ([]people.Member, error)
}

type overviewGroup struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	Description     *string `json:"description"`
	IsSystem        bool    `json:"is_system"`
	CreatedBy       *string `json:"created_by"`
	Origin          string  `json:"origin" enum:"system,google_sync,oidc_sync,custom"`
	IsGoogleManaged bool    `json:"is_google_managed"`
	MappedEmail     *string `json:"mapped_email"`
	MemberCount     int     `json:"member_count"`
	GrantCount      int     `json:"grant_count"`
}

type overviewGrant struct {
	ID           string `json:"id"`
	GroupID      string `json:"group_id"`
	ResourceType string `json:"resource_type"`
	ResourceID   string `json:"resource_id"`
}

type overviewItem struct {
	ResourceID  string  `json:"resource_id"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

type overviewBlock struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Items []overviewItem `json:"items"`
}

type overviewType struct {
	Key     string          `json:"type_key"`
	Display string          `json:"type_display"`
	Blocks  []overviewBlock `json:"blocks"`
}

type permission struct {
	UserID       string        `json:"user_id"`
	Email        string        `json:"email"`
	ResourceType string        `json:"resource_type"`
	ResourceID   string        `json:"resource_id"`
	Via          permissionVia `json:"via"`
}

type permissionVia struct {
	GroupID   string `json:"group_id"`
	GroupName string `json:"group_name"`
	Source    string `json:"source" doc:"Who put the person into the group; of Everyone system_seed."`
	GrantID   string `json:"grant_id"`
}

type administrator struct {
	UserID string `json:"user_id"`
	Email  string `json:"email"`
}

type (
	overviewOutput struct {
		Body struct {
			Groups    []overviewGroup `json:"groups"`
			Grants    []overviewGrant `json:"grants"`
			Resources []overviewType  `json:"resources"`
		}
	}
	permissionsInput struct {
		UserID       string `query:"user_id"`
		Email        string `query:"email" doc:"Of one person."`
		ResourceType string `query:"resource_type"`
		ResourceID   string `query:"resource_id"`
		GroupID      string `query:"group_id"`
		Limit        int    `query:"limit" minimum:"1" maximum:"5000" default:"1000"`
		Cursor       string `query:"cursor" doc:"next_cursor of the page before."`
	}
	permissionsOutput struct {
		Body struct {
			Administrators []administrator `json:"administrators" doc:"They read everything, whatever is listed."`
			Items          []permission    `json:"items"`
			NextCursor     *string         `json:"next_cursor" doc:"Where the next page begins; null after the last. A page may be short."`
		}
	}
)

func (a *API) overviewRoutes() {
	base := operation{tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin), method: http.MethodGet, invalid: http.StatusBadRequest}
	o := base
	o.id, o.path, o.summary, o.about = "access-overview", "/api/admin/access-overview", "Look over access", "Groups, the grants that open something now, and all that can be granted: tables by bucket, memory domains, plugins by marketplace."
	register(a, o, a.accessOverview)
	o = base
	o.id, o.path, o.summary, o.errors = "list-permissions", "/api/permissions", "Who may read what", []int{http.StatusBadRequest}
	o.about = "The grants from the side of people: one row for each active person, resource and group that opens it, by address. It is a view; change grants and groups to change it."
	register(a, o, a.listPermissions)
}

func (a *API) accessOverview(ctx context.Context, _ *none) (*overviewOutput, error) {
	o, err := a.Store.AccessOverview(ctx)
	if err != nil {
		return nil, err
	}
	out := &overviewOutput{}
	b := &out.Body
	b.Groups, b.Grants = make([]overviewGroup, len(o.Groups)), make([]overviewGrant, len(o.Grants))
	for i, g := range o.Groups {
		b.Groups[i] = overviewGroup{
			ID: string(g.ID), Name: g.Name, Description: orNull(g.Description), IsSystem: g.System, CreatedBy: orNull(g.CreatedBy), Origin: origin(g),
			IsGoogleManaged: g.GoogleManaged(), MappedEmail: mappedEmail(g), MemberCount: g.Members, GrantCount: g.Grants,
		}
	}
	for i, g := range o.Grants {
		b.Grants[i] = overviewGrant{g.ID, string(g.GroupID), string(g.ResourceType), g.ResourceID}
	}
	for _, r := range o.Resources {
		b.Resources = append(b.Resources, overviewTypeOf(r))
	}
	return out, nil
}

func overviewTypeOf(r access.ResourceBlocks) overviewType {
	out := overviewType{Key: string(r.Type.Type), Display: r.Type.DisplayName, Blocks: make([]overviewBlock, len(r.Blocks))}
	for i, block := range r.Blocks {
		out.Blocks[i] = overviewBlock{ID: block.ID, Name: block.Name, Items: make([]overviewItem, len(block.Items))}
		for n, item := range block.Items {
			out.Blocks[i].Items[n] = overviewItem{item.ID, item.Name, orNull(item.Description)}
		}
	}
	return out
}

func (a *API) listPermissions(ctx context.Context, in *permissionsInput) (*permissionsOutput, error) {
	f := access.PermissionFilter{
		User: people.UserID(in.UserID), Email: in.Email, ResourceID: in.ResourceID, Group: people.GroupID(in.GroupID), Limit: in.Limit,
	}
	if in.ResourceType != "" {
		kind, err := access.FindResource(in.ResourceType)
		if err != nil {
			return nil, err
		}
		f.ResourceType = kind.Type
	}
	if in.Cursor != "" {
		after, err := openCursor(in.Cursor)
		if err != nil {
			return nil, err
		}
		f.After = &after
	}
	admins, err := a.Store.Administrators(ctx)
	if err != nil {
		return nil, err
	}
	page, next, err := a.Store.ListPermissions(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &permissionsOutput{}
	b := &out.Body
	b.Administrators, b.Items = make([]administrator, len(admins)), make([]permission, len(page))
	for i, m := range admins {
		b.Administrators[i] = administrator{string(m.UserID), m.Email}
	}
	for i, p := range page {
		b.Items[i] = permission{string(p.UserID), p.Email, string(p.ResourceType), p.ResourceID, permissionVia{string(p.Group.ID), p.Group.Name, string(p.Source), p.GrantID}}
	}
	if next != nil {
		cursor := cursorOf(*next)
		b.NextCursor = &cursor
	}
	return out, nil
}

// cursorOf is the place after a permission, for an address.
func cursorOf(p access.Permission) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{p.Email, string(p.ResourceType), p.ResourceID, string(p.Group.ID)}, "\x00")))
}

func openCursor(text string) (access.Permission, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(parts) != 4 {
		return access.Permission{}, domain.FieldError("cursor", "This is not a next_cursor of an earlier answer.")
	}
	return access.Permission{Email: parts[0], ResourceType: access.ResourceType(parts[1]), ResourceID: parts[2], Group: people.Group{ID: people.GroupID(parts[3])}}, nil
}
