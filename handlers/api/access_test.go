package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
)

// group returns the id of a group.
func (s *site) group(name string) string {
	s.t.Helper()
	g, err := s.store.GetGroupByName(s.t.Context(), name)
	must(s.t, err)
	return string(g.ID)
}

type call struct {
	name, method, path string
	body               any
	status             int
	want               string // in the answer
}

// ask makes each call as an administrator.
func (s *site) ask(calls []call) {
	s.t.Helper()
	for _, c := range calls {
		w := s.as(s.admin, c.method, c.path, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			s.t.Errorf("%s: got %d %s, want %d with %s", c.name, w.Code, w.Body, c.status, c.want)
		}
	}
}

type object = map[string]any

func TestGroups(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.clock.advance(time.Second)
	w := s.as(s.admin, http.MethodPost, "/api/admin/groups", object{"name": " finance ", "description": nil})
	w.is(http.StatusCreated)
	id := s.group("finance")
	want := `{"id":"` + id + `","name":"finance","description":null,"is_system":false,"origin":"custom","created_at":"2026-11-22T14:31:01+00:00",` +
		`"created_by":"ada@example.com","member_count":0,"grant_count":0,"is_google_managed":false,"mapped_email":null}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const groups = "/api/admin/groups"
	admins := groups + "/" + s.group(people.AdminGroup)
	s.ask([]call{
		{"blank", http.MethodPost, groups, object{"name": " "}, 400, `"detail":"A group needs`},
		{"twice", http.MethodPost, groups, object{"name": "FINANCE"}, 409, "exists already"},
		{"no name", http.MethodPost, groups, object{}, 422, `"missing"`},
		{"one", http.MethodGet, groups + "/" + id, nil, 200, `"name":"finance"`},
		{"unknown", http.MethodGet, groups + "/nothing", nil, 404, "Group not found"},
		{"described", http.MethodPatch, groups + "/" + id, object{"description": "Closes the books"}, 200, `"description":"Closes the books"`},
		{"renamed", http.MethodPatch, groups + "/" + id, object{"name": "accounting", "description": nil}, 200, `"name":"accounting","description":"Closes the books"`},
		{"renamed to nothing", http.MethodPatch, groups + "/" + id, object{"name": ""}, 400, "needs a name"},
		{"renamed to one that exists", http.MethodPatch, groups + "/" + id, object{"name": "admin"}, 409, "exists already"},
		{"a system group renamed", http.MethodPatch, admins, object{"name": "root"}, 409, "keeps its name"},
		{"a system group deleted", http.MethodDelete, admins, nil, 409, "cannot be deleted"},
		{"deleted", http.MethodDelete, groups + "/" + id, nil, 204, ""},
		{"deleted again", http.MethodDelete, groups + "/" + id, nil, 404, "Group not found"},
	})
	list := s.as(s.admin, http.MethodGet, groups, nil).list()
	if len(list) != 2 || list[0]["origin"] != "system" || list[1]["member_count"] != 2.0 {
		t.Errorf("groups %v", list)
	}
	for _, action := range []string{"user_group.created", "user_group.updated", "user_group.deleted"} {
		if len(s.audited(action)) == 0 {
			t.Errorf("no audit row %s", action)
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(s.admin, http.MethodPost, "/api/admin/groups", object{"name": "finance"}).is(http.StatusCreated)
	members := "/api/admin/groups/" + s.group("finance") + "/members"
	admins := "/api/admin/groups/" + s.group(people.AdminGroup) + "/members"
	person, self := "/"+string(s.analyst.ID), "/"+string(s.admin.ID)
	memberships := "/api/admin/users" + person + "/memberships"
	s.ask([]call{
		{"nobody yet", http.MethodGet, members, nil, 200, "[]"},
		{"added", http.MethodPost, members, object{"email": "BEN@example.com"}, 201, `"email":"ben@example.com","name":"Somebody","active":true,"source":"admin","added_at"`},
		{"added again", http.MethodPost, members, object{"email": "ben@example.com"}, 409, "already"},
		{"unknown person", http.MethodPost, members, object{"email": "x@example.com"}, 404, "User not found"},
		{"unknown group", http.MethodPost, "/api/admin/groups/nothing/members", object{"email": "ben@example.com"}, 404, "Group not found"},
		{"listed", http.MethodGet, members, nil, 200, `"email":"ben@example.com"`},
		{"from the person's side", http.MethodGet, memberships, nil, 200, `"group_name":"finance","is_system":false,"origin":"custom","source":"admin"`},
		{"removed", http.MethodDelete, members + person, nil, 204, ""},
		{"removed again", http.MethodDelete, members + person, nil, 404, "no membership"},
		{"the last administrator", http.MethodDelete, admins + self, nil, 409, "last active administrator"},
		{"put into", http.MethodPost, memberships, object{"group_id": s.group("finance")}, 201, `"group_name":"finance"`},
		{"put into again", http.MethodPost, memberships, object{"group_id": s.group("finance")}, 409, "already"},
		{"put into nothing", http.MethodPost, memberships, object{"group_id": "nothing"}, 404, "Group not found"},
		{"nobody put into", http.MethodPost, "/api/admin/users/nobody/memberships", object{"group_id": "x"}, 404, "User not found"},
		{"taken out", http.MethodDelete, memberships + "/" + s.group("finance"), nil, 204, ""},
		{"nobody's groups", http.MethodGet, "/api/admin/users/nobody/memberships", nil, 404, "User not found"},
		{"made an administrator", http.MethodPost, memberships, object{"group_id": s.group(people.AdminGroup)}, 201, `"origin":"system"`},
	})
	// It holds from the next request on.
	s.as(s.analyst, http.MethodGet, "/api/admin/groups", nil).is(http.StatusOK)
	if len(s.audited("user_group.member_added")) != 3 || len(s.audited("user_group.member_removed")) != 2 {
		t.Error("audit rows of members")
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	everyone := s.group(people.EveryoneGroup)
	const grants = "/api/admin/grants"
	s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(http.StatusForbidden)
	made := s.as(s.admin, http.MethodPost, grants, object{"group_id": everyone, "resource_type": "table", "resource_id": " orders "}).is(http.StatusCreated)
	wanted := object{
		"group_id": everyone, "group_name": "Everyone", "resource_type": "table", "resource_id": "orders",
		"assigned_at": "2026-11-22T14:31:00+00:00", "assigned_by": "ada@example.com",
	}
	for key, want := range wanted {
		if made[key] != want {
			t.Errorf("%s = %v, want %v", key, made[key], want)
		}
	}
	s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(http.StatusNoContent)
	mine := strings.TrimSpace(s.as(s.analyst, http.MethodGet, "/api/me/effective-access", nil).Body.String())
	if want := `{"is_admin":false,"items":[{"resource_type":"table","resource_id":"orders","via_groups":[{"group_id":"` + everyone + `","group_name":"Everyone"}]}]}`; mine != want {
		t.Errorf("got  %s\nwant %s", mine, want)
	}
	s.ask([]call{
		{"again", http.MethodPost, grants, object{"group_id": everyone, "resource_type": "table", "resource_id": "orders"}, 409, "already"},
		{"an unknown type", http.MethodPost, grants, object{"group_id": everyone, "resource_type": "dataset", "resource_id": "x"}, 400, `"detail":"Unknown resource type`},
		{"a blank id", http.MethodPost, grants, object{"group_id": everyone, "resource_type": "table", "resource_id": " "}, 400, `"detail":"A grant names`},
		{"an unknown group", http.MethodPost, grants, object{"group_id": "nothing", "resource_type": "table", "resource_id": "x"}, 404, "Group not found"},
		{"a resource that does not exist", http.MethodPost, grants, object{"group_id": everyone, "resource_type": "memory_domain", "resource_id": "finance"}, 201, ""},
		{"by type", http.MethodGet, grants + "?resource_type=table", nil, 200, `"resource_id":"orders"`},
		{"by an unknown type", http.MethodGet, grants + "?resource_type=dataset", nil, 400, "Unknown resource type"},
		{"by group", http.MethodGet, grants + "?group_id=nothing", nil, 200, "[]"},
		{"types", http.MethodGet, "/api/admin/resource-types", nil, 200, `"key":"table","display_name":"Tables"`},
		{"the person's side", http.MethodGet, "/api/admin/users/" + string(s.analyst.ID) + "/effective-access", nil, 200, `"resource_id":"orders"`},
		{"an administrator's side", http.MethodGet, "/api/me/effective-access", nil, 200, `"is_admin":true`},
		{"nobody's side", http.MethodGet, "/api/admin/users/nobody/effective-access", nil, 404, "User not found"},
		{"deleted", http.MethodDelete, grants + "/" + made["id"].(string), nil, 204, ""},
		{"deleted again", http.MethodDelete, grants + "/" + made["id"].(string), nil, 404, "Grant not found"},
	})
	s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(http.StatusForbidden)
}
