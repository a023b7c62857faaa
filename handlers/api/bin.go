package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
)

type binned struct {
	ID         string `json:"id"`
	Kind       string `json:"kind" enum:"group,table"`
	ResourceID string `json:"resource_id"`
	Name       string `json:"name"`
	Members    int    `json:"member_count"`
	Grants     int    `json:"grant_count"`
	DeletedAt  string `json:"deleted_at" format:"date-time"`
	DeletedBy  string `json:"deleted_by"`
	KeptUntil  string `json:"kept_until" format:"date-time"`
}

type (
	binOutput struct{ Body []binned }
	binInput  struct {
		ID string `path:"id" doc:"Id in the bin."`
	}
	// Deleted says how to bring back what was deleted.
	Deleted struct {
		Bin string `header:"Agnes-Bin-Id" doc:"By which POST /api/admin/bin/{id}/restore brings it back, for 30 days; absent when nothing can."`
	}
)

func (a *API) binRoutes() {
	o := operation{tag: "Access", need: access.Admin, terms: asks(access.ScopeAdmin)}
	o.id, o.method, o.path, o.summary = "list-bin", http.MethodGet, "/api/admin/bin", "List what was deleted"
	o.about = "Groups with their members and grants, and tables with their registration and grants, the newest first. They are kept for 30 days."
	register(a, o, a.listBin)
	o.id, o.method, o.path, o.summary, o.status = "restore", http.MethodPost, "/api/admin/bin/{id}/restore", "Bring back what was deleted", http.StatusNoContent
	o.about = "As it was, with its grants. What is gone meanwhile (a person, the other end of a grant) stays gone. The next sync fills a table with rows."
	o.errors = []int{http.StatusNotFound, http.StatusConflict}
	register(a, o, a.restore)
}

func (a *API) listBin(ctx context.Context, _ *none) (*binOutput, error) {
	list, err := a.Store.ListBin(ctx, 0)
	if err != nil {
		return nil, err
	}
	out := &binOutput{Body: make([]binned, len(list))}
	for i, b := range list {
		out.Body[i] = binned{b.ID, b.Kind, b.ResourceID, b.Name, b.Members, b.Grants, stamp(b.DeletedAt), b.DeletedBy, stamp(b.DeletedAt.Add(access.KeptFor))}
	}
	return out, nil
}

func (a *API) restore(ctx context.Context, in *binInput) (*none, error) {
	return nil, a.Store.Restore(ctx, principal(ctx).Actor(), in.ID)
}
