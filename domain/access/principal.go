// Package access says who may see and do what. Every reader of data takes its
// tables from a Catalog; every route declares a Need.
package access

import (
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// Via is how a principal proved who they are.
type Via string

// The ways in.
const (
	ViaSession Via = "session" // a browser session
	ViaToken   Via = "token"   // a bearer token or access_token cookie
	ViaSystem  Via = "system"  // Agnes itself
)

// Principal is who is asking, read anew for every request.
type Principal struct {
	UserID people.UserID
	Email  string
	Name   string
	Admin  bool
	Groups []people.GroupID // includes Everyone
	Via    Via
	Client audit.Actor // where the request came from
	// SessionsFrom ends all older sign-ins: a token issued before it is void.
	SessionsFrom time.Time
}

// Actor is the principal as audit rows name it.
func (p Principal) Actor() audit.Actor {
	a := p.Client
	a.UserID, a.Email = string(p.UserID), p.Email
	return a
}

// Need is what a route asks of a principal.
type Need uint8

// The needs. NeedTable is SignedIn plus a grant on the table that the route
// names, decided by the handler through a Catalog.
const (
	Undeclared Need = iota
	Public
	SignedIn
	NeedTable
	Admin
)

// Check fails with Unauthenticated or Forbidden unless p may use a route that
// needs n. A nil principal is somebody who is not signed in.
func Check(p *Principal, n Need) error {
	switch {
	case n == Public:
		return nil
	case n == Undeclared:
		return domain.E(domain.Internal, "permission_undeclared", "This route declares no permission.")
	case p == nil:
		return domain.E(domain.Unauthenticated, "sign_in_required", "Missing or invalid Authorization header")
	case n == Admin && !p.Admin:
		return domain.E(domain.Forbidden, "admin_required", "Admin access required")
	}
	return nil
}
