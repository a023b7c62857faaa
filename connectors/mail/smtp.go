package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"agnes/domain"
	"agnes/domain/people"
)

// The ways to encrypt the connection.
const (
	StartTLS = "starttls" // needed: nothing is said in the open
	TLS      = "tls"      // from the first byte
	Open     = "none"
)

// SMTPConfig is how a mail server is reached.
type SMTPConfig struct {
	Host     string
	Port     int
	TLS      string // StartTLS, TLS or Open
	User     string // "" signs in as nobody
	Password string
	From     string // address
	Name     string // beside it
	Now      func() time.Time

	Roots   *x509.CertPool // nil: the system's
	Timeout time.Duration  // of one step; 0: ten seconds
}

// SMTP sends mail through one server. Each mail has a connection of its own.
type SMTP struct {
	config SMTPConfig
	from   sender
}

var _ people.Mailer = (*SMTP)(nil)

// NewSMTP fails when there is no address that mail can come from.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	from, err := newSender(c.From, c.Name)
	if err != nil {
		return nil, err
	}
	if c.Timeout <= 0 {
		c.Timeout = sendTime / 2
	}
	return &SMTP{config: c, from: from}, nil
}

// Send hands one mail to the server and returns its answer; Unavailable with
// the server's words when it refuses.
func (s *SMTP) Send(ctx context.Context, m people.Message) (people.Receipt, error) {
	m, err := checked(m)
	if err != nil {
		return people.Receipt{}, err
	}
	message, err := s.message(m)
	if err != nil {
		return people.Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	client, err := s.dial(ctx)
	if err != nil {
		return people.Receipt{}, s.explain(err)
	}
	// The connection's deadline ends a server that hangs; this ends one whose caller has gone.
	stop := context.AfterFunc(ctx, func() { _ = client.Close() }) // the sending below reports what follows
	defer stop()
	said, err := s.hand(client, m.To, message)
	if err != nil {
		return people.Receipt{}, s.failed(client, err)
	}
	_ = client.Quit() // the server has taken the mail already
	return people.Receipt{Server: "SMTP", Answer: s.said(said)}, nil
}

// failed ends a connection on which something went wrong.
func (s *SMTP) failed(client *smtp.Client, err error) error {
	_ = client.Close() // what went wrong before is worth more
	return s.explain(err)
}

func (s *SMTP) message(m people.Message) (*gomail.Msg, error) {
	message := gomail.NewMsg()
	if err := message.FromFormat(s.from.name, s.from.address); err != nil {
		return nil, fmt.Errorf("write the sender: %w", err)
	}
	if err := message.To(m.To); err != nil {
		return nil, fmt.Errorf("write the address: %w", err)
	}
	message.Subject(m.Subject)
	message.SetDateWithValue(s.config.Now())
	message.SetMessageID()
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return message, nil
}

func (s *SMTP) dial(ctx context.Context) (*smtp.Client, error) {
	c := s.config
	options := []gomail.Option{
		gomail.WithPort(c.Port), gomail.WithTimeout(c.Timeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch c.TLS {
	case TLS:
		options = append(options, gomail.WithSSL())
	case Open:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.User), gomail.WithPassword(c.Password))
	}
	client, err := gomail.NewClient(c.Host, options...)
	if err != nil {
		return nil, err
	}
	return client.DialToSMTPClientWithContext(ctx)
}

// hand gives the server one mail, word by word, and returns its last answer.
func (s *SMTP) hand(client *smtp.Client, to string, message *gomail.Msg) (string, error) {
	if err := client.UpdateDeadline(s.config.Timeout); err != nil {
		return "", err
	}
	if err := client.Mail("<" + s.from.address + ">"); err != nil {
		return "", err
	}
	if err := client.Rcpt("<" + to + ">"); err != nil {
		return "", err
	}
	body, err := client.Data()
	if err != nil {
		return "", err
	}
	if _, err := message.WriteTo(body); err != nil {
		return "", err
	}
	if err := body.Close(); err != nil {
		return "", err
	}
	if taken, ok := body.(*smtp.DataCloser); ok {
		return "250 " + taken.ServerResponse(), nil
	}
	return "250", nil
}

// said is an answer of the server without its name.
func (s *SMTP) said(text string) string {
	host := s.config.Host
	if !strings.Contains(host, ".") {
		host = "" // a plain word such as mail, which answers are full of
	}
	return answer(text, host, s.config.Password)
}

// explain words a failure without the server's name.
func (s *SMTP) explain(err error) error {
	var said *textproto.Error
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	say := func(code, format string) error { return domain.E(domain.Unavailable, code, "%s", format).Because(err) }
	switch {
	case errors.As(err, &said):
		return refused(s.said(fmt.Sprintf("%d %s", said.Code, said.Msg)), err)
	case errors.As(err, &name):
		return say("mail_certificate", "The certificate of the mail server is made out to another name, so nothing was sent. SMTP_HOST must be a name that is in it.")
	case errors.As(err, &authority):
		return say("mail_certificate", "The certificate of the mail server is signed by nobody that this machine trusts, so nothing was sent.")
	case errors.As(err, &invalid):
		return say("mail_certificate", "The certificate of the mail server is not valid, so nothing was sent. It may have expired.")
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return say("mail_not_encrypted", "The mail server does not offer STARTTLS, so nothing was sent. Try SMTP_USE_TLS=tls, which encrypts from the first byte.")
	case strings.Contains(err.Error(), "SMTP AUTH") || errors.Is(err, gomail.ErrNoSupportedAuthDiscovered):
		return say("mail_sign_in", "The mail server takes no name and password on this connection. Unset SMTP_USER, or encrypt the connection.")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return say("mail_slow", "The mail server did not answer in time.")
	case errors.Is(err, context.Canceled):
		return err
	}
	return say("mail_unreachable", "The mail server cannot be reached, or ended the connection. Its name, port and encryption are set by SMTP_HOST, SMTP_PORT and SMTP_USE_TLS.")
}
