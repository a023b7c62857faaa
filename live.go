package main

import (
	"cmp"
	"log/slog"
	"net"
	"sync"

	"agnes/connectors/files"
	"agnes/connectors/mail"
	"agnes/connectors/oidc"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/domain/settings"
	"agnes/handlers"
	"agnes/handlers/pages"
)

// liveLevel is the level of the log, as it is set now.
type liveLevel struct{ live *config.Live }

// Level implements slog.Leveler.
func (l liveLevel) Level() slog.Level { return l.live.Now().Log.Level }

// poster keeps what sends mail for as long as its settings stay.
type poster struct {
	mu     sync.Mutex
	mail   config.Mail
	brand  string
	mailer people.Mailer
}

// post is what sends mail now.
func (a *app) post() people.Post {
	m, brand := a.live.Now().Mail, a.companyName()
	p := &a.poster
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mail != m || p.brand != brand {
		mailer, err := newMailer(m, brand)
		if err != nil { // Load takes no such settings
			a.log.Error("set mail up", "err", err)
		}
		p.mail, p.brand, p.mailer = m, brand, mailer
	}
	return people.Post{Mailer: p.mailer, Brand: brand}
}

// pagesNow is what pages show of settings that may change.
func (a *app) pagesNow() pages.Current {
	cfg := a.live.Now()
	return pages.Current{Instance: a.companyName(), Mail: mailInfo(cfg.Mail), SessionIdle: cfg.Auth.SessionIdle}
}

// network is whom the server believes, as it is set now.
func (a *app) network() handlers.Network {
	cfg := a.live.Now()
	return handlers.Network{CORSOrigins: cfg.Server.CORSOrigins, TrustedOrigins: a.trustedOrigins(), Proxies: cfg.Server.Proxies, SessionIdle: cfg.Auth.SessionIdle}
}

// editor changes settings while the server runs.
func (a *app) editor() *settings.Editor {
	return &settings.Editor{Files: a.inputs, Store: a.store, Tables: a.store, Resolver: net.DefaultResolver, Live: a.live, Now: clock}
}

// tester tries the connections that settings describe.
func (a *app) tester() *settings.Tester {
	back := cmp.Or(a.callbackBase(), a.baseURL())
	return &settings.Tester{Files: a.inputs, Tests: []settings.ConnectionTest{
		mail.Check{Now: clock},
		oidc.Check{Google: true, Now: clock, Return: back + "/auth/google/callback"},
		oidc.Check{Now: clock, Return: back + "/auth/oidc/callback"},
		files.Check{Folder: a.folder, Now: clock},
	}}
}
