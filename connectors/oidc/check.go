package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"agnes/domain"
	"agnes/domain/config"
	"agnes/domain/settings"
)

// Check tests sign-in with one provider, without anybody signing in.
type Check struct {
	Google    bool // else the other provider
	Now       func() time.Time
	Return    string            // a page of Agnes that the provider may send people back to
	Transport http.RoundTripper // nil: the usual one
}

var _ settings.ConnectionTest = Check{}

// Section is where sign-in is set up.
func (Check) Section() string { return "auth" }

// Title names the connection.
func (k Check) Title() string {
	if k.Google {
		return "Sign-in with Google"
	}
	return "Sign-in with OpenID Connect"
}

// Ready reports whether the provider is set up at all.
func (k Check) Ready(c config.Config) bool {
	if k.Google {
		return c.Google.ClientID != ""
	}
	return c.OIDC.Issuer != ""
}

// Run asks what the provider offers, for its keys, and whether it knows Agnes.
func (k Check) Run(ctx context.Context, c config.Config, tell func(settings.Step)) {
	conf := Config{Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, ClientSecret: c.OIDC.ClientSecret.Reveal(), Now: k.Now, Transport: k.Transport}
	if k.Google {
		conf.Issuer, conf.ClientID, conf.ClientSecret, conf.Google = GoogleIssuer, c.Google.ClientID, c.Google.ClientSecret.Reveal(), true
	}
	try := func(name, fix string, do func() (string, error)) bool {
		return settings.Try(tell, k.Now, name, fix, do)
	}
	p, err := New(conf)
	if !try("Settings are whole", "Set issuer, client id and client secret; the issuer is reached by HTTPS.", func() (string, error) {
		if err != nil {
			err = domain.E(domain.Unavailable, "provider_unavailable", "Something is missing: %s.", err.Error())
		}
		return "", err
	}) {
		return
	}
	var d *discovered
	if !try("Reach the provider and read what it offers", "Check the issuer, letter by letter, and that a firewall lets this machine out.", func() (string, error) {
		d, err = p.ask(ctx, k.Now())
		if err != nil {
			return "", domain.E(domain.Unavailable, "provider_unavailable", "The provider does not answer as one, or names itself otherwise.").Because(err)
		}
		return "It answers, and names itself as set.", nil
	}) {
		return
	}
	if !try("Read its keys", "Without keys nobody's sign-in can be checked. This is the provider's to mend.", func() (string, error) { return p.keys(ctx, d) }) {
		return
	}
	try("Sign in as this client", "Check client id and secret, and that the provider knows the address of this server to send people back to.", func() (string, error) {
		return p.known(ctx, d, k.Return)
	})
}

// keys counts what signatures are checked with.
func (p *Provider) keys(ctx context.Context, d *discovered) (string, error) {
	broken := domain.E(domain.Unavailable, "provider_keys", "The provider's keys cannot be read.")
	var more struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := d.Claims(&more); err != nil {
		return "", broken.Because(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, more.JWKS, http.NoBody)
	if err != nil {
		return "", broken.Because(err)
	}
	got, err := p.client.Do(r)
	if err != nil {
		return "", broken.Because(brief(err))
	}
	defer got.Body.Close()
	var set struct {
		Keys []struct{} `json:"keys"`
	}
	if err := json.NewDecoder(got.Body).Decode(&set); err != nil || got.StatusCode != http.StatusOK || len(set.Keys) == 0 {
		return "", broken.Because(err)
	}
	return fmt.Sprintf("It publishes %d.", len(set.Keys)), nil
}

// known asks for tokens with a code that is none: a provider that refuses the
// code, and not the client, knows the client.
func (p *Provider) known(ctx context.Context, d *discovered, back string) (string, error) {
	if _, err := url.Parse(back); err != nil {
		return "", err
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.client)
	conf := &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: d.Endpoint(), RedirectURL: back}
	_, err := conf.Exchange(ctx, "agnes-connection-test")
	var refused *oauth2.RetrieveError
	switch {
	case err == nil:
		return "", domain.E(domain.Unavailable, "provider_unavailable", "The provider gave tokens for a code that is none, so it cannot be trusted.")
	case !errors.As(err, &refused):
		return "", domain.E(domain.Unavailable, "provider_unavailable", "The provider did not answer.").Because(brief(err))
	}
	switch code := strings.ToLower(refused.ErrorCode); code {
	case "invalid_grant":
		return "The provider knows client id and secret.", nil
	case "invalid_client", "unauthorized_client":
		return "", domain.E(domain.Unavailable, "provider_client", "The provider does not take client id and secret.").Because(brief(err))
	case "redirect_uri_mismatch":
		return "", domain.E(domain.Unavailable, "provider_return", "The provider may not send people back to this server.").Because(brief(err))
	}
	return "", domain.E(domain.Unavailable, "provider_unavailable", "The provider refused in words that Agnes does not know.").Because(brief(err))
}
