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

func TestEndsAreToldOnce(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	grant := func(table string, lasts time.Duration) access.Grant {
		return must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{
			Group: s.everyoneID, ResourceType: access.TableResource, ResourceID: table, ExpiresAt: ptr(s.now().Add(lasts)), Reason: "trial",
		}))
	}
	sweep := func() (told []string) {
		t.Helper()
		if err := s.EndGrants(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, e := range must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0)) {
			if e.Action == "resource_grant.expired" {
				told = append(told, e.Resource)
				if e.Actor.UserID != "system:access" || e.Before["reason"] != "trial" {
					t.Errorf("audit row %+v", e)
				}
			}
		}
		slices.Sort(told)
		return told
	}
	grant("a", time.Hour)
	grant("b", 2*time.Hour)
	changes := s.changes.Load()
	if told := sweep(); len(told) != 0 || s.changes.Load() != changes {
		t.Errorf("told of %v before any end; %d changes", told, s.changes.Load()-changes)
	}
	c.advance(time.Hour)
	for range 2 {
		if told := sweep(); !slices.Equal(told, []string{"table:a"}) {
			t.Errorf("told of %v after the first end", told)
		}
	}
	grant("a", time.Hour) // makes way for a new one, which ends too
	c.advance(2 * time.Hour)
	if told := sweep(); !slices.Equal(told, []string{"table:a", "table:a", "table:b"}) {
		t.Errorf("told of %v after all ends", told)
	}
	if all := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{})); len(all) != 2 {
		t.Errorf("grants that ended are gone: %v", all)
	}
}

func TestSweepAccessForgets(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	edit := func(seen int64, about string) error {
		return second(m.UpdateGroup(t.Context(), admin, m.finance.ID, people.GroupChange{Description: &about, Seen: seen}))
	}
	count := func(table string) int {
		return must[int](t)(one(t.Context(), m.reader(), value[int], `SELECT count(*) FROM `+table))
	}
	change := must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: &access.CellGrant{}}}))
	bin := must[string](t)(m.DeleteGroup(t.Context(), admin, m.growth.ID))
	if err := edit(1, "books"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		later                time.Duration
		bins, edits, changes int
	}{
		{editsKept - time.Hour, 1, 2, 1},
		{2 * time.Hour, 0, 0, 1},
		{changesKept, 0, 0, 0},
	} {
		m.clock.advance(step.later)
		if err := m.SweepAccess(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b, e, c := count("bin"), count("edits"), count("access_changes"); b != step.bins || e != step.edits || c != step.changes {
			t.Errorf("%s later: %d in the bin, %d editions, %d changes; want %+v", step.later, b, e, c, step)
		}
	}
	wantError(t, "what was swept", m.Restore(t.Context(), admin, bin), domain.NotFound, "bin_not_found")
	wantError(t, "a change that was swept", second(m.UndoAccess(t.Context(), admin, change.ID)), domain.NotFound, "access_change_not_found")
	if stale := domain.StaleOf(edit(1, "ledgers")); stale == nil {
		t.Error("a form older than what is remembered was taken")
	}
}
