// Command agnes distributes a company's data to its analysts and their agents:
// the portal, the JSON API, the children that open DuckDB, and the client, in
// one binary. This package reads the configuration and wires the rest; it is
// the only one that knows every concrete type.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"agnes/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitCode(err))
	}
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// exitError carries the exit code that a command promises.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func exitCode(err error) int {
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return cli.ExitCode(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "agnes",
		Short:         "Company data for analysts and their agents",
		Long:          "Agnes distributes a company's data to its analysts and their agents.\nWithout a command it serves the portal and the JSON API.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd) },
	}
	addSettingFlags(root)
	root.AddGroup(
		&cobra.Group{ID: "server", Title: "Server:"},
		&cobra.Group{ID: "operations", Title: "Operations on the server's data directory:"},
		&cobra.Group{ID: "client", Title: "Client of a server:"},
	)
	root.AddCommand(newServeCommand(), newHealthCommand(), newConfigCommand())
	root.AddCommand(newBackupCommand(), newRestoreCommand(), newMigrateCommand(), newRebuildCommand(), newExtractCommand(), newDoctorCommand())
	root.AddCommand(newWorkerCommand(), newVersionCommand())
	for _, c := range newClientCommands() {
		c.GroupID = "client"
		if c.Name() == "admin" {
			c.AddCommand(newBreakGlassCommand())
		}
		root.AddCommand(c)
	}
	return root
}
