// Package files brings people's files in: upload, preview, table.
package files

import (
	"path"
	"strings"
	"time"

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
)

// FormatOf tells the format from a file's name; ok is false for an ending that
// is not read.
func FormatOf(name string) (_ Format, ok bool) {
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
	}
	return "", false
}

// File is one file in DATA_DIR/files.
type File struct {
	Name    string
	Format  Format
	Bytes   int64
	ModTime time.Time
	Table   registry.TableID // the table that reads it, if any
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
}

// Preview is what DuckDB makes of a file before it becomes a table.
type Preview struct {
	Format    Format            `json:"format"`
	Dialect   string            `json:"dialect,omitempty"` // "; separated, quoted by \""
	Columns   []registry.Column `json:"columns"`
	Rows      [][]*string       `json:"rows"`       // as text, nil for NULL; at most 50
	TotalRows int64             `json:"total_rows"` // -1 when not known yet
	Warnings  []string          `json:"warnings,omitempty"`
}
