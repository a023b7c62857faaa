package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/people"
)

// AccessRequests carries out the steps of requests for access.
type AccessRequests interface {
	Ask(ctx context.Context, p access.Principal, n access.NewRequest) (access.Request, access.Told, error)
	Approve(ctx context.Context, p access.Principal, id string, a access.Approval) (access.Request, access.Told, error)
	Refuse(ctx context.Context, p access.Principal, id string, f access.Refusal) (access.Request, access.Told, error)
	Withdraw(ctx context.Context, p access.Principal, id string, seen int64) (access.Request, error)
}

// RequestList reads requests for access.
type RequestList interface {
	ListAccessRequests(ctx context.Context, f access.RequestFilter) ([]access.Request, int, error)
	GetAccessRequest(ctx context.Context, p access.Principal, id string) (access.Request, error)
}

type accessRequest struct {
	ID           string  `json:"id"`
	UserID       string  `json:"user_id"`
	Email        string  `json:"email"`
	Name         string  `json:"name"`
	ResourceType string  `json:"resource_type" enum:"table,memory_domain,marketplace_plugin"`
	ResourceID   string  `json:"resource_id"`
	ResourceName string  `json:"resource_name"`
	Reason       string  `json:"reason"`
	Origin       string  `json:"origin" enum:"catalog,query,api"`
	State        string  `json:"state" enum:"open,approved,refused,withdrawn"`
	CreatedAt    string  `json:"created_at" format:"date-time"`
	DecidedAt    *string `json:"decided_at"`
	DecidedBy    *string `json:"decided_by" doc:"Address of who approved, refused or withdrew it."`
	Answer       *string `json:"answer"`
	GroupID      *string `json:"group_id" doc:"The group that got the grant, or that they joined."`
	GroupName    *string `json:"group_name"`
	Joined       bool    `json:"joined" doc:"Whether they became a member of the group, which had it."`
	ExpiresAt    *string `json:"expires_at" doc:"Of the grant; null: it does not end."`
	Version      int64   `json:"version"`
}

func accessRequestOf(q access.Request) accessRequest {
	return accessRequest{
		ID: q.ID, UserID: string(q.By.ID), Email: q.By.Email, Name: q.By.Name,
		ResourceType: string(q.ResourceType), ResourceID: q.ResourceID, ResourceName: q.ResourceName,
		Reason: q.Reason, Origin: string(q.Origin), State: string(q.State), CreatedAt: stamp(q.CreatedAt),
		DecidedAt: stampOrNull(q.DecidedAt), DecidedBy: orNull(q.DecidedBy), Answer: orNull(q.Answer),
		GroupID: orNull(string(q.Group)), GroupName: orNull(q.GroupName), Joined: q.Joined, ExpiresAt: stampOrNull(q.ExpiresAt), Version: q.Version,
	}
}

func stampOrNull(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := stamp(*t)
	return &text
}

// OneAccessRequest names a request in an address.
type OneAccessRequest struct {
	ID string `path:"id" doc:"Id of the request."`
}

// daysOrNull is a number of days that may be left out, and null for no end.
type daysOrNull struct {
	sent bool
	n    *int
}

// Schema describes it.
func (daysOrNull) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Nullable: true}
}

// UnmarshalJSON reads a whole number, or null.
func (d *daysOrNull) UnmarshalJSON(data []byte) error {
	d.sent = true
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	return json.Unmarshal(data, &d.n)
}

type (
	accessRequestsInput struct {
		Mine   bool   `query:"mine" doc:"Only your own."`
		State  string `query:"state" enum:"open,approved,refused,withdrawn"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
		Offset int    `query:"offset" minimum:"0" default:"0"`
	}
	accessRequestsOutput struct {
		Total int `header:"X-Total-Count" doc:"How many requests match in all."`
		Body  []accessRequest
	}
	accessRequestOutput struct {
		Versioned
		Mail string `header:"X-Mail-Problem" doc:"Why a mail about it did not leave; absent when all is well. The step counts all the same."`
		Body accessRequest
	}
	askInput struct {
		Body struct {
			ResourceType string `json:"resource_type" example:"table"`
			ResourceID   string `json:"resource_id" example:"orders"`
			Reason       string `json:"reason" doc:"What it is needed for: 1 to 1000 characters."`
		}
	}
	approveInput struct {
		OneAccessRequest
		Seen
		Body struct {
			GroupID    string     `json:"group_id,omitempty" doc:"A group of theirs, which gets a grant; or one that has it, which they join."`
			OnlyPerson bool       `json:"only_person,omitempty" doc:"A grant for this person alone."`
			Days       daysOrNull `json:"expires_in_days,omitempty" doc:"When the grant ends: 90 days unless sent; null for never. Joining a group has no end."`
			Answer     string     `json:"answer,omitempty"`
		}
	}
	refuseInput struct {
		OneAccessRequest
		Seen
		Body struct {
			Answer string `json:"answer" doc:"Why, for who asks."`
		}
	}
	withdrawInput struct {
		OneAccessRequest
		Seen
	}
)

func (a *API) accessRequestRoutes() {
	with := func(id, method, path, summary, about string, status int, errors ...int) operation {
		return operation{
			tag: "Access", need: access.SignedIn, terms: asks(access.ScopeRead), id: id, method: method, path: path,
			summary: summary, about: about, status: status, errors: append(errors, http.StatusUnprocessableEntity),
		}
	}
	const all, one = "/api/access-requests", "/api/access-requests/{id}"
	const decides = " Administrators may, and the owner of the table; nobody their own. A personal access token needs the scope admin."
	register(a, with("list-access-requests", http.MethodGet, all, "List requests for access", "Your own, those for tables that you own, and with administrators all.", 0), a.listAccessRequests)
	register(a, with("get-access-request", http.MethodGet, one, "Get a request for access", "One that you may see.", 0, http.StatusNotFound), a.getAccessRequest)
	ask := with("ask-for-access", http.MethodPost, all, "Ask for access", "Asks for something that says that it exists. What does not say so answers as what does not exist.", http.StatusCreated, http.StatusNotFound, http.StatusConflict)
	ask.example = map[string]any{"resource_type": "table", "resource_id": "orders", "reason": "Monthly report of returns"}
	register(a, ask, a.askForAccess)
	approve := with("approve-access-request", http.MethodPost, one+"/approve", "Approve a request", "Makes the grant, or the membership, that opens what was asked for, and tells who asked."+decides,
		0, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed)
	approve.example = map[string]any{"only_person": true, "expires_in_days": 90}
	register(a, approve, a.approveAccessRequest)
	refuse := with("refuse-access-request", http.MethodPost, one+"/refuse", "Refuse a request", "Tells who asked why."+decides,
		0, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed)
	refuse.example = map[string]any{"answer": "Use orders_public: it has all that a report of returns needs."}
	register(a, refuse, a.refuseAccessRequest)
	register(a, with("withdraw-access-request", http.MethodPost, one+"/withdraw", "Withdraw a request", "Takes your own request back, while it is open.",
		0, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed), a.withdrawAccessRequest)
}

func (a *API) listAccessRequests(ctx context.Context, in *accessRequestsInput) (*accessRequestsOutput, error) {
	p := principal(ctx)
	list, total, err := a.Store.ListAccessRequests(ctx, access.RequestFilter{
		Viewer: p.UserID, Admin: p.Admin, Mine: in.Mine, State: access.RequestState(in.State), Limit: in.Limit, Offset: in.Offset,
	})
	if err != nil {
		return nil, err
	}
	out := &accessRequestsOutput{Total: total, Body: make([]accessRequest, len(list))}
	for i, q := range list {
		out.Body[i] = accessRequestOf(q)
	}
	return out, nil
}

func (a *API) getAccessRequest(ctx context.Context, in *OneAccessRequest) (*accessRequestOutput, error) {
	q, err := a.Store.GetAccessRequest(ctx, principal(ctx), in.ID)
	return accessRequestAnswer(q, access.Told{}, err)
}

func (a *API) askForAccess(ctx context.Context, in *askInput) (*accessRequestOutput, error) {
	q, told, err := a.Requests.Ask(ctx, principal(ctx), access.NewRequest{
		ResourceType: access.ResourceType(in.Body.ResourceType), ResourceID: in.Body.ResourceID, Reason: in.Body.Reason, Origin: access.AskedByAPI,
	})
	return accessRequestAnswer(q, told, err)
}

func (a *API) approveAccessRequest(ctx context.Context, in *approveInput) (*accessRequestOutput, error) {
	p, seen, err := a.decider(ctx, in.Seen)
	if err != nil {
		return nil, err
	}
	approval := access.Approval{Seen: seen, Group: people.GroupID(in.Body.GroupID), OnlyPerson: in.Body.OnlyPerson, Answer: in.Body.Answer}
	if !in.Body.Days.sent {
		end := a.Now().Add(access.RequestExpiry)
		approval.ExpiresAt = &end
	} else if approval.ExpiresAt, err = access.ExpiryIn(in.Body.Days.n, a.Now()); err != nil {
		return nil, err
	}
	q, told, err := a.Requests.Approve(ctx, p, in.ID, approval)
	return accessRequestAnswer(q, told, err)
}

func (a *API) refuseAccessRequest(ctx context.Context, in *refuseInput) (*accessRequestOutput, error) {
	p, seen, err := a.decider(ctx, in.Seen)
	if err != nil {
		return nil, err
	}
	q, told, err := a.Requests.Refuse(ctx, p, in.ID, access.Refusal{Seen: seen, Answer: in.Body.Answer})
	return accessRequestAnswer(q, told, err)
}

func (a *API) withdrawAccessRequest(ctx context.Context, in *withdrawInput) (*accessRequestOutput, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	q, err := a.Requests.Withdraw(ctx, principal(ctx), in.ID, seen)
	return accessRequestAnswer(q, access.Told{}, err)
}

// decider is who decides, by a way in that may: deciding is what administrators
// do, also when an owner does it.
func (a *API) decider(ctx context.Context, s Seen) (access.Principal, int64, error) {
	p := principal(ctx)
	if err := p.Meet(access.Terms{Scope: access.ScopeAdmin}, a.Now()); err != nil {
		return p, 0, err
	}
	seen, err := s.version()
	return p, seen, err
}

func accessRequestAnswer(q access.Request, told access.Told, err error) (*accessRequestOutput, error) {
	if err != nil {
		return nil, err
	}
	return &accessRequestOutput{Versioned: versioned(q.Version), Mail: told.Problem, Body: accessRequestOf(q)}, nil
}
