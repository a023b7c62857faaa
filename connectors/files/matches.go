package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"agnes/domain/files"
)

// Matches lists the files in DATA_DIR/files that a file's name, a folder or a
// pattern names. It fails with Invalid for a name that cannot be used or files
// that are no one table, and with NotFound when there is none.
func (f Folder) Matches(_ context.Context, item string) (files.Dataset, error) {
	item, err := files.CheckItem(item)
	if err != nil {
		return files.Dataset{}, err //nolint:wrapcheck // the sentence is for people
	}
	one, err := f.isFile(item)
	switch {
	case err != nil:
		return files.Dataset{}, err
	case !one:
		return f.dataset(item)
	}
	format, err := f.formatOf(item)
	if err != nil {
		return files.Dataset{}, err
	}
	info, err := os.Stat(filepath.Join(f.files(), filepath.FromSlash(item)))
	if errors.Is(err, fs.ErrNotExist) {
		return files.Dataset{}, missing(item).Because(err)
	}
	if err != nil {
		return files.Dataset{}, fmt.Errorf("look at file %q: %w", item, err)
	}
	return files.Dataset{Format: format, Files: []files.DatasetFile{{Name: item, Bytes: info.Size(), ModTime: info.ModTime()}}}, nil
}
