package config

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"agnes/domain/people"
)

func signInSpecs() []spec {
	return []spec{
		{
			Setting: Setting{Key: "auth.disabled_providers", Env: []string{"AGNES_DISABLED_SIGN_IN"}, About: "Ways to sign in that are switched off: `link`, `password`, `google`, `oidc`."},
			value:   "none", form: "some of link, password, google and oidc with commas between, or none",
			read: among(into(func(c *Config) *[]string { return &c.Auth.Disabled }, oneOfEach("a way to sign in", "link", "password", "google", "oidc")), "link", "password", "google", "oidc"),
		},
		{
			Setting: Setting{Key: "auth.limit_attempts", Env: []string{"AGNES_AUTH_RATELIMIT_ENABLED"}, About: "Whether tries to sign in are bounded by account and by address."},
			value:   "true", form: "true or false",
			read: into(func(c *Config) *bool { return &c.Auth.LimitAttempts }, yesNo),
		},
		{
			Setting: Setting{Key: "auth.session_days", Env: []string{"AGNES_SESSION_DAYS"}, About: "Days after which a browser has to sign in again, whatever happens."},
			value:   "7", form: "whole days from 1 to 90",
			read: into(func(c *Config) *time.Duration { return &c.Auth.SessionAge }, days(90)),
		},
		{
			Setting: Setting{Key: "auth.session_idle_minutes", Live: true, Env: []string{"AGNES_SESSION_IDLE_MINUTES"}, About: "Minutes without use after which a browser has to sign in again."},
			value:   "720", form: "whole minutes from 5 to 43200",
			read: into(func(c *Config) *time.Duration { return &c.Auth.SessionIdle }, minutes(5, 43200)),
		},
	}
}

func mailSpecs() []spec {
	return []spec{
		{
			Setting: Setting{Key: "mail.from", Live: true, Env: []string{"SMTP_FROM", "EMAIL_FROM_ADDRESS"}, Default: "`SMTP_USER` where that is an address", About: "Address that mail comes from."},
			form:    "an e-mail address, such as agnes@example.com",
			read:    into(func(c *Config) *string { return &c.Mail.From }, people.NormalEmail),
		},
		{
			Setting: Setting{Key: "mail.smtp_host", Live: true, Env: []string{"SMTP_HOST"}, Default: "none", About: "Server that sends mail."},
			form:    "a host name, such as smtp.example.com",
			read:    into(func(c *Config) *string { return &c.Mail.Host }, hostName),
		},
		{
			Setting: Setting{Key: "mail.smtp_port", Live: true, Env: []string{"SMTP_PORT"}, About: "Its port."},
			value:   "587", form: "a whole number from 1 to 65535",
			read: into(func(c *Config) *int { return &c.Mail.Port }, whole(65535)),
		},
		{
			Setting: Setting{Key: "mail.smtp_tls", Live: true, Env: []string{"SMTP_USE_TLS"}, About: "How the connection is encrypted: `starttls` (also `true`), `tls` from the first byte, or `none` (also `false`)."},
			value:   "starttls", form: "starttls, tls or none",
			read: chosen(into(func(c *Config) *string { return &c.Mail.TLS }, mailTLS), "starttls", "tls", "none"),
		},
		{
			Setting: Setting{Key: "mail.smtp_user", Live: true, Env: []string{"SMTP_USER"}, Default: "none", About: "Name that Agnes gives to the mail server."},
			form:    "a name of at most 200 characters",
			read:    into(func(c *Config) *string { return &c.Mail.User }, label),
		},
		{
			Setting: Setting{Key: "mail.smtp_password", Live: true, Env: []string{"SMTP_PASSWORD"}, Secret: true, Default: "none", About: "Its password there."},
			form:    "a password",
			read:    into(func(c *Config) *Secret { return &c.Mail.Password }, secret(1)),
		},
		{
			Setting: Setting{Key: "mail.sendgrid_api_key", Live: true, Env: []string{"SENDGRID_API_KEY"}, Secret: true, Default: "none", About: "Key of SendGrid, which then sends the mail in place of `SMTP_HOST`."},
			form:    "an API key",
			read:    into(func(c *Config) *Secret { return &c.Mail.SendGridKey }, secret(1)),
		},
	}
}

func providerSpecs() []spec {
	name, address := "a name of at most 200 characters", "an e-mail address, such as analysts@example.com"
	return []spec{
		{Setting: Setting{Key: "auth.google.client_id", Env: []string{"GOOGLE_CLIENT_ID"}, Default: "none", About: "Client id of Agnes at Google; switches sign-in with Google on."}, form: name, read: into(func(c *Config) *string { return &c.Google.ClientID }, label)},
		{Setting: Setting{Key: "auth.google.client_secret", Env: []string{"GOOGLE_CLIENT_SECRET"}, Secret: true, Default: "none", About: "Its secret."}, form: "a secret", read: into(func(c *Config) *Secret { return &c.Google.ClientSecret }, secret(1))},
		{Setting: Setting{Key: "auth.google.admin_subject", Env: []string{"GOOGLE_ADMIN_SDK_SUBJECT"}, Default: "none", About: "Administrator of Google Workspace in whose name groups are read."}, form: address, read: into(func(c *Config) *string { return &c.Google.AdminSubject }, people.NormalEmail)},
		{Setting: Setting{Key: "auth.google.service_account", Env: []string{"GOOGLE_ADMIN_SDK_SA_EMAIL"}, Default: "the machine's own", About: "Service account that may act for that administrator."}, form: address, read: into(func(c *Config) *string { return &c.Google.ServiceAccount }, people.NormalEmail)},
		{Setting: Setting{Env: []string{"GOOGLE_ADMIN_SDK_MOCK_GROUPS"}, Default: "none", About: "Groups that everybody is taken to be in, for trials without Workspace."}, form: "addresses of groups with commas between", read: into(func(c *Config) *[]string { return &c.Google.MockGroups }, addresses)},
		{Setting: Setting{Key: "auth.google.group_prefix", Env: []string{"AGNES_GOOGLE_GROUP_PREFIX"}, Default: "none", About: "Only Workspace groups whose address begins so count; who is in none of them does not get in."}, form: name, read: into(func(c *Config) *string { return &c.Google.GroupPrefix }, lowered)},
		{Setting: Setting{Key: "auth.google.admin_group", Env: []string{"AGNES_GROUP_ADMIN_EMAIL"}, Default: "none", About: "Workspace group whose members are administrators."}, form: address, read: into(func(c *Config) *string { return &c.Google.AdminGroup }, people.NormalEmail)},
		{Setting: Setting{Key: "auth.google.everyone_group", Env: []string{"AGNES_GROUP_EVERYONE_EMAIL"}, Default: "none", About: "Workspace group that is Everyone here."}, form: address, read: into(func(c *Config) *string { return &c.Google.EveryoneGroup }, people.NormalEmail)},
		{Setting: Setting{Key: "auth.oidc.issuer", Env: []string{"OIDC_ISSUER"}, Default: "none", About: "Address of an OpenID Connect provider; switches sign-in with it on."}, form: "a whole address, such as https://login.example.com/realms/staff", read: into(func(c *Config) *string { return &c.OIDC.Issuer }, issuer)},
		{Setting: Setting{Key: "auth.oidc.name", Env: []string{"OIDC_NAME"}, About: "What the sign-in page calls it."}, value: "single sign-on", form: name, read: into(func(c *Config) *string { return &c.OIDC.Name }, label)},
		{Setting: Setting{Key: "auth.oidc.client_id", Env: []string{"OIDC_CLIENT_ID"}, Default: "none", About: "Client id of Agnes there."}, form: name, read: into(func(c *Config) *string { return &c.OIDC.ClientID }, label)},
		{Setting: Setting{Key: "auth.oidc.client_secret", Env: []string{"OIDC_CLIENT_SECRET"}, Secret: true, Default: "none", About: "Its secret."}, form: "a secret", read: into(func(c *Config) *Secret { return &c.OIDC.ClientSecret }, secret(1))},
		{Setting: Setting{Key: "auth.oidc.scopes", Env: []string{"OIDC_SCOPES"}, About: "What is asked for."}, value: "openid,email,profile", form: "scopes with commas between", read: into(func(c *Config) *[]string { return &c.OIDC.Scopes }, words)},
		{Setting: Setting{Key: "auth.oidc.groups_claim", Env: []string{"OIDC_GROUPS_CLAIM"}, Default: "none", About: "Claim that names a person's groups, which are then kept in step."}, form: name, read: into(func(c *Config) *string { return &c.OIDC.GroupsClaim }, label)},
		{Setting: Setting{Key: "auth.oidc.admin_group", Env: []string{"OIDC_ADMIN_GROUP"}, Default: "none", About: "Group of that claim whose members are administrators."}, form: name, read: into(func(c *Config) *string { return &c.OIDC.AdminGroup }, label)},
	}
}

// oneOfEach reads a list of words that are all known, or none.
func oneOfEach(what string, known ...string) func(string) ([]string, error) {
	return func(s string) ([]string, error) {
		return namesOrNone(s, what, func(name string) bool { return slices.Contains(known, name) })
	}
}

func mailTLS(s string) (string, error) {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "starttls", "true", "1", "yes", "on":
		return "starttls", nil
	case "tls":
		return "tls", nil
	case "none", "false", "0", "no", "off":
		return "none", nil
	}
	return "", errors.New("is no way to encrypt mail")
}

func addresses(s string) ([]string, error) { return list(s, people.NormalEmail) }

func lowered(s string) (string, error) {
	s, err := label(s)
	return strings.ToLower(s), err
}

func words(s string) ([]string, error) {
	return list(s, func(word string) (string, error) {
		if strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", errors.New("has a character that is in no scope")
		}
		return word, nil
	})
}

// issuer is an address, letter by letter as the provider's tokens name it.
func issuer(s string) (string, error) {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", errors.New("is no whole address")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "", strings.HasSuffix(s, "#"):
		return "", errors.New("has more than scheme, host, port and path")
	}
	return s, nil
}

func networks(s string) ([]netip.Prefix, error) {
	names, err := namesOrNone(s, "an address or network", func(name string) bool { _, err := network(name); return err == nil })
	if err != nil {
		return nil, err
	}
	all := make([]netip.Prefix, len(names))
	for i, name := range names {
		if all[i], err = network(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func network(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
