package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const maxSQL = 1 << 20

type queryFlags struct {
	sql    string
	stdin  bool
	remote bool
	format string
	json   bool
	csv    bool
	limit  int
	capped bool // limit was given
}

func (a *app) queryCommand() *cobra.Command {
	var flags queryFlags
	cmd := &cobra.Command{
		Use: "query [SQL]", Short: "Run one reading statement on the server", Args: takes("[SQL]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.capped = cmd.Flags().Changed("limit")
			if err := flags.settle(cmd.Flags().Changed("format")); err != nil {
				return err
			}
			sql, err := a.statement(flags, args)
			if err != nil {
				return err
			}
			if kind := streamKind(flags.format); kind != "" {
				return a.queryStream(cmd, sql, kind, flags)
			}
			return a.query(cmd, sql, flags)
		},
	}
	cmd.Flags().StringVar(&flags.sql, "sql", "", "the statement, instead of the argument")
	cmd.Flags().BoolVar(&flags.stdin, "stdin", false, `read {"sql": "…"} from standard input`)
	cmd.Flags().BoolVar(&flags.remote, "remote", false, "accepted for older scripts: statements always run on the server")
	cmd.Flags().StringVarP(&flags.format, "format", "f", "table", "table, json, csv, or all rows as they come: csv-stream, tsv, ndjson or arrow")
	cmd.Flags().BoolVar(&flags.json, "json", false, "short for --format json")
	cmd.Flags().BoolVar(&flags.csv, "csv", false, "all rows as CSV as they come, or --limit of them: short for --format csv-stream")
	cmd.Flags().IntVar(&flags.limit, "limit", 1000, "most rows to fetch; all unless given for formats that stream")
	return cmd
}

// formats are what --format takes, in the order of the help.
func formats() []string {
	return []string{"table", "json", "csv", "csv-stream", "tsv", "ndjson", "arrow"}
}

// streamKind is the media type of a format that the server writes and that goes
// to standard output as it comes, "" for the others.
func streamKind(format string) string {
	switch format {
	case "csv-stream":
		return "text/csv"
	case "tsv":
		return "text/tab-separated-values"
	case "ndjson":
		return "application/x-ndjson"
	case "arrow":
		return "application/vnd.apache.arrow.stream"
	}
	return ""
}

// settle makes one format of what was given.
func (f *queryFlags) settle(named bool) error {
	if f.json && f.csv || (f.json || f.csv) && named {
		return usagef("give one of --format, --json and --csv")
	}
	if f.json {
		f.format = "json"
	}
	if f.csv {
		f.format = "csv-stream"
	}
	return nil
}

// statement is the one SQL text that was given, by one of three ways.
func (a *app) statement(flags queryFlags, args []string) (string, error) {
	if !slices.Contains(formats(), flags.format) {
		return "", usagef("--format is one of %s, not %q", strings.Join(formats(), ", "), flags.format)
	}
	if flags.limit < 1 {
		return "", usagef("--limit is at least 1, not %d", flags.limit)
	}
	given := []string{}
	if len(args) > 0 {
		given = append(given, args[0])
	}
	if flags.sql != "" {
		given = append(given, flags.sql)
	}
	if flags.stdin {
		sql, err := a.statementFromStdin()
		if err != nil {
			return "", err
		}
		given = append(given, sql)
	}
	if len(given) != 1 || strings.TrimSpace(given[0]) == "" {
		return "", usagef("give one statement: as the argument, with --sql or with --stdin")
	}
	return given[0], nil
}

func (a *app) statementFromStdin() (string, error) {
	data, err := io.ReadAll(io.LimitReader(a.stdin, maxSQL+1))
	if err != nil {
		return "", fmt.Errorf("read the statement: %w", err)
	}
	var body struct {
		SQL string `json:"sql"`
	}
	if len(data) > maxSQL || json.Unmarshal(data, &body) != nil {
		return "", usagef(`--stdin expects an object {"sql": "…"} of at most 1 MiB on standard input`)
	}
	return body.SQL, nil
}

// rowSet is the answer of POST /api/query.
type rowSet struct {
	Columns   []string `json:"columns"`
	Rows      [][]any  `json:"rows"`
	Truncated bool     `json:"truncated"`
}

func (a *app) query(cmd *cobra.Command, sql string, flags queryFlags) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	body := map[string]any{"sql": sql, "limit": flags.limit}
	var result rowSet
	if err := c.callWithin(cmd.Context(), queryTimeout, http.MethodPost, "/api/query", body, &result); err != nil {
		return err
	}
	for _, row := range result.Rows {
		if len(row) != len(result.Columns) {
			return c.notAgnes()
		}
	}
	if err := writeRows(cmd.OutOrStdout(), flags.format, result); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if result.Truncated {
		fmt.Fprintf(cmd.ErrOrStderr(), "Only the first %s are shown; there are more. Raise --limit, or narrow the statement.\n", count(len(result.Rows), "row"))
	}
	return nil
}

func writeRows(w io.Writer, format string, r rowSet) error {
	switch format {
	case "json":
		return writeObjects(w, r)
	case "csv":
		return writeCSV(w, r)
	case "table":
		return writeGrid(w, r)
	}
	return errors.New("unknown format " + format)
}
