package pages

import (
	"context"

	"agnes/domain"
	"agnes/domain/people"
)

// mails is a mail server that keeps what it takes, or takes nothing.
type mails struct {
	sent   []people.Message
	broken bool
}

func (m *mails) Send(_ context.Context, mail people.Message) (people.Receipt, error) {
	if m.broken {
		return people.Receipt{}, domain.E(domain.Unavailable, "mail_refused", "The mail server answered 451 try later.")
	}
	m.sent = append(m.sent, mail)
	return people.Receipt{Server: "SMTP", Answer: "250 ok"}, nil
}
