package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agnes/domain"
)

const grantsPath = "/api/admin/grants"

// grant is one grant of GET /api/admin/grants.
type grant struct {
	ID           string `json:"id"`
	GroupID      string `json:"group_id"`
	GroupName    string `json:"group_name"`
	ResourceType string `json:"resource_type"`
	ResourceID   string `json:"resource_id"`
	ExpiresAt    string `json:"expires_at"`
	Reason       string `json:"reason"`
}

func (a *app) grantListCommand() *cobra.Command {
	var kind, groupRef string
	grants := func(ctx context.Context, c *client, _ []string) (json.RawMessage, error) {
		filter := url.Values{}
		if kind != "" {
			filter.Set("resource_type", kind)
		}
		if groupRef != "" {
			g, err := findGroup(ctx, c, groupRef)
			if err != nil {
				return nil, err
			}
			filter.Set("group_id", g.id)
		}
		path := grantsPath
		if len(filter) > 0 {
			path += "?" + filter.Encode()
		}
		var raw json.RawMessage
		err := c.get(ctx, path, &raw)
		return raw, err
	}
	cmd := a.listing("list", "List the grants", takes(), grants, func(cmd *cobra.Command, raw json.RawMessage) error {
		var grants []grant
		if err := decode(raw, &grants); err != nil {
			return err
		}
		if len(grants) == 0 {
			return none(cmd, "There is no such grant.")
		}
		rows := make([][]string, len(grants))
		for i, g := range grants {
			rows[i] = []string{g.ID, g.GroupName, g.ResourceType, g.ResourceID, g.ExpiresAt, g.Reason}
		}
		return writeTable(cmd.OutOrStdout(), []string{"ID", "GROUP", "TYPE", "RESOURCE", "ENDS", "REASON"}, rows)
	})
	cmd.Flags().StringVar(&kind, "type", "", "only grants on this type of resource, such as table")
	cmd.Flags().StringVar(&groupRef, "group", "", "only grants of this group, by its name or id")
	return cmd
}

func (a *app) grantCreateCommand() *cobra.Command {
	var expires, reason string
	cmd := a.action("create GROUP TYPE RESOURCE", "Let a group read a resource, such as: create Analysts table orders", takes("GROUP", "TYPE", "RESOURCE"),
		func(cmd *cobra.Command, c *client, args []string) error {
			g, err := findGroup(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			resource := args[2]
			if args[1] == "table" { // a grant on a table that is not there would open nothing
				found, err := findTables(cmd.Context(), c, args[2:])
				if err != nil {
					return err
				}
				resource = found[0].id
			}
			body := map[string]string{"group_id": g.id, "resource_type": args[1], "resource_id": resource}
			until := ""
			if expires != "" {
				end, err := endOf(expires, a.env.Now())
				if err != nil {
					return err
				}
				body["expires_at"] = end.UTC().Format(time.RFC3339)
				until = " until " + body["expires_at"]
			}
			if reason != "" {
				body["reason"] = reason
			}
			var made grant
			if err := c.call(cmd.Context(), http.MethodPost, grantsPath, body, &made); err != nil {
				return err
			}
			return tell(cmd, "Members of %s may now read %s %s%s (grant id %s).", g.name, args[1], resource, until, made.ID)
		})
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: 30d, 12h, 2027-03-31 or 2027-03-31T18:00:00Z; a day ends with itself")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who look at it later")
	return cmd
}

// endOf reads when a grant ends: a number of days or hours from now, a day by
// UTC, at whose end it is, or a moment.
func endOf(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	return time.Time{}, domain.E(domain.Invalid, "bad_argument", "--expires takes 30d, 12h, 2027-03-31 or 2027-03-31T18:00:00Z, and got %q.", text)
}

func (a *app) grantDeleteCommand() *cobra.Command {
	return a.action("delete GRANT", "Take back a grant, by its id", takes("GRANT"),
		func(cmd *cobra.Command, c *client, args []string) error {
			var grants []grant
			if err := c.get(cmd.Context(), grantsPath, &grants); err != nil {
				return err
			}
			things := make([]named, len(grants))
			for i, g := range grants {
				things[i] = named{id: g.ID, name: g.GroupName + " " + g.ResourceType + " " + g.ResourceID, opaque: true}
			}
			found, err := pick("grant", args[0], things)
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, grantsPath+"/"+url.PathEscape(found.id), nil, nil); err != nil {
				return err
			}
			return tell(cmd, "Took back the grant %s (id %s).", found.name, found.id)
		})
}

func (a *app) resourceTypesCommand() *cobra.Command {
	return a.listing("resource-types", "List the types of resources that can be granted", takes(), load("/api/admin/resource-types"),
		func(cmd *cobra.Command, raw json.RawMessage) error {
			var types []struct {
				Key      string `json:"key"`
				Name     string `json:"display_name"`
				IDFormat string `json:"id_format"`
			}
			if err := decode(raw, &types); err != nil {
				return err
			}
			rows := make([][]string, len(types))
			for i, t := range types {
				rows[i] = []string{t.Key, t.Name, t.IDFormat}
			}
			return writeTable(cmd.OutOrStdout(), []string{"TYPE", "NAME", "IDS LOOK LIKE"}, rows)
		})
}
