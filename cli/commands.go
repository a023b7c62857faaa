package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// Env is what the commands take from the process around them.
type Env struct {
	// Getenv reads AGNES_SERVER, AGNES_TOKEN, AGNES_CONFIG_DIR, AGNES_LOCAL_DIR
	// and AGNES_PULL_PARALLELISM.
	Getenv func(string) string
	// ConfigDir is the person's folder for configurations, such as
	// os.UserConfigDir; the commands use its folder "agnes". AGNES_CONFIG_DIR
	// names that folder itself.
	ConfigDir string
	Stdin     io.Reader
	Now       func() time.Time
	Version   string
	HTTP      *http.Client // nil: http.DefaultTransport

	// wait passes time between tries; tests do not wait.
	wait func(ctx context.Context, d time.Duration) error
}

// Commands returns the client commands, made anew at each call.
func Commands(env Env) []*cobra.Command {
	a := newApp(env)
	commands := []*cobra.Command{
		a.loginCommand(), a.logoutCommand(), a.whoamiCommand(),
		family("auth", "Sign in and out, and tokens for programs", a.loginCommand(), a.logoutCommand(), a.whoamiCommand(), a.importTokenCommand(),
			family("token", "Personal access tokens", a.tokenCreateCommand(), a.tokenListCommand(), a.tokenRevokeCommand())),
		a.catalogCommand(), a.queryCommand(), a.pullCommand(), a.statusCommand(), a.adminCommand(),
	}
	for _, c := range commands {
		c.SetFlagErrorFunc(flagError)
		c.SilenceUsage, c.SilenceErrors = true, true
	}
	return commands
}

// app is what the commands share.
type app struct {
	env   Env
	stdin *bufio.Reader
}

func newApp(env Env) *app {
	if env.Getenv == nil {
		env.Getenv = func(string) string { return "" }
	}
	if env.Stdin == nil {
		env.Stdin = http.NoBody
	}
	if env.HTTP == nil {
		env.HTTP = &http.Client{}
	}
	if env.Version == "" {
		env.Version = "dev"
	}
	if env.wait == nil {
		env.wait = wait
	}
	return &app{env: env, stdin: bufio.NewReader(env.Stdin)}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
