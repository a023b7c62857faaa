package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"agnes/domain/files"
	"agnes/domain/syncs"
)

// Changed says what a table's file, folder or pattern is like now: its
// fingerprint, and when it was last written or put in place. A file that is not
// there has no fingerprint.
func (f Folder) Changed(_ context.Context, item string) (syncs.FileState, error) {
	item, err := files.CheckItem(item)
	if err != nil {
		return syncs.FileState{}, nil //nolint:nilerr // a sync says what is wrong with it
	}
	one, err := f.isFile(item)
	if err != nil {
		return syncs.FileState{}, nil //nolint:nilerr // as above
	}
	if one {
		return stateOf(filepath.Join(f.files(), item), item)
	}
	d, err := f.dataset(item)
	if err != nil {
		return syncs.FileState{}, nil //nolint:nilerr // as above
	}
	all := syncs.FileState{}
	for _, file := range d.Files {
		one, err := stateOf(filepath.Join(f.files(), filepath.FromSlash(file.Name)), file.Name)
		if err != nil {
			return syncs.FileState{}, err
		}
		all.Add(one)
	}
	all.Fingerprint = digest(all.Fingerprint) // of many files
	return all, nil
}

func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func stateOf(place, name string) (syncs.FileState, error) {
	info, err := os.Stat(place)
	if errors.Is(err, fs.ErrNotExist) {
		return syncs.FileState{}, nil
	}
	if err != nil {
		return syncs.FileState{}, fmt.Errorf("look at file %q: %w", name, err)
	}
	at, placed := info.ModTime(), changedAt(info)
	if placed.After(at) {
		at = placed // a copy keeps the time of its original
	}
	return syncs.FileState{
		Fingerprint: fmt.Sprintf("%q %d %d %d\n", name, info.Size(), info.ModTime().UnixNano(), placed.UnixNano()), At: at.UTC().Truncate(time.Microsecond),
	}, nil
}
