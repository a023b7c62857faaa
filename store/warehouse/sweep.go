package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// ownSource is the source whose extract Agnes writes itself.
const ownSource = "files"

// Sweep removes what work left in a data directory and nothing refers to any
// more, as far as it was last changed before a time: temporary files, versions
// whose key keep does not know, and all scratch folders. It returns how many it
// removed. In folders of custom extractors it touches nothing. It opens no
// database, so the serving process may call it.
func Sweep(ctx context.Context, dataDir string, before time.Time, keep func(key string) bool) (removed int, err error) {
	for _, dir := range []string{versionsDir, filepath.Join(extractsDir, ownSource), analyticsDir} {
		n, err := sweepFiles(ctx, dataDir, dir, before, keep)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	n, err := sweepScratch(filepath.Join(dataDir, scratchDir), before)
	return removed + n, err
}

func sweepFiles(ctx context.Context, dataDir, dir string, before time.Time, keep func(string) bool) (removed int, err error) {
	root := filepath.Join(dataDir, dir)
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) { // gone meanwhile, or the folder was never made
				return nil
			}
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		folder := d.IsDir()
		if folder && !strings.HasPrefix(d.Name(), tempPrefix) || !folder && !sweepable(dataDir, dir, file, keep) {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.ModTime().Before(before) {
			return nil
		}
		removed++
		if folder { // of a version of several files, whose child was killed
			if err := os.RemoveAll(file); err != nil { //nolint:gosec // the data directory is the server's own
				return err
			}
			return fs.SkipDir
		}
		return discard(file)
	})
	if err != nil {
		return removed, fmt.Errorf("sweep %s: %w", dir, err)
	}
	return removed, nil
}

// sweepable reports whether nothing can refer to a file: a temporary one of
// ours, or a version that keep does not know.
func sweepable(dataDir, dir, file string, keep func(string) bool) bool {
	name := filepath.Base(file)
	if strings.HasPrefix(name, tempPrefix) {
		return true
	}
	version, aside := strings.CutSuffix(file, ".rejects.csv") // goes with its version
	if aside {
		file = version + ".parquet"
	}
	if dir != versionsDir || filepath.Ext(file) != ".parquet" {
		return false
	}
	key, err := filepath.Rel(dataDir, file)
	return err == nil && !keep(filepath.ToSlash(key))
}

func sweepScratch(root string, before time.Time) (removed int, err error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("list scratch folders: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) || e.Name() == path.Base(joinedDir) { // in use, gone meanwhile, or SweepJoined's
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
			return removed, fmt.Errorf("remove scratch folder: %w", err)
		}
		removed++
	}
	return removed, nil
}

// SweepCopies removes the copies of a predecessor's database that imports left
// when they were killed: they hold its secrets. No import may be at work.
func SweepCopies(dataDir string) error {
	root := filepath.Join(dataDir, scratchDir)
	folders, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for copies of an old database: %w", err)
	}
	for _, folder := range folders {
		dir := filepath.Join(root, folder.Name())
		if _, err := os.Lstat(filepath.Join(dir, copiedName)); err != nil {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove a copy of an old database: %w", err)
		}
	}
	return nil
}
