package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
	"agnes/store"
)

// withApp runs one operation on the data directory, with a server's parts but
// without its pages. It fails while a server uses the directory.
func withApp(cmd *cobra.Command, do func(ctx context.Context, a *app) error) error {
	in, err := findInputs(cmd)
	if err != nil {
		return err
	}
	cfg, warnings, err := in.load()
	if err != nil {
		return err
	}
	live := config.NewLive(cfg)
	log := newLogger(cmd.ErrOrStderr(), liveLevel{live})
	for _, w := range warnings {
		log.Warn("configuration", "key", w.Key, "origin", w.Origin, "reason", w.Message)
	}
	a, err := newApp(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	a.inputs, a.live = in, live
	return errors.Join(do(cmd.Context(), a), a.Close(context.WithoutCancel(cmd.Context())))
}

func newBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write a verified copy of the state, also while the server runs", GroupID: "operations", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := readConfig(cmd)
			if err != nil {
				return err
			}
			if err := store.Backup(cmd.Context(), cfg.Dirs.State, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The state was copied to %s and the copy was opened and checked.\n", args[0])
			return nil
		},
	}
}

func newRestoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Put a backup of the state in place; the server must be stopped", GroupID: "operations", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := readConfig(cmd)
			if err != nil {
				return err
			}
			kept, err := store.Restore(cmd.Context(), args[0], store.Options{
				Dir: cfg.Dirs.State, Now: time.Now, NewID: newID, Log: newLogger(cmd.ErrOrStderr(), cfg.Log.Level),
			})
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "The backup was checked and is in place.")
			if kept != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "The state from before is kept as %s.\n", kept)
			}
			return nil
		},
	}
}

func newRebuildCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Publish analytics/server.duckdb from the current versions", GroupID: "operations", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withApp(cmd, func(ctx context.Context, a *app) error {
				report, err := a.rebuilder.Rebuild(ctx)
				if err != nil {
					return err
				}
				if err := printRebuilt(cmd.OutOrStdout(), report, asJSON); err != nil {
					return err
				}
				if len(report.Problems) > 0 {
					return &exitError{code: 2, err: errors.New("not all tables could be published as they should be")}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printRebuilt(w io.Writer, report work.Rebuilt, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(report)
	}
	if report.Unchanged {
		fmt.Fprintf(w, "Unchanged: %d tables are published already.\n", report.Views)
	} else {
		fmt.Fprintf(w, "Published %d tables.\n", report.Views)
	}
	for _, p := range report.Problems {
		what := "Left out"
		if p.Served {
			what = "From an earlier version:"
		}
		fmt.Fprintf(w, "%s %s.%s (%s): %s\n", what, p.Source, p.Table, p.Code, p.Message)
	}
	return nil
}

func newExtractCommand() *cobra.Command {
	return &cobra.Command{
		Use: "extract [TABLE…]", Short: "Sync tables once, all of them when none is named", GroupID: "operations",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, func(ctx context.Context, a *app) error { return extractOnce(ctx, cmd, a, args) })
		},
	}
}

// extractOnce syncs tables, prints how each went, and fails when one did.
func extractOnce(ctx context.Context, cmd *cobra.Command, a *app, names []string) error {
	var ids []registry.TableID
	for _, n := range names {
		ids = append(ids, registry.IDFor(n))
	}
	listener := a.feed.Listen()
	defer listener.Close()
	runs, err := a.syncer.Trigger(ctx, audit.System("cli"), syncs.ByPerson, ids)
	if err != nil || len(runs) == 0 {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	worked := make(chan error, 1)
	go func() { worked <- a.syncer.Work(ctx) }()
	failed := 0
	for open := len(runs); open > 0 && ctx.Err() == nil && a.syncer.Writing() == nil; {
		select {
		case <-listener.Wake:
		case <-ctx.Done():
		}
		for _, r := range listener.Take() {
			if r.Live() {
				continue
			}
			open--
			fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%d rows\t%s\n", r.Table, r.State, r.Rows, r.Message)
			if r.State != syncs.OK {
				failed++
			}
		}
	}
	err = errors.Join(ctx.Err(), a.syncer.Writing())
	stop()
	err = errors.Join(err, <-worked)
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d syncs failed", failed, len(runs))
	}
	return err
}

func newHealthCommand() *cobra.Command {
	return &cobra.Command{
		Use: "health", Short: "Ask the running server whether it is ready; exit code 1 if not", GroupID: "server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := readConfig(cmd)
			if err != nil {
				return err
			}
			host, port, err := net.SplitHostPort(cfg.Server.Addr)
			if err != nil {
				return fmt.Errorf("address of the server: %w", err)
			}
			if host == "" || net.ParseIP(host).IsUnspecified() {
				host = "127.0.0.1"
			}
			return askReady(cmd.Context(), "http://"+net.JoinHostPort(host, port)+"/api/health/ready")
		},
	}
}

func askReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: it answered %s", resp.Status)
	}
	return nil
}
