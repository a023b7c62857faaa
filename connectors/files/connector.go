// Package files is the connector of people's own files: Folder receives,
// keeps and lists them for the serving process, Connector finds the file of a
// job for an extract child. It never reads what is in them; that is
// store/warehouse.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/work"
)

// The folders under the data directory.
const (
	filesDir   = "files"
	uploadsDir = "uploads"
)

// Connector finds the file that a table reads. Its zero value is ready.
type Connector struct{}

// Extract hands the file, folder or pattern job.Item in DATA_DIR/files to the
// sink.
func (Connector) Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error) {
	item, err := files.CheckItem(job.Item)
	if err != nil {
		return work.Extracted{}, err //nolint:wrapcheck // the sentence is for people
	}
	format, err := Folder{Root: job.DataDir}.formatOf(item)
	if err != nil {
		return work.Extracted{}, err
	}
	return sink.Convert(ctx, path.Join(filesDir, item), format) //nolint:wrapcheck // the sink's words are for people
}

// formatOf is the format of a file, or of the files of a folder or pattern. It
// fails with NotFound when there is none.
func (f Folder) formatOf(item string) (files.Format, error) {
	one, err := f.isFile(item)
	if err != nil {
		return "", err
	}
	if !one {
		d, err := f.dataset(item)
		return d.Format, err
	}
	format, known := files.FormatOf(item)
	if !known {
		return "", unknownFormat()
	}
	return format, nil
}

// isFile reports whether an item is one file, and not a folder or pattern. A
// file below a folder must be a file itself, where an administrator may link
// one in DATA_DIR/files.
func (f Folder) isFile(item string) (bool, error) {
	gone := missing(item)
	root, err := f.root()
	if errors.Is(err, fs.ErrNotExist) {
		return false, gone.Because(err)
	}
	if err != nil {
		return false, err
	}
	defer root.Close()
	info, err := root.Stat(item)
	if err != nil && !strings.Contains(item, "/") {
		info, err = os.Stat(filepath.Join(f.files(), item))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && files.Pattern(item):
		return false, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, gone.Because(err)
	case err != nil:
		return false, fmt.Errorf("look at file %q: %w", item, err)
	}
	return info.Mode().IsRegular(), nil
}

func missing(item string) *domain.Error {
	return domain.E(domain.NotFound, "file_missing",
		"The file %s is not there any more. The rows from before stay. Upload the file again to refresh them.", item)
}

// root opens DATA_DIR/files; nothing that is opened below it leads out.
func (f Folder) root() (*os.Root, error) {
	root, err := os.OpenRoot(f.files())
	if err != nil {
		return nil, fmt.Errorf("open files: %w", err)
	}
	return root, nil
}

// dataset lists the files of a folder or pattern.
func (f Folder) dataset(item string) (_ files.Dataset, err error) {
	root, err := f.root()
	if err != nil {
		return files.Dataset{}, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return files.ReadDataset(root.FS(), item) //nolint:wrapcheck // its words are for people
}

// checkItem refuses names that could lead out of the folder, and hidden files.
func checkItem(item string) error {
	if !plainName(item) {
		return domain.E(domain.Invalid, "file_name_invalid", "The table's file has a name that cannot be used. Upload the file again.")
	}
	return nil
}

// plainName reports whether name is one visible file's name, without folders.
func plainName(name string) bool {
	if name == "" || len(name) > maxName || name[0] == '.' {
		return false
	}
	for _, r := range name {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7f {
			return false
		}
	}
	return filepath.IsLocal(name)
}

func unknownFormat() *domain.Error {
	return domain.E(domain.Invalid, "file_format_unknown",
		"Agnes reads CSV (.csv, .txt), TSV (.tsv, .tab), JSON (.json) and NDJSON (.ndjson, .jsonl), also packed as .gz or .zst, Parquet (.parquet, .pq) and workbooks (.xlsx). Save the table as one of these and upload it.")
}
