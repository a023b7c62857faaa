package mail

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/config"
	"agnes/domain/settings"
)

// Check tests how mail is sent, without sending any.
type Check struct {
	Now func() time.Time
	// SendGridURL is where SendGrid answers; "": its own address.
	SendGridURL string
	Roots       *x509.CertPool // nil: the system's
}

var _ settings.ConnectionTest = Check{}

// Section is where mail is set up.
func (Check) Section() string { return "mail" }

// Title names the connection.
func (Check) Title() string { return "Mail" }

// Ready reports whether a way to send mail is set up.
func (Check) Ready(c config.Config) bool { return c.Mail.Set() }

// Run reaches the server, encrypts, signs in and names the sender.
func (k Check) Run(ctx context.Context, c config.Config, tell func(settings.Step)) {
	if c.Mail.SendGridKey.Set() {
		k.sendGrid(ctx, c.Mail, tell)
		return
	}
	try := func(name, fix string, do func() (string, error)) bool {
		return settings.Try(tell, k.Now, name, fix, do)
	}
	m := c.Mail
	s, err := NewSMTP(SMTPConfig{Host: m.Host, Port: m.Port, TLS: m.TLS, User: m.User, Password: m.Password.Reveal(), From: m.Sender(), Now: k.Now, Roots: k.Roots})
	if !try("Settings are whole", "Set the sender's address.", func() (string, error) { return "", err }) {
		return
	}
	if !try("Reach the server", "Check the server's name and port, and that a firewall lets this machine out.", func() (string, error) { return "It takes connections.", s.reach(ctx) }) {
		return
	}
	if !try("Encrypt the connection", "Try the other way to encrypt; a certificate must be made out to the name that is set.", func() (string, error) { return s.greet(ctx) }) {
		return
	}
	if m.User == "" {
		tell(settings.Step{Name: "Sign in", State: settings.StepSkipped, Detail: "No name is set, so Agnes sends as nobody."})
	} else if !try("Sign in as "+m.User, "Check name and password. Some services want a password made for programs.", func() (string, error) { return s.signIn(ctx) }) {
		return
	}
	try("Send from "+m.Sender(), "Use an address that this account may send from.", func() (string, error) { return s.sender(ctx) })
}

// reach opens a connection and closes it.
func (s *SMTP) reach(ctx context.Context) error {
	d := net.Dialer{Timeout: s.config.Timeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(s.config.Host, strconv.Itoa(s.config.Port)))
	if err != nil {
		return s.explain(err)
	}
	return conn.Close()
}

// greet opens a connection without signing in.
func (s *SMTP) greet(ctx context.Context) (string, error) {
	nobody := *s
	nobody.config.User, nobody.config.Password = "", ""
	client, err := nobody.dial(ctx)
	if err != nil {
		return "", s.explain(err)
	}
	_ = client.Quit() // it has said all that is asked
	if s.config.TLS == Open {
		return "It is not encrypted, as set.", nil
	}
	return "It is encrypted, and the certificate is right.", nil
}

func (s *SMTP) signIn(ctx context.Context) (string, error) {
	client, err := s.dial(ctx)
	if err != nil {
		return "", s.explain(err)
	}
	_ = client.Quit() // it has said all that is asked
	return "The server took name and password.", nil
}

// sender names the sender, and takes it back.
func (s *SMTP) sender(ctx context.Context) (string, error) {
	client, err := s.dial(ctx)
	if err != nil {
		return "", s.explain(err)
	}
	if err := client.UpdateDeadline(s.config.Timeout); err != nil {
		return "", s.failed(client, err)
	}
	if err := client.Mail("<" + s.from.address + ">"); err != nil {
		return "", s.failed(client, err)
	}
	if err := client.Reset(); err != nil {
		return "", s.failed(client, err)
	}
	_ = client.Quit() // nothing was sent
	return "The server takes mail from this address. Whether it delivers, only a real mail shows: send one to yourself.", nil
}

// sendGrid asks what the key may do.
func (k Check) sendGrid(ctx context.Context, m config.Mail, tell func(settings.Step)) {
	s, err := NewSendGrid(SendGridConfig{Key: m.SendGridKey.Reveal(), From: m.Sender(), BaseURL: k.SendGridURL})
	if !settings.Try(tell, k.Now, "Settings are whole", "Set the sender's address.", func() (string, error) { return "", err }) {
		return
	}
	scopes := ""
	if !settings.Try(tell, k.Now, "Reach SendGrid and sign in with the key", "Make a new key at SendGrid, and check that a firewall lets this machine out.", func() (string, error) {
		scopes, err = s.scopes(ctx)
		return "It took the key.", err
	}) {
		return
	}
	settings.Try(tell, k.Now, "May send mail", "Give the key the permission Mail Send.", func() (string, error) {
		if !strings.Contains(scopes, `"mail.send"`) {
			return "", domain.E(domain.Unavailable, "mail_refused", "The key may not send mail.")
		}
		return "The key may send. Whether SendGrid takes the sender, only a real mail shows: send one to yourself.", nil
	})
}

func (s *SendGrid) scopes(ctx context.Context) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.config.BaseURL, "/")+"/v3/scopes", http.NoBody)
	if err != nil {
		return "", fmt.Errorf("ask SendGrid: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+s.config.Key)
	got, text, err := s.do(r) //nolint:bodyclose // do has read and closed it
	if err != nil {
		return "", err
	}
	if got.StatusCode/100 != 2 {
		return "", refused(s.said(got, text), nil)
	}
	return string(text), nil
}
