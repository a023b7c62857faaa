package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"agnes/cli"
	"agnes/domain/config"
)

// newClientCommands are the commands that talk to a server elsewhere.
func newClientCommands() []*cobra.Command {
	dir, err := os.UserConfigDir()
	if err != nil {
		dir = "" // the commands that need it ask for AGNES_CONFIG_DIR
	}
	return cli.Commands(cli.Env{
		Getenv: os.Getenv, ConfigDir: dir, Stdin: os.Stdin, Now: time.Now, Version: clientVersion(),
	})
}

// clientVersion is what the client calls itself, whatever else is wrong in the environment.
func clientVersion() string {
	cfg, _, err := config.Load(config.Input{Getenv: os.LookupEnv})
	if err != nil {
		return version
	}
	return buildOf(cfg.Build).Version
}
