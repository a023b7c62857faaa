package views

import (
	"time"

	"agnes/domain/people"
)

// MailSentView says that a mail is on its way, whether or not it is.
type MailSentView struct {
	Email string
	Error string // a sentence about the code
}

// OpenLinkView asks for the click that uses a link up.
type OpenLinkView struct {
	Email string
	New   bool // nobody is known by the address yet
}

// DeadLinkView says that a link does nothing any more.
type DeadLinkView struct {
	Password bool   // with it a password was to be set
	ByMail   bool   // a new one of that kind can be asked for
	Unsaved  bool   // a password was sent and not saved
	Email    string // of whom it was, as the form had it
}

// ForgotView asks for a mail with which a password can be set.
type ForgotView struct {
	Email string
	Error string // about the address
	Sent  bool   // a mail is on its way, whether or not it is
}

// NewPasswordView asks for a password that is new.
type NewPasswordView struct {
	Action string // path that the form is sent to
	First  bool   // of an account that has had none
	Email  string
	Name   string
	Errors FieldErrors // name, password
}

func (v NewPasswordView) title() string {
	if v.First {
		return "Set up your account"
	}
	return "Set a new password"
}

// MailView is how mail is sent, for administrators.
type MailView struct {
	Kind   string // "SMTP" or "SendGrid", "" for none
	From   string
	Base   string // of the links in mails
	To     string // where a test is sent
	Answer string // of the server to the test
	Error  string // a sentence: why the test failed
	Outbox bool   // mails are kept for reading in place of sending
	Posted []people.Posted
	Now    time.Time
}
