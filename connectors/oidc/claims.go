package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"agnes/domain"
	"agnes/domain/people"
)

// spoken is what a provider says of a person, in a token or when asked.
type spoken struct {
	Email    string    `json:"email"`
	Verified truth     `json:"email_verified"`
	Name     string    `json:"name"`
	Hosted   string    `json:"hd"`
	Party    string    `json:"azp"`
	AuthTime *unixTime `json:"auth_time"`
	NotYet   *unixTime `json:"nbf"`
	groups   []string
	grouped  bool
	asked    error // why it was not said more when asked
}

// truth is true, or "true" as some providers write it.
type truth bool

// UnmarshalJSON takes everything else for false.
func (t *truth) UnmarshalJSON(b []byte) error {
	*t = string(b) == "true" || string(b) == `"true"`
	return nil
}

// unixTime is seconds since 1970, which may have a fraction.
type unixTime struct{ time.Time }

// UnmarshalJSON reads a number.
func (t *unixTime) UnmarshalJSON(b []byte) error {
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil || seconds < 0 || seconds > 1e11 {
		return errors.New("a time is no number of seconds")
	}
	t.Time = time.Unix(int64(seconds), 0)
	return nil
}

// Claims trades the code of a way back for what the provider says of the person.
// issuer is how the way back names the provider, "" where it does not. It fails
// with Forbidden (oauth_failed, not_fresh) for an answer that proves nothing,
// and with Unavailable while the provider does not answer.
func (p *Provider) Claims(ctx context.Context, t people.Trip, code, issuer string) (people.Claims, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return people.Claims{}, err
	}
	if issuer != "" && issuer != p.cfg.Issuer || issuer == "" && d.announcesIss {
		return people.Claims{}, rejected(errors.New("the way back names another provider"))
	}
	ctx, stop := context.WithTimeout(oidc.ClientContext(ctx, p.client), 2*p.cfg.Timeout)
	defer stop()
	token, err := p.oauth(d, t).Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return people.Claims{}, exchangeFailed(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return people.Claims{}, rejected(errors.New("the answer holds no ID token"))
	}
	id, said, err := p.verify(ctx, d, t, raw)
	if err != nil {
		return people.Claims{}, err
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return people.Claims{}, rejected(fmt.Errorf("access token: %w", brief(err)))
		}
	}
	if said.Email == "" || p.cfg.GroupsClaim != "" && !said.grouped {
		if err := p.askMore(ctx, d, token, id.Subject, said); err != nil {
			return people.Claims{}, err
		}
	}
	return p.claims(id.Subject, said), nil
}

// exchangeFailed tells a provider that refuses from one that does not answer.
func exchangeFailed(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && (refused.Response == nil || refused.Response.StatusCode < 500) {
		return rejected(fmt.Errorf("trade the code: %w", brief(err)))
	}
	return unavailable(fmt.Errorf("trade the code: %w", brief(err)))
}

// verify checks an ID token as OpenID Connect Core 3.1.3.7 asks. Its algorithm
// is one that the provider announced, and never one of a shared secret.
func (p *Provider) verify(ctx context.Context, d *discovered, t people.Trip, raw string) (*oidc.IDToken, *spoken, error) {
	now := p.cfg.Now()
	id, err := d.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: func() time.Time { return now.Add(-maxSkew) }}).Verify(ctx, raw)
	if err != nil {
		return nil, nil, rejected(fmt.Errorf("ID token: %w", brief(err)))
	}
	said, err := p.read(id)
	if err != nil {
		return nil, nil, rejected(fmt.Errorf("ID token: %w", err))
	}
	soon := now.Add(maxSkew)
	switch {
	case t.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.Nonce)) != 1:
		err = errors.New("its nonce is another one")
	case said.Party != "" && said.Party != p.cfg.ClientID, len(id.Audience) > 1 && said.Party != p.cfg.ClientID:
		err = errors.New("it was issued to another client")
	case id.IssuedAt.IsZero() || id.IssuedAt.Unix() <= 0 || id.IssuedAt.After(soon), said.NotYet != nil && said.NotYet.After(soon):
		err = errors.New("it is not valid yet")
	case id.Subject == "":
		err = errors.New("it names nobody")
	}
	if err != nil {
		return nil, nil, rejected(err)
	}
	return id, said, p.fresh(t, said)
}

// fresh fails unless somebody who shall prove anew who they are has done so.
func (p *Provider) fresh(t people.Trip, said *spoken) error {
	if !t.Fresh || p.cfg.Google && said.AuthTime == nil {
		return nil
	}
	if said.AuthTime == nil || said.AuthTime.Before(t.StartedAt.Add(-maxSkew)) {
		return domain.E(domain.Forbidden, "not_fresh", "The service did not ask you to sign in again. Sign out there, then try again.")
	}
	return nil
}

// askMore fills in what the ID token lacks from the provider's answer about the
// person. Without groups a sign-in goes on, and its claims say why.
func (p *Provider) askMore(ctx context.Context, d *discovered, token *oauth2.Token, subject string, said *spoken) error {
	if d.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := d.UserInfo(ctx, oauth2.StaticTokenSource(token))
	switch {
	case err != nil && said.Email == "":
		return unavailable(fmt.Errorf("ask about the person: %w", brief(err)))
	case err != nil:
		said.asked = fmt.Errorf("ask about the person: %w", brief(err))
		return nil
	case info.Subject != subject:
		return rejected(errors.New("the answer about the person is about another one"))
	}
	more, err := p.read(info)
	if err != nil {
		return rejected(fmt.Errorf("answer about the person: %w", err))
	}
	if said.Email == "" { // both or neither: an address is as good as who vouches for it
		said.Email, said.Verified = more.Email, more.Verified
	}
	if said.Name == "" {
		said.Name = more.Name
	}
	if !said.grouped {
		said.groups, said.grouped = more.groups, more.grouped
	}
	return nil
}

// read takes what is of use out of a token or an answer.
func (p *Provider) read(from interface{ Claims(v any) error }) (*spoken, error) {
	said := &spoken{}
	if err := from.Claims(said); err != nil {
		return nil, fmt.Errorf("read claims: %w", brief(err))
	}
	if p.cfg.GroupsClaim == "" {
		return said, nil
	}
	all := map[string]json.RawMessage{}
	if err := from.Claims(&all); err != nil {
		return nil, fmt.Errorf("read claims: %w", brief(err))
	}
	said.groups, said.grouped = groupsOf(all[p.cfg.GroupsClaim])
	return said, nil
}

// groupsOf reads a list of texts, or one text; anything else says nothing.
func groupsOf(claim json.RawMessage) ([]string, bool) {
	var list []string
	if len(claim) == 0 || string(claim) == "null" {
		return nil, false
	}
	if json.Unmarshal(claim, &list) == nil {
		return list, true
	}
	var single string
	if json.Unmarshal(claim, &single) == nil {
		if single == "" {
			return nil, true
		}
		return []string{single}, true
	}
	return nil, false
}

func (p *Provider) claims(subject string, said *spoken) people.Claims {
	c := people.Claims{
		Provider: people.ByOIDC, Subject: subject, Email: said.Email, EmailVerified: bool(said.Verified), Name: said.Name,
		Groups: said.groups, GroupsKnown: said.grouped, GroupsErr: said.asked,
	}
	if p.cfg.Google {
		c.Provider, c.HostedDomain = people.ByGoogle, said.Hosted
		c.EmailVerified = c.EmailVerified && vouched(said)
	}
	return c
}

// vouched reports whether Google can vouch for an address today: for its own,
// and for those of a company that it manages. An account with an address from
// elsewhere was that person's when it was made; the address may have passed on.
func vouched(said *spoken) bool {
	_, host, _ := strings.Cut(strings.ToLower(said.Email), "@")
	return said.Hosted != "" || slices.Contains([]string{"gmail.com", "googlemail.com"}, host)
}
