package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"agnes/domain/query"
	"agnes/domain/syncs"
	"agnes/static"
)

// check is one thing that the doctor looks at.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok or failed
	Detail string `json:"detail,omitempty"`
}

// lowSpace is the free space under which syncs of large tables are likely to fail.
const lowSpace = 1 << 30

func newDoctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check that this machine and data directory can serve", GroupID: "operations", Args: cobra.NoArgs,
		Long: "Checks the portal's bundle, the state, the data directory and a real query in a real child,\nand runs against every wall around queries in a child.\nThe server must be stopped, because the state belongs to one process at a time.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withApp(cmd, func(ctx context.Context, a *app) error {
				return printChecks(cmd, examine(ctx, a), asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// examine runs every check, whatever the others found.
func examine(ctx context.Context, a *app) []check {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	steps := []struct {
		name string
		look func() (string, error)
	}{
		{"bundle", func() (string, error) { return "scripts and styles are built in", static.Check() }},
		{"state", func() (string, error) {
			v, err := a.store.SchemaVersion(ctx)
			return fmt.Sprintf("schema %d, written and read back", v), errors.Join(err, a.store.Check(ctx))
		}},
		{"data directory", func() (string, error) { return "writable", writable(a.cfg.Dirs.Data) }},
		{"disk space", func() (string, error) { return space(a.cfg.Dirs.Data) }},
		{"mail", func() (string, error) { return checkMail(a) }},
		{"sign-in services", func() (string, error) { return examineSignIn(a.cfg) }},
		{"outside systems", func() (string, error) { return examineOutside(ctx, a.store) }},
		{"query", func() (string, error) {
			return "a child answered a query", query.Probe{Engine: a.pool}.Ready(ctx)
		}},
	}
	out := make([]check, 0, len(steps))
	for _, s := range steps {
		c := check{Name: s.name, Status: "ok"}
		detail, err := s.look()
		c.Detail = detail
		if err != nil {
			c.Status, c.Detail = "failed", err.Error()
		}
		out = append(out, c)
	}
	return append(out, proveWalls(ctx, a)...)
}

// sourceLister reads what is known of custom sources.
type sourceLister interface {
	ListSources(ctx context.Context) ([]syncs.Source, error)
}

// examineOutside says how many outside systems extracts name, and for how many
// of them the extension is not installed. No table that people query depends on
// them, so that is nothing that fails.
func examineOutside(ctx context.Context, sources sourceLister) (string, error) {
	all, err := sources.ListSources(ctx)
	if err != nil {
		return "", err
	}
	named, missing := 0, map[string]bool{}
	for _, s := range all {
		named += len(s.Remote)
		for _, r := range s.Remote {
			if r.Code == "extension_missing" {
				missing[r.Extension] = true
			}
		}
	}
	switch {
	case named == 0:
		return "extracts name none", nil
	case len(missing) == 0:
		return fmt.Sprintf("extracts name %d", named), nil
	}
	return fmt.Sprintf("extracts name %d; not installed: %s", named, strings.Join(slices.Sorted(maps.Keys(missing)), ", ")), nil
}

// proveWalls has a child run against every wall around queries.
func proveWalls(ctx context.Context, a *app) []check {
	walls, err := a.children.Prove(ctx)
	if err != nil {
		return []check{{Name: "walls", Status: "failed", Detail: err.Error()}}
	}
	out := make([]check, len(walls))
	for i, w := range walls {
		out[i] = check{Name: "wall: " + w.Name, Status: "ok", Detail: w.Detail}
		if !w.Held {
			out[i].Status = "failed"
		}
	}
	return out
}

func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return fmt.Errorf("write in it: %w", err)
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(filepath.Clean(f.Name())))
}

func space(dir string) (string, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return "", fmt.Errorf("ask for free space: %w", err)
	}
	free := s.Bavail * uint64(s.Bsize) //nolint:gosec // a block size is positive
	if free < lowSpace {
		return "", fmt.Errorf("%d MiB are free; syncs need room for a second copy of a table", free>>20)
	}
	return fmt.Sprintf("%d GiB free", free>>30), nil
}

func printChecks(cmd *cobra.Command, checks []check, asJSON bool) error {
	failed := 0
	for _, c := range checks {
		if c.Status != "ok" {
			failed++
		}
		if !asJSON {
			fmt.Fprintf(cmd.OutOrStdout(), "%-7s %-22s %s\n", c.Status, c.Name, c.Detail)
		}
	}
	if asJSON {
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(checks); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(checks))
	}
	return nil
}
