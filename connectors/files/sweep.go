package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"agnes/domain/files"
)

// tempPrefix begins the names of files that are not whole yet; an id follows.
const tempPrefix = ".tmp-"

// SweepUploads removes staged uploads, and parts of uploads, that were last
// touched before a time, and returns how many. What a killed server left half
// written beside the files goes too.
func (f Folder) SweepUploads(ctx context.Context, olderThan time.Time) (int, error) {
	if err := f.sweepTemps(olderThan); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(filepath.Join(f.Root, uploadsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("list uploads: %w", err)
	}
	removed := 0
	for _, e := range entries {
		touched, err := f.touched(e)
		if err != nil || uuid.Validate(e.Name()) != nil || !touched.Before(olderThan) {
			continue // gone meanwhile, not ours, or still in use
		}
		if err := f.Discard(ctx, files.UploadID(e.Name())); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// sweepTemps removes files that were never finished.
func (f Folder) sweepTemps(olderThan time.Time) error {
	for _, dir := range []string{f.files(), filepath.Join(f.files(), uploadedDir)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for unfinished files: %w", err)
		}
		for _, e := range entries {
			id, temp := strings.CutPrefix(e.Name(), tempPrefix)
			info, err := e.Info()
			if err != nil || !temp || uuid.Validate(id) != nil || !info.ModTime().Before(olderThan) {
				continue // gone meanwhile, not ours, or still being written
			}
			if err := remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
