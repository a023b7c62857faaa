package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Changes makes changes of access that belong together, and takes back what
// was changed or deleted.
type Changes interface {
	ApplyAccess(ctx context.Context, by audit.Actor, note string, edits []access.Edit) (access.Change, error)
	UndoAccess(ctx context.Context, by audit.Actor, id string) (access.Change, error)
	ListAccessChanges(ctx context.Context, limit int) ([]access.Change, error)
	ListBin(ctx context.Context, limit int) ([]access.Binned, error)
	Restore(ctx context.Context, by audit.Actor, binID string) error
}

// CellGrant is what a cell of the matrix holds.
type CellGrant struct {
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"null: it never ends."`
	Reason    *string    `json:"reason,omitempty" nullable:"true"`
}

// cellOrNull is a cell that may be empty.
type cellOrNull CellGrant

// Schema says so.
func (cellOrNull) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		AnyOf:       []*huma.Schema{r.Schema(reflect.TypeFor[CellGrant](), true, ""), {Type: "null"}},
		Description: "A grant, or null for none.",
	}
}

// accessEdit is a wish for one cell.
type accessEdit struct {
	GroupID      string      `json:"group_id"`
	ResourceType string      `json:"resource_type" example:"table"`
	ResourceID   string      `json:"resource_id" example:"orders"`
	Was          *cellOrNull `json:"was" required:"false" doc:"What you saw there; null: nothing."`
	Want         *cellOrNull `json:"want" required:"false" doc:"What is to be there; null: nothing."`
}

func (e accessEdit) edit() access.Edit {
	return access.Edit{
		Cell: access.Cell{Group: people.GroupID(e.GroupID), ResourceType: access.ResourceType(e.ResourceType), ResourceID: e.ResourceID},
		Was:  e.Was.cell(), Want: e.Want.cell(),
	}
}

func (c *cellOrNull) cell() *access.CellGrant {
	if c == nil {
		return nil
	}
	return &access.CellGrant{ExpiresAt: c.ExpiresAt, Reason: trimmed(c.Reason)}
}

func editOf(e access.Edit) accessEdit {
	return accessEdit{string(e.Group), string(e.ResourceType), e.ResourceID, cellOf(e.Was), cellOf(e.Want)}
}

func cellOf(c *access.CellGrant) *cellOrNull {
	if c == nil {
		return nil
	}
	return &cellOrNull{c.ExpiresAt, orNull(c.Reason)}
}

type accessChange struct {
	ID        string       `json:"id"`
	MadeAt    string       `json:"made_at" format:"date-time"`
	MadeBy    string       `json:"made_by"`
	Note      *string      `json:"note"`
	Edits     []accessEdit `json:"edits"`
	UndoneAt  *string      `json:"undone_at" format:"date-time"`
	UndoOf    *string      `json:"undo_of" doc:"The change that this one takes back."`
	UndoUntil string       `json:"undo_until" format:"date-time"`
}

func changeOf(c access.Change) accessChange {
	out := accessChange{
		ID: c.ID, MadeAt: stamp(c.MadeAt), MadeBy: c.MadeBy, Note: orNull(c.Note), Edits: make([]accessEdit, len(c.Edits)),
		UndoneAt: stampOf(c.UndoneAt), UndoOf: orNull(c.UndoOf), UndoUntil: stamp(c.MadeAt.Add(access.UndoFor)),
	}
	for i, e := range c.Edits {
		out.Edits[i] = editOf(e)
	}
	return out
}

type (
	changesInput struct {
		Limit int `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	}
	changesOutput    struct{ Body []accessChange }
	changeOutput     struct{ Body accessChange }
	applyAccessInput struct {
		Body struct {
			Note  *string      `json:"note,omitempty" nullable:"true" doc:"Why, at most 500 characters."`
			Edits []accessEdit `json:"edits" maxItems:"10000"`
		}
	}
	changeInput struct {
		ID string `path:"id" doc:"Id of the change."`
	}
)

func (a *API) accessChangeRoutes() {
	base := operation{tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin), invalid: http.StatusBadRequest}
	const changes = "/api/admin/access-changes"
	o := base
	o.id, o.method, o.path, o.summary = "list-access-changes", http.MethodGet, changes, "List changes of access"
	o.about = "What was changed together in the matrix or by this API, the newest first. A change can be taken back for ten minutes."
	register(a, o, a.listAccessChanges)
	o = base
	o.id, o.method, o.path, o.summary, o.status = "apply-access", http.MethodPost, changes, "Change grants together", http.StatusCreated
	o.about = "All edits or none. Each says what you saw in the cell of a group and a resource, and what is to be there. Where a cell is something else by now, nothing is changed, and 412 names those cells as they are."
	o.errors = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}
	o.example = map[string]any{"note": "New analyst", "edits": []any{map[string]any{
		"group_id": "0198c2f4-5a8e-7c1d-9d2f-6b0f3e1c4a77", "resource_type": "table", "resource_id": "orders", "was": nil, "want": map[string]any{"expires_at": "2027-03-31T00:00:00Z"},
	}}}
	register(a, o, a.applyAccess)
	o = base
	o.id, o.method, o.path, o.summary = "undo-access", http.MethodPost, changes+"/{id}/undo", "Take a change of access back"
	o.about = "All of it or nothing, within ten minutes. Grants that it took away come back as they were."
	o.errors = []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}
	register(a, o, a.undoAccess)
}

func (a *API) listAccessChanges(ctx context.Context, in *changesInput) (*changesOutput, error) {
	list, err := a.Store.ListAccessChanges(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &changesOutput{Body: make([]accessChange, len(list))}
	for i, c := range list {
		out.Body[i] = changeOf(c)
	}
	return out, nil
}

func (a *API) applyAccess(ctx context.Context, in *applyAccessInput) (*changeOutput, error) {
	edits := make([]access.Edit, len(in.Body.Edits))
	for i, e := range in.Body.Edits {
		edits[i] = e.edit()
	}
	return a.changed(a.Store.ApplyAccess(ctx, principal(ctx).Actor(), trimmed(in.Body.Note), edits))
}

func (a *API) undoAccess(ctx context.Context, in *changeInput) (*changeOutput, error) {
	return a.changed(a.Store.UndoAccess(ctx, principal(ctx).Actor(), in.ID))
}

func (a *API) changed(c access.Change, err error) (*changeOutput, error) {
	if err != nil {
		return nil, err
	}
	return &changeOutput{Body: changeOf(c)}, nil
}

// clashes tells a program which cells changed since it read.
func (f *failure) clashes(err error) {
	var clash *access.ConflictError
	if !errors.As(err, &clash) {
		return
	}
	f.Code = "cells_changed"
	for _, e := range clash.Cells {
		f.Cells = append(f.Cells, editOf(e))
	}
}
