package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"agnes/domain"
)

// personalToken is a token as the server lists it.
type personalToken struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Prefix     string  `json:"prefix"`
	Scope      string  `json:"scope"`
	ExpiresAt  *string `json:"expires_at"`
	LastUsedAt *string `json:"last_used_at"`
	RevokedAt  *string `json:"revoked_at"`
}

type importFlags struct {
	token, server, email string
	skip                 bool
}

func (a *app) importTokenCommand() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use: "import-token", Short: "Save a personal token as the sign-in", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.importToken(cmd, flags) },
	}
	cmd.Flags().StringVar(&flags.token, "token", "", "the token; without it, it is asked for")
	cmd.Flags().StringVar(&flags.server, "server", "", "address of the server (default: AGNES_SERVER, the saved one, or "+defaultServer+")")
	cmd.Flags().StringVar(&flags.email, "email", "", "whose token it is (default: what the token says)")
	cmd.Flags().BoolVar(&flags.skip, "skip-verify", false, "do not ask the server whether it takes the token")
	return cmd
}

func (a *app) importToken(cmd *cobra.Command, flags importFlags) error {
	server, err := a.loginServer(flags.server)
	if err != nil {
		return err
	}
	if flags.token == "" {
		if flags.token, err = a.ask(cmd, "Token: "); err != nil {
			return err
		}
	}
	if flags.token = strings.TrimSpace(flags.token); flags.token == "" {
		return usagef("a token is missing: give it with --token")
	}
	if c, ok := parseClaims(flags.token); ok && flags.email == "" {
		flags.email = c.Email
	}
	warnUnencrypted(cmd, server)
	if !flags.skip {
		err := a.newClient(server, flags.token).call(cmd.Context(), http.MethodGet, "/api/catalog/tables", nil, nil)
		if err != nil && statusOf(err) != http.StatusForbidden { // a token of another scope is a token
			return err
		}
	}
	if err := a.saveSignIn(signIn{AccessToken: flags.token, Email: flags.email, Server: server}); err != nil {
		return err
	}
	a.warnOtherServer(cmd, server)
	return tell(cmd, "The token is saved for %s.", server)
}

type tokenCreateFlags struct {
	name, ttl, scope string
	raw, asJSON      bool
}

func (a *app) tokenCreateCommand() *cobra.Command {
	var flags tokenCreateFlags
	cmd := &cobra.Command{
		Use: "create", Short: "Make a personal token, which is shown once", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.tokenCreate(cmd, flags) },
	}
	cmd.Flags().StringVar(&flags.name, "name", "", "what it is for")
	cmd.Flags().StringVar(&flags.ttl, "ttl", "90d", "days that it works, such as 30d, or never")
	cmd.Flags().StringVar(&flags.scope, "scope", "general", "general, or some of read, query, sync and admin with commas between")
	cmd.Flags().BoolVar(&flags.raw, "raw", false, "print the token only")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tokenCreate(cmd *cobra.Command, flags tokenCreateFlags) error {
	if strings.TrimSpace(flags.name) == "" {
		return usagef("a token needs a name: give it with --name")
	}
	days, err := lifetime(flags.ttl)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	var answer json.RawMessage
	body := map[string]any{"name": flags.name, "scope": flags.scope, "expires_in_days": days}
	if err := c.call(cmd.Context(), http.MethodPost, "/auth/tokens", body, &answer); err != nil {
		return err
	}
	if flags.asJSON {
		return writeJSON(cmd.OutOrStdout(), answer)
	}
	var made struct {
		personalToken
		Token string `json:"token"`
	}
	if err := json.Unmarshal(answer, &made); err != nil || made.Token == "" {
		return c.notAgnes()
	}
	if !flags.raw {
		fmt.Fprintf(cmd.ErrOrStderr(), "Token %s (%s), until %s. It is shown this once:\n", clean(made.Name), clean(made.Prefix), clean(orNever(made.ExpiresAt)))
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), clean(made.Token))
	return err
}

// lifetime reads days such as 90d, nil for never.
func lifetime(text string) (*int, error) {
	if text == "never" {
		return nil, nil //nolint:nilnil // never is a lifetime
	}
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil || n < 1 || !strings.HasSuffix(text, "d") {
		return nil, usagef("--ttl takes days such as 90d, or never; %q is neither", text)
	}
	return &n, nil
}

func orNever(at *string) string {
	if at == nil {
		return "never"
	}
	return *at
}

func (a *app) tokenListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List your personal tokens", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.tokenList(cmd, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tokenList(cmd *cobra.Command, asJSON bool) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var answer json.RawMessage
	if err := c.get(cmd.Context(), "/auth/tokens", &answer); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), answer)
	}
	var tokens []personalToken
	if err := json.Unmarshal(answer, &tokens); err != nil {
		return c.notAgnes()
	}
	rows := make([][]string, len(tokens))
	for i, t := range tokens {
		state := "until " + orNever(t.ExpiresAt)
		switch {
		case t.RevokedAt != nil:
			state = "revoked"
		case t.ExpiresAt == nil:
			state = "works"
		}
		rows[i] = []string{t.ID, t.Name, t.Scope, state, orNever(t.LastUsedAt)}
	}
	return writeTable(cmd.OutOrStdout(), []string{"ID", "NAME", "SCOPE", "STATE", "LAST USED"}, rows)
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "revoke ID|PREFIX|NAME", Short: "Revoke one of your personal tokens", Args: takes("ID|PREFIX|NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.tokenRevoke(cmd, args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tokenRevoke(cmd *cobra.Command, which string, asJSON bool) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var tokens []personalToken
	if err := c.get(cmd.Context(), "/auth/tokens", &tokens); err != nil {
		return err
	}
	t, err := findToken(tokens, which)
	if err != nil {
		return err
	}
	if err := c.call(cmd.Context(), http.MethodDelete, "/auth/tokens/"+url.PathEscape(t.ID), nil, nil); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), map[string]string{"id": t.ID, "revoked": "now"})
	}
	return tell(cmd, "Revoked %s (%s).", clean(t.Name), clean(t.Prefix))
}

// findToken finds the one token, not yet revoked, of an id, a beginning of it,
// or a name.
func findToken(tokens []personalToken, which string) (personalToken, error) {
	var found []personalToken
	for _, t := range tokens {
		if t.ID == which {
			return t, nil
		}
		if t.RevokedAt == nil && (t.Name == which || which != "" && (t.Prefix == which || strings.HasPrefix(t.ID, which))) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return personalToken{}, domain.E(domain.NotFound, "token_not_found", "No token of yours is called %q. agnes auth token list shows them.", clean(which))
	case 1:
		return found[0], nil
	}
	return personalToken{}, domain.E(domain.Conflict, "token_ambiguous", "%d tokens of yours are called %q. Name one by its id: agnes auth token list shows them.", len(found), clean(which))
}
