package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Identities keeps the accounts of other services that people signed in with.
type Identities interface {
	ListIdentities(ctx context.Context, id people.UserID) ([]people.Identity, error)
	UnlinkIdentity(ctx context.Context, by audit.Actor, id people.UserID, provider people.Method) error
}

type identity struct {
	Provider  string `json:"provider" enum:"google,oidc"`
	Email     string `json:"email" doc:"As the service said at the last sign-in."`
	CreatedAt string `json:"created_at" format:"date-time"`
	UsedAt    string `json:"last_used_at" format:"date-time"`
}

type (
	identitiesOutput    struct{ Body []identity }
	unlinkIdentityInput struct {
		OneUser
		Provider string `path:"provider" enum:"google,oidc" doc:"The service."`
	}
)

func (a *API) identityRoutes() {
	const path = "/api/users/{id}/identities"
	register(a, operation{
		id: "list-identities", method: http.MethodGet, path: path, tag: "People", need: access.Admin,
		summary: "List a person's accounts of other services", about: "Those that the person signed in with.", errors: []int{http.StatusNotFound},
	}, a.listIdentities)
	register(a, operation{
		id: "unlink-identity", method: http.MethodDelete, path: path + "/{provider}", tag: "People", need: access.Admin, terms: access.Terms{Recent: true}, status: http.StatusNoContent,
		summary: "Unlink a person's account of another service",
		about:   "The next account of that service with the person's address is linked when it signs in. Needed when an address, or a person, got a new account there. Sign-ins that began before go on; deactivate the person to end them.",
		errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.unlinkIdentity)
}

func (a *API) listIdentities(ctx context.Context, in *OneUser) (*identitiesOutput, error) {
	if _, err := a.Store.GetUser(ctx, people.UserID(in.ID)); err != nil {
		return nil, err
	}
	list, err := a.Store.ListIdentities(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &identitiesOutput{Body: make([]identity, len(list))}
	for i, one := range list {
		out.Body[i] = identity{Provider: string(one.Provider), Email: one.Email, CreatedAt: stamp(one.CreatedAt), UsedAt: stamp(one.UsedAt)}
	}
	return out, nil
}

func (a *API) unlinkIdentity(ctx context.Context, in *unlinkIdentityInput) (*none, error) {
	return nil, a.Store.UnlinkIdentity(ctx, principal(ctx).Actor(), people.UserID(in.ID), people.Method(in.Provider))
}
