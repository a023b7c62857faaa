package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestExitCode(t *testing.T) {
	cases := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{&refusal{status: 404}, 1},
		{usagef("x"), 2},
		{fmt.Errorf("wrapped: %w", usagef("x")), 2},
		{&exitError{code: exitCatalog, err: errors.New("x")}, 5},
	}
	for _, c := range cases {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("ExitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

func TestWrongUse(t *testing.T) {
	cases := []struct {
		line string
		want string
	}{
		{"pull --fast", "unknown flag: --fast. See agnes pull --help"},
		{"admin group list --fast", "See agnes admin group list --help"},
		{"pull orders", `agnes pull takes no arguments, and got "orders"`},
		{"admin add-user", "agnes admin add-user takes EMAIL, and got 0"},
		{"admin grant create Analysts table", "takes GROUP TYPE RESOURCE, and got 2"},
		{"admin list-table", `no command "list-table". Did you mean list-tables`},
		{"admin xyzzy", "See agnes admin --help"},
		{"admin group lst", "Did you mean list?"},
		{"login --email a@b.cz --password a --password-stdin", "exclude each other"},
		{"query", "give one statement"},
		{"query SELECT 1", "takes [SQL], and got 2"},
	}
	for _, c := range cases {
		t.Run(c.line, func(t *testing.T) {
			b := newBench(t)
			_, _, err := b.run(strings.Fields(c.line)...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("agnes %s: %v, want %q", c.line, err, c.want)
			}
			if got := ExitCode(err); got != exitUsage {
				t.Errorf("agnes %s: exit code %d, want 2", c.line, got)
			}
			if got := b.requests(""); len(got) != 0 {
				t.Errorf("agnes %s asked the server: %v", c.line, got)
			}
		})
	}
}

func TestFamiliesAloneShowTheirHelp(t *testing.T) {
	b := newBench(t)
	wantIn(t, b.mustRun("admin"), "list-tables", "group", "grant")
	wantIn(t, b.mustRun("auth"), "login", "logout", "whoami")
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: Short is %q", c.CommandPath(), c.Short)
		}
		if c.RunE == nil {
			t.Errorf("%s does nothing", c.CommandPath())
		}
		if name := c.Name(); (name == "list" || strings.HasPrefix(name, "list-") || name == "members") && c.Flags().Lookup("json") == nil {
			t.Errorf("%s is a list without --json", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	for _, c := range Commands(Env{}) {
		walk(c)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	stopped := errors.New("stopped by hand")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	if err := wait(ctx, time.Hour); !errors.Is(err, stopped) {
		t.Errorf("wait = %v, want the cause", err)
	}
	if err := wait(t.Context(), 0); err != nil {
		t.Errorf("wait = %v", err)
	}
}
