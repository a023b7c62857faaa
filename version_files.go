package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"agnes/domain"
	"agnes/domain/registry"
)

// versionFiles opens the Parquet files of versions for downloads. It cannot
// leave the data directory, whatever a key says.
type versionFiles struct{ root *os.Root }

func newVersionFiles(dataDir string) (versionFiles, error) {
	root, err := os.OpenRoot(dataDir)
	if err != nil {
		return versionFiles{}, fmt.Errorf("open the data directory: %w", err)
	}
	return versionFiles{root}, nil
}

// Open returns the file and when it was published.
func (v versionFiles) Open(_ context.Context, f registry.File) (io.ReadSeekCloser, time.Time, error) {
	file, err := v.root.Open(f.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, domain.E(domain.NotFound, "file_gone", "The file of this version is gone. Sync the table to get a new one.").Because(err)
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("open version file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(fmt.Errorf("look at version file: %w", err), file.Close())
	}
	return file, info.ModTime(), nil
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := readConfig(cmd)
			if err != nil {
				return err
			}
			b := buildOf(cfg.Build)
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "agnes %s %s\n", b.Version, b.Commit)
			return err
		},
	}
}
