package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// SignIns keeps who is signed in.
type SignIns interface {
	StartSession(ctx context.Context, n people.NewSession) (people.Session, error)
	EndSession(ctx context.Context, by audit.Actor, user people.UserID, id people.SessionID) error
	// BootstrapAdmin makes the first administrator; Conflict once somebody is known.
	BootstrapAdmin(ctx context.Context, by audit.Actor, n people.NewUser) (people.User, error)
}

type (
	meGroup struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	meOutput struct {
		Body struct {
			ID        string    `json:"id"`
			Email     string    `json:"email"`
			Name      string    `json:"name"`
			Role      string    `json:"role" enum:"admin,user"`
			IsAdmin   bool      `json:"is_admin"`
			Via       string    `json:"via" enum:"session,token,pat,system" doc:"A browser session, an access token, a personal access token, or the scheduler."`
			Scopes    []string  `json:"scopes" doc:"Of a personal access token; others have none and need none."`
			Groups    []meGroup `json:"groups"`
			ExpiresAt *string   `json:"expires_at" format:"date-time" doc:"When you have to sign in again; null for never."`
		}
	}
	bootstrapInput struct {
		Body struct {
			Email    string `json:"email" example:"ada@example.com"`
			Name     string `json:"name,omitempty" example:"Ada Lovelace"`
			Password string `json:"password,omitempty" doc:"At least eight characters. Without one anybody could sign in as this administrator, so an empty one is refused."`
		}
	}
)

func (a *API) sessionRoutes() {
	register(a, operation{
		id: "me", method: http.MethodGet, path: "/auth/me", tag: "Sign-in", summary: "Who you are",
		about: "Your account, your groups, and how you are signed in.",
		need:  access.SignedIn, terms: access.Terms{Scope: access.ScopeAny},
	}, a.me)
	logout := operation{
		id: "logout", method: http.MethodPost, path: "/auth/logout", tag: "Sign-in", summary: "Sign out",
		about: "Ends the sign-in behind the access token or the browser session at once, and takes the cookies back. A personal access token is no sign-in: revoke it at DELETE /auth/tokens/{id}.",
		need:  access.SignedIn, terms: access.Terms{Interactive: true}, status: http.StatusNoContent, errors: []int{http.StatusForbidden},
	}
	documented := logout.huma()
	documented.Responses["204"] = &huma.Response{Description: "Signed out"}
	a.raw(logout, documented, a.logout)
	register(a, operation{
		id: "bootstrap", method: http.MethodPost, path: "/auth/bootstrap", tag: "Sign-in", summary: "Name the first administrator",
		about: "Works only while nobody has an account, and answers as `POST /auth/token`. The link that the server prints at its first start does the same in a browser.",
		need:  access.Public, signIn: true, tries: 3, errors: []int{http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
		example: map[string]any{"email": "ada@example.com", "name": "Ada Lovelace", "password": "correct horse battery"},
	}, a.bootstrap)
}

func (a *API) me(ctx context.Context, _ *none) (*meOutput, error) {
	p := principal(ctx)
	out := &meOutput{}
	b := &out.Body
	b.ID, b.Email, b.Name, b.Role, b.IsAdmin, b.Via = string(p.UserID), p.Email, p.Name, role(p.Admin), p.Admin, string(p.Via)
	b.ExpiresAt, b.Scopes, b.Groups = stampOf(p.ExpiresAt), make([]string, len(p.Scopes)), []meGroup{}
	for i, s := range p.Scopes {
		b.Scopes[i] = string(s)
	}
	if p.Via == access.ViaSystem { // no account, so no groups
		return out, nil
	}
	groups, err := a.Store.Memberships(ctx, p.UserID)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		b.Groups = append(b.Groups, meGroup{ID: string(g.GroupID), Name: g.GroupName})
	}
	return out, nil
}

// tokenCookie is the cookie that may carry an access token (contract 9.2).
const tokenCookie = "access_token"

func (a *API) logout(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := principal(ctx)
	ended := []people.SessionID{p.Session}
	if a.Sessions != nil {
		if id, ok := request.SessionID(ctx, a.Sessions); ok && id != p.Session {
			ended = append(ended, id)
		}
		if err := request.SignOut(ctx, a.Sessions); err != nil {
			return err
		}
	}
	for _, id := range ended {
		if err := a.Store.EndSession(ctx, p.Actor(), p.UserID, id); err != nil && domain.KindOf(err) != domain.NotFound {
			return err
		}
	}
	if _, err := r.Cookie(tokenCookie); err == nil {
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // takes the cookie away
			Name: tokenCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) bootstrap(ctx context.Context, in *bootstrapInput) (*tokenOutput, error) {
	by := request.ActorOf(ctx)
	email, err := people.NormalEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	if err := people.CheckPassword(in.Body.Password, email); err != nil {
		return nil, err
	}
	users, err := a.Store.CountUsers(ctx)
	if err != nil {
		return nil, err
	}
	if users > 0 { // before the costly hash
		return nil, a.bootstrapOver(ctx, by, email)
	}
	hash, err := people.HashPassword(in.Body.Password)
	if err != nil {
		return nil, err
	}
	u, err := a.Store.BootstrapAdmin(ctx, by, people.NewUser{Email: email, Name: in.Body.Name, PasswordHash: hash})
	if domain.KindOf(err) == domain.Conflict {
		return nil, a.bootstrapOver(ctx, by, email)
	} else if err != nil {
		return nil, err
	}
	return a.signedIn(ctx, u, people.ByFirstRun)
}

// bootstrapOver refuses, and records the try.
func (a *API) bootstrapOver(ctx context.Context, by audit.Actor, email string) error {
	if !by.Valid() {
		by.UserID = "anonymous"
	}
	if err := a.Store.Audit(ctx, audit.Entry{
		Actor: by, Action: "login_failed", Resource: "session", Result: "error.403",
		Params: map[string]any{"email": email, "method": "bootstrap", "reason": "first_run_over"},
	}); err != nil {
		return err
	}
	return domain.E(domain.Forbidden, "first_run_over", "Agnes has its first administrator already, so nobody was made one. Sign in instead.")
}
