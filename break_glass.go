package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/store"
)

// newBreakGlassCommand lets an administrator in from the server's own shell, when
// nobody else can. It works on the data directory, whether the server runs or not.
func newBreakGlassCommand() *cobra.Command {
	cmd := glassCommand("break-glass EMAIL", "On the server: make somebody an administrator, with a link to set a password")
	cmd.AddCommand(glassCommand("grant-admin EMAIL", "The same"))
	return cmd
}

func glassCommand(use, short string) *cobra.Command {
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return breakGlass(cmd, args[0], yes, asJSON) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func breakGlass(cmd *cobra.Command, email string, yes, asJSON bool) (err error) {
	cfg, _, err := readConfig(cmd)
	if err != nil {
		return err
	}
	if email, err = people.NormalEmail(email); err != nil {
		return err
	}
	if !yes {
		if err := confirmGlass(cmd, email); err != nil {
			return err
		}
	}
	state, err := store.OpenBeside(cmd.Context(), store.Options{Dir: cfg.Dirs.State, Now: clock, NewID: newID, Log: newLogger(cmd.ErrOrStderr(), cfg.Log.Level)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	rescue, err := people.BreakGlass(cmd.Context(), state, audit.Actor{UserID: "system:break_glass", ClientKind: "cli"}, email, clock())
	if err != nil {
		return err
	}
	return printGlass(cmd.OutOrStdout(), cfg, rescue, asJSON)
}

func confirmGlass(cmd *cobra.Command, email string) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "Make %s an active administrator and print a link that sets their password? [y/N] ", email)
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read standard input: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return domain.E(domain.Cancelled, "not_confirmed", "Nothing was changed. Answer y, or use -y.")
}

// printGlass says what was done. The link is shown here and nowhere else.
func printGlass(w io.Writer, cfg config.Config, r people.Rescue, asJSON bool) error {
	link := publicURL(cfg.Server.URL, listenAddr(cfg.Server.Addr)) + "/auth/password/setup?" +
		url.Values{"email": {r.User.Email}, "token": {r.Token}}.Encode()
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(map[string]any{
			"user_id": r.User.ID, "email": r.User.Email, "created": r.Created, "reactivated": r.Reactivated, "made_admin": r.MadeAdmin,
			"setup_url": link, "expires_at": r.ExpiresAt.UTC().Format(time.RFC3339),
		})
	}
	did := []string{"is an administrator"}
	for _, d := range []struct {
		done bool
		what string
	}{{r.Created, "a new account"}, {r.Reactivated, "active again"}, {r.MadeAdmin, "now a member of Admin"}} {
		if d.done {
			did = append(did, d.what)
		}
	}
	_, err := fmt.Fprintf(w, "%s %s.\nOpen this link to set a password. It works once, until %s.\n\n  %s\n\n",
		r.User.Email, strings.Join(did, ", "), r.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC"), link)
	return err
}

// listenAddr is a configured address as the listener of it would say it.
type listenAddr string

// Network implements net.Addr.
func (listenAddr) Network() string { return "tcp" }

// String is the address with a host that can be opened.
func (a listenAddr) String() string {
	host, port, err := net.SplitHostPort(string(a))
	if err == nil && host == "" {
		return net.JoinHostPort("localhost", port)
	}
	return string(a)
}
