// Package files brings people's files in: upload, preview, table.
package files

import (
	"path"
	"strings"
	"time"

	"agnes/domain/people"
	"agnes/domain/registry"
)

// Format is how a file holds its rows.
type Format string

// The formats read here.
const (
	CSV     Format = "csv"
	TSV     Format = "tsv"
	JSON    Format = "json"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
	XLSX    Format = "xlsx"
)

// Text reports whether the format is text, which may be compressed and has an
// encoding.
func (f Format) Text() bool { return f == CSV || f == TSV || f == JSON || f == NDJSON }

// Compression is how a file of text is packed.
type Compression string

// The compressions read here.
const (
	Plain Compression = ""
	Gzip  Compression = "gzip"
	Zstd  Compression = "zstd"
)

// FormatOf tells the format from a file's name, compressed or not; ok is false
// for an ending that is not read.
func FormatOf(name string) (_ Format, ok bool) {
	packed := CompressionOf(name) != Plain
	if packed {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	f, ok := plainFormat(name)
	if packed && !f.Text() {
		return "", false
	}
	return f, ok
}

func plainFormat(name string) (Format, bool) {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".txt":
		return CSV, true
	case ".tsv", ".tab":
		return TSV, true
	case ".json":
		return JSON, true
	case ".ndjson", ".jsonl":
		return NDJSON, true
	case ".parquet", ".pq":
		return Parquet, true
	case ".xlsx", ".xlsm":
		return XLSX, true
	}
	return "", false
}

// CompressionOf tells from a file's name how it is packed.
func CompressionOf(name string) Compression {
	switch strings.ToLower(path.Ext(name)) {
	case ".gz":
		return Gzip
	case ".zst":
		return Zstd
	}
	return Plain
}

// Ext is the ending of a file's name that tells its format, in lower case:
// ".csv.gz" for a packed one; "" for a name of no known format.
func Ext(name string) string {
	if _, known := FormatOf(name); !known {
		return ""
	}
	ext := path.Ext(name)
	if CompressionOf(name) != Plain {
		ext = path.Ext(strings.TrimSuffix(name, ext)) + ext
	}
	return strings.ToLower(ext)
}

// Stem is a file's name without its ending.
func Stem(name string) string { return name[:len(name)-len(Ext(name))] }

// File is one file in DATA_DIR/files, or a folder there whose files are one
// table.
type File struct {
	Name    string
	Format  Format
	Bytes   int64
	ModTime time.Time
	Table   registry.TableID // the table that reads it, if any
	Files   int              // in a folder; 0 for a file
}

// UploadID names a staged upload.
type UploadID string

// Upload is a file that was received whole and is not a table yet.
type Upload struct {
	ID     UploadID
	Name   string // as the sender named it, without folders
	Format Format
	Bytes  int64
	Key    string // place under the data directory
	// Owner alone may look at it and make a table of it; "" for one of before that was kept.
	Owner people.UserID
}

// Preview is what DuckDB makes of a file before it becomes a table.
type Preview struct {
	Format    Format            `json:"format"`
	Dialect   string            `json:"dialect,omitempty"` // "; separated, quoted by \""
	Columns   []registry.Column `json:"columns"`
	Rows      [][]*string       `json:"rows"`       // as text, nil for NULL; at most 50
	TotalRows int64             `json:"total_rows"` // -1 when not known yet
	Warnings  []string          `json:"warnings,omitempty"`
	Found     []registry.Column `json:"found,omitempty"`     // the file's own columns, before corrections
	Separator string            `json:"separator,omitempty"` // that the first line names, such as sep=;
	Sheets    []string          `json:"sheets,omitempty"`    // of a workbook
	Sheet     string            `json:"sheet,omitempty"`     // the one that is read
	Files     int               `json:"files,omitempty"`     // of a folder
	From      []string          `json:"from,omitempty"`      // the file of each row, of several
	Partial   bool              `json:"partial,omitempty"`   // Misfits are those of the beginning only
	Report
}
