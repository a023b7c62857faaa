package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"agnes/domain"
)

type loginFlags struct {
	server, email string
	secret        secretFlags
}

func (a *app) loginCommand() *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use: "login", Short: "Sign in to a server", Args: takes(),
		Long: "Sign in to a server with an e-mail address and a password. The address of the server and\n" +
			"the sign-in are saved for the other commands; the password is not.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.login(cmd, flags) },
	}
	cmd.Flags().StringVar(&flags.server, "server", "", "address of the server (default: AGNES_SERVER, the saved one, or "+defaultServer+")")
	cmd.Flags().StringVar(&flags.email, "email", "", "your e-mail address")
	flags.secret.add(cmd)
	return cmd
}

func (a *app) login(cmd *cobra.Command, flags loginFlags) error {
	server, err := a.loginServer(flags.server)
	if err != nil {
		return err
	}
	if flags.email == "" && flags.secret.fromStdin {
		return usagef("--password-stdin needs --email: standard input holds the password only")
	}
	if flags.email == "" {
		if flags.email, err = a.ask(cmd, "E-mail: "); err != nil {
			return err
		}
	}
	if flags.email = strings.TrimSpace(flags.email); flags.email == "" {
		return usagef("an e-mail address is missing: give it with --email")
	}
	warnUnencrypted(cmd, server)
	password, err := a.secret(cmd, flags.secret)
	if err != nil {
		return err
	}
	body := map[string]string{"email": flags.email, "password": password}
	var answer struct {
		AccessToken string `json:"access_token"`
		Email       string `json:"email"`
	}
	c := a.newClient(server, "")
	if err := c.call(cmd.Context(), http.MethodPost, "/auth/token", body, &answer); err != nil {
		return err
	}
	if answer.AccessToken == "" {
		return c.notAgnes()
	}
	if answer.Email == "" {
		answer.Email = flags.email
	}
	if err := a.saveSignIn(signIn{AccessToken: answer.AccessToken, Email: answer.Email, Server: server}); err != nil {
		return err
	}
	a.warnOtherServer(cmd, server)
	return tell(cmd, "Signed in at %s as %s.", server, answer.Email)
}

// warnOtherServer says when the environment names another server than the one
// that was just signed in to.
func (a *app) warnOtherServer(cmd *cobra.Command, server string) {
	other := a.env.Getenv("AGNES_SERVER")
	if used, err := serverURL(other); other == "" || (err == nil && used == server) {
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "AGNES_SERVER is set to %s, so the other commands ask that server. Unset it to use this one.\n", clean(other))
}

func (a *app) loginServer(flag string) (string, error) {
	if flag != "" {
		return serverURL(flag)
	}
	return a.server()
}

// warnUnencrypted says when a password would cross a network in clear text.
func warnUnencrypted(cmd *cobra.Command, server string) {
	u, err := url.Parse(server)
	if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s is not encrypted: everybody on the way can read the password. Use https:// where the server offers it.\n", server)
	}
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "End the saved sign-in and forget it", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.logout(cmd) },
	}
}

func (a *app) logout(cmd *cobra.Command) error {
	dir, err := a.configDir()
	if err != nil {
		return err
	}
	a.endSignIn(cmd)
	text := "Signed out: the saved sign-in is gone."
	switch err := os.Remove(filepath.Join(dir, "token.json")); {
	case errors.Is(err, fs.ErrNotExist):
		text = "There was no saved sign-in."
	case err != nil:
		return domain.E(domain.Internal, "logout", "The saved sign-in cannot be removed: %s.", reason(err))
	}
	if a.env.Getenv("AGNES_TOKEN") != "" {
		text += " AGNES_TOKEN is still set and signs you in."
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

// endSignIn ends the saved access token at its server, where that can be
// reached. A personal token is for programs and goes on working.
func (a *app) endSignIn(cmd *cobra.Command) {
	saved, err := a.readSignIn()
	if err != nil || saved.AccessToken == "" || saved.Server == "" {
		return
	}
	if c, ok := parseClaims(saved.AccessToken); !ok || c.Type != "session" {
		if ok && c.Type == "pat" {
			fmt.Fprintln(cmd.ErrOrStderr(), "The saved personal token goes on working elsewhere. End it with: agnes auth token revoke")
		}
		return
	}
	err = a.newClient(saved.Server, saved.AccessToken).call(cmd.Context(), http.MethodPost, "/auth/logout", nil, nil)
	if err != nil && statusOf(err) != http.StatusUnauthorized {
		fmt.Fprintf(cmd.ErrOrStderr(), "The server could not be told, so the access token works for up to a day more: %s\n", clean(err.Error()))
	}
}

// reason is the last word of a file error, without its path.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	var linkError *os.LinkError
	if errors.As(err, &linkError) {
		return linkError.Err.Error()
	}
	return err.Error()
}
