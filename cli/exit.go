package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes that scripts rely on.
const (
	exitFailure = 1
	exitUsage   = 2
	exitCatalog = 5 // the catalog cannot be fetched
)

// exitError is an error with the exit code that its command promises.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// ExitCode is the exit code for what a command returned: 0 for nil, 2 for
// wrong use, the command's own code where it has one, else 1.
func ExitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.code
	}
	return exitFailure
}

func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// flagError turns the flag parser's words into a usage error.
func flagError(cmd *cobra.Command, err error) error {
	return usagef("%w. See %s --help", err, cmd.CommandPath())
}

// takes checks the number of arguments; names say what they are, one in
// brackets may be left out, one that ends in … may come again.
func takes(names ...string) cobra.PositionalArgs {
	least, most := 0, len(names)
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			least++
		}
		if strings.Contains(name, "…") {
			most = -1
		}
	}
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		if most == 0 {
			return usagef("%s takes no arguments, and got %q. See %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
		}
		return usagef("%s takes %s, and got %d. See %s --help", cmd.CommandPath(), strings.Join(names, " "), len(args), cmd.CommandPath())
	}
}

// family makes a command that only holds others: alone it prints its help, and
// a word that it does not know is wrong use, not silence.
func family(use, short string, members ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				return usagef("%s has no command %q. Did you mean %s?", cmd.CommandPath(), args[0], strings.Join(near, " or "))
			}
			return usagef("%s has no command %q. See %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
		},
	}
	cmd.AddCommand(members...)
	return cmd
}
