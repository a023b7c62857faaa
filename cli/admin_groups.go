package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

const groupsPath = "/api/admin/groups"

// group is one group of GET /api/admin/groups.
type group struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Origin      string  `json:"origin"`
	Members     int     `json:"member_count"`
	Grants      int     `json:"grant_count"`
}

// member is one person of a group.
type member struct {
	UserID string `json:"user_id"`
	Email  string `json:"email"`
	Name   string `json:"name"`
	Active bool   `json:"active"`
	Source string `json:"source"`
}

func (a *app) groupListCommand() *cobra.Command {
	return a.listing("list", "List the groups", takes(), load(groupsPath), func(cmd *cobra.Command, raw json.RawMessage) error {
		var groups []group
		if err := decode(raw, &groups); err != nil {
			return err
		}
		rows := make([][]string, len(groups))
		for i, g := range groups {
			rows[i] = []string{g.ID, g.Name, dash(g.Origin), strconv.Itoa(g.Members), strconv.Itoa(g.Grants), dash(cut(text(g.Description), 60))}
		}
		return writeTable(cmd.OutOrStdout(), []string{"ID", "NAME", "ORIGIN", "MEMBERS", "GRANTS", "DESCRIPTION"}, rows)
	})
}

func findGroup(ctx context.Context, c *client, ref string) (named, error) {
	var groups []group
	if err := c.get(ctx, groupsPath, &groups); err != nil {
		return named{}, err
	}
	things := make([]named, len(groups))
	for i, g := range groups {
		things[i] = named{id: g.ID, name: g.Name, opaque: true}
	}
	return pick("group", ref, things)
}

func groupPath(g named, more string) string { return groupsPath + "/" + url.PathEscape(g.id) + more }

func (a *app) groupCreateCommand() *cobra.Command {
	var description string
	cmd := a.action("create NAME", "Make a group", takes("NAME"), func(cmd *cobra.Command, c *client, args []string) error {
		body := map[string]string{"name": args[0]}
		if description != "" {
			body["description"] = description
		}
		var made group
		if err := c.call(cmd.Context(), http.MethodPost, groupsPath, body, &made); err != nil {
			return err
		}
		return tell(cmd, "Made the group %s (id %s).", made.Name, made.ID)
	})
	cmd.Flags().StringVar(&description, "description", "", "what the group is for")
	return cmd
}

func (a *app) groupDeleteCommand() *cobra.Command {
	var yes bool
	cmd := a.action("delete GROUP", "Delete a group, by its name or id, with its grants", takes("GROUP"),
		func(cmd *cobra.Command, c *client, args []string) error {
			g, err := findGroup(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if _, atTerminal := a.terminal(); atTerminal && !yes {
				if err := a.confirm(cmd, "Delete the group "+g.name+" (id "+g.id+") with its memberships and grants?"); err != nil {
					return err
				}
			}
			if err := c.call(cmd.Context(), http.MethodDelete, groupPath(g, ""), nil, nil); err != nil {
				return err
			}
			return tell(cmd, "Deleted the group %s (id %s).", g.name, g.id)
		})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask; scripts are never asked")
	return cmd
}

func (a *app) groupMembersCommand() *cobra.Command {
	members := func(ctx context.Context, c *client, args []string) (json.RawMessage, error) {
		g, err := findGroup(ctx, c, args[0])
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		err = c.get(ctx, groupPath(g, "/members"), &raw)
		return raw, err
	}
	return a.listing("members GROUP", "List the members of a group, by its name or id", takes("GROUP"), members,
		func(cmd *cobra.Command, raw json.RawMessage) error {
			var members []member
			if err := decode(raw, &members); err != nil {
				return err
			}
			rows := make([][]string, len(members))
			for i, m := range members {
				active := "yes"
				if !m.Active {
					active = "no"
				}
				rows[i] = []string{m.UserID, m.Email, dash(m.Name), active, dash(m.Source)}
			}
			return writeTable(cmd.OutOrStdout(), []string{"USER ID", "E-MAIL", "NAME", "ACTIVE", "SOURCE"}, rows)
		})
}

func (a *app) groupAddMemberCommand() *cobra.Command {
	return a.action("add-member GROUP EMAIL", "Add a person to a group", takes("GROUP", "EMAIL"),
		func(cmd *cobra.Command, c *client, args []string) error {
			g, err := findGroup(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			who, err := findUser(cmd.Context(), c, args[1])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodPost, groupPath(g, "/members"), map[string]string{"email": who.name}, nil); err != nil {
				return err
			}
			return tell(cmd, "%s (id %s) is now a member of %s (id %s).", who.name, who.id, g.name, g.id)
		})
}

func (a *app) groupRemoveMemberCommand() *cobra.Command {
	return a.action("remove-member GROUP EMAIL", "Take a person out of a group", takes("GROUP", "EMAIL"),
		func(cmd *cobra.Command, c *client, args []string) error {
			g, err := findGroup(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			var members []member
			if err := c.get(cmd.Context(), groupPath(g, "/members"), &members); err != nil {
				return err
			}
			things := make([]named, len(members))
			for i, m := range members {
				things[i] = named{id: m.UserID, name: m.Email, opaque: true}
			}
			who, err := pick("member of "+g.name, args[1], things)
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, groupPath(g, "/members/"+url.PathEscape(who.id)), nil, nil); err != nil {
				return err
			}
			return tell(cmd, "%s (id %s) is no member of %s (id %s) any more.", who.name, who.id, g.name, g.id)
		})
}
