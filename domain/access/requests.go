package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// RequestStore keeps requests for access.
type RequestStore interface {
	CreateAccessRequest(ctx context.Context, p Principal, n NewRequest) (Request, error)
	ApproveRequest(ctx context.Context, p Principal, id string, a Approval) (Request, error)
	RefuseRequest(ctx context.Context, p Principal, id string, f Refusal) (Request, error)
	WithdrawRequest(ctx context.Context, p Principal, id string, seen int64) (Request, error)
	ReopenRequest(ctx context.Context, p Principal, id string) (Request, error)
	// Deciders are who hears of a request.
	Deciders(ctx context.Context, q Request) ([]people.User, error)
}

// News is what somebody is told about a request by mail.
type News struct {
	Request Request
	To      people.User
	Brand   string
	URL     string // whole, of the page to look at
}

// Asked reports whether the news is for who decides.
func (n News) Asked() bool { return n.To.ID != n.Request.By.ID }

// Told is what became of the mails about a step. A step counts whatever became
// of them.
type Told struct {
	Mailed  int
	Problem string // a sentence; "" when every mail left, or none is set up
}

// Requests carries out the steps of requests, and tells both sides.
type Requests struct {
	Store   RequestStore
	Post    func() people.Post // mailer and brand of now; nil, and no mailer: nobody is told by mail
	Compose func(ctx context.Context, n News) (people.Message, error)
	BaseURL func() string
	Now     func() time.Time
	Log     *slog.Logger
}

// How many people hear of a request, and how long the mails about one step may take.
const (
	mostDeciders = 20
	mailTime     = 15 * time.Second
)

// The pages that mails lead to.
const (
	inboxPath = "/admin/access/requests"
	ownPath   = "/requests"
)

// Ask asks for something for p.
func (r *Requests) Ask(ctx context.Context, p Principal, n NewRequest) (Request, Told, error) {
	n, err := n.Check()
	if err != nil {
		return Request{}, Told{}, err
	}
	q, err := r.Store.CreateAccessRequest(ctx, p, n)
	if err != nil || r.post().Mailer == nil {
		return q, Told{}, err
	}
	deciders, err := r.Store.Deciders(ctx, q)
	if err != nil { // asked is asked
		r.Log.Warn("who decides on a request is not known", "request", q.ID, "err", err)
		return q, Told{Problem: "Nobody could be told by mail. The request waits in the portal."}, nil
	}
	return q, r.tell(ctx, q, deciders[:min(len(deciders), mostDeciders)]), nil
}

// Approve decides for a request.
func (r *Requests) Approve(ctx context.Context, p Principal, id string, a Approval) (Request, Told, error) {
	a, err := a.Check()
	if err != nil {
		return Request{}, Told{}, err
	}
	q, err := r.Store.ApproveRequest(ctx, p, id, a)
	return r.decided(ctx, q, err)
}

// Refuse decides against a request.
func (r *Requests) Refuse(ctx context.Context, p Principal, id string, f Refusal) (Request, Told, error) {
	f, err := f.Check()
	if err != nil {
		return Request{}, Told{}, err
	}
	q, err := r.Store.RefuseRequest(ctx, p, id, f)
	return r.decided(ctx, q, err)
}

// Reopen takes an approval of p's back.
func (r *Requests) Reopen(ctx context.Context, p Principal, id string) (Request, Told, error) {
	q, err := r.Store.ReopenRequest(ctx, p, id)
	return r.decided(ctx, q, err)
}

// Withdraw takes p's own request back. Nobody is told: it is gone from their inbox.
func (r *Requests) Withdraw(ctx context.Context, p Principal, id string, seen int64) (Request, error) {
	return r.Store.WithdrawRequest(ctx, p, id, seen)
}

func (r *Requests) decided(ctx context.Context, q Request, err error) (Request, Told, error) {
	if err != nil || r.post().Mailer == nil || !q.By.Active {
		return q, Told{}, err
	}
	return q, r.tell(ctx, q, []people.User{q.By}), nil
}

// tell mails a request's news. What does not leave is logged and said, and takes
// nothing back.
func (r *Requests) tell(ctx context.Context, q Request, to []people.User) Told {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailTime)
	defer cancel()
	var told Told
	post := r.post()
	var first error
	for _, u := range to {
		err := r.mail(ctx, post.Mailer, News{Request: q, To: u, Brand: post.Brand, URL: r.page(q, u)})
		if err == nil {
			told.Mailed++
			continue
		}
		r.Log.Warn("a mail about a request did not leave", "request", q.ID, "user_id", string(u.ID), "err", err)
		if first == nil {
			first = err
		}
	}
	if first != nil {
		told.Problem = unsent(len(to)-told.Mailed, first)
	}
	return told
}

func (r *Requests) page(q Request, to people.User) string {
	if to.ID == q.By.ID || to.ID == q.Owner {
		return r.BaseURL() + ownPath
	}
	return r.BaseURL() + inboxPath
}

func (r *Requests) post() people.Post {
	if r.Post == nil {
		return people.Post{}
	}
	return r.Post()
}

func (r *Requests) mail(ctx context.Context, by people.Mailer, n News) error {
	m, err := r.Compose(ctx, n)
	if err != nil {
		return fmt.Errorf("write a mail about a request: %w", err)
	}
	_, err = by.Send(ctx, m)
	return err
}

// unsent says that mails did not leave, with the mail server's own words where
// it has any.
func unsent(n int, cause error) string {
	what := "The mail about it did not leave"
	if n > 1 {
		what = strconv.Itoa(n) + " mails about it did not leave"
	}
	var known *domain.Error
	if errors.As(cause, &known) && known.Kind == domain.Unavailable {
		return what + ": " + known.Message + " The portal shows it all the same."
	}
	return what + ". The portal shows it all the same."
}
