package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agnes/domain"
)

// claims are what a token says of itself. The client cannot check them, and
// needs not: the server does.
type claims struct {
	Subject string `json:"sub"`
	Email   string `json:"email"`
	Type    string `json:"typ"`
	Expires int64  `json:"exp"`
}

func parseClaims(token string) (claims, bool) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(data, &c) == nil
}

// identity is the output of whoami --json.
type identity struct {
	Server    string     `json:"server"`
	Email     string     `json:"email"`
	UserID    string     `json:"user_id"`
	Type      string     `json:"type"`
	ExpiresAt *time.Time `json:"expires_at"`
	Expired   bool       `json:"expired"`
}

func (a *app) whoamiCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "whoami", Short: "Say who is signed in, and until when", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.whoami(cmd, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) whoami(cmd *cobra.Command, asJSON bool) error {
	who, err := a.identity()
	if err != nil {
		return err
	}
	if asJSON {
		err = writeJSON(cmd.OutOrStdout(), who)
	} else {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), who.describe())
	}
	if err == nil && who.Expired {
		return domain.E(domain.Unauthenticated, "sign_in_expired", "This sign-in has ended. Sign in again with: agnes login --server %s", who.Server)
	}
	return err
}

// identity reads the token in use, without asking the server.
func (a *app) identity() (identity, error) {
	server, err := a.server()
	if err != nil {
		return identity{}, err
	}
	token, err := a.token(server)
	if err != nil {
		return identity{}, err
	}
	who := identity{Server: server, Email: token.Email}
	c, ok := parseClaims(token.AccessToken)
	if !ok {
		return who, nil
	}
	who.UserID, who.Type = c.Subject, c.Type
	if c.Email != "" {
		who.Email = c.Email
	}
	if c.Expires != 0 {
		at := time.Unix(c.Expires, 0).UTC()
		who.ExpiresAt, who.Expired = &at, !a.env.Now().Before(at)
	}
	return who, nil
}

func (i identity) describe() string {
	text := fmt.Sprintf("%s at %s", clean(i.Email), i.Server)
	if i.Email == "" {
		text = "Somebody at " + i.Server + ", by a token that does not say who"
	}
	if i.UserID != "" {
		text += ", user id " + clean(i.UserID)
	}
	if i.ExpiresAt == nil {
		return text + "."
	}
	return text + ", until " + i.ExpiresAt.Format("2006-01-02 15:04 MST") + "."
}
