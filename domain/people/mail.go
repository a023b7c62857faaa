package people

import "context"

// Message is one mail to one person.
type Message struct {
	To      string // an address that NormalEmail returned
	Subject string // one line
	Text    string
	HTML    string
}

// Receipt is what a mail server answered to a message it took.
type Receipt struct {
	Server string // its name, such as "SMTP" or "SendGrid"; no address, no secret
	Answer string // its last line
}

// Mailer sends mail. An error of kind Unavailable carries the server's own
// answer as its message, without addresses of hosts or secrets.
type Mailer interface {
	Send(ctx context.Context, m Message) (Receipt, error)
}
