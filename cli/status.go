package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"agnes/domain"
)

// workspaceStatus is the output of status --json.
type workspaceStatus struct {
	Workspace             string `json:"workspace"`
	Initialized           bool   `json:"initialized"`
	ParquetTables         int    `json:"parquet_tables"`
	DuckDBExists          bool   `json:"duckdb_exists"`
	LastSynced            string `json:"last_synced"`
	SessionsPendingUpload int    `json:"sessions_pending_upload"`
	Server                string `json:"server"`
	SignedIn              bool   `json:"signed_in"`
	Email                 string `json:"email"`
}

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Say what is in this workspace, and which server it asks", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.status()
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return printStatus(cmd, s)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// status looks at this machine only; the server is not asked.
func (a *app) status() (workspaceStatus, error) {
	workspace, err := a.workspace()
	if err != nil {
		return workspaceStatus{}, err
	}
	s := workspaceStatus{Workspace: workspace}
	state, err := a.readSyncState()
	if err != nil {
		return s, err
	}
	s.LastSynced = state.of(workspace).LastSync
	names, err := parquetNames(parquetDir(workspace))
	if err != nil {
		return s, err
	}
	s.ParquetTables = len(names)
	s.Initialized = exists(filepath.Join(workspace, ".claude", "init-complete"))
	s.DuckDBExists = exists(filepath.Join(workspace, "user", "duckdb", "analytics.duckdb"))
	if s.SessionsPendingUpload, err = countLines(filepath.Join(workspace, ".claude", "agnes-sessions.txt")); err != nil {
		return s, err
	}
	if s.Server, err = a.server(); err != nil {
		return s, err
	}
	who, err := a.identity()
	switch {
	case domain.KindOf(err) == domain.Unauthenticated:
	case err != nil:
		return s, err
	default:
		s.SignedIn, s.Email = !who.Expired, who.Email
	}
	return s, nil
}

// exists treats what cannot be looked at as absent: status only informs.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func countLines(path string) (int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("count waiting sessions: %w", err)
	}
	n := 0
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n, nil
}

func printStatus(cmd *cobra.Command, s workspaceStatus) error {
	who := "nobody; sign in with: agnes login --server " + s.Server
	if s.SignedIn {
		who = dash(s.Email)
	}
	last := s.LastSynced
	if last == "" {
		last = "never without a failure; pull with: agnes pull"
	}
	out := cmd.OutOrStdout()
	for _, line := range [][2]string{
		{"Server", s.Server},
		{"Signed in", who},
		{"Workspace", s.Workspace},
		{"Copies", count(s.ParquetTables, "table")},
		{"Last pull", last},
	} {
		if _, err := fmt.Fprintf(out, "%-10s %s\n", line[0]+":", clean(line[1])); err != nil {
			return err
		}
	}
	return nil
}
