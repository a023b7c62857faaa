package main

import (
	"net"
	"net/netip"

	"agnes/connectors/mail"
	"agnes/domain/access"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/handlers/pages"
	"agnes/views/letters"
)

// newLinks puts together what sends and takes links. Without a mail server they
// are shown on this machine, where nobody else reaches Agnes, and nowhere else.
func (a *app) newLinks() (*people.Links, error) {
	l := &people.Links{
		Store: a.store, Compose: letters.Compose, AllowedDomains: a.cfg.Auth.AllowedDomains, BaseURL: a.baseURL, Current: a.post,
		NoLink: a.cfg.Auth.Off("link"), NoPassword: a.cfg.Auth.Off("password"), Now: clock, Log: a.log, Guard: a.guard,
		Throttle: a.throttle,
	}
	if _, err := newMailer(a.cfg.Mail, a.companyName()); err != nil {
		return nil, err
	}
	if onlyHere(a.cfg.Server) {
		l.Outbox = &people.Outbox{} // for as long as no mail is set up
	}
	return l, nil
}

// requests carries out what becomes of requests for access, with the mails about it.
func (a *app) requests() *access.Requests {
	return &access.Requests{
		Store: a.store, Post: a.post, Compose: letters.ComposeNews, BaseURL: a.baseURL, Now: clock, Log: a.log,
	}
}

// newMailer returns what sends mail, nil when nothing is set up.
func newMailer(m config.Mail, brand string) (people.Mailer, error) {
	name := "Agnes"
	if brand != "" {
		name += " of " + brand
	}
	switch {
	case m.SendGridKey.Set():
		return mail.NewSendGrid(mail.SendGridConfig{Key: m.SendGridKey.Reveal(), From: m.Sender(), Name: name})
	case m.Host != "":
		return mail.NewSMTP(mail.SMTPConfig{
			Host: m.Host, Port: m.Port, TLS: m.TLS, User: m.User, Password: m.Password.Reveal(), From: m.Sender(), Name: name, Now: clock,
		})
	}
	return nil, nil //nolint:nilnil // no mail is no fault
}

// mailInfo is what administrators read about mail.
func mailInfo(m config.Mail) pages.Mail {
	switch {
	case m.SendGridKey.Set():
		return pages.Mail{Kind: "SendGrid", From: m.Sender()}
	case m.Host != "":
		return pages.Mail{Kind: "SMTP", From: m.Sender()}
	}
	return pages.Mail{}
}

// onlyHere reports whether Agnes is reached from this machine alone: it listens
// here only, and nothing says that others come through a proxy.
func onlyHere(s config.Server) bool {
	host, _, err := net.SplitHostPort(s.Addr)
	return err == nil && loopback(host) && s.Domain == "" && len(s.Proxies) == 0 && (s.URL == nil || loopback(s.URL.Hostname()))
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// baseURL is how links in mails begin: what was configured, never what a
// request claims.
func (a *app) baseURL() string {
	if a.cfg.Server.URL == nil && a.cfg.Server.Domain != "" {
		return "https://" + a.cfg.Server.Domain
	}
	at := a.listening.Load()
	if at == nil {
		return publicURL(a.cfg.Server.URL, listenAddr(a.cfg.Server.Addr))
	}
	return publicURL(a.cfg.Server.URL, *at)
}

// checkMail says how mail is sent, and what is amiss with it, for the doctor.
func checkMail(a *app) (string, error) {
	info := mailInfo(a.cfg.Mail)
	switch {
	case info.Kind != "" && a.cfg.Server.URL == nil && a.cfg.Server.Domain == "":
		return "sent by " + info.Kind + "; set SERVER_URL, because links in mails begin with " + a.baseURL(), nil
	case info.Kind != "":
		return "sent by " + info.Kind + " from " + info.From, nil
	case a.links.Outbox != nil:
		return "not set up; links are shown in the log and to administrators", nil
	}
	return "not set up, so sign-in by mail is off; set SMTP_HOST or SENDGRID_API_KEY", nil
}
