package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"agnes/domain"
)

// registration is what register-table sends: only the fields that were given.
type registration map[string]any

// textFlags are the flags whose text goes into the field of that name.
var textFlags = []struct{ flag, field, about string }{
	{"source-type", "source_type", "keboola, bigquery, jira or local"},
	{"bucket", "bucket", "bucket, dataset or folder in the source"},
	{"source-table", "source_table", "name of the table or file in the source"},
	{"query-mode", "query_mode", "local, remote or materialized"},
	{"description", "description", "what the rows are, for those who search"},
	{"sync-schedule", "sync_schedule", `such as "every 6h" or "daily 07:00"`},
	{"sync-strategy", "sync_strategy", "full_refresh, incremental or partitioned"},
	{"partition-by", "partition_by", "column to partition by"},
	{"partition-granularity", "partition_granularity", "day, month or year"},
}

// numberFlags are the flags whose number goes into the field of that name.
var numberFlags = []struct{ flag, field, about string }{
	{"incremental-window-days", "incremental_window_days", "days to read again at each incremental sync"},
	{"max-history-days", "max_history_days", "days of history to keep"},
	{"initial-load-chunk-days", "initial_load_chunk_days", "days per request of a first load"},
}

func (a *app) registerTableCommand() *cobra.Command {
	var dryRun bool
	cmd := a.action("register-table NAME", "Register a table", takes("NAME"),
		func(cmd *cobra.Command, c *client, args []string) error {
			body, err := readRegistration(cmd, args[0])
			if err != nil {
				return err
			}
			if dryRun {
				var raw json.RawMessage
				if err := c.call(cmd.Context(), http.MethodPost, "/api/admin/register-table/precheck", body, &raw); err != nil {
					return err
				}
				return writeJSON(cmd.OutOrStdout(), raw)
			}
			return register(cmd, c, args[0], body)
		})
	for _, f := range textFlags {
		cmd.Flags().String(f.flag, "", f.about)
	}
	for _, f := range numberFlags {
		cmd.Flags().Int(f.flag, 0, f.about)
	}
	cmd.Flags().String("query", "", "SQL of a materialized table, or @FILE that holds it")
	cmd.Flags().String("primary-key", "", "columns of the key, with commas between")
	cmd.Flags().String("where-filters-json", "", "filters as JSON, or @FILE that holds them")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "let the server check, and register nothing")
	return cmd
}

func readRegistration(cmd *cobra.Command, name string) (registration, error) {
	body := registration{"name": name}
	flags := cmd.Flags()
	for _, f := range textFlags {
		if flags.Changed(f.flag) {
			body[f.field] = flags.Lookup(f.flag).Value.String()
		}
	}
	for _, f := range numberFlags {
		if flags.Changed(f.flag) {
			n, err := flags.GetInt(f.flag)
			if err != nil {
				return nil, fmt.Errorf("read --%s: %w", f.flag, err)
			}
			body[f.field] = n
		}
	}
	if flags.Changed("query") {
		sql, err := textOrFile(flags.Lookup("query").Value.String())
		if err != nil {
			return nil, err
		}
		body["source_query"] = sql
	}
	if flags.Changed("primary-key") {
		var columns []string
		for column := range strings.SplitSeq(flags.Lookup("primary-key").Value.String(), ",") {
			columns = append(columns, strings.TrimSpace(column))
		}
		body["primary_key"] = columns
	}
	if flags.Changed("where-filters-json") {
		filters, err := textOrFile(flags.Lookup("where-filters-json").Value.String())
		if err != nil {
			return nil, err
		}
		if !json.Valid([]byte(filters)) {
			return nil, usagef("--where-filters-json is not JSON")
		}
		body["where_filters"] = json.RawMessage(filters)
	}
	return body, nil
}

// textOrFile is the text itself, or with @ before it the content of that file.
func textOrFile(text string) (string, error) {
	name, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return text, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", usagef("the file %s cannot be read: %s", clean(name), reason(err))
	}
	return string(data), nil
}

func register(cmd *cobra.Command, c *client, name string, body registration) error {
	var answer struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	err := c.call(cmd.Context(), http.MethodPost, "/api/admin/register-table", body, &answer)
	if statusOf(err) == http.StatusConflict {
		// Scripts that register what may be there already rely on exit code 0.
		return tell(cmd, "%s was not registered anew. %s", name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if err != nil {
		return err
	}
	if answer.ID == "" {
		return domain.E(domain.Unavailable, "unexpected_answer", "The server does not say which id %s has. Look with: agnes admin list-tables", name)
	}
	if answer.Name == "" {
		answer.Name = name
	}
	return tell(cmd, "%s", strings.TrimSpace(fmt.Sprintf("Registered %s (id %s). %s", answer.Name, answer.ID, answer.Message)))
}
