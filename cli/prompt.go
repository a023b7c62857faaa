package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"agnes/domain"
)

// maxSecret bounds what is read as a password.
const maxSecret = 4 << 10

// terminal is the file behind standard input when a person sits there.
func (a *app) terminal() (*os.File, bool) {
	f, ok := a.env.Stdin.(*os.File)
	return f, ok && isatty.IsTerminal(f.Fd())
}

// ask reads one line. The question is written only where somebody reads it.
func (a *app) ask(cmd *cobra.Command, question string) (string, error) {
	if _, ok := a.terminal(); ok {
		fmt.Fprint(cmd.ErrOrStderr(), question)
	}
	return a.line(cmd.Context())
}

// line reads one line of standard input, or gives up when ctx ends.
func (a *app) line(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := a.stdin.ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", domain.E(domain.Cancelled, "stopped", "Stopped; nothing was changed.")
	case read := <-got:
		if read.err != nil && !errors.Is(read.err, io.EOF) {
			return "", fmt.Errorf("read standard input: %w", read.err)
		}
		return strings.TrimRight(read.text, "\r\n"), nil
	}
}

// secretFlags are the ways to hand over a password.
type secretFlags struct {
	value     string
	fromStdin bool
}

func (s *secretFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.value, "password", "", "the password; other users of this machine may see it, --password-stdin is safer")
	cmd.Flags().BoolVar(&s.fromStdin, "password-stdin", false, "read the password from standard input")
}

// secret is the password: of the flag, of standard input, or typed unseen.
func (a *app) secret(cmd *cobra.Command, from secretFlags) (string, error) {
	if from.value != "" && from.fromStdin {
		return "", usagef("--password and --password-stdin exclude each other")
	}
	if from.value != "" {
		return from.value, nil
	}
	if from.fromStdin {
		data, err := io.ReadAll(io.LimitReader(a.stdin, maxSecret))
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return needSecret(strings.TrimRight(string(data), "\r\n"))
	}
	f, ok := a.terminal()
	if !ok {
		text, err := a.line(cmd.Context())
		if err != nil {
			return "", err
		}
		return needSecret(text)
	}
	fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
	show, err := hideTyping(int(f.Fd()))
	if err != nil {
		return "", domain.E(domain.Unavailable, "no_hidden_typing", "This terminal cannot hide what is typed. Hand the password over with --password-stdin.")
	}
	text, err := a.line(cmd.Context())
	fmt.Fprintln(cmd.ErrOrStderr())
	if err := errors.Join(err, show()); err != nil {
		return "", err
	}
	return needSecret(text)
}

func needSecret(text string) (string, error) {
	if text == "" {
		return "", usagef("a password is missing: type it, or hand it over with --password-stdin")
	}
	return text, nil
}
