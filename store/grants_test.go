package store

import (
	"slices"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func TestGrants(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	finance, sales := mustGroup(t, s, "Finance"), mustGroup(t, s, "Sales")
	grant := func(g people.GroupID, kind access.ResourceType, id string) access.Grant {
		return must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g, ResourceType: kind, ResourceID: id}))
	}
	orders := grant(finance.ID, access.TableResource, "orders")
	grant(sales.ID, access.TableResource, "orders")
	grant(finance.ID, access.MemoryDomainResource, "finance")
	if orders.GroupName != "Finance" || orders.AssignedBy != admin.Email {
		t.Errorf("granted %+v", orders)
	}
	_, err := s.CreateGrant(t.Context(), admin, access.NewGrant{Group: finance.ID, ResourceType: access.TableResource, ResourceID: "orders"})
	wantError(t, "grant again", err, domain.Conflict, "grant_exists")
	_, err = s.CreateGrant(t.Context(), admin, access.NewGrant{Group: "nope", ResourceType: access.TableResource, ResourceID: "orders"})
	wantError(t, "grant to no group", err, domain.NotFound, "group_not_found")
	for _, c := range []struct {
		f    access.GrantFilter
		want int
	}{
		{access.GrantFilter{}, 3},
		{access.GrantFilter{ResourceType: access.TableResource}, 2},
		{access.GrantFilter{ResourceType: access.TableResource, GroupID: sales.ID}, 1},
		{access.GrantFilter{ResourceID: "finance"}, 1},
		{access.GrantFilter{GroupID: "nope"}, 0},
	} {
		if got := must[[]access.Grant](t)(s.ListGrants(t.Context(), c.f)); len(got) != c.want {
			t.Errorf("ListGrants(%+v): %v, want %d", c.f, got, c.want)
		}
	}
	if err := s.DeleteGrant(t.Context(), admin, orders.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, "delete again", s.DeleteGrant(t.Context(), admin, orders.ID), domain.NotFound, "grant_not_found")
	if got := actions(t, s, 1); got[0] != "resource_grant.deleted" {
		t.Errorf("audit: %v", got)
	}
}

func TestEffectiveAccess(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	finance, sales := mustGroup(t, s, "Finance"), mustGroup(t, s, "Sales")
	ada := mustUser(t, s, "ada@example.com", finance.ID)
	for _, g := range []struct {
		group people.GroupID
		table string
	}{{finance.ID, "orders"}, {s.everyoneID, "orders"}, {sales.ID, "deals"}, {s.everyoneID, "calendar"}} {
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.group, ResourceType: access.TableResource, ResourceID: g.table}))
	}
	list := must[[]access.Effective](t)(s.EffectiveAccess(t.Context(), ada.ID))
	got := map[string][]string{}
	for _, e := range list {
		got[e.ResourceID] = groupNames(e.Groups)
	}
	if len(got) != 2 || !slices.Equal(got["calendar"], []string{"Everyone"}) || !slices.Equal(got["orders"], []string{"Everyone", "Finance"}) {
		t.Errorf("access of ada: %v", got)
	}
	_, err := s.EffectiveAccess(t.Context(), "nobody")
	wantError(t, "access of nobody", err, domain.NotFound, "user_not_found")
}

func TestUpdateGrant(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	g := must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: s.everyoneID, ResourceType: access.TableResource, ResourceID: "orders", Reason: "all"}))
	end := s.now().Add(time.Hour)
	second := must[access.Grant](t)(s.UpdateGrant(t.Context(), admin, g.ID, access.GrantChange{ExpiresAt: ptr(&end), Seen: g.Version}))
	if second.Version != 2 || !second.ExpiresAt.Equal(end) || second.Reason != "all" || second.AssignedAt != g.AssignedAt {
		t.Errorf("changed %+v", second)
	}
	_, err := s.UpdateGrant(t.Context(), admin, g.ID, access.GrantChange{Reason: ptr("some"), Seen: g.Version})
	if stale := domain.StaleOf(err); stale == nil || len(stale.Clashes) != 2 || stale.Mine()["reason"] != "some" {
		t.Errorf("an older state: %v", err)
	}
	third := must[access.Grant](t)(s.UpdateGrant(t.Context(), admin, g.ID, access.GrantChange{ExpiresAt: ptr[*time.Time](nil), Reason: ptr("some")}))
	if third.ExpiresAt != nil || third.Reason != "some" {
		t.Errorf("changed %+v", third)
	}
	entry := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if entry.Action != "resource_grant.updated" || entry.Before["reason"] != "all" || entry.Params["reason"] != "some" || entry.Params["expires_at"] != nil || entry.Before["expires_at"] == nil {
		t.Errorf("audit row %+v", entry)
	}
	_, err = s.UpdateGrant(t.Context(), admin, g.ID, access.GrantChange{ExpiresAt: ptr(ptr(s.now()))})
	wantError(t, "an end that was", err, domain.Invalid, "invalid_expires_at")
	_, err = s.UpdateGrant(t.Context(), admin, "nope", access.GrantChange{})
	wantError(t, "an unknown grant", err, domain.NotFound, "grant_not_found")
	_, err = s.CreateGrant(t.Context(), admin, access.NewGrant{Group: s.everyoneID, ResourceType: access.TableResource, ResourceID: "deals", ExpiresAt: ptr(s.now())})
	wantError(t, "a grant that ended before it began", err, domain.Invalid, "invalid_expires_at")

	must[access.Grant](t)(s.UpdateGrant(t.Context(), admin, g.ID, access.GrantChange{ExpiresAt: ptr(ptr(s.now().Add(time.Minute)))}))
	c.advance(time.Minute)
	revived := must[access.Grant](t)(s.UpdateGrant(t.Context(), admin, g.ID, access.GrantChange{ExpiresAt: ptr[*time.Time](nil)}))
	if !revived.Live(s.now()) {
		t.Errorf("extended after its end: %+v", revived)
	}
}
