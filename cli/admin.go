package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"agnes/domain"
)

func (a *app) adminCommand() *cobra.Command {
	return family("admin", "Manage tables, people, groups and grants (administrators only)",
		a.listTablesCommand(), a.registerTableCommand(), a.unregisterTableCommand(), a.syncCommand(),
		a.addUserCommand(), a.listUsersCommand(), a.removeUserCommand(), a.switchUserCommand(true), a.switchUserCommand(false),
		a.setPasswordCommand(), a.resetPasswordCommand(), a.setRoleCommand(), a.accessCommand(),
		family("group", "Manage groups",
			a.groupListCommand(), a.groupCreateCommand(), a.groupDeleteCommand(),
			a.groupMembersCommand(), a.groupAddMemberCommand(), a.groupRemoveMemberCommand()),
		family("grant", "Manage who may read what",
			a.grantListCommand(), a.grantCreateCommand(), a.grantDeleteCommand(), a.resourceTypesCommand()),
	)
}

// action makes a command that needs a signed-in client.
func (a *app) action(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *client, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			return run(cmd, c, args)
		},
	}
}

// listing makes a command that prints a list: as the server's JSON, or by show.
func (a *app) listing(use, short string, args cobra.PositionalArgs,
	load func(ctx context.Context, c *client, args []string) (json.RawMessage, error),
	show func(cmd *cobra.Command, raw json.RawMessage) error,
) *cobra.Command {
	var asJSON bool
	cmd := a.action(use, short, args, func(cmd *cobra.Command, c *client, args []string) error {
		raw, err := load(cmd.Context(), c, args)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(cmd.OutOrStdout(), raw)
		}
		return show(cmd, raw)
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// load returns a loader of one path.
func load(path string) func(context.Context, *client, []string) (json.RawMessage, error) {
	return func(ctx context.Context, c *client, _ []string) (json.RawMessage, error) {
		var raw json.RawMessage
		err := c.get(ctx, path, &raw)
		return raw, err
	}
}

// decode reads a list that the server sent.
func decode(raw json.RawMessage, out any) error {
	if err := json.Unmarshal(raw, out); err != nil {
		return domain.E(domain.Unavailable, "unexpected_answer", "The server's answer does not look as expected (%s). Client and server may be of different releases.", err)
	}
	return nil
}

// confirm asks before something is lost. Anything but yes is no.
func (a *app) confirm(cmd *cobra.Command, question string) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", clean(question))
	answer, err := a.line(cmd.Context())
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return domain.E(domain.Cancelled, "not_confirmed", "Nothing was changed. Answer y, or use -y.")
}

// tell prints one sentence about what was done.
func tell(cmd *cobra.Command, format string, args ...any) error {
	_, err := fmt.Fprintln(cmd.OutOrStdout(), clean(fmt.Sprintf(format, args...)))
	return err
}

// none prints a sentence instead of an empty list.
func none(cmd *cobra.Command, text string) error { return tell(cmd, "%s", text) }
