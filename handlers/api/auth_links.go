package api

import (
	"context"
	"net/http"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
)

type (
	askLinkInput struct {
		Body struct {
			Email string `json:"email" example:"ada@example.com"`
		}
	}
	messageOutput struct {
		Body struct {
			Message string `json:"message"`
		}
	}
	useLinkInput struct {
		Body struct {
			Email string `json:"email" doc:"The address that the link was sent to." example:"ada@example.com"`
			Token string `json:"token" doc:"The token of the link."`
		}
	}
	setUpInput struct {
		Body struct {
			Email    string `json:"email" doc:"The address that the link was sent to." example:"ada@example.com"`
			Token    string `json:"token" doc:"The token of the link."`
			Password string `json:"password" doc:"At least eight characters, and none of those that are tried first."`
		}
	}
	setUpOutput struct {
		Body struct {
			AccessToken string `json:"access_token"`
			TokenType   string `json:"token_type" doc:"Always bearer."`
			Message     string `json:"message"`
		}
	}
)

func (a *API) linkRoutes() {
	with := func(id, path, summary, about string, errors ...int) operation {
		return operation{
			tag: "Sign-in", need: access.Public, signIn: true, id: id, method: http.MethodPost, path: path,
			summary: summary, about: about, errors: append(errors, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests),
		}
	}
	send := with("send-link", "/auth/email/send-link", "Ask for a sign-in link by mail", "The answer is the same whoever has the address. A newer link replaces an older one. One address gets five mails in 15 minutes. Forbidden where signing in by mail is off.")
	send.tries = 5
	register(a, send, a.sendLink)
	register(a, with("verify-link", "/auth/email/verify", "Sign in with the token of a link", "Uses the link up. It works once, for an hour.", http.StatusUnauthorized), a.verifyLink)
	register(a, with("password-login", "/auth/password/login", "Sign in by password", "As POST /auth/token, in the form of older clients.", http.StatusUnauthorized), a.passwordLogin)
	setUp := with("password-setup", "/auth/password/setup", "Set a first password", "Uses the link of an invitation up. All other sign-ins of the account end.", http.StatusBadRequest, http.StatusNotFound)
	setUp.invalid = http.StatusBadRequest
	register(a, setUp, a.passwordSetUp)
}

func (a *API) sendLink(ctx context.Context, in *askLinkInput) (*messageOutput, error) {
	err := a.Links.Ask(ctx, people.Question{Purpose: people.ToSignIn, Email: in.Body.Email, By: request.ActorOf(ctx)})
	if err != nil && domain.KindOf(err) != domain.Invalid { // what is no address gets the same answer
		return nil, err
	}
	out := &messageOutput{}
	out.Body.Message = "If this address may sign in, a mail with a link is on its way."
	return out, nil
}

func (a *API) verifyLink(ctx context.Context, in *useLinkInput) (*tokenOutput, error) {
	u, err := a.Links.SignInAs(ctx, request.ActorOf(ctx), in.Body.Email, in.Body.Token)
	if err != nil {
		return nil, a.refused(ctx, in.Body.Email, people.ByLink, err)
	}
	return a.signedIn(ctx, u, people.ByLink)
}

func (a *API) passwordLogin(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	u, err := a.SignIn.Password(ctx, in.Body.Email, in.Body.Password)
	if err != nil {
		return nil, a.refused(ctx, in.Body.Email, people.ByPassword, err)
	}
	return a.signedIn(ctx, u, people.ByPassword)
}

// passwordSetUp sets a first password. Whether an address is known shows only
// to who has a link of it.
func (a *API) passwordSetUp(ctx context.Context, in *setUpInput) (*setUpOutput, error) {
	ref, link, err := a.Links.Open(ctx, people.ToSetUp, in.Body.Token)
	if err == nil && !people.SameEmail(in.Body.Email, link.Email) {
		err = people.ErrLink()
	}
	var u people.User
	if err == nil {
		u, err = a.Links.SetPassword(ctx, request.ActorOf(ctx), people.ToSetUp, ref, "", in.Body.Password)
	}
	if domain.KindOf(err) == domain.Unauthenticated {
		err = a.refused(ctx, in.Body.Email, people.ByLink, err)
		if known := people.ErrLink(); domain.CodeOf(err) == known.Code {
			return nil, domain.E(domain.Invalid, known.Code, "%s", known.Message)
		}
	}
	if err != nil {
		return nil, err
	}
	token, err := a.issue(ctx, u, people.ByLink)
	if err != nil {
		return nil, err
	}
	out := &setUpOutput{}
	out.Body.AccessToken, out.Body.TokenType, out.Body.Message = token, "bearer", "Password set."
	return out, nil
}
