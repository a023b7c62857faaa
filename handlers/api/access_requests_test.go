package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// requested is a site where ben may ask for orders, and cy asks and is told no.
func requested(t *testing.T) (s *site, ben people.User, group people.Group) {
	t.Helper()
	s = newSite(t)
	group, err := s.store.CreateGroup(t.Context(), tester, "Finance", "")
	must(t, err)
	ben = s.mustUser("bea@example.com", group.ID)
	s.mustTable("orders", func(t *registry.Table) { t.Discoverable = true }, 3)
	s.mustTable("salaries", nil, 3)
	return s, ben, group
}

const requests = "/api/access-requests"

func TestAskingByAPI(t *testing.T) {
	t.Parallel()
	s, ben, _ := requested(t)
	ask := func(kind, id, reason string) reply {
		return s.as(ben, http.MethodPost, requests, object{"resource_type": kind, "resource_id": id, "reason": reason})
	}
	got := ask("table", "orders", " Returns ")
	body := got.is(http.StatusCreated)
	if body["state"] != "open" || body["reason"] != "Returns" || body["origin"] != "api" || body["email"] != "bea@example.com" || body["resource_name"] != "orders" ||
		body["decided_at"] != nil || body["version"] != 1.0 || got.Header().Get("ETag") != `"1"` {
		t.Errorf("asked: %v, ETag %s", body, got.Header().Get("ETag"))
	}
	if rows := s.audited("access_request.created"); len(rows) != 1 || rows[0].Resource != "table:orders" || rows[0].Params["reason"] != "Returns" {
		t.Errorf("audit: %+v", rows)
	}
	ask("table", "orders", "again").is(http.StatusConflict)
	s.as(s.admin, http.MethodPost, requests, object{"resource_type": "table", "resource_id": "orders", "reason": "x"}).is(http.StatusConflict)
	for _, bad := range []reply{ask("table", "orders", ""), ask("table", "", "x"), ask("cat", "orders", "x"), ask("table", "orders", strings.Repeat("x", 1001))} {
		bad.is(http.StatusUnprocessableEntity)
	}
	// Absent and undiscoverable answer alike, byte for byte.
	absent := ask("table", "nothing", "x")
	absent.is(http.StatusNotFound)
	for _, hidden := range []reply{ask("table", "salaries", "x"), ask("memory_domain", "finance", "x"), ask("marketplace_plugin", "a/b", "x")} {
		if hidden.Code != absent.Code || hidden.Body.String() != absent.Body.String() {
			t.Errorf("hidden: %d %s, absent: %d %s", hidden.Code, hidden.Body, absent.Code, absent.Body)
		}
	}
}

func TestDecidingByAPI(t *testing.T) {
	t.Parallel()
	day := func(s *site, n int) string {
		return s.clock.now().AddDate(0, 0, n).Format("2006-01-02")
	}
	for name, tt := range map[string]struct {
		body object
		want func(s *site, got map[string]any) bool
	}{
		"a person, 90 days": {object{"only_person": true}, func(s *site, got map[string]any) bool {
			at, _ := got["expires_at"].(string)
			return strings.HasPrefix(at, day(s, 90)) && got["group_name"] == "bea@example.com (only)"
		}},
		"a person, 7 days": {object{"only_person": true, "expires_in_days": 7}, func(s *site, got map[string]any) bool {
			at, _ := got["expires_at"].(string)
			return strings.HasPrefix(at, day(s, 7))
		}},
		"a person, no end": {object{"only_person": true, "expires_in_days": nil, "answer": "ok"}, func(_ *site, got map[string]any) bool {
			return got["expires_at"] == nil && got["answer"] == "ok"
		}},
		"a group": {object{"group_id": "GROUP"}, func(_ *site, got map[string]any) bool { return got["group_name"] == "Finance" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ben, group := requested(t)
			if tt.body["group_id"] != nil {
				tt.body["group_id"] = string(group.ID)
			}
			id := fmt.Sprint(s.as(ben, http.MethodPost, requests, object{"resource_type": "table", "resource_id": "orders", "reason": "x"}).is(http.StatusCreated)["id"])
			got := s.as(s.admin, http.MethodPost, requests+"/"+id+"/approve", tt.body, "If-Match", `"1"`)
			body := got.is(http.StatusOK)
			if body["state"] != "approved" || got.Header().Get("ETag") != `"2"` || !tt.want(s, body) {
				t.Errorf("approved: %v", body)
			}
			if rows := s.audited("access_request.approved"); len(rows) != 1 || rows[0].Before["state"] != "open" || rows[0].Params["state"] != "approved" {
				t.Errorf("audit: %+v", rows)
			}
			if list := s.as(ben, http.MethodGet, "/api/me/effective-access", nil).is(http.StatusOK)["items"].([]any); len(list) != 1 {
				t.Errorf("they see %v", list)
			}
			// The second of two who decide learns of the first.
			stale := s.as(s.admin, http.MethodPost, requests+"/"+id+"/refuse", object{"answer": "no"}, "If-Match", `"1"`).is(http.StatusPreconditionFailed)
			if stale["version"] != 2.0 || stale["changed_by"] != s.admin.Email || stale["code"] != "changed_meanwhile" {
				t.Errorf("412: %v", stale)
			}
			s.as(s.admin, http.MethodPost, requests+"/"+id+"/refuse", object{"answer": "no"}).is(http.StatusConflict)
		})
	}
}

func TestWhoDecidesByAPI(t *testing.T) {
	t.Parallel()
	s, ben, _ := requested(t)
	eve := s.mustUser("eve@example.com")
	s.as(s.admin, http.MethodPut, "/api/admin/registry/orders", object{"owner_email": "Eve@example.com"}).is(http.StatusOK)
	s.as(s.admin, http.MethodPut, "/api/admin/registry/orders", object{"owner_email": "nobody@example.com"}).is(http.StatusUnprocessableEntity)
	id := fmt.Sprint(s.as(ben, http.MethodPost, requests, object{"resource_type": "table", "resource_id": "orders", "reason": "x"}).is(http.StatusCreated)["id"])
	other := s.mustUser("other@example.com")
	one := requests + "/" + id
	for name, tt := range map[string]struct {
		by     people.User
		method string
		path   string
		body   any
		want   int
	}{
		"who asked reads it":     {ben, http.MethodGet, one, nil, 200},
		"its owner reads it":     {eve, http.MethodGet, one, nil, 200},
		"an administrator":       {s.admin, http.MethodGet, one, nil, 200},
		"somebody else":          {other, http.MethodGet, one, nil, 404},
		"nobody":                 {people.User{}, http.MethodGet, one, nil, 401},
		"who asked approves":     {ben, http.MethodPost, one + "/approve", object{"only_person": true}, 403},
		"somebody else approves": {other, http.MethodPost, one + "/approve", object{"only_person": true}, 404},
		"without a choice":       {eve, http.MethodPost, one + "/approve", object{}, 422},
		"with two":               {eve, http.MethodPost, one + "/approve", object{"only_person": true, "group_id": "x"}, 422},
		"for no days":            {eve, http.MethodPost, one + "/approve", object{"only_person": true, "expires_in_days": 0}, 422},
		"for words":              {eve, http.MethodPost, one + "/approve", object{"only_person": true, "expires_in_days": "ever"}, 422},
		"without a reason":       {eve, http.MethodPost, one + "/refuse", object{"answer": " "}, 422},
		"the owner withdraws":    {eve, http.MethodPost, one + "/withdraw", nil, 403},
	} {
		if got := s.as(tt.by, tt.method, tt.path, tt.body); got.Code != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got.Code, got.Body, tt.want)
		}
	}
	for _, tt := range []struct {
		who  people.User
		want int
	}{{ben, 1}, {eve, 1}, {s.admin, 1}, {other, 0}} {
		who, want := tt.who, tt.want
		got := s.as(who, http.MethodGet, requests+"?state=open", nil)
		if len(got.list()) != want || got.Header().Get("X-Total-Count") != fmt.Sprint(want) {
			t.Errorf("%s lists %s, total %s, want %d", who.Email, got.Body, got.Header().Get("X-Total-Count"), want)
		}
	}
	if got := s.as(s.admin, http.MethodGet, requests+"?mine=1", nil).list(); len(got) != 0 {
		t.Errorf("the administrator's own: %v", got)
	}
	_, text := s.mustPersonal(eve, "read")
	if got := s.as(people.User{}, http.MethodPost, one+"/approve", object{"only_person": true}, "Authorization", "Bearer "+text); got.Code != http.StatusForbidden {
		t.Errorf("a reading token decided: %d %s", got.Code, got.Body)
	}
	s.as(eve, http.MethodPost, one+"/approve", object{"only_person": true}).is(http.StatusOK)
}

func TestQueryOffersWhatMayBeAskedFor(t *testing.T) {
	t.Parallel()
	s, ben, _ := requested(t)
	ask := func(by people.User, table, accept string) string {
		s.engine.start = &query.SQLError{Code: "query_error", Text: "Catalog Error: Table with name " + table + " does not exist!"}
		got := s.as(by, http.MethodPost, "/api/query", object{"sql": "SELECT * FROM " + table}, "Accept", accept)
		got.is(http.StatusBadRequest)
		return strings.ReplaceAll(got.Body.String(), table, "X")
	}
	for _, accept := range []string{"application/json", "text/csv"} {
		s.engine.start = &query.SQLError{Code: "table_not_found", Text: query.NotThere("Orders")}
		if got := s.as(ben, http.MethodPost, "/api/query", object{"sql": "FROM Orders"}, "Accept", accept).is(http.StatusBadRequest); got["request_access"] == nil {
			t.Errorf("in words of ours: %v", got)
		}
		for _, table := range []string{"orders", "ORDERS", "main.orders"} {
			s.engine.start = &query.SQLError{Code: "query_error", Text: "Catalog Error: Table with name " + table + " does not exist!"}
			got := s.as(ben, http.MethodPost, "/api/query", object{"sql": "SELECT * FROM " + table}, "Accept", accept).is(http.StatusBadRequest)
			offer, _ := got["request_access"].(map[string]any)
			if offer["resource_type"] != "table" || offer["resource_id"] != "orders" || offer["url"] != "/requests/new?origin=query&table=orders" ||
				!strings.HasSuffix(fmt.Sprint(got["detail"]), "orders exists; you have no grant. Ask for access.") {
				t.Errorf("%s, %s: %v", table, accept, got)
			}
		}
		if hidden, absent := ask(ben, "salaries", accept), ask(ben, "nothing", accept); hidden != absent || strings.Contains(hidden, "request_access") {
			t.Errorf("%s: hidden %s, absent %s", accept, hidden, absent)
		}
	}
	if got := ask(s.admin, "orders", "application/json"); strings.Contains(got, "request_access") {
		t.Errorf("an administrator is offered %s", got)
	}
	_, err := s.store.CreateGrant(t.Context(), tester, access.NewGrant{Group: s.everyone(), ResourceType: access.TableResource, ResourceID: "orders"})
	must(t, err)
	if got := ask(ben, "orders", "application/json"); strings.Contains(got, "request_access") {
		t.Errorf("somebody who has it is offered %s", got)
	}
}

func (s *site) everyone() people.GroupID {
	s.t.Helper()
	g, err := s.store.GetGroupByName(s.t.Context(), people.EveryoneGroup)
	must(s.t, err)
	return g.ID
}
