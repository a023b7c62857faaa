package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// visitor is a browser at the real router.
type visitor struct {
	m      *matrix
	cookie string
}

func (m *matrix) visit(u people.User) *visitor { return &visitor{m, m.browser(u).value} }

func (v *visitor) send(h http.Handler, method, target string, form url.Values) *httptest.ResponseRecorder {
	v.m.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Cookie", v.cookie)
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if strings.Contains(c.Name, "agnes_session") {
			v.cookie = c.Name + "=" + c.Value
		}
	}
	return w
}

func (v *visitor) get(target string) *httptest.ResponseRecorder {
	return v.send(v.m.real, http.MethodGet, target, nil)
}

func (v *visitor) post(target string, form url.Values) *httptest.ResponseRecorder {
	return v.send(v.m.real, http.MethodPost, target, form)
}

// run runs SQL in the console and returns the address of the run.
func (v *visitor) run(owner access.Owner, sql string) string {
	v.m.t.Helper()
	w := v.post("/console", url.Values{"sql": {sql}})
	if w.Code != http.StatusSeeOther {
		v.m.t.Fatalf("run %s: %d %s", sql, w.Code, w.Body)
	}
	at := w.Header().Get("Location")
	id := at[strings.LastIndexByte(at, '=')+1:]
	for v.m.runner.Going(owner, id) {
		v.m.runner.Wait(v.m.t.Context(), owner, id)
	}
	return at
}

// simulation is an administrator, a person, and a table that only the one reads.
type simulation struct {
	*matrix
	admin, person people.User
	sales         people.GroupID
	ada           *visitor
}

func newSimulation(t *testing.T) *simulation {
	t.Helper()
	m := newMatrix(t)
	s := &simulation{matrix: m}
	ctx, by := t.Context(), audit.System("test")
	admins, err := m.store.GetGroupByName(ctx, people.AdminGroup)
	noError(t, err)
	sales, err := m.store.CreateGroup(ctx, by, "Sales", "")
	noError(t, err)
	s.admin, s.person = m.mustUser("ada@example.com", admins.ID), m.mustUser("ben@example.com", sales.ID)
	s.sales = sales.ID
	table := func(name string, discoverable bool, grants ...people.GroupID) {
		_, err := m.store.RegisterTables(ctx, by, []registry.Registration{{GrantTo: grants, Table: registry.Table{
			Name: name, Description: "about " + name, SourceType: registry.SourceLocal, SourceTable: name + ".csv", SyncStrategy: "full_refresh",
			QueryMode: registry.ModeLocal, Discoverable: discoverable,
		}}})
		noError(t, err)
	}
	table("orders", false, sales.ID)
	table("salaries", false)
	table("returns", true)
	s.ada = m.visit(s.admin)
	return s
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *simulation) begin() {
	s.t.Helper()
	before := s.ada.cookie
	w := s.ada.post("/admin/access/simulate", url.Values{"person": {string(s.person.ID)}})
	if w.Code != http.StatusSeeOther || s.ada.cookie == before {
		s.t.Fatalf("begin: %d %s; the session's token must change", w.Code, w.Body)
	}
}

func (s *simulation) end() {
	s.t.Helper()
	before := s.ada.cookie
	if w := s.ada.post("/simulate/end", url.Values{}); w.Code != http.StatusSeeOther || s.ada.cookie == before {
		s.t.Fatalf("end: %d %s; the session's token must change", w.Code, w.Body)
	}
}

// simulated are the routes that are open to other eyes. A route that is added
// here must show what that person sees, and change nothing but queries.
var simulated = []string{
	"GET /", "POST /logout", "POST /theme", "POST /simulate/end",
	"GET /catalog", "GET /tables/{id}", "GET /palette.json", "GET /docs",
	"GET /console", "POST /console", "POST /console/csv", "POST /console/runs/{id}/cancel", "GET /console/history", "GET /console/schema.json",
}

func TestSimulationOpensNamedRoutesOnly(t *testing.T) {
	t.Parallel()
	s := newSimulation(t)
	s.begin()
	open := 0
	for _, r := range s.routes {
		w := knocker{header: "Cookie", value: s.ada.cookie}.knock(s.probe, r, "Accept", "text/html")
		name := r.Method + " " + r.Pattern
		switch {
		case slices.Contains(simulated, name):
			open++
			if w.Code != http.StatusTeapot {
				t.Errorf("%s: %d %.200s, want to be let in", name, w.Code, w.Body)
			}
		case w.Code != http.StatusForbidden, !strings.Contains(w.Body.String(), "You see what ben@example.com sees, read only"):
			t.Errorf("%s: %d %.200s, want 403 that says why", name, w.Code, w.Body)
		}
	}
	if open != len(simulated) {
		t.Errorf("%d of %d routes were found", open, len(simulated))
	}
}

func TestSimulationIsThePersonsReach(t *testing.T) {
	t.Parallel()
	s := newSimulation(t)
	ben := s.visit(s.person)
	s.begin()
	for _, target := range []string{"/console/schema.json", "/palette.json"} {
		if mine, theirs := s.ada.get(target).Body.String(), ben.get(target).Body.String(); mine != theirs || strings.Contains(mine, "salaries") {
			t.Errorf("%s differs:\n%s\n%s", target, mine, theirs)
		}
	}
	w := s.ada.get("/catalog")
	for text, want := range map[string]bool{
		"orders": true, "returns": true, "salaries": false, "Add data": false, "/admin/": false, "Ask for access": false,
		"You see what ben@example.com sees.": true,
	} {
		if strings.Contains(w.Body.String(), text) != want {
			t.Errorf("the catalog holds %q: %t, want %t", text, !want, want)
		}
	}
	for target, want := range map[string]int{"/tables/orders": 200, "/tables/salaries": 404, "/tables/returns": 404, "/tables/nothing": 404, "/requests": 403, "/profile": 403, "/api/sync/manifest": 403, "/openapi.json": 403} {
		if w := s.ada.get(target); w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
	// What is taken from the person is gone from the very next page.
	noError(t, s.store.RemoveMember(t.Context(), audit.System("test"), s.sales, s.person.ID))
	if w := s.ada.get("/tables/orders"); w.Code != http.StatusNotFound {
		t.Errorf("a table that the person lost: %d", w.Code)
	}
	s.end()
	if w := s.ada.get("/tables/salaries"); w.Code != http.StatusOK {
		t.Errorf("after the end: %d", w.Code)
	}
}

func TestSimulatedQueriesStayApart(t *testing.T) {
	t.Parallel()
	s := newSimulation(t)
	ben := s.visit(s.person)
	own := s.ada.run(access.OwnerOf(s.admin.ID, ""), "SELECT 'own of ada' AS word")
	theirs := ben.run(access.OwnerOf(s.person.ID, ""), "SELECT 'own of ben' AS word")
	s.begin()
	looked := s.ada.run(access.OwnerOf(s.admin.ID, s.person.ID), "SELECT 'through eyes' AS word")

	holds := func(who string, v *visitor, target string, status int, text string) {
		t.Helper()
		w := v.get(target)
		if w.Code != status || text != "" && !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s, %s: %d, want %d with %q: %.300s", who, target, w.Code, status, text, w.Body)
		}
	}
	lists := func(who string, v *visitor, want string) {
		t.Helper()
		page := v.get("/console/history").Body.String()
		for _, word := range []string{"own of ada", "own of ben", "through eyes"} {
			if strings.Contains(page, word) != (word == want) {
				t.Errorf("%s: the history holds %q: %t", who, word, word != want)
			}
		}
	}
	holds("simulating", s.ada, looked, http.StatusOK, "through eyes")
	holds("simulating", s.ada, own, http.StatusNotFound, "")
	holds("simulating", s.ada, theirs, http.StatusNotFound, "")
	lists("simulating", s.ada, "through eyes")
	holds("the person", ben, looked, http.StatusNotFound, "")
	lists("the person", ben, "own of ben")
	s.end()
	holds("after the end", s.ada, own, http.StatusOK, "own of ada")
	holds("after the end", s.ada, looked, http.StatusNotFound, "")
	lists("after the end", s.ada, "own of ada")
	s.begin()
	holds("the next time", s.ada, looked, http.StatusOK, "through eyes")

	// What they used counts for the administrator, and the audit log says as whom.
	used, err := s.store.QueryUsage(t.Context(), s.person.ID, clock())
	noError(t, err)
	if used.Queries != 1 {
		t.Errorf("%d queries are counted for the person, want 1", used.Queries)
	}
	entries, err := s.store.ListAudit(t.Context(), 0)
	noError(t, err)
	var said []string
	for _, e := range entries {
		if e.Action == "query.local" || strings.HasPrefix(e.Action, "access.simulation") {
			said = append(said, fmt.Sprintf("%s %s as %v", e.Actor.Email, e.Action, e.Params["as"]))
		}
	}
	slices.Reverse(said)
	want := []string{
		"ada@example.com query.local as <nil>", "ben@example.com query.local as <nil>", "ada@example.com access.simulation_started as ben@example.com",
		"ada@example.com query.local as ben@example.com", "ada@example.com access.simulation_ended as ben@example.com", "ada@example.com access.simulation_started as ben@example.com",
	}
	if !slices.Equal(said, want) {
		t.Errorf("audit:\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhoCannotBeSimulated(t *testing.T) {
	t.Parallel()
	s := newSimulation(t)
	admins, err := s.store.GetGroupByName(t.Context(), people.AdminGroup)
	noError(t, err)
	boss, gone := s.mustUser("boss@example.com", admins.ID), s.mustUser("gone@example.com")
	off := false
	_, err = s.store.UpdateUser(t.Context(), audit.System("test"), gone.ID, people.UserChange{Active: &off})
	noError(t, err)
	for id, want := range map[people.UserID]struct {
		status int
		text   string
	}{
		boss.ID:    {http.StatusConflict, "is an administrator and sees everything"},
		s.admin.ID: {http.StatusConflict, "These are your own eyes"},
		gone.ID:    {http.StatusNotFound, "There is no such active account"},
		"nobody":   {http.StatusNotFound, "There is no such active account"},
	} {
		w := s.ada.post("/admin/access/simulate", url.Values{"person": {string(id)}})
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %.300s", id, w.Code, w.Body)
		}
	}
	if w := s.visit(s.person).post("/admin/access/simulate", url.Values{"person": {string(boss.ID)}}); w.Code != http.StatusForbidden {
		t.Errorf("by a user: %d", w.Code)
	}
	// Signing out ends it too, and says so.
	s.begin()
	if w := s.ada.post("/logout", url.Values{}); w.Code != http.StatusSeeOther && w.Code != http.StatusOK {
		t.Errorf("sign out: %d", w.Code)
	}
	entries, err := s.store.ListAudit(t.Context(), 0)
	noError(t, err)
	if !slices.ContainsFunc(entries, func(e audit.Entry) bool {
		return e.Action == "access.simulation_ended" && e.Params["why"] == "They signed out."
	}) {
		t.Error("the audit log says nothing of the end by signing out")
	}
}
