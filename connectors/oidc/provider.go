// Package oidc lets a browser sign in at an OpenID Connect provider, Google among
// them, and reads what the provider says of the person. It keeps no token: a
// provider's answer serves for one sign-in. Who may come in is decided elsewhere.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"agnes/domain"
	"agnes/domain/people"
)

// GoogleIssuer is how Google names itself.
const GoogleIssuer = "https://accounts.google.com"

// Config is one provider, and who Agnes is there.
type Config struct {
	Issuer       string // letter by letter as tokens name it
	ClientID     string
	ClientSecret string
	Scopes       []string
	GroupsClaim  string // claim with the names of groups; "": none
	Google       bool   // it is Google, which has ways of its own
	// HostedDomains are asked for at Google, which then offers accounts of them.
	HostedDomains []string
	Timeout       time.Duration // of one call; 0: ten seconds
	Transport     http.RoundTripper
	Now           func() time.Time
}

// Provider is a provider that may be down: it is asked what it offers when
// somebody signs in, not before.
type Provider struct {
	cfg    Config
	client *http.Client

	mu    sync.Mutex
	found *discovered
}

// discovered is what the provider said of itself.
type discovered struct {
	*oidc.Provider
	at           time.Time
	announcesIss bool // it names itself in the way back (RFC 9207)
}

const (
	defaultTimeout = 10 * time.Second
	// discoveryAge is how long is believed what the provider says of itself.
	discoveryAge = 12 * time.Hour
	maxAnswer    = 1 << 20
	// maxSkew is how far apart the clocks may be.
	maxSkew = time.Minute
)

// New returns a provider. It fails when the issuer is not reached by HTTPS: who
// listens in could sign in as anybody. Loopback needs none.
func New(c Config) (*Provider, error) {
	if err := safe(c.Issuer); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if c.ClientID == "" || c.ClientSecret == "" {
		return nil, errors.New("the client id and its secret are both needed")
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		c.Scopes = append([]string{oidc.ScopeOpenID}, c.Scopes...)
	}
	return &Provider{cfg: c, client: newClient(c)}, nil
}

// safe fails for an address that others could listen in on.
func safe(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return errors.New("it is no whole address")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return errors.New("it is not reached by HTTPS")
}

// discover returns what the provider offers, asking it when that is not known
// or old. What is old serves on while the provider does not answer.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	known := p.found
	p.mu.Unlock()
	now := p.cfg.Now()
	if known != nil && now.Sub(known.at) < discoveryAge {
		return known, nil
	}
	fresh, err := p.ask(ctx, now)
	if err != nil && known != nil {
		return known, nil // what was known serves on
	} else if err != nil {
		return nil, unavailable(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = fresh
	return fresh, nil
}

func (p *Provider) ask(ctx context.Context, now time.Time) (*discovered, error) {
	ctx, stop := context.WithTimeout(oidc.ClientContext(ctx, p.client), p.cfg.Timeout)
	defer stop()
	provider, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask for what it offers: %w", brief(err))
	}
	var more struct {
		JWKS string `json:"jwks_uri"`
		Iss  bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, fmt.Errorf("read what it offers: %w", brief(err))
	}
	for _, address := range []string{provider.Endpoint().AuthURL, provider.Endpoint().TokenURL, more.JWKS} {
		if err := safe(address); err != nil {
			return nil, fmt.Errorf("an address that the provider offers: %w", err)
		}
	}
	if info := provider.UserInfoEndpoint(); info != "" {
		if err := safe(info); err != nil {
			return nil, fmt.Errorf("an address that the provider offers: %w", err)
		}
	}
	return &discovered{Provider: provider, at: now, announcesIss: more.Iss}, nil
}

func (p *Provider) oauth(d *discovered, t people.Trip) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: d.Endpoint(), RedirectURL: t.Return, Scopes: p.cfg.Scopes,
	}
}

// SignInURL is where a browser goes to sign in. It fails with Unavailable while
// the provider does not answer.
func (p *Provider) SignInURL(ctx context.Context, t people.Trip) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)}
	switch {
	case t.Fresh && p.cfg.Google: // Google knows no max_age; the person has to choose an account at least
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	case t.Fresh:
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	switch {
	case !p.cfg.Google || len(p.cfg.HostedDomains) == 0:
	case len(p.cfg.HostedDomains) == 1:
		options = append(options, oauth2.SetAuthURLParam("hd", p.cfg.HostedDomains[0]))
	default:
		options = append(options, oauth2.SetAuthURLParam("hd", "*"))
	}
	return p.oauth(d, t).AuthCodeURL(t.State, options...), nil
}

// unavailable says that the provider cannot be used now.
func unavailable(cause error) error {
	return domain.E(domain.Unavailable, "provider_unavailable",
		"The service that you sign in with does not answer. Try again in a minute, or sign in another way.").Because(cause)
}

// rejected says that what the provider sent proves nothing.
func rejected(cause error) error {
	return domain.E(domain.Forbidden, "oauth_failed", "The sign-in was not completed. Try again.").Because(cause)
}

// brief shortens an error of a library, which may carry whole answers.
func brief(err error) error {
	const most = 300
	var refused *oauth2.RetrieveError
	switch text := err.Error(); {
	case errors.As(err, &refused):
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return fmt.Errorf("status %d, error %q", status, refused.ErrorCode[:min(len(refused.ErrorCode), 100)])
	case len(text) > most:
		return errors.New(strings.ToValidUTF8(text[:most], "") + "…")
	}
	return err
}
