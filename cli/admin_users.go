package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

const (
	usersPath = "/api/users"
	userPage  = 1000
)

// person is one user of GET /api/users.
type person struct {
	ID     string `json:"id"`
	Email  string `json:"email"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Active bool   `json:"active"`
	Groups []struct {
		Name string `json:"name"`
	} `json:"groups"`
}

func (a *app) addUserCommand() *cobra.Command {
	var name string
	var invite bool
	cmd := a.action("add-user EMAIL", "Add a person", takes("EMAIL"),
		func(cmd *cobra.Command, c *client, args []string) error {
			if name == "" {
				name, _, _ = strings.Cut(args[0], "@")
			}
			var added struct {
				person
				InviteURL  string `json:"invite_url"`
				InviteSent bool   `json:"invite_email_sent"`
			}
			body := map[string]any{"email": args[0], "name": name}
			if invite {
				body["send_invite"] = true
			}
			if err := c.call(cmd.Context(), http.MethodPost, usersPath, body, &added); err != nil {
				return err
			}
			switch {
			case invite && added.InviteSent:
				return tell(cmd, "Added %s (id %s). A link to set a password was mailed.", added.Email, added.ID)
			case invite && added.InviteURL != "":
				return tell(cmd, "Added %s (id %s). Hand over this link, which is shown once: %s", added.Email, added.ID, added.InviteURL)
			case invite:
				return tell(cmd, "Added %s (id %s), but no link could be made. Try: agnes admin reset-password %s", added.Email, added.ID, added.Email)
			}
			return tell(cmd, "Added %s (id %s). Set a password with: agnes admin set-password %s", added.Email, added.ID, added.Email)
		})
	cmd.Flags().StringVar(&name, "name", "", "the person's name (default: the address up to @)")
	cmd.Flags().BoolVar(&invite, "invite", false, "make a link to set a password, and mail it where mail is set up")
	return cmd
}

func (a *app) listUsersCommand() *cobra.Command {
	return a.listing("list-users", "List the people", takes(), loadUsers, func(cmd *cobra.Command, raw json.RawMessage) error {
		var people []person
		if err := decode(raw, &people); err != nil {
			return err
		}
		rows := make([][]string, len(people))
		for i, p := range people {
			groups := make([]string, len(p.Groups))
			for j, g := range p.Groups {
				groups[j] = g.Name
			}
			active := "yes"
			if !p.Active {
				active = "no"
			}
			rows[i] = []string{p.ID, p.Email, dash(p.Name), dash(p.Role), active, dash(strings.Join(groups, ", "))}
		}
		return writeTable(cmd.OutOrStdout(), []string{"ID", "E-MAIL", "NAME", "ROLE", "ACTIVE", "GROUPS"}, rows)
	})
}

// loadUsers reads all pages as one list.
func loadUsers(ctx context.Context, c *client, _ []string) (json.RawMessage, error) {
	all := []json.RawMessage{}
	for {
		var page []json.RawMessage
		if err := c.get(ctx, fmt.Sprintf("%s?limit=%d&offset=%d", usersPath, userPage, len(all)), &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < userPage {
			return marshal(all)
		}
	}
}

func findUser(ctx context.Context, c *client, ref string) (named, error) {
	raw, err := loadUsers(ctx, c, nil)
	if err != nil {
		return named{}, err
	}
	var people []person
	if err := decode(raw, &people); err != nil {
		return named{}, err
	}
	things := make([]named, len(people))
	for i, p := range people {
		things[i] = named{id: p.ID, name: p.Email, opaque: true}
	}
	return pick("person", ref, things)
}

func (a *app) setPasswordCommand() *cobra.Command {
	var secret secretFlags
	cmd := a.action("set-password PERSON", "Set the password of a person, by the e-mail address or id", takes("PERSON"),
		func(cmd *cobra.Command, c *client, args []string) error {
			who, err := findUser(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			warnUnencrypted(cmd, c.server)
			password, err := a.secret(cmd, secret)
			if err != nil {
				return err
			}
			body := map[string]string{"password": password}
			if err := c.call(cmd.Context(), http.MethodPost, usersPath+"/"+url.PathEscape(who.id)+"/set-password", body, nil); err != nil {
				return err
			}
			return tell(cmd, "The password of %s (id %s) is set.", who.name, who.id)
		})
	secret.add(cmd)
	return cmd
}
