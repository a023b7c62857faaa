package api

import (
	"context"
	"fmt"
	"net/http"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// Passwords proves who somebody is.
type Passwords interface {
	// Password returns the user with that e-mail and password, or Unauthenticated.
	Password(ctx context.Context, email, password string) (people.User, error)
}

type tokenInput struct {
	Body struct {
		Email    string `json:"email" doc:"The address that the account was made for." example:"ada@example.com"`
		Password string `json:"password,omitempty" doc:"The account's password."`
	}
}

type tokenOutput struct {
	Body struct {
		AccessToken string `json:"access_token" doc:"To be sent as Authorization: Bearer. It works for 24 hours."`
		TokenType   string `json:"token_type" doc:"Always bearer."`
		UserID      string `json:"user_id"`
		Email       string `json:"email"`
		Role        string `json:"role" enum:"admin,user"`
	}
}

func (a *API) authRoutes() {
	register(a, operation{
		id: "create-token", method: http.MethodPost, path: "/auth/token", tag: "Sign-in",
		summary: "Get an access token", need: access.Public, signIn: true,
		about:   "Proves who you are by e-mail and password and returns a token for the other operations. Ten tries a minute are open to one address.",
		errors:  []int{http.StatusUnauthorized, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
		example: map[string]any{"email": "ada@example.com", "password": "correct horse battery"},
	}, a.createToken)
}

func (a *API) createToken(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	if in.Body.Password == "" {
		return nil, a.refused(ctx, in.Body.Email, people.ByPassword, domain.E(domain.Unauthenticated, "password_required", "Password required"))
	}
	u, err := a.SignIn.Password(ctx, in.Body.Email, in.Body.Password)
	if err != nil {
		return nil, a.refused(ctx, in.Body.Email, people.ByPassword, err)
	}
	return a.signedIn(ctx, u, people.ByPassword)
}

// signedIn is the answer to somebody who proved who they are.
func (a *API) signedIn(ctx context.Context, u people.User, method people.Method) (*tokenOutput, error) {
	token, err := a.issue(ctx, u, method)
	if err != nil {
		return nil, err
	}
	out := &tokenOutput{}
	out.Body.AccessToken, out.Body.TokenType = token, "bearer"
	out.Body.UserID, out.Body.Email, out.Body.Role = string(u.ID), u.Email, role(u.Admin)
	return out, nil
}

// issue makes an access token of a person who proved who they are by a method.
// It is the only way in for programs without a personal token.
func (a *API) issue(ctx context.Context, u people.User, method people.Method) (string, error) {
	v, err := a.Store.StartSession(ctx, people.NewSession{
		UserID: u.ID, Kind: people.TokenSession, Method: method, UserAgent: request.UserAgent(ctx),
		Client: request.ActorOf(ctx), ExpiresAt: a.Now().Add(request.TokenLifetime),
	})
	if err != nil {
		return "", err
	}
	token, err := a.Tokens.Issue(u, v)
	if err != nil {
		return "", err
	}
	request.Logger(ctx).Info("token issued", "user_id", string(u.ID), "method", string(method))
	return token, nil
}

// refused records a try that failed, and returns why it did.
func (a *API) refused(ctx context.Context, email string, method people.Method, why error) error {
	switch domain.KindOf(why) {
	case domain.Unauthenticated, domain.Limited:
	default:
		return why
	}
	request.Logger(ctx).Warn("sign-in refused", "code", domain.CodeOf(why))
	if err := a.Store.Audit(ctx, request.RefusedSignIn(request.ActorOf(ctx), email, method, why)); err != nil {
		return fmt.Errorf("record a failed sign-in: %w", err)
	}
	return why
}

func role(admin bool) string {
	if admin {
		return "admin"
	}
	return "user"
}
