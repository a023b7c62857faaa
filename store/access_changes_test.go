package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// matrix is a store with two groups and two tables, of which finance may read orders.
type matrix struct {
	*Store
	clock           *clock
	finance, growth people.Group
}

func newMatrix(t *testing.T) matrix {
	t.Helper()
	s, c := newStore(t)
	m := matrix{Store: s, clock: c, finance: mustGroup(t, s, "Finance"), growth: mustGroup(t, s, "Growth")}
	mustTables(t, s, "orders", "deals")
	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: m.finance.ID, ResourceType: access.TableResource, ResourceID: "orders", Reason: "books"}))
	return m
}

func cell(g people.Group, table string) access.Cell {
	return access.Cell{Group: g.ID, ResourceType: access.TableResource, ResourceID: table}
}

// granted is what the matrix shows, "group table (reason)" of each live grant.
func (m matrix) shows(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, g := range must[[]access.Grant](t)(m.ListGrants(t.Context(), access.GrantFilter{Live: true})) {
		all = append(all, g.GroupName+" "+g.ResourceID+" "+g.Reason)
	}
	return all
}

func TestApplyAccess(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	was := must[[]access.Grant](t)(m.ListGrants(t.Context(), access.GrantFilter{}))[0]
	books := &access.CellGrant{Reason: "books"}
	change := must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "new team", []access.Edit{
		{Cell: cell(m.finance, "orders"), Was: books},                                                          // taken away
		{Cell: cell(m.finance, "deals"), Want: &access.CellGrant{Reason: "pipeline"}},                          // given
		{Cell: cell(m.growth, "deals")},                                                                        // nothing
		{Cell: cell(m.growth, "orders"), Want: &access.CellGrant{ExpiresAt: ptr(m.now().Add(48 * time.Hour))}}, // given for two days
	}))
	if len(change.Edits) != 3 || change.MadeBy != admin.Email || change.Note != "new team" {
		t.Errorf("change %+v", change)
	}
	if got, want := m.shows(t), []string{"Finance deals pipeline", "Growth orders "}; !slices.Equal(got, want) {
		t.Errorf("after: %v, want %v", got, want)
	}
	if got, want := actions(t, m.Store, 3), []string{"resource_grant.deleted", "resource_grant.created", "resource_grant.created"}; !slices.Equal(got, want) {
		t.Errorf("audit: %v, want %v", got, want)
	}
	for _, e := range must[[]audit.Entry](t)(m.ListAudit(t.Context(), 3)) {
		if e.Params["change_id"] != change.ID || e.Params["note"] != "new team" {
			t.Errorf("%s does not name its change: %v", e.Action, e.Params)
		}
	}

	undo := must[access.Change](t)(m.UndoAccess(t.Context(), admin, change.ID))
	if got, want := m.shows(t), []string{"Finance orders books"}; !slices.Equal(got, want) || undo.UndoOf != change.ID {
		t.Errorf("undone: %v, want %v; %+v", got, want, undo)
	}
	if again := must[[]access.Grant](t)(m.ListGrants(t.Context(), access.GrantFilter{}))[0]; again != was {
		t.Errorf("the grant came back as %+v, it was %+v", again, was)
	}
	_, err := m.UndoAccess(t.Context(), admin, change.ID)
	wantError(t, "undo twice", err, domain.Conflict, "undone_already")
	list := must[[]access.Change](t)(m.ListAccessChanges(t.Context(), 0))
	if len(list) != 2 || list[0].ID != undo.ID || list[1].UndoneAt == nil || len(list[1].Edits) != 3 {
		t.Errorf("changes %+v", list)
	}
	must[access.Change](t)(m.UndoAccess(t.Context(), admin, undo.ID))
	if got, want := m.shows(t), []string{"Finance deals pipeline", "Growth orders "}; !slices.Equal(got, want) {
		t.Errorf("the undo undone: %v, want %v", got, want)
	}
}

func TestApplyAccessTellsClashes(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	before := m.shows(t)
	_, err := m.ApplyAccess(t.Context(), admin, "", []access.Edit{
		{Cell: cell(m.growth, "deals"), Want: &access.CellGrant{}},
		{Cell: cell(m.finance, "orders"), Want: &access.CellGrant{Reason: "audit"}}, // seen as empty
		{Cell: cell(m.growth, "orders"), Was: &access.CellGrant{}},                  // gone already: as wanted
	})
	var clash *access.ConflictError
	if !errors.As(err, &clash) || domain.KindOf(err) != domain.Stale || len(clash.Cells) != 1 {
		t.Fatalf("a cell that changed: %v", err)
	}
	if c := clash.Cells[0]; c.Cell != cell(m.finance, "orders") || c.Was == nil || c.Was.Reason != "books" || c.Want.Reason != "audit" {
		t.Errorf("clash %+v", c)
	}
	if got := m.shows(t); !slices.Equal(got, before) {
		t.Errorf("a refused change made %v of %v", got, before)
	}
	if list := must[[]access.Change](t)(m.ListAccessChanges(t.Context(), 0)); len(list) != 0 {
		t.Errorf("a refused change is listed: %+v", list)
	}
}

func TestApplyAccessRefuses(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	give := &access.CellGrant{}
	long := string(make([]byte, 501))
	for _, c := range []struct {
		name  string
		note  string
		edits []access.Edit
		kind  domain.Kind
		code  string
	}{
		{"nothing", "", nil, domain.Invalid, "invalid_edits"},
		{"too many", "", make([]access.Edit, access.MaxEdits+1), domain.Invalid, "invalid_edits"},
		{"an overlong note", long, []access.Edit{{Cell: cell(m.growth, "deals"), Want: give}}, domain.Invalid, "invalid_note"},
		{"an overlong reason", "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: &access.CellGrant{Reason: long}}}, domain.Invalid, "invalid_reason"},
		{"an unknown type", "", []access.Edit{{Cell: access.Cell{Group: m.growth.ID, ResourceType: "spell", ResourceID: "x"}, Want: give}}, domain.Invalid, "invalid_resource_type"},
		{"a cell twice", "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: give}, {Cell: cell(m.growth, " deals"), Want: give}}, domain.Invalid, "invalid_edits"},
		{"an end that was", "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: &access.CellGrant{ExpiresAt: ptr(m.now())}}}, domain.Invalid, "invalid_expires_at"},
		{"an unknown group", "", []access.Edit{{Cell: access.Cell{Group: "nope", ResourceType: access.TableResource, ResourceID: "deals"}, Want: give}}, domain.NotFound, "group_not_found"},
		{"an unknown table", "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: give}, {Cell: cell(m.growth, "nope"), Want: give}}, domain.NotFound, "table_not_found"},
		{"what is so already", "", []access.Edit{{Cell: cell(m.finance, "orders"), Want: &access.CellGrant{Reason: "books"}}}, domain.Conflict, "nothing_changes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := m.ApplyAccess(t.Context(), admin, c.note, c.edits)
			wantError(t, c.name, err, c.kind, c.code)
			if got, want := m.shows(t), []string{"Finance orders books"}; !slices.Equal(got, want) {
				t.Errorf("it made %v of %v", got, want)
			}
		})
	}
}

func TestUndoAccessRefuses(t *testing.T) {
	t.Parallel()
	give := []access.Edit{{Want: &access.CellGrant{}}}
	for _, c := range []struct {
		name  string
		since func(t *testing.T, m matrix)
		kind  domain.Kind
		code  string
	}{
		{"too late", func(_ *testing.T, m matrix) { m.clock.advance(access.UndoFor) }, domain.Conflict, "undo_over"},
		{"a cell that changed", func(t *testing.T, m matrix) {
			t.Helper()
			must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: cell(m.growth, "deals"), Was: &access.CellGrant{}, Want: &access.CellGrant{Reason: "mine"}}}))
		}, domain.Stale, "cells_changed"},
		{"a cell that is so again", func(t *testing.T, m matrix) {
			t.Helper()
			must[string](t)(m.DeleteGroup(t.Context(), admin, m.growth.ID))
		}, domain.Conflict, "nothing_changes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMatrix(t)
			give[0].Cell = cell(m.growth, "deals")
			change := must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", give))
			c.since(t, m)
			_, err := m.UndoAccess(t.Context(), admin, change.ID)
			wantError(t, c.name, err, c.kind, c.code)
		})
	}
	m := newMatrix(t)
	_, err := m.UndoAccess(t.Context(), admin, "nope")
	wantError(t, "an unknown change", err, domain.NotFound, "access_change_not_found")
	change := must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: cell(m.finance, "orders"), Was: &access.CellGrant{Reason: "books"}}}))
	must[string](t)(m.DeleteGroup(t.Context(), admin, m.finance.ID))
	_, err = m.UndoAccess(t.Context(), admin, change.ID)
	wantError(t, "a group that is gone", err, domain.NotFound, "group_not_found")
}

func TestAGrantThatEndedIsAsGoodAsNone(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	hour := &access.CellGrant{ExpiresAt: ptr(m.now().Add(time.Hour)), Reason: "quarter"}
	must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: hour}}))
	longer := &access.CellGrant{ExpiresAt: ptr(m.now().Add(2 * time.Hour)), Reason: "quarter"}
	change := must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: cell(m.growth, "deals"), Was: hour, Want: longer}}))
	must[access.Change](t)(m.UndoAccess(t.Context(), admin, change.ID))
	if g := must[[]access.Grant](t)(m.ListGrants(t.Context(), access.GrantFilter{GroupID: m.growth.ID}))[0]; g.ExpiresAt.UnixMicro() != hour.ExpiresAt.UnixMicro() {
		t.Errorf("the end is %v, want %v", g.ExpiresAt, hour.ExpiresAt)
	}
	m.clock.advance(time.Hour)
	if got, want := m.shows(t), []string{"Finance orders books"}; !slices.Equal(got, want) {
		t.Errorf("an hour later: %v, want %v", got, want)
	}
	if all := must[[]access.Grant](t)(m.ListGrants(t.Context(), access.GrantFilter{})); len(all) != 2 {
		t.Errorf("the grant that ended is not listed: %v", all)
	}
	change = must[access.Change](t)(m.ApplyAccess(t.Context(), admin, "", []access.Edit{{Cell: cell(m.growth, "deals"), Want: &access.CellGrant{Reason: "again"}}}))
	if change.Edits[0].Was == nil || change.Edits[0].Was.Reason != "quarter" {
		t.Errorf("the change forgets the grant that ended: %+v", change.Edits)
	}
	must[access.Change](t)(m.UndoAccess(t.Context(), admin, change.ID))
	must[access.Grant](t)(m.CreateGrant(t.Context(), admin, access.NewGrant{Group: m.growth.ID, ResourceType: access.TableResource, ResourceID: "deals"}))
	if got, want := m.shows(t), []string{"Finance orders books", "Growth deals "}; !slices.Equal(got, want) {
		t.Errorf("granted anew: %v, want %v", got, want)
	}
}
