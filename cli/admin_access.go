package cli

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/spf13/cobra"
)

// accessCommand says what a person may read, and why.
func (a *app) accessCommand() *cobra.Command {
	reach := func(ctx context.Context, c *client, args []string) (json.RawMessage, error) {
		who, err := findUser(ctx, c, args[0])
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		err = c.get(ctx, "/api/admin/users/"+url.PathEscape(who.id)+"/effective-access?chain=true", &raw)
		return raw, err
	}
	return a.listing("access USER", "Show what a person may read, and why", takes("USER"), reach, showAccess)
}

func showAccess(cmd *cobra.Command, raw json.RawMessage) error {
	var got struct {
		Admin bool `json:"is_admin"`
		Items []struct {
			Type string `json:"resource_type"`
			ID   string `json:"resource_id"`
			Via  []struct {
				Group     string `json:"group_name"`
				Source    string `json:"source"`
				AddedBy   string `json:"added_by"`
				GrantID   string `json:"grant_id"`
				GrantedBy string `json:"granted_by"`
				ExpiresAt string `json:"expires_at"`
				Reason    string `json:"reason"`
			} `json:"via_groups"`
		} `json:"items"`
	}
	if err := decode(raw, &got); err != nil {
		return err
	}
	if got.Admin {
		if err := tell(cmd, "An administrator reads everything, whatever is granted."); err != nil {
			return err
		}
	}
	if len(got.Items) == 0 {
		return none(cmd, "Nothing is granted to this person.")
	}
	var rows [][]string
	for _, item := range got.Items {
		for _, via := range item.Via {
			rows = append(rows, []string{item.Type, item.ID, via.Group, via.Source, via.AddedBy, via.GrantID, via.GrantedBy, via.ExpiresAt, via.Reason})
		}
	}
	return writeTable(cmd.OutOrStdout(), []string{"TYPE", "RESOURCE", "GROUP", "MEMBER BY", "ADDED BY", "GRANT", "GRANTED BY", "ENDS", "REASON"}, rows)
}
