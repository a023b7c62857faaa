package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"agnes/connectors/custom"
	"agnes/connectors/files"
	"agnes/store/warehouse"
)

// newWorkerCommand is the children's side: the server starts these, nobody
// else. Descriptor 3 is the channel to the server; standard output and error
// are for the log only, because the engine may write there.
func newWorkerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "worker", Short: "Run as a child of the server", Hidden: true}
	channel := func() *os.File { return os.NewFile(3, "server") }
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	cmd.AddCommand(
		&cobra.Command{Use: "extract", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return warehouse.RunExtract(withFaults(cmd.Context()), os.Stdin, channel(), map[string]warehouse.Connector{
				"files": files.Connector{}, "custom": custom.Connector{},
			}, log)
		}},
		&cobra.Command{Use: "rebuild", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return warehouse.RunRebuild(withFaults(cmd.Context()), os.Stdin, channel(), log)
		}},
		&cobra.Command{Use: "profile", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return warehouse.RunProfile(cmd.Context(), os.Stdin, channel(), log)
		}},
		&cobra.Command{Use: "import", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return warehouse.RunImport(cmd.Context(), os.Stdin, channel(), log)
		}},
		&cobra.Command{Use: "mirror", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return warehouse.RunMirror(cmd.Context(), os.Stdin, channel(), log)
		}},
		&cobra.Command{Use: "query", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			conn, err := connection(channel())
			if err != nil {
				return err
			}
			return warehouse.RunQuery(cmd.Context(), conn, log)
		}},
		&cobra.Command{Use: "prove", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return warehouse.RunProve(cmd.Context(), channel(), log)
		}},
	)
	return cmd
}

// connection takes a channel as the socket that it is. As a file it would be
// written piece by piece; a socket takes all pieces of a frame in one call.
func connection(channel *os.File) (net.Conn, error) {
	conn, err := net.FileConn(channel)
	if err = errors.Join(err, channel.Close()); err != nil {
		return nil, fmt.Errorf("take the channel to the server: %w", err)
	}
	return conn, nil
}
