package people

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
)

// Identities is what signing in through a service needs of the store.
type Identities interface {
	// FindFederated returns whose the account of the claims is: by its subject,
	// else by its address. NotFound; Forbidden (deactivated, identity_changed).
	FindFederated(ctx context.Context, c Claims) (User, error)
	// SignInFederated does what FindFederated does, and in the same transaction
	// makes the account where in says so, remembers the subject, replaces the
	// memberships and writes the audit rows.
	SignInFederated(ctx context.Context, by audit.Actor, in FederatedSignIn) (User, error)
	// SyncGroups replaces somebody's memberships of one source.
	SyncGroups(ctx context.Context, by audit.Actor, id UserID, s GroupSync) error
	// HasSynced reports whether somebody has a membership of a source.
	HasSynced(ctx context.Context, id UserID, source MemberSource) (bool, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// FederatedSignIn is a sign-in that all checks let through.
type FederatedSignIn struct {
	Claims Claims // its address is normal
	Create bool   // an unknown person gets an account
	Sync   *GroupSync
}

// Directory knows which groups of a service an address is in.
type Directory interface {
	Groups(ctx context.Context, email string) ([]string, error)
}

// Service is what Federation knows of one service beside its claims.
type Service struct {
	Rules     *GroupRules // nil: groups are not kept in step
	Directory Directory   // nil: groups come with the claims
	// Hosted asks for accounts that a company manages, where AllowedDomains are set.
	Hosted bool
}

// Federation lets people in whom another service vouches for.
type Federation struct {
	Store Identities
	// AllowedDomains are those of addresses that may sign in, also for the first
	// time. Without them only people with an account come in, and those whom
	// groups let in: any address may have an account at Google.
	AllowedDomains []string
	Services       map[Method]Service
	Log            *slog.Logger
}

// SignIn returns the person that the claims stand for, after the checks of
// contract 9.1 and 9.3 in their order. Who is refused gets a Forbidden error; all
// tries leave an audit row.
func (f *Federation) SignIn(ctx context.Context, client audit.Actor, c Claims) (User, error) {
	u, err := f.signIn(ctx, client, &c)
	if domain.KindOf(err) == domain.Forbidden {
		if noted := f.Refused(ctx, client, c.Provider, c.Email, err); noted != nil {
			return User{}, noted
		}
	}
	return u, err
}

func (f *Federation) signIn(ctx context.Context, client audit.Actor, c *Claims) (User, error) {
	if err := f.address(c); err != nil {
		return User{}, err
	}
	u, err := f.Store.FindFederated(ctx, *c)
	known := err == nil
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return User{}, err
	}
	groups, err := f.groups(ctx, client, *c, u)
	if err != nil {
		return User{}, err
	}
	in := FederatedSignIn{Claims: *c, Sync: groups.sync, Create: len(f.AllowedDomains) > 0 || groups.admit}
	if !known && !in.Create {
		return User{}, refuse("not_invited", "Nobody with this address has an account here. Ask an administrator for an invitation.")
	}
	return f.Store.SignInFederated(ctx, client, in)
}

// address checks what the service says of the person, and makes its address normal.
func (f *Federation) address(c *Claims) error {
	if c.Subject == "" || len(c.Subject) > 255 {
		return refuse("oauth_failed", "The service did not say whose account this is. Try again.")
	}
	email, err := NormalEmail(c.Email)
	if err != nil {
		return refuse("no_email", "The service gave no e-mail address of yours. Allow it to, or use an account that has one.")
	}
	c.Email, c.Name = email, displayName(c.Name)
	if !c.EmailVerified {
		return refuse("email_not_verified", "The service does not vouch for your e-mail address. Confirm it there, then try again.")
	}
	if len(f.AllowedDomains) == 0 {
		return nil
	}
	_, host, _ := strings.Cut(email, "@")
	if !f.allowed(host) || f.Services[c.Provider].Hosted && !f.allowed(c.HostedDomain) {
		return refuse("domain_not_allowed", "Accounts of this domain may not sign in here. Use the account of your company.")
	}
	return nil
}

func (f *Federation) allowed(host string) bool {
	return slices.ContainsFunc(f.AllowedDomains, func(d string) bool { return strings.EqualFold(d, host) })
}

// membership is what groups say about a sign-in.
type membership struct {
	admit bool // they let an unknown person in
	sync  *GroupSync
}

// groups asks for the person's groups and decides by them. What is not known
// changes no membership; a service that answers with nothing may be one that
// lacks the right to see (contract 9.3).
func (f *Federation) groups(ctx context.Context, client audit.Actor, c Claims, u User) (membership, error) {
	service := f.Services[c.Provider]
	if service.Rules == nil {
		return membership{}, nil
	}
	rules := *service.Rules
	if service.Directory != nil {
		c.Groups, c.GroupsErr = service.Directory.Groups(ctx, c.Email)
		c.GroupsKnown = c.GroupsErr == nil
		if c.GroupsKnown && len(c.Groups) == 0 { // contract 9.3: nothing is said of no group
			return f.ungrouped(ctx, rules, c, u)
		}
	}
	if why := c.noGroups(); why != nil {
		f.Log.WarnContext(ctx, "groups of a service cannot be read; memberships stay as they are", "provider", string(c.Provider), "err", why)
		return f.ungrouped(ctx, rules, Claims{}, u)
	}
	relevant := rules.relevant(c.Groups)
	s := rules.sync(relevant)
	if rules.Prefix != "" && len(relevant) == 0 {
		if u.ID != "" { // what they hold beside this sign-in ends with their groups
			if err := f.Store.SyncGroups(ctx, f.actor(client, u), u.ID, s); err != nil {
				return membership{}, err
			}
		}
		return membership{}, errNoGroup()
	}
	return membership{admit: len(relevant) > 0 && (rules.Prefix != "" || service.Directory == nil), sync: &s}, nil
}

// noGroups says why a person's groups cannot be told from the claims, nil where
// they can.
func (c Claims) noGroups() error {
	switch {
	case c.GroupsErr != nil:
		return c.GroupsErr
	case !c.GroupsKnown:
		return errors.New("the service said nothing of groups")
	case len(c.Groups) > maxGroups:
		return fmt.Errorf("the service named %d groups, more than the %d that one person is taken to be in", len(c.Groups), maxGroups)
	}
	return nil
}

// ungrouped decides where no groups are known. A prefix lets in only who is in
// such a group: somebody who was until now stays in while the service cannot say.
func (f *Federation) ungrouped(ctx context.Context, rules GroupRules, c Claims, u User) (membership, error) {
	if rules.Prefix == "" {
		return membership{}, nil
	}
	if c.GroupsKnown || u.ID == "" {
		return membership{}, errNoGroup()
	}
	was, err := f.Store.HasSynced(ctx, u.ID, rules.Source)
	if err == nil && !was {
		err = errNoGroup()
	}
	return membership{}, err
}

func errNoGroup() error {
	return refuse("not_in_allowed_group", "Your account is in no group that may use Agnes. Ask whoever looks after accounts in your company.")
}

func (f *Federation) actor(client audit.Actor, u User) audit.Actor {
	client.UserID, client.Email = string(u.ID), u.Email
	return client
}

// Refused records a try that failed, so that guessing shows.
func (f *Federation) Refused(ctx context.Context, client audit.Actor, method Method, email string, why error) error {
	client.UserID, client.Email = "anonymous", ""
	params := map[string]any{"method": string(method), "reason": domain.CodeOf(why)}
	if email, err := NormalEmail(email); err == nil {
		params["email"] = email
	}
	err := f.Store.Audit(ctx, audit.Entry{Actor: client, Action: "login_failed", Resource: "session", Result: "error.403", Params: params})
	if err != nil {
		return fmt.Errorf("record a failed sign-in: %w", err)
	}
	return nil
}
