// Package results keeps the rows of queries as Arrow IPC files, one per run,
// until their time is up. Whose they are and which there should be is the
// state's to know; a file here without a row there is removed.
package results

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/query"
)

const (
	folderName = "results"
	ending     = ".arrow"
	partEnding = ".part" // of a file that is being written
)

// Folder is where results lie. It is a query.Keeper.
type Folder struct{ root *os.Root }

var _ query.Keeper = Folder{}

// Open opens the folder below a data directory, for its owner alone, and
// removes what a stop left half written. Close it.
func Open(dataDir string) (Folder, error) {
	dir := filepath.Join(dataDir, folderName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Folder{}, fmt.Errorf("make the folder of results: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Folder{}, fmt.Errorf("open the folder of results: %w", err)
	}
	f := Folder{root: root}
	if err := f.removeParts(); err != nil {
		return Folder{}, errors.Join(err, root.Close())
	}
	return f, nil
}

// Close lets go of the folder.
func (f Folder) Close() error { return f.root.Close() }

// Key names a kept result's file below the data directory.
func (f Folder) Key(runID string) string { return folderName + "/" + runID + ending }

// Remove removes a kept result; one that is gone is no error.
func (f Folder) Remove(runID string) error {
	if err := f.root.Remove(runID + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the result of %s: %w", runID, err)
	}
	return nil
}

// Sweep removes files last changed before a time that keep does not know, and
// returns how many.
func (f Folder) Sweep(ctx context.Context, before time.Time, keep func(runID string) bool) (removed int, err error) {
	err = f.each(func(name string, info fs.FileInfo) error {
		run, whole := strings.CutSuffix(name, ending)
		if ctx.Err() != nil || !info.ModTime().Before(before) || (whole && keep(run)) {
			return ctx.Err()
		}
		removed++
		return f.root.Remove(name)
	})
	if err != nil {
		return removed, fmt.Errorf("sweep results: %w", err)
	}
	return removed, nil
}

// removeParts removes what was being written when the last process stopped.
func (f Folder) removeParts() error {
	err := f.each(func(name string, _ fs.FileInfo) error {
		if !strings.HasSuffix(name, partEnding) {
			return nil
		}
		return f.root.Remove(name)
	})
	if err != nil {
		return fmt.Errorf("remove half results: %w", err)
	}
	return nil
}

func (f Folder) each(do func(name string, info fs.FileInfo) error) error {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || (err == nil && !info.Mode().IsRegular()) {
			continue
		}
		if err == nil {
			err = do(e.Name(), info)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func lost(err error) error {
	return domain.E(domain.NotFound, "result_lost", "%s", query.KeptLost.Sentence()).Because(err)
}
