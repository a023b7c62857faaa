package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

const registryPath = "/api/admin/registry"

// registered is one table of GET /api/admin/registry; every field may be null.
type registered struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	SourceType    *string `json:"source_type"`
	Bucket        *string `json:"bucket"`
	SourceTable   *string `json:"source_table"`
	QueryMode     *string `json:"query_mode"`
	SyncSchedule  *string `json:"sync_schedule"`
	LastSyncError *string `json:"last_sync_error"`
}

type registryAnswer struct {
	Tables []registered `json:"tables"`
}

func (a *app) listTablesCommand() *cobra.Command {
	return a.listing("list-tables", "List the registered tables", takes(), load(registryPath),
		func(cmd *cobra.Command, raw json.RawMessage) error {
			var answer registryAnswer
			if err := decode(raw, &answer); err != nil {
				return err
			}
			if len(answer.Tables) == 0 {
				return none(cmd, "No table is registered. Register one with: agnes admin register-table NAME")
			}
			rows := make([][]string, len(answer.Tables))
			for i, t := range answer.Tables {
				source := text(t.SourceType)
				if from := text(t.Bucket) + " " + text(t.SourceTable); from != " " {
					source += ": " + from
				}
				rows[i] = []string{t.ID, t.Name, dash(cut(source, 50)), dash(text(t.QueryMode)), dash(text(t.SyncSchedule)), dash(cut(text(t.LastSyncError), 60))}
			}
			return writeTable(cmd.OutOrStdout(), []string{"ID", "NAME", "SOURCE", "MODE", "SCHEDULE", "LAST ERROR"}, rows)
		})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// findTables resolves refs, ids or names, to registered tables.
func findTables(ctx context.Context, c *client, refs []string) ([]named, error) {
	var answer registryAnswer
	if err := c.get(ctx, registryPath, &answer); err != nil {
		return nil, err
	}
	things := make([]named, len(answer.Tables))
	for i, t := range answer.Tables {
		things[i] = named{id: t.ID, name: t.Name}
	}
	found := make([]named, len(refs))
	for i, ref := range refs {
		var err error
		if found[i], err = pick("table", ref, things); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (a *app) unregisterTableCommand() *cobra.Command {
	var yes bool
	cmd := a.action("unregister-table TABLE", "Take a table, by its id or name, out of the registry", takes("TABLE"),
		func(cmd *cobra.Command, c *client, args []string) error {
			found, err := findTables(cmd.Context(), c, args)
			if err != nil {
				return err
			}
			table := found[0]
			if !yes {
				if err := a.confirm(cmd, "Unregister "+table.name+" (id "+table.id+")? People cannot query or pull it any more."); err != nil {
					return err
				}
			}
			if err := c.call(cmd.Context(), http.MethodDelete, registryPath+"/"+url.PathEscape(table.id), nil, nil); err != nil {
				return err
			}
			return tell(cmd, "Unregistered %s (id %s).", table.name, table.id)
		})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
