package warehouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// SweepJoined removes the files that Join made before a time and, of the rest,
// the oldest until all of them take no more than limit bytes; those made after
// fresh stay in any case. It returns how many it removed. A download that has
// begun ends well, and who asks for a removed file gets it made anew. It opens no
// database, so the serving process may call it.
func SweepJoined(dataDir string, before, fresh time.Time, limit int64) (removed int, err error) {
	dir := filepath.Join(dataDir, filepath.FromSlash(joinedDir))
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("list joined files: %w", err)
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() { // gone meanwhile, or not ours
			continue
		}
		files = append(files, info)
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		old := f.ModTime().Before(before)
		if !old && (total <= limit || !f.ModTime().Before(fresh)) {
			continue
		}
		if err := discard(filepath.Join(dir, f.Name())); err != nil {
			return removed, fmt.Errorf("remove a joined file: %w", err)
		}
		removed++
		total -= f.Size()
	}
	return removed, nil
}
