package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// People is what the pages of people need of the store.
type People interface {
	people.Guests
	ListUsers(ctx context.Context, f people.UserFilter) (users []people.User, total int, err error)
	CountUsersByState(ctx context.Context) (people.UserCounts, error)
	GetUser(ctx context.Context, id people.UserID) (people.User, error)
	Memberships(ctx context.Context, id people.UserID) ([]people.Membership, error)
	ListGroups(ctx context.Context) ([]people.Group, error)
	UpdateUser(ctx context.Context, by audit.Actor, id people.UserID, c people.UserChange) (people.User, error)
	SetGroups(ctx context.Context, by audit.Actor, id people.UserID, c people.GroupsChange) (people.User, error)
	DeleteUser(ctx context.Context, by audit.Actor, id people.UserID, seen ...int64) error
}

// peopleRoutes are the pages of people, for administrators. What gives somebody
// more, or takes an account away, asks for a recent sign-in.
func (s *Server) peopleRoutes() []request.Route {
	route := func(method, pattern string, h handler) request.Route {
		return request.Route{Method: method, Pattern: views.PeopleURL + pattern, Need: access.Admin, Terms: access.Terms{Interactive: true}, Handler: s.page(h)}
	}
	recent := func(method, pattern string, h handler) request.Route {
		r := route(method, pattern, h)
		r.Terms.Recent = true
		return r
	}
	const get, post = http.MethodGet, http.MethodPost
	invite := recent(post, "/invite", s.inviteSend) // as long as its mails take
	invite.Long = true
	return []request.Route{
		route(get, "", s.peoplePage),
		recent(get, "/invite", s.invitePage), // asked for before a list is pasted, not after
		invite,
		route(get, "/{id}", s.personPage),
		route(post, "/{id}", s.personRename),
		recent(post, "/{id}/groups", s.personGroups),
		route(post, "/{id}/deactivate", s.personSwitch(false)),
		route(post, "/{id}/reactivate", s.personSwitch(true)),
		recent(post, "/{id}/invite", s.personLink),
		recent(post, "/{id}/reset", s.personLink),
		recent(get, "/{id}/delete", s.personDeletePage),
		recent(post, "/{id}/delete", s.personDelete),
	}
}

func (s *Server) peoplePage(w http.ResponseWriter, r *http.Request) error {
	q := parsePeopleQuery(r.URL.Query())
	ctx := r.Context()
	v := views.PeopleView{Query: q, Now: s.Now()}
	var err error
	v.People, v.Matching, err = s.People.ListUsers(ctx, people.UserFilter{
		Search: q.Search, State: q.State, Group: q.Group, Order: q.Order, Desc: q.Desc,
		Limit: views.PeoplePerPage, Offset: (q.Page - 1) * views.PeoplePerPage,
	})
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if v.Counts, err = s.People.CountUsersByState(ctx); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if v.Groups, err = s.People.ListGroups(ctx); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if request.Partial(r) {
		return s.render(w, r, http.StatusOK, views.PeopleList(v))
	}
	return s.render(w, r, http.StatusOK, views.PeoplePage(s.chrome(r, "People", views.NavPeople), v))
}

// maxPage keeps the offset of a mistyped page within what SQL takes.
const maxPage = 1_000_000

// parsePeopleQuery reads the list's state from the address; what cannot be read
// is the default, so that every address shows a list.
func parsePeopleQuery(v url.Values) views.PeopleQuery {
	q := views.PeopleQuery{Search: strings.TrimSpace(v.Get("q")), Group: people.GroupID(v.Get("group")), Desc: v.Get("desc") == "1", Page: 1}
	switch state := people.UserState(v.Get("state")); state {
	case people.ActiveUsers, people.DeactivatedUsers, people.InvitedUsers, people.AdminUsers:
		q.State = state
	case people.AnyState:
	}
	switch order := people.UserOrder(v.Get("sort")); order {
	case people.OrderByName, people.OrderByLastSeen, people.OrderByCreated:
		q.Order = order
	case people.OrderByEmail:
	}
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 0 && n < maxPage {
		q.Page = n
	}
	return q
}
