package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"agnes/domain"
	"agnes/domain/registry"
)

// manifest is the answer of GET /api/sync/manifest.
type manifest struct {
	Tables map[string]remoteTable `json:"tables"`
}

// remoteTable is how the server describes a table's current version.
type remoteTable struct {
	Hash      *string `json:"hash"`
	SizeBytes *int64  `json:"size_bytes"`
	Rows      *int64  `json:"rows"`
	QueryMode string  `json:"query_mode"`
}

// copied reports whether the table's rows are copied to laptops.
func (t remoteTable) copied(skipMaterialized bool) bool {
	return t.QueryMode != registry.ModeRemote && t.QueryMode != "internal" && (!skipMaterialized || t.QueryMode != registry.ModeMaterialized)
}

// empty reports whether the table has no version yet.
func (t remoteTable) empty() bool { return t.Hash == nil && t.SizeBytes == nil && t.Rows == nil }

func (t remoteTable) hash() string {
	if t.Hash == nil {
		return ""
	}
	return strings.ToLower(*t.Hash)
}

func (t remoteTable) rows() int64 {
	if t.Rows == nil {
		return 0
	}
	return *t.Rows
}

type pullFlags struct {
	quiet, json, dryRun, skipMaterialized bool
}

func (a *app) pullCommand() *cobra.Command {
	var flags pullFlags
	cmd := &cobra.Command{
		Use: "pull", Short: "Copy the tables that you may read to this workspace", Args: takes(),
		Long: "Copy the tables that you may read to server/parquet in this folder, or in AGNES_LOCAL_DIR.\n" +
			"Only what changed is fetched. A copy is replaced after the new one was checked, never before;\n" +
			"copies of tables that you may not read any more are removed.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.pull(cmd, flags) },
	}
	cmd.Flags().BoolVarP(&flags.quiet, "quiet", "q", false, "print failures only")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print the outcome as JSON")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "say what would be fetched and removed, and do nothing")
	cmd.Flags().BoolVar(&flags.skipMaterialized, "skip-materialize", false, "leave materialized tables as they are")
	return cmd
}

// puller is one run of pull.
type puller struct {
	client *client
	dir    string // of the Parquet files
	flags  pullFlags
	known  map[string]localTable // from sync_state.json
	now    func() time.Time
}

func (a *app) pull(cmd *cobra.Command, flags pullFlags) error {
	began := a.env.Now()
	c, err := a.client()
	if err != nil {
		return err
	}
	workspace, err := a.workspace()
	if err != nil {
		return err
	}
	parallel, err := a.parallelism()
	if err != nil {
		return err
	}
	state, err := a.readSyncState()
	if err != nil {
		return err
	}
	p := &puller{client: c, dir: parquetDir(workspace), flags: flags, known: state.tables(workspace), now: a.env.Now}
	report := &pullReport{flags: flags, out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr()}
	if state.damaged {
		fmt.Fprintln(report.errs, "The record of earlier pulls was damaged and is made anew. Copies of tables that you may not read any more are not recognised this time: look through server/parquet.")
	}
	m, err := p.manifest(cmd.Context())
	if err != nil {
		return report.refused("manifest", err)
	}
	if err := p.prepare(); err != nil {
		return report.refused("workspace", err)
	}
	p.all(cmd.Context(), m, parallel, report)
	p.removeRevoked(m, report)
	if err := p.look(m, report); err != nil {
		report.stage("workspace", err)
	}
	if !flags.dryRun {
		if err := a.saveSyncState(workspace, p.known, report, began); err != nil {
			report.stage("sync_state", err)
		}
	}
	return report.finish(a.env.Now().Sub(began))
}

func parquetDir(workspace string) string { return filepath.Join(workspace, "server", "parquet") }

func (a *app) parallelism() (int, error) {
	text := a.env.Getenv("AGNES_PULL_PARALLELISM")
	if text == "" {
		return 4, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 16 {
		return 0, usagef("AGNES_PULL_PARALLELISM is a number from 1 to 16, not %q", text)
	}
	return n, nil
}

func (p *puller) manifest(ctx context.Context) (manifest, error) {
	var m manifest
	if err := p.client.get(ctx, "/api/sync/manifest", &m); err != nil {
		return m, err
	}
	if m.Tables == nil { // an answer that lists nothing at all must not remove all copies
		return m, p.client.notAgnes()
	}
	return m, nil
}

// all brings every table of the manifest here, some at a time.
func (p *puller) all(ctx context.Context, m manifest, parallel int, report *pullReport) {
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, name := range slices.Sorted(maps.Keys(m.Tables)) {
		want := m.Tables[name]
		if !want.copied(p.flags.skipMaterialized) || want.empty() {
			continue
		}
		group.Go(func() error {
			report.add(p.table(ctx, name, want))
			return nil // one table's failure does not stop the others
		})
	}
	if err := group.Wait(); err != nil {
		report.stage("tables", err)
	}
}

// table brings one table here. When the file is not the one that the manifest
// promised, a newer version may have been published meanwhile: the manifest is
// read again, once.
func (p *puller) table(ctx context.Context, name string, want remoteTable) outcome {
	o := p.tableOnce(ctx, name, want)
	if !errors.Is(o.err, errMismatch) {
		return o
	}
	m, err := p.manifest(ctx)
	if err != nil {
		return o
	}
	if newer, ok := m.Tables[name]; ok && newer.hash() != want.hash() {
		return p.tableOnce(ctx, name, newer)
	}
	return o
}

func (p *puller) tableOnce(ctx context.Context, name string, want remoteTable) outcome {
	if !registry.QuotedIdentifier(name) {
		return outcome{table: name, err: domain.E(domain.Invalid, "bad_name", "The name cannot be a file's name here. An administrator can rename the table.")}
	}
	path := p.path(name)
	local, current, err := p.current(name, path, want)
	switch {
	case err != nil:
		return outcome{table: name, err: err}
	case current:
		return outcome{table: name, did: didNothing, local: local}
	case p.flags.dryRun:
		return outcome{table: name, did: wouldUpdate}
	}
	local, err = p.client.fetchTable(ctx, name, path, want)
	return outcome{table: name, did: didUpdate, local: local, err: err}
}

func (p *puller) path(name string) string { return filepath.Join(p.dir, name+parquetSuffix) }
