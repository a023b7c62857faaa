package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
)

// doors are the ways to a table's rows and names, and how they look to somebody
// who may read orders and to somebody who may not.
func (p person) doors(kept string) map[string]bool {
	p.t.Helper()
	open := map[string]bool{}
	status := func(method, path, body string) (int, string) {
		resp, data := p.send(method, path, "application/json", strings.NewReader(body))
		return resp.StatusCode, string(data)
	}
	code, _ := status(http.MethodPost, "/api/query", `{"sql":"SELECT count(*) FROM orders"}`)
	open["query"] = code == http.StatusOK
	code, _ = status(http.MethodGet, "/api/data/orders/download", "")
	open["download"] = code == http.StatusOK
	_, text := status(http.MethodGet, "/console/schema.json", "")
	open["completion list"] = strings.Contains(text, "orders")
	_, text = status(http.MethodGet, "/api/sync/manifest", "")
	open["manifest"] = strings.Contains(text, "orders")
	for _, path := range []string{"rows", "export?format=parquet"} {
		code, _ = status(http.MethodGet, "/api/query/runs/"+kept+"/"+path, "")
		open["kept "+path] = code == http.StatusOK
	}
	return open
}

func (p person) wantDoors(when, kept string, want bool) {
	p.t.Helper()
	for door, open := range p.doors(kept) {
		if open != want {
			p.t.Errorf("%s: %s open %v, want %v", when, door, open, want)
		}
	}
}

// TestRevokedAtOnce takes access away in each way that there is: the very next
// request of a session that runs is refused, by real children.
func TestRevokedAtOnce(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	admin.mustOrders(100)
	var made, group, grant struct{ ID string }
	const secret = "long enough words here"
	admin.call(http.MethodPost, "/api/users", map[string]string{"email": "ana@example.com", "name": "Ana"}, http.StatusCreated, &made)
	admin.call(http.MethodPost, "/api/users/"+made.ID+"/set-password", map[string]string{"password": secret}, http.StatusNoContent, nil)
	ana := i.signIn("ana@example.com", secret)
	admin.call(http.MethodPost, "/api/admin/groups", map[string]string{"name": "finance"}, http.StatusCreated, &group)
	member := "/api/admin/groups/" + group.ID + "/members"
	join := func() {
		admin.call(http.MethodPost, member, map[string]string{"email": "ana@example.com"}, http.StatusCreated, nil)
	}
	give := func() {
		admin.call(http.MethodPost, "/api/admin/grants", map[string]string{"group_id": group.ID, "resource_type": "table", "resource_id": "orders"}, http.StatusCreated, &grant)
	}
	join()
	give()
	resp, _ := ana.send(http.MethodPost, "/api/query", "application/json", strings.NewReader(`{"sql":"SELECT * FROM orders"}`))
	kept := resp.Header.Get("X-Query-Run")
	bin := ""
	for _, way := range []struct {
		name      string
		end, give func()
	}{
		{"the grant is deleted", func() {
			admin.call(http.MethodDelete, "/api/admin/grants/"+grant.ID, nil, http.StatusNoContent, nil)
		}, give},
		{"the grant ends", func() {
			end := time.Now().Add(50 * time.Millisecond).Format(time.RFC3339Nano)
			admin.call(http.MethodPatch, "/api/admin/grants/"+grant.ID, map[string]string{"expires_at": end}, http.StatusOK, nil)
			for resp := (&http.Response{}); resp.StatusCode != http.StatusForbidden; {
				resp, _ = ana.send(http.MethodGet, "/api/data/orders/check-access", "", nil)
			}
		}, give},
		{"she leaves the group", func() { admin.call(http.MethodDelete, member+"/"+made.ID, nil, http.StatusNoContent, nil) }, join},
		{"the group is deleted", func() {
			bin = admin.call(http.MethodDelete, "/api/admin/groups/"+group.ID, nil, http.StatusNoContent, nil).Header.Get("Agnes-Bin-Id")
		}, func() { admin.call(http.MethodPost, "/api/admin/bin/"+bin+"/restore", nil, http.StatusNoContent, nil) }},
	} {
		ana.wantDoors("before "+way.name, kept, true)
		way.end()
		ana.wantDoors("after "+way.name, kept, false)
		way.give()
	}
	ana.wantDoors("in the end", kept, true)
	if _, err := i.store.UpdateUser(t.Context(), auditAdmin(), people.UserID(made.ID), people.UserChange{Active: new(bool)}); err != nil {
		t.Fatal(err)
	}
	if resp, _ := ana.send(http.MethodPost, "/api/query", "application/json", strings.NewReader(`{"sql":"SELECT 1"}`)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("deactivated: %s", fmt.Sprint(resp.Status))
	}
}
