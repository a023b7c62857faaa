package store

import (
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

func TestSystemPluginsStayWithEveryGroup(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	err := s.tx(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `
			INSERT INTO marketplace_plugins (marketplace_id, name, is_system)
			VALUES ('core', 'guide', TRUE), ('core', 'extra', FALSE), ('core', 'old', NULL)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	g := must[people.Group](t)(s.CreateGroup(t.Context(), admin, "finance", ""))
	grants := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{GroupID: g.ID}))
	if len(grants) != 1 || grants[0].ResourceType != access.PluginResource || grants[0].ResourceID != "core/guide" || g.Grants != 1 {
		t.Fatalf("a new group has %+v and says %d", grants, g.Grants)
	}

	system := grants[0]
	extra := must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.PluginResource, ResourceID: "core/extra"}))
	ends := s.now().Add(time.Hour)
	_, updated := s.UpdateGrant(t.Context(), admin, system.ID, access.GrantChange{ExpiresAt: ptr(&ends)})
	_, applied := s.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: system.Place(), Was: system.Cell()}})
	for how, err := range map[string]error{"delete": s.DeleteGrant(t.Context(), admin, system.ID), "an end": updated, "the matrix": applied} {
		wantError(t, how, err, domain.Conflict, access.CodeSystemGrant)
	}
	if err := s.DeleteGrant(t.Context(), admin, extra.ID); err != nil {
		t.Errorf("a plugin that is no system's: %v", err)
	}
	if left := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{GroupID: g.ID})); len(left) != 1 || left[0].ID != system.ID {
		t.Errorf("left: %+v", left)
	}
}
