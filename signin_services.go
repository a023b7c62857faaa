package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"agnes/connectors/google"
	"agnes/connectors/oidc"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/handlers/pages"
)

// signInServices are the services that people may sign in with: those that are
// configured whole and not switched off. Problems name what is only begun, so
// that nobody wonders where its button is.
func signInServices(cfg config.Config) (services []pages.Service, problems []string) {
	add := func(method people.Method, name string, c oidc.Config, missing []string) {
		switch {
		case slices.Contains(cfg.Auth.Disabled, string(method)), len(missing) == 0 && c.ClientID == "":
			return
		case len(missing) > 0:
			problems = append(problems, fmt.Sprintf("sign-in with %s is off, for lack of %s", name, strings.Join(missing, " and ")))
			return
		}
		c.Now = clock
		provider, err := oidc.New(c)
		if err != nil {
			problems = append(problems, fmt.Sprintf("sign-in with %s is off: %v", name, err))
			return
		}
		services = append(services, pages.Service{Method: method, Name: name, Client: provider})
	}
	g, o := cfg.Google, cfg.OIDC
	add(people.ByGoogle, "Google", oidc.Config{
		Issuer: oidc.GoogleIssuer, ClientID: g.ClientID, ClientSecret: g.ClientSecret.Reveal(), Google: true,
		Scopes: []string{"openid", "email", "profile"}, HostedDomains: cfg.Auth.AllowedDomains,
	}, missing(map[string]bool{"GOOGLE_CLIENT_ID": g.ClientID != "", "GOOGLE_CLIENT_SECRET": g.ClientSecret.Set()}))
	add(people.ByOIDC, o.Name, oidc.Config{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Scopes: o.Scopes, GroupsClaim: o.GroupsClaim,
	}, missing(map[string]bool{"OIDC_ISSUER": o.Issuer != "", "OIDC_CLIENT_ID": o.ClientID != "", "OIDC_CLIENT_SECRET": o.ClientSecret.Set()}))
	return services, problems
}

// missing names what is not set where some of it is.
func missing(set map[string]bool) []string {
	var names []string
	for name, there := range set {
		if !there {
			names = append(names, name)
		}
	}
	if len(names) == len(set) {
		return nil
	}
	slices.Sort(names)
	return names
}

// federation decides whom the services let in.
func (a *app) federation() *people.Federation {
	g, o := a.cfg.Google, a.cfg.OIDC
	byGoogle, byOIDC := people.Service{Hosted: true}, people.Service{}
	if g.AdminSubject != "" || len(g.MockGroups) > 0 || g.GroupPrefix != "" { // a prefix that cannot be checked lets no stranger in
		byGoogle.Directory = a.googleGroups()
		byGoogle.Rules = &people.GroupRules{
			Source: people.ByGoogleSync, CreatedBy: people.MadeByGoogle, Prefix: g.GroupPrefix, Admin: g.AdminGroup, Everyone: g.EveryoneGroup,
		}
	}
	if o.GroupsClaim != "" {
		byOIDC.Rules = &people.GroupRules{Source: people.ByOIDCSync, CreatedBy: people.MadeByOIDC, Admin: o.AdminGroup}
	}
	return &people.Federation{
		Store: a.store, AllowedDomains: a.cfg.Auth.AllowedDomains, Log: a.log,
		Services: map[people.Method]people.Service{people.ByGoogle: byGoogle, people.ByOIDC: byOIDC},
	}
}

func (a *app) googleGroups() people.Directory {
	g := a.cfg.Google
	if len(g.MockGroups) > 0 {
		return google.FixedGroups(g.MockGroups)
	}
	// A key file that cannot be found is the operator's to mend: the groups then stay as they are.
	file, _ := a.remotePolicy().Token("GOOGLE_APPLICATION_CREDENTIALS")
	return google.Directory{
		Subject: g.AdminSubject, Account: g.ServiceAccount, KeyFile: file,
		Directory: google.DirectoryURL, Signing: google.SigningURL, Exchange: google.ExchangeURL, Metadata: google.AccountURL,
		Client: &http.Client{Timeout: 10 * time.Second}, Now: clock,
	}
}

// callbackBase is the address that services send browsers back to, "" for that
// of the request.
func (a *app) callbackBase() string {
	switch {
	case a.cfg.Server.URL != nil:
		return strings.TrimSuffix(a.cfg.Server.URL.String(), "/")
	case a.cfg.Server.Domain != "":
		return "https://" + a.cfg.Server.Domain
	}
	return ""
}

// tellSignIn logs who may come in through other services, and what is set up
// by half.
func (a *app) tellSignIn() {
	services, problems := signInServices(a.cfg)
	for _, problem := range append(problems, groupProblems(a.cfg)...) {
		a.log.Warn("sign-in is not set up as it was begun", "problem", problem)
	}
	for _, s := range services {
		who := cmp.Or(strings.Join(a.cfg.Auth.AllowedDomains, ","), "people with an account only; auth.allowed_domain names domains whose people get one")
		a.log.Info("sign-in through a service", "provider", string(s.Method), "lets_in", who)
	}
}

// groupProblems names settings of groups that have no effect.
func groupProblems(cfg config.Config) []string {
	var problems []string
	g, o := cfg.Google, cfg.OIDC
	synced := g.AdminSubject != "" || len(g.MockGroups) > 0
	for name, group := range map[string]string{"AGNES_GROUP_ADMIN_EMAIL": g.AdminGroup, "AGNES_GROUP_EVERYONE_EMAIL": g.EveryoneGroup, "AGNES_GOOGLE_GROUP_PREFIX": g.GroupPrefix} {
		switch {
		case group != "" && !synced && name == "AGNES_GOOGLE_GROUP_PREFIX":
			problems = append(problems, name+" lets nobody new in with Google: without GOOGLE_ADMIN_SDK_SUBJECT no groups can be read")
		case group != "" && !synced:
			problems = append(problems, name+" has no effect without GOOGLE_ADMIN_SDK_SUBJECT")
		case group != "" && !strings.HasPrefix(group, g.GroupPrefix):
			problems = append(problems, name+" does not begin with AGNES_GOOGLE_GROUP_PREFIX, so it never counts")
		}
	}
	if len(g.MockGroups) > 0 {
		problems = append(problems, "GOOGLE_ADMIN_SDK_MOCK_GROUPS puts everybody into the same groups; it is for trials only")
	}
	if o.AdminGroup != "" && o.GroupsClaim == "" {
		problems = append(problems, "auth.oidc.admin_group has no effect without auth.oidc.groups_claim")
	}
	slices.Sort(problems)
	return problems
}

// examineSignIn is what the doctor says of the services.
func examineSignIn(cfg config.Config) (string, error) {
	services, problems := signInServices(cfg)
	if problems = append(problems, groupProblems(cfg)...); len(problems) > 0 {
		return "", fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.Name
	}
	return cmp.Or(strings.Join(names, ", "), "no other service is set up"), nil
}
