package people

import (
	"context"
	"time"
)

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

// Letter is what a mail with a link says; how it looks is the composer's.
type Letter struct {
	Purpose Purpose
	To      string        // address
	Name    string        // of the person, "" when it is not known
	Brand   string        // of the company or instance, "" when it has no name
	URL     string        // whole; with the token
	Code    string        // for the browser that asked, "" for none
	Works   time.Duration // how long the link works
	By      string        // address of who invited, "" when nobody did
}

// Composer turns a letter into a mail.
type Composer func(ctx context.Context, l Letter) (Message, error)
