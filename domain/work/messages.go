// Package work holds the messages between the serving process and its
// children, the only processes that open DuckDB. Jobs and events are JSON;
// query children speak frames (frame.go).
package work

import (
	"time"

	"agnes/domain/files"
	"agnes/domain/profile"
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
	Options   files.Options      `json:"options,omitzero"` // how a file is read
	Attach    []Attachment       `json:"attach,omitempty"` // of a look at outside systems
	Keys      []string           `json:"keys,omitempty"`   // of a join: the version's files
	Table     string             `json:"table"`            // view name of the result
	VersionID registry.VersionID `json:"version_id"`
	RunID     string             `json:"run_id"`
	Verify    []registry.File    `json:"verify,omitempty"` // with InspectVersions
	// BytesPerSecond bounds how fast Verify is read; 0: no limit.
	BytesPerSecond int64  `json:"bytes_per_second,omitempty"`
	Budget         Budget `json:"budget"`
}

// Inspect selects a look instead of an extraction.
type Inspect string

// The looks: a file's preview, and the list of a custom extract's tables.
const (
	InspectFile   Inspect = "file"
	InspectSource Inspect = "source"
	InspectRemote Inspect = "remote" // whether outside systems answer
	InspectJoin   Inspect = "join"   // one file made of a version's several
	// InspectVersions compares Verify with what was published.
	InspectVersions Inspect = "versions"
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
	Bytes       int64  `json:"bytes,omitempty"`
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
	// Sizes are the bytes of Keys as they were published; without them nothing is compared.
	Sizes []int64 `json:"sizes,omitempty"`
}

// The codes of tables whose version cannot be served as it was published.
const (
	VersionMissing    = "version_missing"    // there is none yet
	VersionDamaged    = "version_damaged"    // a file is gone, or is not what was published
	VersionUnreadable = "version_unreadable" // the engine cannot read it
)

// What can be wrong with a file of a version that is verified.
const (
	FileMissing    = "file_missing"
	FileUnreadable = "file_unreadable"
	FileChanged    = "file_changed" // it is not what was published
)

// Rebuilt says what a rebuild published and what it had to leave out.
type Rebuilt struct {
	Views    int       `json:"views"`
	Problems []Problem `json:"problems,omitempty"`
	// Generation counts the files that were published as analytics/server.duckdb.
	Generation int64 `json:"generation"`
	// Unchanged says that everything was as it had been published before, so
	// that nothing was written.
	Unchanged bool `json:"unchanged,omitempty"`
	// Extracts are the sources whose extract.duckdb was written.
	Extracts []string `json:"extracts,omitempty"`
}

// Problem is one table or source that was left out, with code and sentence.
type Problem struct {
	Source  string `json:"source"`
	Table   string `json:"table,omitempty"`
	Key     string `json:"key,omitempty"` // of the file, when one is verified
	Code    string `json:"code"`
	Message string `json:"message"`
	Served  bool   `json:"served,omitempty"` // an earlier version is served instead
}

// Event is one JSON line from an extract or rebuild child, on its descriptor 3.
// Exactly one of the pointers is set, or Phase for progress.
type Event struct {
	Phase     string           `json:"phase,omitempty"`    // extract, convert or publish
	Fraction  float64          `json:"fraction,omitempty"` // 0 to 1 of the phase; 0 when unknown
	Rows      int64            `json:"rows,omitempty"`
	Bytes     int64            `json:"bytes,omitempty"`
	Report    *files.Report    `json:"report,omitempty"` // of a file: what did not fit
	Preview   *files.Preview   `json:"preview,omitempty"`
	Source    *Inspected       `json:"source,omitempty"`
	Attached  []Attached       `json:"attached,omitempty"`
	Extracted *Extracted       `json:"extracted,omitempty"`
	Rebuilt   *Rebuilt         `json:"rebuilt,omitempty"`
	Damaged   []Problem        `json:"damaged,omitempty"` // of verified files, those that differ
	Schema    *StateSchema     `json:"schema,omitempty"`  // of a predecessor's state
	State     *StateRows       `json:"state,omitempty"`
	Mirrored  *Mirrored        `json:"mirrored,omitempty"`
	Profile   *profile.Profile `json:"profile,omitempty"`
	Failure   *Failure         `json:"failure,omitempty"`
	Done      bool             `json:"done,omitempty"` // the last line of a child that succeeded
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
	// Table is the name, as written, of a table that a statement did not find.
	Table string `json:"table,omitempty"`
	// Statements are the places of the statements of a text that was refused
	// because it holds several.
	Statements []Place `json:"statements,omitempty"`
}

// Place is a part of a text, in bytes from its beginning; End is behind it.
type Place struct {
	Start int `json:"start"`
	End   int `json:"end"`
}
