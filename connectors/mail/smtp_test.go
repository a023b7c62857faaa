package mail_test

import (
	"context"
	"errors"
	"mime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"agnes/connectors/mail"
	"agnes/connectors/mail/mailtest"
	"agnes/domain"
	"agnes/domain/people"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func letter() people.Message {
	return people.Message{To: "ben@example.com", Subject: "Sign in to Agnes", Text: "Open this: https://agnes.example/x?token=abc", HTML: "<p>Open <b>this</b></p>"}
}

// sender is a client of the server, as change may alter it.
func sender(t *testing.T, s *mailtest.Server, change func(*mail.SMTPConfig)) *mail.SMTP {
	t.Helper()
	c := mail.SMTPConfig{Host: s.Host, Port: s.Port, TLS: mail.StartTLS, From: "agnes@example.com", Name: "Agnes", Now: noon, Roots: s.Roots}
	if change != nil {
		change(&c)
	}
	m, err := mail.NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSMTPDelivers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server mailtest.Options
		change func(*mail.SMTPConfig)
	}{
		"starttls":  {},
		"tls":       {mailtest.Options{Implicit: true}, func(c *mail.SMTPConfig) { c.TLS = mail.TLS }},
		"none":      {mailtest.Options{NoTLS: true}, func(c *mail.SMTPConfig) { c.TLS = mail.Open }},
		"signed in": {mailtest.Options{User: "agnes", Password: "s3cret"}, func(c *mail.SMTPConfig) { c.User, c.Password = "agnes", "s3cret" }},
		"tls and signed in": {mailtest.Options{Implicit: true, User: "agnes", Password: "s3cret"}, func(c *mail.SMTPConfig) {
			c.TLS, c.User, c.Password = mail.TLS, "agnes", "s3cret"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.New(t, c.server)
			receipt, err := sender(t, server, c.change).Send(t.Context(), letter())
			if err != nil {
				t.Fatal(err)
			}
			if receipt.Server != "SMTP" || !strings.HasPrefix(receipt.Answer, "250 ") {
				t.Errorf("receipt = %+v", receipt)
			}
			got := <-server.Mails
			// A lenient server takes addresses without brackets, others do not.
			for _, command := range []string{"MAIL FROM:<agnes@example.com>", "RCPT TO:<ben@example.com>"} {
				if !strings.Contains(server.Said(), command) {
					t.Errorf("nobody said %s", command)
				}
			}
			if got.From != "agnes@example.com" || got.To != "ben@example.com" {
				t.Errorf("envelope from %s to %s", got.From, got.To)
			}
			if from := got.Header.Get("From"); from != `"Agnes" <agnes@example.com>` {
				t.Errorf("From = %s", from)
			}
			if strings.TrimSpace(got.Text) != letter().Text || strings.TrimSpace(got.HTML) != letter().HTML {
				t.Errorf("text %q, HTML %q", got.Text, got.HTML)
			}
			if got.Header.Get("Auto-Submitted") != "auto-generated" || got.Header.Get("Date") != "Mon, 23 Nov 2026 12:00:00 +0000" || got.Header.Get("Message-Id") == "" {
				t.Errorf("header = %v", got.Header)
			}
		})
	}
}

func TestSMTPSaysWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	refusal := func(step string, code int, enhanced smtp.EnhancedCode, message string) mailtest.Options {
		return mailtest.Options{Refuse: map[string]*smtp.SMTPError{step: {Code: code, EnhancedCode: enhanced, Message: message}}}
	}
	account := func(c *mail.SMTPConfig) { c.User, c.Password = "agnes", "wrong-s3cret" }
	for name, c := range map[string]struct {
		server mailtest.Options
		change func(*mail.SMTPConfig)
		want   string
	}{
		"a wrong password":       {mailtest.Options{User: "agnes", Password: "s3cret"}, account, "535 5.7.8 Authentication failed"},
		"nobody":                 {mailtest.Options{User: "agnes", Password: "s3cret"}, nil, "502 5.7.0 Please authenticate first"},
		"a sender it refuses":    {refusal("mail", 550, smtp.EnhancedCode{5, 7, 1}, "Sender denied"), nil, "550 5.7.1 Sender denied"},
		"no such mailbox":        {refusal("rcpt", 550, smtp.EnhancedCode{5, 1, 1}, "No such user"), nil, "550 5.1.1 No such user"},
		"a mailbox that is full": {refusal("data", 452, smtp.EnhancedCode{4, 2, 2}, "Mailbox full"), nil, "452 4.2.2 Mailbox full"},
		"its own name":           {refusal("rcpt", 554, smtp.EnhancedCode{5, 7, 1}, "127.0.0.1 denies\r\nyou"), nil, "554 … denies"},
		"no encryption":          {mailtest.Options{NoTLS: true}, nil, "does not offer STARTTLS"},
		"a name without encryption": {mailtest.Options{NoTLS: true, User: "agnes", Password: "s3cret"}, func(c *mail.SMTPConfig) {
			account(c)
			c.TLS = mail.Open
		}, "takes no name and password"},
		"no accounts":               {mailtest.Options{}, account, "takes no name and password"},
		"another's certificate":     {mailtest.Options{Names: []string{"other.test"}}, nil, "another name"},
		"a certificate of nobody":   {mailtest.Options{}, func(c *mail.SMTPConfig) { c.Roots = nil }, "signed by nobody"},
		"the same, encrypted first": {mailtest.Options{Implicit: true}, func(c *mail.SMTPConfig) { c.TLS, c.Roots = mail.TLS, nil }, "signed by nobody"},
		"nobody there":              {mailtest.Options{}, func(c *mail.SMTPConfig) { c.Port = 1 }, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.New(t, c.server)
			_, err := sender(t, server, c.change).Send(t.Context(), letter())
			var known *domain.Error
			if !errors.As(err, &known) || known.Kind != domain.Unavailable || !strings.Contains(known.Message, c.want) {
				t.Fatalf("Send() = %v, want Unavailable with %q", err, c.want)
			}
			for _, private := range []string{"127.0.0.1", "s3cret", "\n"} {
				if strings.Contains(known.Message, private) {
					t.Errorf("message %q holds %q", known.Message, private)
				}
			}
			if len(server.Mails) != 0 {
				t.Error("the mail arrived all the same")
			}
		})
	}
}

func TestSMTPGivesUpOnAServerThatHangs(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	server := mailtest.New(t, mailtest.Options{Hold: hold})
	t.Cleanup(func() { close(hold) })

	_, err := sender(t, server, func(c *mail.SMTPConfig) { c.Timeout = 100 * time.Millisecond }).Send(t.Context(), letter())
	if domain.CodeOf(err) != "mail_slow" {
		t.Errorf("Send() to a server that hangs = %v, want mail_slow", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sender(t, server, nil).Send(ctx, letter()); domain.KindOf(err) != domain.Cancelled {
		t.Errorf("Send() for a caller that has gone = %v, want Cancelled", err)
	}
}

func TestHeadersAreOnlyThemselves(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Options{})
	evil := "Hello\r\nBcc: eve@example.com\r\n\r\nbody"
	from := sender(t, server, func(c *mail.SMTPConfig) { c.Name = evil })
	m := letter()
	m.Subject = evil
	if _, err := from.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := <-server.Mails
	if got.Header.Get("Bcc") != "" || !strings.Contains(got.Text, letter().Text) {
		t.Errorf("mail = %s", got.Raw)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || subject != "Hello Bcc: eve@example.com body" {
		t.Errorf("Subject = %q, %v", subject, err)
	}
	for _, to := range []string{"", "ben", "ben@example.com\r\nBcc: eve@example.com", "ben@example.com, eve@example.com", "ben@example.com>\r\nRCPT TO:<eve@example.com", "Ben <ben@example.com>", "\"a\r\nb\"@example.com"} {
		m.To = to
		if _, err := from.Send(t.Context(), m); domain.KindOf(err) != domain.Invalid {
			t.Errorf("Send() to %q = %v, want Invalid", to, err)
		}
	}
	if len(server.Mails) != 0 {
		t.Error("a mail to no address arrived")
	}
	if _, err := mail.NewSMTP(mail.SMTPConfig{From: "agnes@example.com\r\nBcc: eve@example.com"}); err == nil {
		t.Error("NewSMTP took an address of two lines")
	}
}
