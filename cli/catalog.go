package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// catalogTable is one table of GET /api/catalog/tables.
type catalogTable struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	SourceType   string `json:"source_type"`
	SyncStrategy string `json:"sync_strategy"`
	QueryMode    string `json:"query_mode"`
}

func (a *app) catalogCommand() *cobra.Command {
	var asJSON, refresh bool
	var show string
	cmd := &cobra.Command{
		Use: "catalog", Short: "List the tables that you may read", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.catalog(cmd, show, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&show, "show", "", "show one table, by its id or name")
	cmd.Flags().BoolVar(&refresh, "refresh", false, "accepted for older scripts: the list is always fresh")
	return cmd
}

func (a *app) catalog(cmd *cobra.Command, show string, asJSON bool) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := c.get(cmd.Context(), "/api/catalog/tables", &raw); err != nil {
		return &exitError{code: exitCatalog, err: err}
	}
	if show == "" && asJSON {
		return writeJSON(cmd.OutOrStdout(), raw)
	}
	var answer struct {
		Tables []json.RawMessage `json:"tables"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return &exitError{code: exitCatalog, err: c.notAgnes()}
	}
	tables := make([]catalogTable, len(answer.Tables))
	for i, t := range answer.Tables {
		if err := json.Unmarshal(t, &tables[i]); err != nil {
			return &exitError{code: exitCatalog, err: c.notAgnes()}
		}
	}
	if show == "" {
		return printCatalog(cmd, tables)
	}
	things := make([]named, len(tables))
	for i, t := range tables {
		things[i] = named{id: t.ID, name: t.Name}
	}
	found, err := pick("table", show, things)
	if err != nil {
		return err
	}
	for i, t := range tables {
		if t.ID == found.id {
			return printTable(cmd, t, answer.Tables[i], asJSON)
		}
	}
	return nil
}

func printCatalog(cmd *cobra.Command, tables []catalogTable) error {
	if len(tables) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "There is no table that you may read. An administrator grants tables to your groups.")
		return err
	}
	rows := make([][]string, len(tables))
	for i, t := range tables {
		rows[i] = []string{t.ID, t.Name, dash(t.SourceType), dash(t.QueryMode), cut(t.Description, 60)}
	}
	return writeTable(cmd.OutOrStdout(), []string{"ID", "NAME", "SOURCE", "MODE", "DESCRIPTION"}, rows)
}

func printTable(cmd *cobra.Command, t catalogTable, raw json.RawMessage, asJSON bool) error {
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), raw)
	}
	out := cmd.OutOrStdout()
	for _, line := range [][2]string{
		{"Id", t.ID}, {"Name", t.Name}, {"Source", t.SourceType}, {"Mode", t.QueryMode}, {"Sync", t.SyncStrategy}, {"Description", t.Description},
	} {
		if _, err := fmt.Fprintf(out, "%-12s %s\n", line[0]+":", dash(clean(line[1]))); err != nil {
			return err
		}
	}
	return nil
}
