package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// Groups is what the pages of groups need of the store.
type Groups interface {
	ListGroupsPage(ctx context.Context, f people.GroupFilter) (groups []people.Group, total int, err error)
	CountGroups(ctx context.Context) (people.GroupCounts, error)
	GetGroup(ctx context.Context, id people.GroupID) (people.Group, error)
	CreateGroup(ctx context.Context, by audit.Actor, name, description string) (people.Group, error)
	UpdateGroup(ctx context.Context, by audit.Actor, id people.GroupID, c people.GroupChange) (people.Group, error)
	DeleteGroup(ctx context.Context, by audit.Actor, id people.GroupID, seen ...int64) (binID string, err error)
	ListMembersPage(ctx context.Context, id people.GroupID, f people.MemberFilter) (members []people.Member, total int, err error)
	AddMembers(ctx context.Context, by audit.Actor, id people.GroupID, emails []string) (people.Joined, error)
	RemoveMember(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) error
	Rejoin(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) (people.Member, error)
	ListBin(ctx context.Context, limit int) ([]access.Binned, error)
	Restore(ctx context.Context, by audit.Actor, binID string) error
}

// groupRoutes are the pages of groups and of what was deleted, for
// administrators. Who becomes an administrator, or is none any more, is decided
// after a recent sign-in: the handlers ask, because it depends on the group.
func (s *Server) groupRoutes() []request.Route {
	route := func(method, pattern string, h handler) request.Route {
		return request.Route{Method: method, Pattern: pattern, Need: access.Admin, Terms: access.Terms{Interactive: true}, Handler: s.page(h)}
	}
	const get, post = http.MethodGet, http.MethodPost
	const groups, one = views.GroupsURL, views.GroupsURL + "/{id}"
	return []request.Route{
		route(get, groups, s.groupsPage),
		route(get, groups+"/new", s.groupNewPage),
		route(post, groups, s.groupCreate),
		route(get, one, s.groupPage),
		route(post, one, s.groupUpdate),
		route(get, one+"/candidates", s.groupCandidates),
		route(post, one+"/members", s.membersAdd),
		route(post, one+"/members/{user}/remove", s.memberRemove),
		route(post, one+"/members/{user}/add", s.memberAdd),
		route(post, one+"/delete", s.groupDelete),
		route(get, views.BinURL, s.binPage),
		route(post, views.BinURL+"/{id}/restore", s.binRestore),
	}
}

func (s *Server) groupsPage(w http.ResponseWriter, r *http.Request) error {
	q := parseGroupsQuery(r.URL.Query())
	v := views.GroupsView{Query: q, Now: s.Now()}
	var err error
	v.Groups, v.Matching, err = s.Groups.ListGroupsPage(r.Context(), people.GroupFilter{
		Search: q.Search, Origin: q.Origin, Order: q.Order, Desc: q.Desc, Limit: views.GroupsPerPage, Offset: (q.Page - 1) * views.GroupsPerPage,
	})
	if err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	if v.Counts, err = s.Groups.CountGroups(r.Context()); err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	return s.render(w, r, http.StatusOK, views.GroupsPage(s.chrome(r, "Groups", views.NavPeople), v))
}

// parseGroupsQuery reads the list's state from the address; what cannot be read
// is the default, so that every address shows a list.
func parseGroupsQuery(v url.Values) views.GroupsQuery {
	q := views.GroupsQuery{Search: strings.TrimSpace(v.Get("q")), Desc: v.Get("desc") == "1", Page: pageNumber(v)}
	switch origin := people.GroupOrigin(v.Get("origin")); origin {
	case people.OriginSystem, people.OriginGoogle, people.OriginOIDC, people.OriginCustom, people.OriginPerson:
		q.Origin = origin
	case people.AnyOrigin:
	}
	switch order := people.GroupOrder(v.Get("sort")); order {
	case people.GroupsByMembers, people.GroupsByGrants:
		q.Order = order
	case people.GroupsByName:
	}
	return q
}

// pageNumber is the page that an address asks for, the first where it cannot be read.
func pageNumber(v url.Values) int {
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 0 && n < maxPage {
		return n
	}
	return 1
}

func (s *Server) groupNewPage(w http.ResponseWriter, r *http.Request) error {
	return s.showNewGroup(w, r, http.StatusOK, views.GroupForm{})
}

func (s *Server) showNewGroup(w http.ResponseWriter, r *http.Request, status int, form views.GroupForm) error {
	return s.render(w, r, status, views.NewGroupPage(s.chrome(r, "New group", views.NavPeople), form))
}

func (s *Server) groupCreate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	form := views.GroupForm{Name: r.PostFormValue("name"), Description: r.PostFormValue("description")}
	name, err := people.GroupName(form.Name)
	if err == nil {
		var g people.Group
		if g, err = s.Groups.CreateGroup(r.Context(), request.Actor(r), name, strings.TrimSpace(form.Description)); err == nil {
			s.tell(r.Context(), views.Toast{Text: "The group " + g.Name + " is made. Add its members, then decide what it opens."})
			request.Redirect(w, r, string(views.GroupURL(g.ID)))
			return nil
		}
	}
	if form.Errors = groupErrors(err); form.Errors == nil {
		return fmt.Errorf("make a group: %w", err)
	}
	return s.showNewGroup(w, r, http.StatusUnprocessableEntity, form)
}

// groupErrors are the sentences of an error about a group's fields, nil when it
// is about something else.
func groupErrors(err error) views.FieldErrors {
	if fields, ok := fieldErrors(err); ok {
		return fields
	}
	switch domain.CodeOf(err) {
	case "group_name_taken", "group_of_one", "system_group", "google_managed_readonly", "oidc_managed_readonly":
		return views.FieldErrors{"name": request.Known(err).Message}
	}
	return nil
}

func (s *Server) groupUpdate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := people.GroupID(param(r, "id"))
	change := people.GroupChange{Name: sent(r, "name"), Description: sent(r, "description"), Seen: seen(r)}
	g, err := s.changeGroup(r, id, change)
	of := clashOf{
		Title: "This group", Back: string(views.GroupURL(id)), Nav: views.NavPeople,
		Labels: map[string]string{"name": "Name", "description": "What it is for"},
	}
	if shown, err := s.clash(w, r, err, of); shown {
		return err
	}
	if errors := groupErrors(err); errors != nil {
		return s.showGroup(w, r, http.StatusUnprocessableEntity, func(v *views.GroupView) {
			v.Form = typedGroup(v.Form, change)
			v.Form.Errors = errors
		})
	}
	if err != nil {
		return fmt.Errorf("change a group: %w", err)
	}

	s.tell(r.Context(), views.Toast{Text: "The group " + g.Name + " is saved."})
	request.Redirect(w, r, string(views.GroupURL(g.ID)))
	return nil
}

// typedGroup is a group's form with what was typed into it.
func typedGroup(form views.GroupForm, c people.GroupChange) views.GroupForm {
	if c.Name != nil {
		form.Name = *c.Name
	}
	if c.Description != nil {
		form.Description = *c.Description
	}
	if c.Seen != 0 {
		form.Version = c.Seen
	}
	return form
}

func (s *Server) changeGroup(r *http.Request, id people.GroupID, c people.GroupChange) (people.Group, error) {
	if c.Name != nil {
		name, err := people.GroupName(*c.Name)
		if err != nil {
			return people.Group{}, err
		}
		c.Name = &name
	}
	if c.Description != nil {
		about := strings.TrimSpace(*c.Description)
		c.Description = &about
	}
	return s.Groups.UpdateGroup(r.Context(), request.Actor(r), id, c)
}

func (s *Server) groupDelete(w http.ResponseWriter, r *http.Request) error {
	id := people.GroupID(param(r, "id"))
	g, err := s.Groups.GetGroup(r.Context(), id)
	if err != nil {
		return fmt.Errorf("delete a group: %w", err)
	}
	bin, err := s.Groups.DeleteGroup(r.Context(), request.Actor(r), id)
	if domain.KindOf(err) == domain.Conflict {
		return s.refusedGroup(w, r, err)
	}
	if err != nil {
		return fmt.Errorf("delete a group: %w", err)
	}

	s.tell(r.Context(), views.Toast{Text: "The group " + g.Name + " is deleted, with its grants.", UndoURL: views.RestoreURL(bin)})
	request.Redirect(w, r, views.GroupsURL)
	return nil
}
