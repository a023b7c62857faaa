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

// Extract hands the file job.Item in DATA_DIR/files to the sink.
func (Connector) Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error) {
	if err := checkItem(job.Item); err != nil {
		return work.Extracted{}, err
	}
	format, known := files.FormatOf(job.Item)
	if !known {
		return work.Extracted{}, unknownFormat()
	}
	info, err := os.Stat(filepath.Join(job.DataDir, filesDir, job.Item))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return work.Extracted{}, domain.E(domain.NotFound, "file_missing",
			"The file %s is not there any more. The rows from before stay. Upload the file again to refresh them.", job.Item).Because(err)
	case err != nil:
		return work.Extracted{}, fmt.Errorf("look at file %q: %w", job.Item, err)
	case !info.Mode().IsRegular():
		return work.Extracted{}, domain.E(domain.Invalid, "file_missing", "%s is a folder, not a file. Upload a file in its place.", job.Item)
	}
	return sink.Convert(ctx, path.Join(filesDir, job.Item), format) //nolint:wrapcheck // the sink's words are for people
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
		"Agnes reads CSV (.csv, .txt), TSV (.tsv, .tab), JSON (.json), NDJSON (.ndjson, .jsonl) and Parquet (.parquet, .pq). Save the table as one of these and upload it.")
}
