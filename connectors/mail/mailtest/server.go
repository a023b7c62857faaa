// Package mailtest runs a real SMTP server for tests.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options are how a server behaves.
type Options struct {
	NoTLS    bool     // it offers no STARTTLS
	Implicit bool     // it speaks TLS from the first byte
	Names    []string // that its certificate is made out to; nil: 127.0.0.1
	User     string   // it takes mail only from this one
	Password string
	// Refuse is the answer to a step, "mail", "rcpt" or "data".
	Refuse map[string]*smtp.SMTPError
	// Hold keeps the server from answering to a body until it is closed.
	Hold <-chan struct{}
}

// Mail is one mail that arrived.
type Mail struct {
	From, To string // of the envelope
	Header   mail.Header
	Raw      string
	Text     string
	HTML     string
}

// Server is a running server.
type Server struct {
	Host  string
	Port  int
	Roots *x509.CertPool // trust its certificate
	PEM   []byte         // its certificate, for programs that read one from a file
	Mails chan Mail      // that arrived, in turn

	o    Options
	said transcript
}

// Said is all that was said on all connections so far, of both sides.
func (s *Server) Said() string {
	s.said.mu.Lock()
	defer s.said.mu.Unlock()
	return s.said.text.String()
}

type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write notes what passes.
func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// New starts a server that ends with the test.
func New(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{o: o, Mails: make(chan Mail, 100)}
	certificate := s.certify(tb)
	backend := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	backend.Domain, backend.AllowInsecureAuth = "mail.test", o.NoTLS
	backend.ErrorLog, backend.Debug = quiet{}, &s.said
	settings := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if !o.NoTLS && !o.Implicit {
		backend.TLSConfig = settings
	}
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	at, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatalf("listening at %v", listener.Addr())
	}
	s.Host, s.Port = "127.0.0.1", at.Port
	if o.Implicit {
		listener = tls.NewListener(listener, settings)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = backend.Serve(listener) }) // ends with Close
	tb.Cleanup(func() {
		_ = backend.Close()  // the test is over
		_ = listener.Close() // which a server that has yet to accept does not know of
		served.Wait()
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// certify makes a certificate that only Roots trusts.
func (s *Server) certify(tb testing.TB) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("make a key: %v", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: s.o.Names,
	}
	if s.o.Names == nil {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatalf("make a certificate: %v", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatalf("read the certificate: %v", err)
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(leaf)
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

type session struct {
	server *Server
	known  bool
	mail   Mail
}

func (s *session) AuthMechanisms() []string {
	if s.server.o.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.o.User || password != s.server.o.Password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) refuse(step string) error {
	if e := s.server.o.Refuse[step]; e != nil {
		return e
	}
	return nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.o.User != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{From: from}
	return s.refuse("mail")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = to
	return s.refuse("rcpt")
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.server.o.Hold != nil {
		<-s.server.o.Hold
	}
	if err := s.refuse("data"); err != nil {
		return err
	}
	s.mail.Raw = string(raw)
	if err := s.mail.read(); err != nil {
		return err
	}
	s.server.Mails <- s.mail
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

// read takes the mail apart.
func (m *Mail) read() error {
	parsed, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		return err
	}
	m.Header = parsed.Header
	_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // the reader returns it bare
			return nil
		} else if err != nil {
			return err
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = string(body)
		} else {
			m.Text = string(body)
		}
	}
}
