package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// PersonalTokens reads and ends personal access tokens.
type PersonalTokens interface {
	GetToken(ctx context.Context, owner people.UserID, id access.TokenID) (access.Token, error)
	ListTokens(ctx context.Context, owner people.UserID) ([]access.Token, error)
	ListAllTokens(ctx context.Context, limit, offset int) (tokens []access.Token, total int, err error)
	// RevokeToken ends a token; with an owner only theirs. NotFound.
	RevokeToken(ctx context.Context, by audit.Actor, owner people.UserID, id access.TokenID) error
}

type personalToken struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Prefix     string  `json:"prefix" doc:"The first eight digits of the id."`
	Scope      string  `json:"scope" doc:"What the token may be used for: general, or some of read, query, sync and admin."`
	CreatedAt  string  `json:"created_at" format:"date-time"`
	ExpiresAt  *string `json:"expires_at" format:"date-time"`
	LastUsedAt *string `json:"last_used_at" format:"date-time" doc:"To within a minute."`
	RevokedAt  *string `json:"revoked_at" format:"date-time"`
	ReplacedBy *string `json:"replaced_by" doc:"Id of the token that it was rotated to."`
}

type anyToken struct {
	personalToken
	UserID     string  `json:"user_id"`
	UserEmail  string  `json:"user_email"`
	LastUsedIP *string `json:"last_used_ip"`
}

func personalTokenOf(t access.Token) personalToken {
	return personalToken{
		ID: string(t.ID), Name: t.Name, Prefix: t.Prefix, Scope: t.Scopes.String(), CreatedAt: stamp(t.CreatedAt), ExpiresAt: stampOf(t.ExpiresAt),
		LastUsedAt: stampOf(t.LastUsedAt), RevokedAt: stampOf(t.RevokedAt), ReplacedBy: orNull(string(t.ReplacedBy)),
	}
}

// OneToken names a token in an address.
type OneToken struct {
	ID string `path:"id" doc:"Id of the token."`
}

type (
	createPersonalInput struct {
		Body struct {
			Name          string `json:"name" example:"nightly export"`
			ExpiresInDays days   `json:"expires_in_days,omitempty"`
			Scope         string `json:"scope,omitempty" default:"general" doc:"general, or some of read, query, sync and admin with blanks between; bootstrap-analyst reads and queries for an hour at most."`
			TTLSeconds    *int64 `json:"ttl_seconds,omitempty" nullable:"true" doc:"In place of expires_in_days: 1 to 315360000."`
		}
	}
	madePersonal struct {
		ID        string  `json:"id"`
		Name      string  `json:"name"`
		Prefix    string  `json:"prefix"`
		Scope     string  `json:"scope"`
		Token     string  `json:"token" doc:"The token. It is shown this once."`
		ExpiresAt *string `json:"expires_at" format:"date-time"`
		CreatedAt string  `json:"created_at" format:"date-time"`
	}
	madePersonalOutput   struct{ Body madePersonal }
	personalTokensOutput struct{ Body []personalToken }
	personalTokenOutput  struct{ Body personalToken }
	allTokensInput       struct {
		Limit  int `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
		Offset int `query:"offset" minimum:"0" default:"0"`
	}
	allTokensOutput struct {
		Total int `header:"X-Total-Count" doc:"How many tokens there are in all."`
		Body  []anyToken
	}
)

// days is a number that may be left out, and null, which is something else.
type days struct {
	sent  bool
	count *int
}

// UnmarshalJSON reads a whole number or null.
func (d *days) UnmarshalJSON(data []byte) error {
	d.sent = true
	if err := json.Unmarshal(data, &d.count); err != nil {
		return fmt.Errorf("neither a whole number nor null: %w", err)
	}
	return nil
}

// Schema says so.
func (days) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeInteger, Nullable: true, Default: *access.DefaultDays(),
		Description: "1 to 3650; null for a token that does not expire.",
	}
}

func (d days) orDefault() *int {
	if !d.sent {
		return access.DefaultDays()
	}
	return d.count
}

func (a *API) personalTokenRoutes() {
	with := func(id, method, path, summary, about string, need access.Need, terms access.Terms, status int, errors ...int) operation {
		return operation{
			tag: "Sign-in", id: id, method: method, path: path, summary: summary, about: about,
			need: need, terms: terms, status: status, errors: errors, invalid: http.StatusBadRequest,
		}
	}
	const all = "/auth/tokens"
	const one = all + "/{id}"
	person, read := access.Terms{Interactive: true}, access.Terms{Scope: access.ScopeRead}
	create := with("create-personal-token", http.MethodPost, all, "Make a personal access token",
		"For programs that act in your name. Its scope narrows what it may do; it never does what you may not. Administrators who make one that may administrate need a sign-in of the last 15 minutes.",
		access.SignedIn, person, http.StatusCreated, http.StatusBadRequest, http.StatusForbidden)
	create.example = map[string]any{"name": "nightly export", "expires_in_days": 90, "scope": "read query"}
	register(a, create, a.createPersonal)
	register(a, with("list-personal-tokens", http.MethodGet, all, "List your tokens", "Newest first, those that ended too.", access.SignedIn, read, 0), a.listPersonal)
	register(a, with("get-personal-token", http.MethodGet, one, "Get one of your tokens", "Without its text, which nobody keeps.", access.SignedIn, read, 0, http.StatusNotFound), a.getPersonal)
	register(a, with("revoke-personal-token", http.MethodDelete, one, "Revoke one of your tokens", "It ends with the next request. A personal access token may do it when its scope is general.",
		access.SignedIn, access.Terms{Scope: access.ScopeGeneral}, http.StatusNoContent, http.StatusForbidden, http.StatusNotFound), a.revokePersonal)
	register(a, with("rotate-personal-token", http.MethodPost, one+"/rotate", "Rotate one of your tokens",
		"Makes a token with the same name, scope and lifetime. The old one works for 24 hours more, but not past its own end.",
		access.SignedIn, person, http.StatusCreated, http.StatusForbidden, http.StatusNotFound, http.StatusConflict), a.rotatePersonal)
	admin := access.Terms{Scope: access.ScopeAdmin}
	register(a, with("list-all-tokens", http.MethodGet, "/auth/admin/tokens", "List everybody's tokens", "Newest first, those that ended too.", access.Admin, admin, 0, http.StatusUnprocessableEntity), a.listAllTokens)
	register(a, with("revoke-any-token", http.MethodDelete, "/auth/admin/tokens/{id}", "Revoke anybody's token", "It ends with the next request.", access.Admin, admin, http.StatusNoContent, http.StatusNotFound), a.revokeAny)
}

func (a *API) createPersonal(ctx context.Context, in *createPersonalInput) (*madePersonalOutput, error) {
	t, text, err := a.Personal.Make(ctx, principal(ctx), access.TokenRequest{
		Name: in.Body.Name, Scope: in.Body.Scope, Days: in.Body.ExpiresInDays.orDefault(), Seconds: in.Body.TTLSeconds,
	})
	if err != nil {
		return nil, err
	}
	return madePersonalOf(t, text), nil
}

func madePersonalOf(t access.Token, text string) *madePersonalOutput {
	return &madePersonalOutput{Body: madePersonal{
		ID: string(t.ID), Name: t.Name, Prefix: t.Prefix, Scope: t.Scopes.String(), Token: text, ExpiresAt: stampOf(t.ExpiresAt), CreatedAt: stamp(t.CreatedAt),
	}}
}

func (a *API) rotatePersonal(ctx context.Context, in *OneToken) (*madePersonalOutput, error) {
	t, text, err := a.Personal.Rotate(ctx, principal(ctx), access.TokenID(in.ID))
	if err != nil {
		return nil, err
	}
	return madePersonalOf(t, text), nil
}

func (a *API) listPersonal(ctx context.Context, _ *none) (*personalTokensOutput, error) {
	tokens, err := a.Store.ListTokens(ctx, principal(ctx).UserID)
	if err != nil {
		return nil, err
	}
	out := &personalTokensOutput{Body: make([]personalToken, len(tokens))}
	for i, t := range tokens {
		out.Body[i] = personalTokenOf(t)
	}
	return out, nil
}

func (a *API) getPersonal(ctx context.Context, in *OneToken) (*personalTokenOutput, error) {
	t, err := a.Store.GetToken(ctx, principal(ctx).UserID, access.TokenID(in.ID))
	if err != nil {
		return nil, err
	}
	return &personalTokenOutput{Body: personalTokenOf(t)}, nil
}

func (a *API) revokePersonal(ctx context.Context, in *OneToken) (*none, error) {
	p := principal(ctx)
	return nil, a.Store.RevokeToken(ctx, p.Actor(), p.UserID, access.TokenID(in.ID))
}

func (a *API) listAllTokens(ctx context.Context, in *allTokensInput) (*allTokensOutput, error) {
	tokens, total, err := a.Store.ListAllTokens(ctx, in.Limit, in.Offset)
	if err != nil {
		return nil, err
	}
	out := &allTokensOutput{Total: total, Body: make([]anyToken, len(tokens))}
	for i, t := range tokens {
		out.Body[i] = anyToken{personalTokenOf(t), string(t.UserID), t.Email, orNull(t.LastUsedIP)}
	}
	return out, nil
}

func (a *API) revokeAny(ctx context.Context, in *OneToken) (*none, error) {
	return nil, a.Store.RevokeToken(ctx, principal(ctx).Actor(), "", access.TokenID(in.ID))
}
