package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// Access is what the pages of access need of the store.
type Access interface {
	AccessMatrix(ctx context.Context, f access.MatrixFilter) (access.Matrix, error)
	ExportMatrix(ctx context.Context, f access.MatrixFilter, emit func(access.Matrix) error) error
	AccessTotals(ctx context.Context) (access.Totals, error)
	AccessBasis(ctx context.Context, edits []access.Edit) (access.Basis, error)
	ApplyAccess(ctx context.Context, by audit.Actor, note string, edits []access.Edit) (access.Change, error)
	UndoAccess(ctx context.Context, by audit.Actor, id string) (access.Change, error)
	ListAccessChanges(ctx context.Context, limit int) ([]access.Change, error)
	ListGone(ctx context.Context) ([]access.Grant, error)
	AccessDoors
}

// AccessDoors are the other ways to look at the grants of the matrix.
type AccessDoors interface {
	ListAccessGroups(ctx context.Context, search string, persons bool, w access.Window) ([]access.GroupLine, int, error)
	ListGroupGrants(ctx context.Context, group people.GroupID, search string, w access.Window) ([]access.NamedGrant, int, error)
	ListUngranted(ctx context.Context, group people.GroupID, search string, limit int) ([]access.MatrixTable, error)
	ListAccessTables(ctx context.Context, f access.MatrixFilter) ([]access.TableLine, int, error)
	AccessTable(ctx context.Context, id registry.TableID) (access.MatrixTable, error)
	ListTableGrants(ctx context.Context, table registry.TableID, w access.Window) ([]access.NamedGrant, int, error)
	ListReaders(ctx context.Context, table registry.TableID, search string, w access.Window) ([]access.Reader, int, error)
	ListReach(ctx context.Context, user people.UserID, search string, w access.Window) ([]access.Reach, int, error)
	GetGroup(ctx context.Context, id people.GroupID) (people.Group, error)
	CountLost(ctx context.Context, group people.GroupID, user people.UserID) (int, error)
	Rejoin(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) (people.Member, error)
	RemoveMember(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) error
}

// accessRoutes are the pages of who may see what, for administrators.
func (s *Server) accessRoutes() []request.Route {
	route := func(method, pattern string, h handler) request.Route {
		return request.Route{Method: method, Pattern: views.AccessURL + pattern, Need: access.Admin, Terms: access.Terms{Interactive: true}, Handler: s.page(h)}
	}
	const get, post = http.MethodGet, http.MethodPost
	export := route(get, "/export.csv", s.accessExport)
	export.Long = true
	return []request.Route{
		route(get, "", s.accessPage),
		route(get, "/gone", s.accessGone),
		export,
		route(post, "/preview", s.accessPreview),
		route(post, "/review", s.accessReview),
		route(post, "/apply", s.accessApply),
		route(post, "/changes/{id}/undo", s.accessUndo),
		route(get, "/leave", s.accessLeavePage),
		route(post, "/leave", s.accessLeave),
		route(post, "/rejoin", s.accessRejoin),
	}
}

// shownChanges is how many of the newest changes are looked at for those that
// can still be taken back.
const shownChanges = 5

func (s *Server) accessPage(w http.ResponseWriter, r *http.Request) error {
	switch views.AccessTab(r.URL.Query().Get("view")) {
	case views.AccessByGroup:
		return s.accessByGroup(w, r)
	case views.AccessByTable:
		return s.accessByTable(w, r)
	case views.AccessByPerson:
		return s.accessByPerson(w, r)
	case views.AccessMatrix, views.AccessRequests:
	}
	q := parseMatrixQuery(r.URL.Query())
	v := views.MatrixView{Query: q, Now: s.Now()}
	var err error
	if v.Matrix, err = s.Access.AccessMatrix(r.Context(), q.Filter()); err != nil {
		return err
	}
	if v.Changes, err = s.undoable(r); err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, views.MatrixBody(v), func() templ.Component {
		return views.AccessPage(s.chrome(r, "Access", views.NavAccess), v)
	})
}

// undoable lists the newest changes that can still be taken back.
func (s *Server) undoable(r *http.Request) ([]access.Change, error) {
	list, err := s.Access.ListAccessChanges(r.Context(), shownChanges)
	if err != nil {
		return nil, fmt.Errorf("recent changes: %w", err)
	}
	var open []access.Change
	for _, c := range list {
		if c.Undoable(s.Now()) {
			open = append(open, c)
		}
	}
	return open, nil
}

// parseMatrixQuery reads the matrix's state from the address; what cannot be
// read is the default, so that every address shows a matrix.
func parseMatrixQuery(v url.Values) views.MatrixQuery {
	return views.MatrixQuery{
		Table: strings.TrimSpace(v.Get("t")), Group: strings.TrimSpace(v.Get("g")), Source: v.Get("source"),
		Nobody: v.Get("nobody") == "1", EndsSoon: v.Get("soon") == "1", Persons: v.Get("persons") == "1",
		TablePage: pageOf(v, "tp"), GroupPage: pageOf(v, "gp"),
	}
}

// pageOf reads the number of a page; 1 for what is none.
func pageOf(v url.Values, name string) int {
	if n, err := strconv.Atoi(v.Get(name)); err == nil && n > 0 && n < maxPage {
		return n
	}
	return 1
}

func (s *Server) accessGone(w http.ResponseWriter, r *http.Request) error {
	v := views.GoneView{Now: s.Now()}
	var err error
	if v.Grants, err = s.Access.ListGone(r.Context()); err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, views.GoneLink(v), func() templ.Component {
		return views.GonePage(s.chrome(r, "Access", views.NavAccess), v)
	})
}

func (s *Server) accessUndo(w http.ResponseWriter, r *http.Request) error {
	done, err := s.Access.UndoAccess(r.Context(), request.Actor(r), param(r, "id"))
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: views.Plural(len(done.Edits), "change") + " of access taken back."})
	request.Redirect(w, r, back(r, views.AccessURL))
	return nil
}
