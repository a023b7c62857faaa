package people

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
)

// Invite makes a link with which a person sets the first password, and mails it
// where mail is set up. Where passwords are off it is the way to the sign-in page.
func (l *Links) Invite(ctx context.Context, by audit.Actor, u User) (Invitation, error) {
	return l.give(ctx, by, ToSetUp, u)
}

// Reset is Invite for somebody who lost the password.
func (l *Links) Reset(ctx context.Context, by audit.Actor, u User) (Invitation, error) {
	if l.NoPassword {
		return Invitation{}, ErrNoPassword()
	}
	return l.give(ctx, by, ToReset, u)
}

func (l *Links) give(ctx context.Context, by audit.Actor, p Purpose, u User) (Invitation, error) {
	if !u.Active {
		return Invitation{}, domain.E(domain.Conflict, "deactivated", "%s is deactivated and gets no mail. Activate the account first.", u.Email)
	}
	letter := Letter{Purpose: p, To: u.Email, Brand: l.post().Brand, URL: strings.TrimSuffix(l.BaseURL(), "/") + "/login"}
	if !l.NoPassword {
		var err error
		if letter, err = l.make(ctx, p, u.ID, u.Email, question{}); err != nil {
			return Invitation{}, err
		}
	}
	letter.Name, letter.By = u.Name, by.Email
	out := Invitation{URL: letter.URL}
	outcome := "sent"
	if l.post().Mailer == nil {
		out.Problem, outcome = "No mail server is set up, so nothing was sent. Copy the link and pass it on.", "not_sent"
	} else if err := l.deliver(ctx, letter); err != nil {
		l.Log.Error("send a link by mail", "purpose", string(p), "user_id", string(u.ID), "err", err)
		out.Problem, outcome = problemOf(err), "failed"
	} else {
		out.Mailed = true
	}
	err := l.Store.Audit(ctx, audit.Entry{
		Actor: by, Action: "link_made", Resource: "user:" + string(u.ID), Result: "success",
		Params: map[string]any{"email": u.Email, "purpose": string(p), "outcome": outcome},
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("record a link: %w", err)
	}
	return out, nil
}

// problemOf is what an administrator may read of a mail that was not sent.
func problemOf(err error) string {
	var known *domain.Error
	if errors.As(err, &known) && known.Kind == domain.Unavailable {
		return "The mail was not sent. " + known.Message + " Copy the link and pass it on."
	}
	return "The mail was not sent. Copy the link and pass it on."
}

// Test sends a mail without a link to the administrator who asks, and returns
// the server's answer.
func (l *Links) Test(ctx context.Context, by audit.Actor) (Receipt, error) {
	post := l.post()
	if post.Mailer == nil {
		return Receipt{}, errNoMail()
	}
	message, err := l.Compose(ctx, Letter{To: by.Email, Brand: post.Brand, URL: l.BaseURL()})
	if err != nil {
		return Receipt{}, fmt.Errorf("write the mail: %w", err)
	}
	receipt, err := post.Mailer.Send(ctx, message)
	entry := audit.Entry{Actor: by, Action: "mail_tested", Resource: "mail", Result: "success", Params: map[string]any{"email": by.Email}}
	if err != nil {
		entry.Result = "error.503"
	}
	if noted := l.Store.Audit(context.WithoutCancel(ctx), entry); noted != nil {
		return Receipt{}, errors.Join(err, fmt.Errorf("record a test of mail: %w", noted))
	}
	return receipt, err
}
