package warehouse

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"agnes/domain/registry"
)

// newestStorage is the newest storage version that DuckDB 1.5 opens.
const newestStorage = 68

const (
	nextExtractor = "Run the extractor again; if it happens again, ask its owner."
	nextAskOwner  = "Ask the extractor's owner to correct it."
)

// extract is somebody's extract.duckdb, opened for reading in a private
// instance that sees its folder and nothing else: its views are somebody
// else's SQL.
type extract struct {
	db    *sql.DB
	alias string
	meta  metaShape
	file  string
	was   fs.FileInfo // of file, before it was opened

	fileBytes int64 // of each file of a large table
}

// openExtract opens the extract of a source. output, if any, is the one file
// outside the folder that may be written, or with a "/" at its end the folder.
func (s *Store) openExtract(ctx context.Context, source string, output ...string) (*extract, error) {
	if !registry.Identifier(source) {
		return nil, refuse("source_name_invalid", "Rename the folder: letters, digits and _, no digit first, at most 64 characters.",
			"The folder %s has a name that cannot be used.", shorten(source, 80))
	}
	file, err := s.path(extractKey(source))
	if err != nil {
		return nil, err
	}
	was, err := lookAtExtract(file, source)
	if err != nil {
		return nil, err
	}
	db, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	e := &extract{db: db, alias: extractAlias(source), file: file, was: was, fileBytes: s.split.fileBytes}
	if _, err := db.ExecContext(ctx, "ATTACH "+quoteLiteral(file)+" AS "+quoteIdent(e.alias)+" (READ_ONLY)"); err != nil {
		return nil, closeAfter(db, attachFault(err, file, source))
	}
	dirs := []string{filepath.Dir(file) + "/"}
	if len(output) > 0 && strings.HasSuffix(output[0], "/") {
		dirs, output = append(dirs, output[0]), []string{strings.TrimSuffix(output[0], "/")}
	}
	if err := lock(ctx, db, dirs, output); err != nil {
		return nil, closeAfter(db, err)
	}
	if e.meta, err = e.shape(ctx, source); err != nil {
		return nil, closeAfter(db, err)
	}
	return e, nil
}

// lookAtExtract fails unless there is a file that can be a whole extract.
func lookAtExtract(file, source string) (fs.FileInfo, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse("extract_missing", "Run the extractor first.", "The source %s has no extract.duckdb.", source).because(err)
	case err != nil:
		return nil, refuse("extract_unreadable", "Give Agnes the permission to read the folder, and let extract.duckdb be a file in it, not a link out of it.",
			"Agnes may not read the extract of %s.", source).because(err)
	case !info.Mode().IsRegular():
		return nil, refuse("extract_unreadable", nextExtractor, "The extract.duckdb of %s is not a file.", source)
	}
	// A log is written after the file that it belongs to. An older one was left
	// by another file, and DuckDB would replay it into this one without a word.
	for _, ending := range duckLogs() {
		log, err := os.Stat(file + ending)
		if err == nil && log.Size() > 0 && log.ModTime().Before(info.ModTime()) {
			return nil, refuse("extract_log_stale", "Let the extractor remove extract.duckdb"+ending+" before it renames a new file into place.",
				"A log of an older file lies beside the extract of %s and would change its rows. What was synced before stays.", source)
		}
	}
	return info, nil
}

// unchanged fails when the file was written to while it was read. One that was
// replaced is fine: what was read is the file of before, whole.
func (e *extract) unchanged(source string) error {
	now, err := os.Stat(e.file)
	if err != nil || !os.SameFile(e.was, now) {
		return nil //nolint:nilerr // gone or replaced: the file that was opened stays whole
	}
	if now.Size() == e.was.Size() && now.ModTime().Equal(e.was.ModTime()) {
		return nil
	}
	return refuse("extract_changed", "Let the extractor write a new file and rename it into place.",
		"The extract of %s was written to while it was read. What was synced before stays.", source)
}

// extractAlias is the catalog's name: the folder's, as views may rely on it
// (contract 12.2), unless DuckDB has that name itself.
func extractAlias(source string) string {
	switch strings.ToLower(source) {
	case "memory", "system", "temp", "main":
		return "extract"
	}
	return source
}

// attachFault says why an extract.duckdb does not open.
func attachFault(err error, file, source string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "Could not set lock"), strings.Contains(text, "Conflicting lock"):
		return refuse("extract_locked", "Wait until the extractor has finished, then try again.",
			"Another program is writing the extract of %s now.", source).because(err)
	case storageVersion(file) > newestStorage, strings.Contains(text, "version number"):
		return refuse("extract_too_new", "Let the extractor write with ATTACH … (STORAGE_VERSION 'v1.0.0').",
			"The extract of %s was written by a newer DuckDB than Agnes reads.", source).because(err)
	case strings.Contains(text, "encrypted"), strings.Contains(text, "encryption"):
		return refuse("extract_encrypted", "Let the extractor write it without a key.", "The extract of %s is encrypted.", source).because(err)
	case errors.Is(err, fs.ErrPermission), strings.Contains(text, "Permission denied"):
		return refuse("extract_unreadable", "Give Agnes the permission to read the folder.",
			"Agnes may not read the extract of %s.", source).because(err)
	}
	return refuse("extract_unreadable", nextExtractor, "The extract of %s is damaged or not a DuckDB file. What was synced before stays.", source).because(err)
}

// damaged says that an extract that opened cannot be read, unless it is the
// work that was stopped or had no room: that says nothing about the extract.
func damaged(err error, source string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("extract_unreadable", nextExtractor, "The extract of %s is damaged. What was synced before stays.", source).because(err)
}

// storageVersion reads the version from a DuckDB file's header, 0 when it is
// none. Nobody in this process holds the file open then, or closing it here
// would drop their lock.
func storageVersion(file string) uint64 {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	var head [20]byte // checksum, "DUCK", version
	_, err = io.ReadFull(f, head[:])
	if err := errors.Join(err, f.Close()); err != nil || string(head[8:12]) != "DUCK" {
		return 0
	}
	return binary.LittleEndian.Uint64(head[12:])
}
