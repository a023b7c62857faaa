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
	ViaToken   Via = "token"   // an access token, as header or cookie (contract 9.2)
	ViaPAT     Via = "pat"     // a personal access token
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
	Session      people.SessionID // of a browser session or access token, else ""
	ProvedAt     time.Time        // when the person last proved who they are, of a session
	Scopes       Scopes           // of a personal access token; others have none and need none
	ExpiresAt    *time.Time       // of the sign-in or token; nil: never
	// As is through whose eyes an administrator looks; Admin and Groups are then
	// that person's. nil for everybody else.
	As *Eyes
}

// RecentFor is how long a proof of who one is serves for dangerous actions.
const RecentFor = 15 * time.Minute

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

// Interactive reports whether a person signed in, not a token of automation
// (contract 0.1, level session).
func (p Principal) Interactive() bool { return p.Via == ViaSession || p.Via == ViaToken }

// Terms are what a route asks of the way in, beside its Need.
type Terms struct {
	// Scope is what a personal access token needs. The zero value is derived from
	// the route's Need by the router: ScopeAdmin for Admin, else ScopeRead.
	Scope Scope
	// Interactive refuses personal access tokens and the scheduler.
	Interactive bool
	// Recent asks a browser session for a proof of who one is within RecentFor.
	Recent bool
}

// Meet fails with Forbidden unless the way in of p meets the terms.
func (p Principal) Meet(t Terms, now time.Time) error {
	switch {
	case t.Interactive && !p.Interactive():
		return domain.E(domain.Forbidden, "session_required", "This needs a person who signed in. A token of automation may not do it.")
	case p.Via == ViaPAT && len(p.Scopes) == 0 && t.Scope != ScopeAny:
		return domain.E(domain.Forbidden, "scope_unknown", "This token came from another server with a scope that Agnes does not know, so it opens nothing. Make a new one on your profile.")
	case p.Via == ViaPAT && !p.Scopes.Allow(t.Scope):
		return domain.E(domain.Forbidden, "scope_missing", "This token has the scope %s. This needs %s. Make a token with it on your profile.", p.Scopes, t.Scope)
	case t.Recent && p.Via == ViaSession:
		return p.Recent(now)
	}
	return nil
}

// CodeRecent is the code of Recent's refusal.
const CodeRecent = "recent_sign_in_required"

// Recent fails with Forbidden unless p is a person who proved who they are
// within RecentFor, whatever the way in.
func (p Principal) Recent(now time.Time) error {
	if p.Interactive() && now.Sub(p.ProvedAt) <= RecentFor {
		return nil
	}
	return domain.E(domain.Forbidden, CodeRecent, "This needs a sign-in of the last 15 minutes. Confirm who you are, then do it again.")
}

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
