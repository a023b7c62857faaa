package people

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
)

// Inviter makes the links by which people get in: by mail, or to be handed over.
type Inviter interface {
	// Invite makes a link to set a first password, for somebody new.
	Invite(ctx context.Context, by audit.Actor, u User) (Invitation, error)
	// Reset makes a link to set another password.
	Reset(ctx context.Context, by audit.Actor, u User) (Invitation, error)
}

// Guests is what inviting needs of the store.
type Guests interface {
	// UsersByEmail returns those of the addresses that are known.
	UsersByEmail(ctx context.Context, emails []string) ([]User, error)
	CreateUser(ctx context.Context, by audit.Actor, n NewUser) (User, error)
}

// Invites brings many people in at once.
type Invites struct {
	Guests  Guests
	Inviter Inviter
}

// GuestState is what becomes, or became, of one line of a list.
type GuestState string

// The states of guests.
const (
	GuestNew     GuestState = "new"     // is invited, in a preview
	GuestInvited GuestState = "invited" // was made, and has a link
	GuestNoLink  GuestState = "no_link" // was made, but has no link
	GuestKnown   GuestState = "known"   // has an account: nothing is changed
	GuestInvalid GuestState = "invalid" // is no address
	GuestFailed  GuestState = "failed"  // was not made
)

// Guest is one line of a list of people to invite.
type Guest struct {
	Addressee
	State      GuestState
	User       User // of those who are known or were made
	Invitation Invitation
}

// Preview says what inviting a list would do.
func (i *Invites) Preview(ctx context.Context, list []Addressee) ([]Guest, error) {
	var emails []string
	for _, a := range list {
		if a.Email != "" {
			emails = append(emails, a.Email)
		}
	}
	users, err := i.Guests.UsersByEmail(ctx, emails)
	if err != nil {
		return nil, fmt.Errorf("known people: %w", err)
	}
	known := make(map[string]User, len(users))
	for _, u := range users {
		known[u.Email] = u
	}
	guests := make([]Guest, len(list))
	for n, a := range list {
		g := Guest{Addressee: a, State: GuestNew}
		if a.Problem != "" {
			g.State = GuestInvalid
		} else if u, there := known[a.Email]; there {
			g.State, g.User = GuestKnown, u
		}
		guests[n] = g
	}
	return guests, nil
}

// Invite makes an account and a link for each line that is new, one after the
// other: a line that fails says why and leaves the others alone. It fails as a
// whole only before anything was done.
func (i *Invites) Invite(ctx context.Context, by audit.Actor, list []Addressee, groups []GroupID) ([]Guest, error) {
	guests, err := i.Preview(ctx, list)
	if err != nil {
		return nil, err
	}
	for n := range guests {
		if guests[n].State == GuestNew {
			i.invite(ctx, by, &guests[n], groups)
		}
	}
	return guests, nil
}

func (i *Invites) invite(ctx context.Context, by audit.Actor, g *Guest, groups []GroupID) {
	u, err := i.Guests.CreateUser(ctx, by, NewUser{Email: g.Email, Name: g.Name, Groups: groups, Source: ByAdmin, Invited: true})
	switch {
	case domain.CodeOf(err) == "user_exists": // since the preview
		g.State = GuestKnown
		return
	case err != nil:
		g.State, g.Problem = GuestFailed, reason(err)
		return
	}
	g.User = u
	g.Invitation, err = i.Inviter.Invite(ctx, by, u)
	if err != nil {
		g.State, g.Problem = GuestNoLink, reason(err)
		return
	}
	g.State, g.Problem = GuestInvited, g.Invitation.Problem
}

// reason is what a line may say of its failure; the cause of others is the log's.
func reason(err error) string {
	switch domain.KindOf(err) {
	case domain.Internal:
		return "Agnes could not do this because of a fault of its own. Try this address again."
	case domain.Cancelled:
		return "The request was stopped before this line. Invite this address again."
	default:
	}
	var known *domain.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return "This was not done. Try this address again."
}
