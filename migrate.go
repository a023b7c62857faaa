package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/imports"
	"agnes/domain/work"
	"agnes/store/warehouse"
)

func newMigrateCommand() *cobra.Command {
	var from string
	var dry, again, asJSON bool
	cmd := &cobra.Command{
		Use: "migrate", Short: "Bring the state to this version's schema, or take over a predecessor's", GroupID: "operations", Args: cobra.NoArgs,
		Long: "Bring the state to this version's schema.\n\nWith --from-system-duckdb also take over the state of the Python server at release 0.54 (schema 51).\n" +
			"Stop that server first. Its file is copied and never written to. Running it again changes nothing that is the same.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			taking := cmd.Flags().Changed("from-system-duckdb")
			switch {
			case !taking && (dry || again || asJSON):
				return errors.New("--dry-run, --again and --json go with --from-system-duckdb")
			case taking && from == "": // such as by a variable that is not set
				return errors.New("--from-system-duckdb names no file; nothing was imported")
			}
			return withApp(cmd, func(ctx context.Context, a *app) error {
				if taking {
					return a.importState(ctx, cmd.OutOrStdout(), from, dry, again, asJSON)
				}
				v, err := a.store.SchemaVersion(ctx)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "The state is at schema %d.\n", v)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&from, "from-system-duckdb", "", "take over the state in this `file` of the Python server")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be taken over, and change nothing")
	cmd.Flags().BoolVar(&again, "again", false, "bring back what was taken over before and removed here since")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// importState takes over a predecessor's state and prints how each table went.
// Something left out makes the exit code 2.
func (a *app) importState(ctx context.Context, out io.Writer, from string, dry, again, asJSON bool) error {
	file, err := filepath.Abs(from)
	if err != nil {
		return fmt.Errorf("find the old database: %w", err)
	}
	if err := warehouse.SweepCopies(a.cfg.Dirs.Data); err != nil {
		a.log.Warn("copies of an old database that an import left stay", "err", err)
	}
	report, err := imports.Importer{Source: a.children, State: a.store}.Import(ctx, imports.Order{By: audit.Actor{UserID: "system:import", ClientKind: "cli"}, Dry: dry, Again: again}, file)
	if err != nil {
		return importStopped(err, report)
	}
	if asJSON {
		err = json.NewEncoder(out).Encode(report)
	} else {
		_, err = io.WriteString(out, report.String())
	}
	if err != nil {
		return err
	}
	return leftOut(report)
}

// importStopped says why an import ended, what of it is done and what to do next.
func importStopped(err error, r *imports.Report) error {
	const nothing = "Nothing was changed."
	words, next := err.Error(), ""
	var child *work.ChildError
	var told *domain.Error
	switch {
	case domain.KindOf(err) == domain.Cancelled:
		words = "The import was stopped. " + nothing
	case errors.As(err, &child):
		words, next = child.Failure.Message, " "+child.Failure.NextStep
	case errors.As(err, &told):
		words = told.Message
	}
	if r != nil && !r.DryRun && r.Changes() > 0 { // the child knows only of itself
		words = strings.TrimSpace(strings.TrimSuffix(words, nothing))
		next = fmt.Sprintf(" Rows taken over before that: %d. Run the import again, and it goes on from there.", r.Changes()) + next
	}
	return errors.New(words + strings.TrimRight(next, " "))
}

// leftOut is the error of an import that left something out, nil for one that did not.
func leftOut(r *imports.Report) error {
	var what []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			what = append(what, "1 "+one)
		case n > 1:
			what = append(what, strconv.Itoa(n)+" "+many)
		}
	}
	add(r.Left(), "row that does not fit", "rows that do not fit")
	add(r.Lost(), "table or column that Agnes does not know", "tables and columns that Agnes does not know")
	if len(what) == 0 {
		return nil
	}
	verb := "left out"
	if r.DryRun {
		verb = "would leave out"
	}
	return &exitError{code: 2, err: errors.New(verb + " " + strings.Join(what, " and "))}
}
