package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

func TestAccessOverview(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	must[[]registry.Table](t)(s.RegisterTables(t.Context(), admin, []registry.Registration{
		{Table: registry.Table{Name: "web"}}, {Table: registry.Table{Name: "orders", Bucket: "in.c-main"}}, {Table: registry.Table{Name: "deals", Bucket: "in.c-main", Description: "d"}},
	}))
	for _, p := range []string{"reports", "alerts"} {
		must[int64](t)(runner{on: s.writer, count: &s.queries}.exec(t.Context(), `INSERT INTO marketplace_plugins (marketplace_id, name) VALUES ('company', $1)`, p))
	}
	g := mustGroup(t, s, "Finance")
	for table, end := range map[string]*time.Time{"orders": nil, "deals": ptr(s.now().Add(time.Hour))} {
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.TableResource, ResourceID: table, ExpiresAt: end}))
	}
	c.advance(time.Hour)
	for _, want := range []int64{5, 4, 4} { // the first one reads the registry
		before := s.Queries()
		o := must[access.Overview](t)(s.AccessOverview(t.Context()))
		if used := s.Queries() - before; used != want {
			t.Errorf("%d statements, want %d", used, want)
		}
		if len(o.Groups) != 3 || o.Groups[2].Grants != 1 || len(o.Grants) != 1 || o.Grants[0].ResourceID != "orders" {
			t.Errorf("groups %+v, grants %+v", o.Groups, o.Grants)
		}
		var got []string
		for _, r := range o.Resources {
			for _, b := range r.Blocks {
				got = append(got, fmt.Sprintf("%s %s %d %s", r.Type.Type, b.Name, len(b.Items), b.Items[0].ID))
			}
		}
		if want := []string{"table (no bucket) 1 web", "table in.c-main 2 deals", "memory_domain Memory domains 6 finance", "marketplace_plugin company 2 company/alerts"}; !slices.Equal(got, want) {
			t.Errorf("blocks %q, want %q", got, want)
		}
	}
}

func TestListPermissions(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	g := mustGroup(t, s, "Finance")
	ada, bob := mustUser(t, s, "ada@example.com", g.ID), mustUser(t, s, "bob@example.com", s.adminID)
	gone := mustUser(t, s, "gone@example.com", g.ID)
	must[people.User](t)(s.UpdateUser(t.Context(), admin, gone.ID, people.UserChange{Active: ptr(false)}))
	grant := func(g people.GroupID, kind access.ResourceType, id string, end *time.Time) {
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g, ResourceType: kind, ResourceID: id, ExpiresAt: end}))
	}
	grant(g.ID, access.TableResource, "orders", nil)
	grant(s.everyoneID, access.TableResource, "orders", nil)
	grant(s.everyoneID, access.MemoryDomainResource, "finance", nil)
	grant(g.ID, access.TableResource, "deals", ptr(s.now().Add(time.Hour)))
	c.advance(time.Hour)
	all := []string{
		"ada@example.com memory_domain finance Everyone system_seed", "ada@example.com table orders Everyone system_seed", "ada@example.com table orders Finance admin",
		"bob@example.com memory_domain finance Everyone system_seed", "bob@example.com table orders Everyone system_seed",
	}
	for _, f := range []struct {
		name   string
		filter access.PermissionFilter
		want   []string
	}{
		{"all", access.PermissionFilter{}, all},
		{"a person", access.PermissionFilter{User: ada.ID}, all[:3]},
		{"an address", access.PermissionFilter{Email: "BOB@example.com"}, all[3:]},
		{"a resource", access.PermissionFilter{ResourceType: access.TableResource, ResourceID: "orders"}, []string{all[1], all[2], all[4]}},
		{"a group", access.PermissionFilter{Group: g.ID}, all[2:3]},
		{"somebody inactive", access.PermissionFilter{User: gone.ID}, nil},
	} {
		var got []string
		f.filter.Limit = 2
		for {
			page, next, err := s.ListPermissions(t.Context(), f.filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				got = append(got, fmt.Sprintf("%s %s %s %s %s", p.Email, p.ResourceType, p.ResourceID, p.Group.Name, p.Source))
			}
			if f.filter.After = next; next == nil {
				break
			}
		}
		slices.Sort(got) // groups come by id
		if !slices.Equal(got, f.want) {
			t.Errorf("%s: got %q\nwant %q", f.name, got, f.want)
		}
	}
	for i := range 3 * atOnce {
		mustUser(t, s, fmt.Sprintf("u%03d@example.com", i))
	}
	pages, found := 0, 0
	for f := (access.PermissionFilter{ResourceType: access.MemoryDomainResource, Limit: 1000}); ; pages++ {
		before := s.Queries()
		page, next, err := s.ListPermissions(t.Context(), f)
		if used := s.Queries() - before; err != nil || used != 2 {
			t.Fatalf("%d statements, %v", used, err)
		}
		if found, f.After = found+len(page), next; next == nil {
			break
		}
	}
	if found != 3*atOnce+2 || pages < 3 {
		t.Errorf("%d permissions on %d pages", found, pages+1)
	}
	if admins := must[[]people.Member](t)(s.Administrators(t.Context())); len(admins) != 1 || admins[0].UserID != bob.ID {
		t.Errorf("administrators %+v", admins)
	}
}
