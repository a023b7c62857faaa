// Package work holds the messages between the serving process and its
// children, the only processes that open DuckDB. Jobs and events are JSON;
// query children speak frames (frame.go).
package work

import (
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// Budget bounds one child. The parent hands it out; the child obeys it and the
// kernel enforces what it can.
type Budget struct {
	MemoryBytes int64  `json:"memory_bytes"` // of DuckDB; the process gets twice that
	Threads     int    `json:"threads"`
	ScratchKey  string `json:"scratch_key"` // private folder under the data directory, removed after
}

// ExtractJob tells an extract child to write one version of one table, or,
// with Inspect set, to look only. It arrives as one JSON document on stdin.
type ExtractJob struct {
	DataDir   string             `json:"data_dir"`
	Connector string             `json:"connector"` // files or custom
	Source    string             `json:"source"`    // folder name under extracts/
	Item      string             `json:"item"`      // in the source: file name, table name
	Key       string             `json:"key"`       // preview: the staged upload's place under the data directory
	Inspect   Inspect            `json:"inspect,omitempty"`
	Table     string             `json:"table"` // view name of the result
	VersionID registry.VersionID `json:"version_id"`
	RunID     string             `json:"run_id"`
	Budget    Budget             `json:"budget"`
}

// Inspect selects a look instead of an extraction.
type Inspect string

// The looks: a file's preview, and the list of a custom extract's tables.
const (
	InspectFile   Inspect = "file"
	InspectSource Inspect = "source"
)

// Extracted is the result of an extraction: one validated version in place.
type Extracted struct {
	Files    []registry.File   `json:"files"`
	Columns  []registry.Column `json:"columns"`
	Rows     int64             `json:"rows"`
	Bytes    int64             `json:"bytes"`
	MD5      string            `json:"md5"`
	Warnings []string          `json:"warnings,omitempty"`
}

// SourceTable is one table that a custom extract offers. Problem is set when it cannot be
// served, with a sentence.
type SourceTable struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Rows        int64  `json:"rows"`
	QueryMode   string `json:"query_mode"`
	Code        string `json:"code,omitempty"`
	Problem     string `json:"problem,omitempty"`
}

// RebuildJob tells a rebuild child what to publish as analytics/server.duckdb,
// and which extract.duckdb files are Agnes's own to write.
type RebuildJob struct {
	DataDir string          `json:"data_dir"`
	Sources []RebuildSource `json:"sources"`
	Budget  Budget          `json:"budget"`
}

// RebuildSource is one source with the current versions of its tables. An
// owned source's extract.duckdb and data/ links are written by the rebuild; a
// custom extractor's are never touched.
type RebuildSource struct {
	Name   string         `json:"name"`
	Owned  bool           `json:"owned"`
	Tables []RebuildTable `json:"tables"`
}

// RebuildTable is one view to publish.
type RebuildTable struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Rows        int64     `json:"rows"`
	Bytes       int64     `json:"bytes"`
	QueryMode   string    `json:"query_mode"`
	ExtractedAt time.Time `json:"extracted_at"`
	Keys        []string  `json:"keys"` // Parquet files under the data directory
}

// Rebuilt says what a rebuild published and what it had to leave out.
type Rebuilt struct {
	Views    int       `json:"views"`
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is one table or source that was left out, with code and sentence.
type Problem struct {
	Source  string `json:"source"`
	Table   string `json:"table,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Event is one JSON line from an extract or rebuild child, on its descriptor 3.
// Exactly one of the pointers is set, or Phase for progress.
type Event struct {
	Phase     string         `json:"phase,omitempty"`    // extract, convert or publish
	Fraction  float64        `json:"fraction,omitempty"` // 0 to 1 of the phase; 0 when unknown
	Rows      int64          `json:"rows,omitempty"`
	Bytes     int64          `json:"bytes,omitempty"`
	Preview   *files.Preview `json:"preview,omitempty"`
	Source    []SourceTable  `json:"source,omitempty"`
	Extracted *Extracted     `json:"extracted,omitempty"`
	Rebuilt   *Rebuilt       `json:"rebuilt,omitempty"`
	Failure   *Failure       `json:"failure,omitempty"`
	Done      bool           `json:"done,omitempty"` // the last line of a child that succeeded
}

// Failure is why a child could not do its job, in words for people.
type Failure struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	NextStep string `json:"next_step,omitempty"`
	Cause    string `json:"cause,omitempty"` // for the log only
	// Line and Column place an SQL error, from 1; 0 when unknown.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
}
