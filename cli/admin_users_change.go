package cli

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func userPath(u named, more string) string { return usersPath + "/" + url.PathEscape(u.id) + more }

func (a *app) removeUserCommand() *cobra.Command {
	var yes bool
	cmd := a.action("remove-user PERSON", "Delete a person, by the e-mail address or id", takes("PERSON"),
		func(cmd *cobra.Command, c *client, args []string) error {
			who, err := findUser(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if _, atTerminal := a.terminal(); atTerminal && !yes {
				if err := a.confirm(cmd, "Delete "+who.name+" (id "+who.id+") with all memberships? Deactivating can be undone, this cannot."); err != nil {
					return err
				}
			}
			if err := c.call(cmd.Context(), http.MethodDelete, userPath(who, ""), nil, nil); err != nil {
				return err
			}
			return tell(cmd, "Deleted %s (id %s).", who.name, who.id)
		})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask; scripts are never asked")
	return cmd
}

func (a *app) switchUserCommand(active bool) *cobra.Command {
	verb, short, say := "deactivate", "End all sign-ins of a person and allow no other", "%s (id %s) is deactivated and signed out everywhere."
	if active {
		verb, short, say = "activate", "Let a deactivated person sign in again", "%s (id %s) can sign in again."
	}
	return a.action(verb+" PERSON", short+", by the e-mail address or id", takes("PERSON"),
		func(cmd *cobra.Command, c *client, args []string) error {
			who, err := findUser(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodPost, userPath(who, "/"+verb), nil, nil); err != nil {
				return err
			}
			return tell(cmd, say, who.name, who.id)
		})
}

func (a *app) resetPasswordCommand() *cobra.Command {
	return a.action("reset-password PERSON", "Make a link to set another password, by the e-mail address or id", takes("PERSON"),
		func(cmd *cobra.Command, c *client, args []string) error {
			who, err := findUser(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			var made struct {
				URL  string `json:"reset_url"`
				Sent bool   `json:"email_sent"`
			}
			if err := c.call(cmd.Context(), http.MethodPost, userPath(who, "/reset-password"), nil, &made); err != nil {
				return err
			}
			if made.Sent {
				return tell(cmd, "A link to set a password was mailed to %s (id %s).", who.name, who.id)
			}
			return tell(cmd, "Hand over this link to %s (id %s), which is shown once: %s", who.name, who.id, made.URL)
		})
}

// setRoleCommand says where roles went; scripts of the predecessor may still ask (contract 10.5).
func (a *app) setRoleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "set-role", Short: "Gone: roles are groups now", Hidden: true, DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return usagef("roles are groups now: use agnes admin group add-member Admin EMAIL, or remove-member")
		},
	}
}
