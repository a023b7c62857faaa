package warehouse

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// placeData makes file the current rows of the contract's path: a second name
// of the version, or a copy where the file system has no hard links. It
// reports whether anything changed; the caller syncs the folder.
func (s *Store) placeData(version, file string) (changed bool, err error) {
	from, err := os.Stat(version)
	if err != nil {
		return false, fmt.Errorf("look at version: %w", err)
	}
	switch now, err := os.Lstat(file); {
	case err == nil && sameData(from, now):
		return false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("look at data file: %w", err)
	case err != nil && os.Link(version, file) == nil: // nothing to replace: one step will do
		s.at(pointDataRenamed)
		return true, nil
	}
	temp := filepath.Join(filepath.Dir(file), strings.TrimSuffix(tempPattern, "*")+rand.Text())
	if err := os.Link(version, temp); err != nil {
		if err := copyData(version, temp, from.ModTime()); err != nil {
			return false, errors.Join(err, discard(temp))
		}
	}
	s.at(pointDataLinked)
	if err := os.Rename(temp, file); err != nil {
		return false, errors.Join(fmt.Errorf("place data file: %w", err), discard(temp))
	}
	s.at(pointDataRenamed)
	return true, nil
}

// sameData reports whether a data file is this version, or a copy that
// copyData made of it.
func sameData(version, file os.FileInfo) bool {
	return os.SameFile(version, file) ||
		file.Mode().IsRegular() && file.Size() == version.Size() && file.ModTime().Equal(version.ModTime())
}

func copyData(from, to string, modTime time.Time) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open version: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // the group may read: backups, custom tools
	if err != nil {
		return fmt.Errorf("make data file: %w", err)
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(fmt.Errorf("copy version: %w", err), out.Close())
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return writeFault(err)
	}
	if err := os.Chtimes(to, modTime, modTime); err != nil {
		return fmt.Errorf("date data file: %w", err)
	}
	return nil
}

// dropData removes the data files that keep does not name, and temporary ones
// of a rebuild that was killed.
func dropData(dir string, keep map[string]bool) (changed bool, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list data files: %w", err)
	}
	for _, e := range entries {
		ours := strings.HasSuffix(e.Name(), ".parquet") || strings.HasPrefix(e.Name(), ".tmp-")
		if !ours || e.IsDir() || keep[e.Name()] {
			continue
		}
		if err := discard(filepath.Join(dir, e.Name())); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}
