package api

import (
	"context"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// Accounts reads accounts.
type Accounts interface {
	GetUser(ctx context.Context, id people.UserID) (people.User, error)
	ListUsers(ctx context.Context, f people.UserFilter) (users []people.User, total int, err error)
}

// Users changes accounts.
type Users interface {
	CreateUser(ctx context.Context, by audit.Actor, u people.NewUser) (people.User, error)
	UpdateUser(ctx context.Context, by audit.Actor, id people.UserID, c people.UserChange) (people.User, error)
	DeleteUser(ctx context.Context, by audit.Actor, id people.UserID, seen ...int64) error
}

type userGroup struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	IsSystem bool   `json:"is_system"`
	Origin   string `json:"origin"`
}

type user struct {
	ID              string      `json:"id"`
	Email           string      `json:"email"`
	Name            string      `json:"name"`
	Role            string      `json:"role" enum:"admin,user"`
	IsAdmin         bool        `json:"is_admin"`
	IsSSOUser       bool        `json:"is_sso_user"`
	Groups          []userGroup `json:"groups"`
	Active          bool        `json:"active"`
	CreatedAt       string      `json:"created_at" format:"date-time"`
	DeactivatedAt   *string     `json:"deactivated_at" format:"date-time"`
	InviteURL       *string     `json:"invite_url" doc:"After send_invite: a link to set a first password, to be handed over. Shown once."`
	InviteEmailSent bool        `json:"invite_email_sent" doc:"Whether the link was mailed."`
}

func userOf(u people.User) user {
	out := user{
		ID: string(u.ID), Email: u.Email, Name: u.Name, Role: role(u.Admin), IsAdmin: u.Admin, IsSSOUser: u.SSO,
		Groups: make([]userGroup, len(u.Groups)), Active: u.Active, CreatedAt: stamp(u.CreatedAt), DeactivatedAt: stampOf(u.DeactivatedAt),
	}
	for i, g := range u.Groups {
		out.Groups[i] = userGroup{ID: string(g.ID), Name: g.Name, IsSystem: g.System, Origin: origin(g)}
	}
	return out
}

// OneUser names a person in an address.
type OneUser struct {
	ID string `path:"id" doc:"Id of the person."`
}

type (
	usersOutput struct {
		Total int `header:"X-Total-Count" doc:"How many people there are in all."`
		Body  []user
	}
	userOutput struct {
		Versioned
		Body user
	}
	usersInput struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
		Offset int    `query:"offset" minimum:"0" default:"0"`
		Search string `query:"search" doc:"A part of the address or the name."`
	}
	createUserInput struct {
		Body struct {
			Email      string `json:"email" example:"ada@example.com"`
			Name       string `json:"name,omitempty" example:"Ada Lovelace"`
			SendInvite bool   `json:"send_invite,omitempty" doc:"Makes a link to set a first password, and mails it where mail is set up."`
		}
	}
	updateUserInput struct {
		OneUser
		Seen
		Body struct {
			Name   *string `json:"name,omitempty" nullable:"true"`
			Active *bool   `json:"active,omitempty" nullable:"true"`
		}
	}
	switchUserInput struct {
		OneUser
		Seen
	}
	passwordInput struct {
		OneUser
		Body struct {
			Password string `json:"password" doc:"At least eight characters."`
		}
	}
)

type resetOutput struct {
	Body struct {
		ResetURL  *string `json:"reset_url" doc:"A link to set another password, to be handed over. Shown once."`
		EmailSent bool    `json:"email_sent" doc:"Whether the link was mailed."`
	}
}

func (a *API) userRoutes() {
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		return operation{
			tag: "People", need: access.Admin, terms: asks(access.ScopeAdmin), id: id, method: method, path: path,
			summary: summary, about: about, status: status, errors: errors,
		}
	}
	recent := func(o operation) operation { // a browser's session is not enough for long
		o.terms.Recent = true
		return o
	}
	const users, one = "/api/users", "/api/users/{id}"
	register(a, with("list-users", http.MethodGet, users, "List people", "Ordered by address.", 0, http.StatusUnprocessableEntity), a.listUsers)
	register(a, with("get-user", http.MethodGet, one, "Get a person", "One account with its groups.", 0, http.StatusNotFound), a.getUser)
	create := with("create-user", http.MethodPost, users, "Create an account", "Makes an account without a password: send an invitation, or set a password with set-password. The address is the identity: it is kept in lower case.", http.StatusCreated, http.StatusConflict, http.StatusUnprocessableEntity)
	create.example = map[string]any{"email": "ada@example.com", "name": "Ada Lovelace"}
	register(a, create, a.createUser)
	register(a, with("update-user", http.MethodPatch, one, "Change an account", "Changes what is sent. Nobody deactivates themselves or the last active administrator; a deactivated person is signed out at once.", 0, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed), a.updateUser)
	register(a, recent(with("delete-user", http.MethodDelete, one, "Delete an account", "Its memberships go with it; what it did stays in the audit log. Nobody deletes themselves, the last active administrator or somebody whom a directory keeps.", http.StatusNoContent, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed)), a.deleteUser)
	password := with("set-password", http.MethodPost, one+"/set-password", "Set a password", "Ends every sign-in of the person. Somebody whom a directory keeps has no password.", http.StatusNoContent, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict)
	password.invalid, password.terms.Recent = http.StatusBadRequest, true
	password.example = map[string]any{"password": "correct horse battery"}
	register(a, password, a.setPassword)
	register(a, recent(with("reset-password", http.MethodPost, one+"/reset-password", "Send a link to set a password", "Makes a link to set another password, and mails it where mail is set up. Somebody whom a directory keeps has no password.", 0, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable)), a.resetPassword)
	register(a, with("deactivate-user", http.MethodPost, one+"/deactivate", "Deactivate an account", "Ends every sign-in of the person at once.", 0, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed), a.switchUser(false))
	register(a, with("activate-user", http.MethodPost, one+"/activate", "Activate an account", "Lets a deactivated person sign in again.", 0, http.StatusNotFound, http.StatusPreconditionFailed), a.switchUser(true))
}

func (a *API) listUsers(ctx context.Context, in *usersInput) (*usersOutput, error) {
	users, total, err := a.Store.ListUsers(ctx, people.UserFilter{Search: in.Search, Limit: in.Limit, Offset: in.Offset})
	if err != nil {
		return nil, err
	}
	out := &usersOutput{Total: total, Body: make([]user, len(users))}
	for i, u := range users {
		out.Body[i] = userOf(u)
	}
	return out, nil
}

func (a *API) getUser(ctx context.Context, in *OneUser) (*userOutput, error) {
	u, err := a.Store.GetUser(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	return &userOutput{versioned(u.Version), userOf(u)}, nil
}

func (a *API) createUser(ctx context.Context, in *createUserInput) (*userOutput, error) {
	email, err := people.NormalEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	by := principal(ctx).Actor()
	u, err := a.Store.CreateUser(ctx, by, people.NewUser{
		Email: email, Name: people.PersonName(in.Body.Name), Source: people.ByAdmin, Invited: in.Body.SendInvite,
	})
	if err != nil {
		return nil, err
	}
	out := &userOutput{versioned(u.Version), userOf(u)}
	if !in.Body.SendInvite {
		return out, nil
	}
	made, err := a.Inviter.Invite(ctx, by, u)
	if err != nil { // the account is there all the same, and another link can be made
		request.Logger(ctx).Warn("an account was made without its invitation", "user_id", string(u.ID), "err", err)
		return out, nil
	}
	out.Body.InviteURL, out.Body.InviteEmailSent = orNull(made.URL), made.Mailed
	return out, nil
}

func (a *API) resetPassword(ctx context.Context, in *OneUser) (*resetOutput, error) {
	u, err := a.Store.GetUser(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := u.CheckOwnPassword(); err != nil {
		return nil, err
	}
	made, err := a.Inviter.Reset(ctx, principal(ctx).Actor(), u)
	if err != nil {
		return nil, err
	}
	out := &resetOutput{}
	out.Body.ResetURL, out.Body.EmailSent = orNull(made.URL), made.Mailed
	return out, nil
}

func (a *API) updateUser(ctx context.Context, in *updateUserInput) (*userOutput, error) {
	c := people.UserChange{Name: in.Body.Name, Active: in.Body.Active}
	if c.Name != nil {
		name := people.PersonName(*c.Name)
		c.Name = &name
	}
	return a.changeUser(ctx, in.ID, in.Seen, c)
}

func (a *API) switchUser(active bool) func(context.Context, *switchUserInput) (*userOutput, error) {
	return func(ctx context.Context, in *switchUserInput) (*userOutput, error) {
		return a.changeUser(ctx, in.ID, in.Seen, people.UserChange{Active: &active})
	}
}

func (a *API) changeUser(ctx context.Context, id string, seen Seen, c people.UserChange) (*userOutput, error) {
	var err error
	if c.Seen, err = seen.version(); err != nil {
		return nil, err
	}
	u, err := a.Store.UpdateUser(ctx, principal(ctx).Actor(), people.UserID(id), c)
	if err != nil {
		return nil, err
	}
	return &userOutput{versioned(u.Version), userOf(u)}, nil
}

func (a *API) setPassword(ctx context.Context, in *passwordInput) (*none, error) {
	u, err := a.Store.GetUser(ctx, people.UserID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := u.CheckOwnPassword(); err != nil {
		return nil, err
	}
	if err := people.CheckPassword(in.Body.Password, u.Email); err != nil {
		return nil, err
	}
	hash, err := people.HashPassword(in.Body.Password)
	if err != nil {
		return nil, err
	}
	_, err = a.Store.UpdateUser(ctx, principal(ctx).Actor(), people.UserID(in.ID), people.UserChange{PasswordHash: &hash})
	return nil, err
}

func (a *API) deleteUser(ctx context.Context, in *switchUserInput) (*none, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Store.DeleteUser(ctx, principal(ctx).Actor(), people.UserID(in.ID), seen)
}
