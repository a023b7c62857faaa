package pages

import (
	"fmt"
	"net/http"
	"strings"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// foundToAdd is how many tables a search for what to add shows.
const foundToAdd = 20

// door reads the state of one of the doors from the address.
func (s *Server) door(r *http.Request, view views.AccessTab, id string) (views.DoorView, error) {
	v := r.URL.Query()
	d := views.DoorView{Now: s.Now(), Query: views.DoorQuery{
		View: view, ID: v.Get(id), Search: strings.TrimSpace(v.Get("q")), Add: strings.TrimSpace(v.Get("add")), Page: pageOf(v, "page"),
	}}
	var err error
	d.Totals, err = s.Access.AccessTotals(r.Context())
	return d, err
}

func (s *Server) accessByGroup(w http.ResponseWriter, r *http.Request) error {
	d, err := s.door(r, views.AccessByGroup, "group")
	if err != nil {
		return err
	}
	ctx, q := r.Context(), d.Query
	if q.ID == "" {
		v := views.GroupsDoorView{DoorView: d}
		if v.Groups, v.All, err = s.Access.ListAccessGroups(ctx, q.Search, q.Search != "", q.Window()); err != nil {
			return err
		}
		v.Shown = len(v.Groups)
		return s.render(w, r, http.StatusOK, views.ByGroupPage(s.chrome(r, "Access by group", views.NavAccess), v))
	}
	v := views.GroupDoorView{DoorView: d}
	if v.Group, err = s.Access.GetGroup(ctx, people.GroupID(q.ID)); err != nil {
		return err
	}
	if v.Grants, v.All, err = s.Access.ListGroupGrants(ctx, v.Group.ID, q.Search, q.Window()); err != nil {
		return err
	}
	if q.Add != "" {
		if v.Found, err = s.Access.ListUngranted(ctx, v.Group.ID, q.Add, foundToAdd); err != nil {
			return err
		}
	}
	v.Shown = len(v.Grants)
	return s.render(w, r, http.StatusOK, views.GroupDoorPage(s.chrome(r, v.Group.Name, views.NavAccess), v))
}

func (s *Server) accessByTable(w http.ResponseWriter, r *http.Request) error {
	d, err := s.door(r, views.AccessByTable, "table")
	if err != nil {
		return err
	}
	q := d.Query
	if q.ID == "" {
		v := views.TablesView{DoorView: d}
		if v.Tables, v.All, err = s.Access.ListAccessTables(r.Context(), access.MatrixFilter{Table: q.Search, Tables: q.Window()}); err != nil {
			return err
		}
		v.Shown = len(v.Tables)
		return s.render(w, r, http.StatusOK, views.ByTablePage(s.chrome(r, "Access by table", views.NavAccess), v))
	}
	v, err := s.readersOf(r, d)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, views.TableDoorPage(s.chrome(r, v.Table.Name, views.NavAccess), v))
}

// shownGrants is how many grants on a table its page lists: more groups than
// a company has.
const shownGrants = 500

// readersOf reads who can see the table that d names.
func (s *Server) readersOf(r *http.Request, d views.DoorView) (v views.ReadersView, err error) {
	ctx, q := r.Context(), d.Query
	v.DoorView = d
	if v.Table, err = s.Access.AccessTable(ctx, registry.TableID(q.ID)); err != nil {
		return v, err
	}
	if v.Grants, v.Groups, err = s.Access.ListTableGrants(ctx, v.Table.ID, access.Window{Limit: shownGrants}); err != nil {
		return v, err
	}
	v.Readers, v.All, err = s.Access.ListReaders(ctx, v.Table.ID, q.Search, q.Window())
	v.Shown = len(v.Readers)
	return v, err
}

// tableReaders puts who can see a table on its page.
func (s *Server) tableReaders(r *http.Request, v *views.TableView) error {
	readers, err := s.readersOf(r, views.DoorView{Now: s.Now(), Query: views.DoorQuery{View: views.AccessByTable, ID: string(v.Table.ID), Page: 1}})
	v.Readers = &readers
	return err
}

func (s *Server) accessByPerson(w http.ResponseWriter, r *http.Request) error {
	d, err := s.door(r, views.AccessByPerson, "user")
	if err != nil {
		return err
	}
	ctx, q := r.Context(), d.Query
	if q.ID == "" {
		v := views.PersonsView{DoorView: d}
		window := q.Window()
		if v.People, v.All, err = s.People.ListUsers(ctx, people.UserFilter{Search: q.Search, State: people.ActiveUsers, Limit: window.Limit, Offset: window.Offset}); err != nil {
			return fmt.Errorf("people: %w", err)
		}
		v.Shown = len(v.People)
		return s.render(w, r, http.StatusOK, views.ByPersonPage(s.chrome(r, "Access by person", views.NavAccess), v))
	}
	v := views.ReachView{DoorView: d}
	if v.Person, err = s.People.GetUser(ctx, people.UserID(q.ID)); err != nil {
		return fmt.Errorf("person: %w", err)
	}
	if v.Reach, v.All, err = s.Access.ListReach(ctx, v.Person.ID, q.Search, q.Window()); err != nil {
		return err
	}
	v.Shown = len(v.Reach)
	return s.render(w, r, http.StatusOK, views.PersonDoorPage(s.chrome(r, v.Person.Email, views.NavAccess), v))
}

// leaving reads who shall leave which group. For administrators it asks for a
// recent sign-in.
func (s *Server) leaving(r *http.Request, get func(string) string) (v views.LeaveView, err error) {
	if v.Group, err = s.Access.GetGroup(r.Context(), people.GroupID(get("group"))); err != nil {
		return v, err
	}
	if v.Group.System && v.Group.Name == people.AdminGroup {
		if err := request.Principal(r.Context()).Meet(access.Terms{Interactive: true, Recent: true}, s.Now()); err != nil {
			return v, err
		}
	}
	if v.Person, err = s.People.GetUser(r.Context(), people.UserID(get("user"))); err != nil {
		return v, fmt.Errorf("person: %w", err)
	}
	if v.Back = request.SafeNext(get("back")); !strings.HasPrefix(v.Back, views.AccessURL) {
		v.Back = string(views.AccessPersonURL(v.Person.ID))
	}
	return v, nil
}

func (s *Server) accessLeavePage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.leaving(r, r.URL.Query().Get)
	if err != nil {
		return err
	}
	if v.Lost, err = s.Access.CountLost(r.Context(), v.Group.ID, v.Person.ID); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, views.LeavePage(s.chrome(r, "Take out of "+v.Group.Name, views.NavAccess), v))
}

func (s *Server) accessLeave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, err := s.leaving(r, r.PostForm.Get)
	if err != nil {
		return err
	}

	if err := s.Access.RemoveMember(r.Context(), request.Actor(r), v.Group.ID, v.Person.ID); err != nil {
		return err
	}

	s.tell(r.Context(), views.Toast{Text: v.Person.Email + " left " + v.Group.Name + ".", UndoURL: views.RejoinURL(v.Group.ID, v.Person.ID)})
	request.Redirect(w, r, v.Back)
	return nil
}

// accessRejoin takes back that somebody left a group.
func (s *Server) accessRejoin(w http.ResponseWriter, r *http.Request) error {
	v, err := s.leaving(r, r.URL.Query().Get)
	if err != nil {
		return err
	}

	if _, err := s.Access.Rejoin(r.Context(), request.Actor(r), v.Group.ID, v.Person.ID); err != nil {
		return err
	}

	s.tell(r.Context(), views.Toast{Text: v.Person.Email + " is back in " + v.Group.Name + "."})
	request.Redirect(w, r, v.Back)
	return nil
}
