package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/store"
)

func TestGrantsThatEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	everyone := s.group(people.EveryoneGroup)
	const grants = "/api/admin/grants"
	end := s.clock.now().Add(time.Hour).Format(time.RFC3339)
	w := s.as(s.admin, http.MethodPost, grants, object{"group_id": everyone, "resource_type": "table", "resource_id": "orders", "expires_at": end, "reason": " trial "})
	made := w.is(http.StatusCreated)
	if made["expires_at"] != "2026-11-22T15:31:00+00:00" || made["reason"] != "trial" || w.Header().Get("ETag") != `"1"` {
		t.Errorf("made %v with %v", made, w.Header())
	}
	one := grants + "/" + made["id"].(string)
	check := func(status int) {
		t.Helper()
		s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(status)
	}
	check(http.StatusNoContent)
	s.ask([]call{
		{"longer", http.MethodPatch, one, object{"expires_at": s.clock.now().Add(2 * time.Hour).Format(time.RFC3339)}, 200, `"expires_at":"2026-11-22T16:31:00+00:00","reason":"trial"`},
		{"for ever", http.MethodPatch, one, object{"expires_at": nil}, 200, `"expires_at":null,"reason":"trial"`},
		{"why", http.MethodPatch, one, object{"reason": "audit", "expires_at": end}, 200, `"expires_at":"2026-11-22T15:31:00+00:00","reason":"audit"`},
		{"nothing", http.MethodPatch, one, object{}, 400, "Send expires_at"},
		{"an end that was", http.MethodPatch, one, object{"expires_at": "2026-01-01T00:00:00Z"}, 400, "ended already"},
		{"a grant that ended before it began", http.MethodPost, grants, object{"group_id": everyone, "resource_type": "table", "resource_id": "x", "expires_at": "2026-01-01T00:00:00Z"}, 400, "ended already"},
		{"no time", http.MethodPatch, one, object{"expires_at": "soon"}, 422, ""},
		{"an unknown one", http.MethodPatch, grants + "/nothing", object{"reason": "x"}, 404, "Grant not found"},
	})
	stale := s.as(s.admin, http.MethodPatch, one, object{"reason": "mine"}, "If-Match", `"1"`)
	if stale.Code != http.StatusPreconditionFailed || !strings.Contains(stale.Body.String(), `"field":"reason","was":"trial","theirs":"audit","yours":"mine"`) || stale.Header().Get("ETag") != `"4"` {
		t.Errorf("an older state: %d %s", stale.Code, stale.Body)
	}
	s.clock.advance(time.Hour)
	check(http.StatusForbidden)
	s.ask([]call{
		{"it is listed no more", http.MethodGet, grants, nil, 200, "[]"},
		{"but among those that ended", http.MethodGet, grants + "?ended=true", nil, 200, `"resource_id":"orders"`},
		{"anew", http.MethodPost, grants, object{"group_id": everyone, "resource_type": "table", "resource_id": "orders"}, 201, `"expires_at":null,"reason":null`},
	})
	check(http.StatusNoContent)
}

func TestAccessOverview(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", func(t *registry.Table) { t.Bucket = "in.c-main" }, 1)
	s.mustTable("web", nil, 1)
	s.mustGrant("orders")
	got := strings.TrimSpace(s.as(s.admin, http.MethodGet, "/api/admin/access-overview", nil).Body.String())
	everyone, admins := s.group(people.EveryoneGroup), s.group(people.AdminGroup)
	grants := s.as(s.admin, http.MethodGet, "/api/admin/grants", nil).list()
	common := `"description":null,"is_system":true,"created_by":"system:seed","origin":"system","is_google_managed":false,"mapped_email":null,`
	want := `{"groups":[{"id":"` + admins + `","name":"Admin",` + common + `"member_count":1,"grant_count":0},` +
		`{"id":"` + everyone + `","name":"Everyone",` + common + `"member_count":2,"grant_count":1}],` +
		`"grants":[{"id":"` + grants[0]["id"].(string) + `","group_id":"` + everyone + `","resource_type":"table","resource_id":"orders"}],` +
		`"resources":[{"type_key":"table","type_display":"Tables","blocks":[{"id":"(no bucket)","name":"(no bucket)","items":[{"resource_id":"web","name":"web","description":null}]},` +
		`{"id":"in.c-main","name":"in.c-main","items":[{"resource_id":"orders","name":"orders","description":null}]}]},` +
		`{"type_key":"memory_domain","type_display":"Memory domains","blocks":[{"id":"memory_domain","name":"Memory domains","items":[`
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, `{"type_key":"marketplace_plugin","type_display":"Plugins","blocks":[]}]}`) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	types := strings.TrimSpace(s.as(s.admin, http.MethodGet, "/api/admin/resource-types", nil).Body.String())
	if want := `[{"key":"table","display_name":"Tables","description":"Tables that people query and pull.","id_format":"<table_id>"},`; !strings.HasPrefix(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(types), want) {
		t.Errorf("types %s", types)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustGrant("orders")
	first := s.as(s.admin, http.MethodGet, "/api/permissions?limit=1", nil).is(http.StatusOK)
	row := first["items"].([]any)[0].(object)
	if row["email"] != "ada@example.com" || row["resource_id"] != "orders" || row["via"].(object)["group_name"] != "Everyone" {
		t.Errorf("first %v", row)
	}
	if admins := first["administrators"].([]any); len(admins) != 1 || admins[0].(object)["email"] != "ada@example.com" {
		t.Errorf("administrators %v", admins)
	}
	second := s.as(s.admin, http.MethodGet, "/api/permissions?limit=1&cursor="+first["next_cursor"].(string), nil).is(http.StatusOK)
	if row := second["items"].([]any)[0].(object); row["email"] != "ben@example.com" {
		t.Errorf("second %v", row)
	}
	s.ask([]call{
		{"of one", http.MethodGet, "/api/permissions?email=ben@example.com", nil, 200, `"user_id":"` + string(s.analyst.ID) + `","email":"ben@example.com","resource_type":"table","resource_id":"orders","via":{`},
		{"of another kind", http.MethodGet, "/api/permissions?resource_type=memory_domain", nil, 200, `"items":[],"next_cursor":null`},
		{"of no kind", http.MethodGet, "/api/permissions?resource_type=spell", nil, 400, "Unknown resource type"},
		{"a cursor that is none", http.MethodGet, "/api/permissions?cursor=x", nil, 400, "next_cursor"},
	})
	s.as(s.analyst, http.MethodGet, "/api/permissions", nil).is(http.StatusForbidden)
}

func TestAccessChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	everyone := s.group(people.EveryoneGroup)
	const changes = "/api/admin/access-changes"
	edit := func(was, want any) object {
		return object{"note": " trial ", "edits": []object{{"group_id": everyone, "resource_type": "table", "resource_id": "orders", "was": was, "want": want}}}
	}
	made := s.as(s.admin, http.MethodPost, changes, edit(nil, object{"reason": "trial"})).is(http.StatusCreated)
	if made["note"] != "trial" || made["undo_until"] != "2026-11-22T14:41:00+00:00" || len(made["edits"].([]any)) != 1 {
		t.Errorf("made %v", made)
	}
	s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(http.StatusNoContent)
	chain := s.as(s.admin, http.MethodGet, "/api/admin/users/"+string(s.analyst.ID)+"/effective-access?chain=true", nil).Body.String()
	if !strings.Contains(chain, `"group_name":"Everyone","source":"system_seed","member_from":"2026-11-22T14:31:00+00:00","added_by":"system:seed","grant_id":"`) ||
		!strings.Contains(chain, `"granted_by":"ada@example.com","expires_at":null,"reason":"trial"}]}]}`) {
		t.Errorf("chain %s", chain)
	}
	s.ask([]call{
		{"seen as empty", http.MethodPost, changes, edit(nil, object{"reason": "other"}), 412, `"code":"cells_changed","cells":[{"group_id":"` + everyone + `","resource_type":"table","resource_id":"orders","was":{"reason":"trial"},"want":{"reason":"other"}}]`},
		{"as it is", http.MethodPost, changes, edit(nil, object{"reason": "trial"}), 409, "as you want it already"},
		{"nothing", http.MethodPost, changes, object{"edits": []object{}}, 400, "Nothing is to be changed"},
		{"no edits", http.MethodPost, changes, object{}, 422, `"missing"`},
		{"listed", http.MethodGet, changes, nil, 200, `"made_by":"ada@example.com","note":"trial"`},
		{"undone", http.MethodPost, changes + "/" + made["id"].(string) + "/undo", nil, 200, `"undo_of":"` + made["id"].(string)},
		{"undone again", http.MethodPost, changes + "/" + made["id"].(string) + "/undo", nil, 409, "taken back already"},
		{"an unknown one", http.MethodPost, changes + "/nothing/undo", nil, 404, "not known"},
	})
	s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(http.StatusForbidden)
}

func TestBin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.as(s.admin, http.MethodPost, "/api/admin/groups", object{"name": "finance"}).is(http.StatusCreated)
	group := "/api/admin/groups/" + s.group("finance")
	s.as(s.admin, http.MethodPost, group+"/members", object{"email": "ben@example.com"}).is(http.StatusCreated)
	s.as(s.admin, http.MethodPost, "/api/admin/grants", object{"group_id": s.group("finance"), "resource_type": "table", "resource_id": "orders"}).is(http.StatusCreated)
	check := func(status int) {
		t.Helper()
		s.as(s.analyst, http.MethodGet, "/api/data/orders/check-access", nil).is(status)
	}
	check(http.StatusNoContent)
	w := s.as(s.admin, http.MethodDelete, group, nil)
	w.is(http.StatusNoContent)
	check(http.StatusForbidden)
	s.ask([]call{
		{"kept", http.MethodGet, "/api/admin/bin", nil, 200, `"kind":"group","resource_id":"` + strings.TrimPrefix(group, "/api/admin/groups/") + `","name":"finance","member_count":1,"grant_count":1`},
		{"brought back", http.MethodPost, "/api/admin/bin/" + w.Header().Get("Agnes-Bin-Id") + "/restore", nil, 204, ""},
		{"twice", http.MethodPost, "/api/admin/bin/" + w.Header().Get("Agnes-Bin-Id") + "/restore", nil, 409, "already"},
		{"nothing", http.MethodPost, "/api/admin/bin/nothing/restore", nil, 404, "not kept"},
	})
	check(http.StatusNoContent)
	w = s.as(s.admin, http.MethodDelete, "/api/admin/registry/orders", nil)
	w.is(http.StatusNoContent)
	s.as(s.admin, http.MethodPost, "/api/admin/bin/"+w.Header().Get("Agnes-Bin-Id")+"/restore", nil).is(http.StatusNoContent)
	check(http.StatusNoContent)
}

func TestMappedGroups(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, nil, func(o *store.Options) { o.Mapped = people.Mapping{Everyone: "all@example.com"} })
	everyone := "/api/admin/groups/" + s.group(people.EveryoneGroup)
	const refused = `"detail":{"code":"google_managed_readonly","message":"`
	s.ask([]call{
		{"shown", http.MethodGet, everyone, nil, 200, `"is_google_managed":true,"mapped_email":"all@example.com"`},
		{"renamed", http.MethodPatch, everyone, object{"name": "All"}, 409, refused},
		{"deleted", http.MethodDelete, everyone, nil, 409, refused},
		{"added to", http.MethodPost, everyone + "/members", object{"email": "ben@example.com"}, 409, refused},
		{"taken from", http.MethodDelete, everyone + "/members/" + string(s.analyst.ID), nil, 409, refused},
		{"put into", http.MethodPost, "/api/admin/users/" + string(s.analyst.ID) + "/memberships", object{"group_id": s.group(people.EveryoneGroup)}, 409, refused},
	})
}
