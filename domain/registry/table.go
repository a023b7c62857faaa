// Package registry holds the registered tables, their versions and the rules
// for names and registrations.
package registry

import (
	"encoding/json"
	"strconv"
	"time"

	"agnes/domain/people"
)

// TableID names a registered table: its name, lower case, blanks as "_".
type TableID string

// VersionID names one version of a table's rows.
type VersionID string

// The source types of contract 4.3 and the two of our own.
const (
	SourceLocal  = "local"  // the files connector
	SourceCustom = "custom" // an extractor of the company's own; Bucket is its folder
)

// The query modes.
const (
	ModeLocal        = "local"
	ModeRemote       = "remote"
	ModeMaterialized = "materialized"
)

// Table is one row of the registry. Pointers are values that may be absent.
type Table struct {
	ID                    TableID
	Revision              int64  // counts the changes of Fields, from 1
	Name                  string // the name in SQL
	SourceType            string
	Bucket                string
	SourceTable           string // in the source: a file's name, a table's name
	SourceQuery           string
	SyncStrategy          string
	QueryMode             string
	SyncSchedule          string
	ProfileAfterSync      bool
	PrimaryKey            []string
	Folder                string
	Description           string
	RegisteredBy          string
	RegisteredAt          time.Time
	IncrementalWindowDays *int
	MaxHistoryDays        *int
	InitialLoadChunkDays  *int
	IncrementalColumn     string
	WhereFilters          []WhereFilter
	PartitionBy           string
	PartitionGranularity  string
	BQFQN                 string
	ReadOptions           string // how the files connector reads its file: files.Options as JSON
	Sample                bool   // loaded by "Load sample data"
	Guard                 Guard
	Discoverable          bool          // people without a grant learn that it exists, and may ask for it
	Owner                 people.UserID // decides on requests beside administrators; "" for nobody; read only
	OwnerEmail            string        // address of Owner, by which one is named
}

// Source is the folder extracts/<source> that the table's extract lies in.
func (t Table) Source() string {
	switch t.SourceType {
	case SourceCustom:
		return t.Bucket
	case SourceLocal, "":
		return "files"
	}
	return t.SourceType
}

// Foreign reports whether the table's extract is written by somebody else: an
// extractor of the company's own, or the predecessor's.
func (t Table) Foreign() bool { return t.SourceType != SourceLocal && t.SourceType != "" }

// Item is what the table is called in its source. The predecessor's extracts
// call tables as the registry does.
func (t Table) Item() string {
	if t.Foreign() && t.SourceType != SourceCustom {
		return t.Name
	}
	return t.SourceTable
}

// WhereFilter is one condition that a source applies before it sends rows.
type WhereFilter struct {
	Column   string   `json:"column"`
	Operator string   `json:"operator"` // eq, ne, gt, ge, lt or le
	Values   []string `json:"values"`
}

// FilterOperators are the operators of a filter.
func FilterOperators() []string { return []string{"eq", "ne", "gt", "ge", "lt", "le"} }

// FilterValue is the text of a filter's value as JSON has it; ok is false for what
// no filter compares with.
func FilterValue(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Column is one column of a version, with its DuckDB type.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// File is one immutable Parquet file of a version. Key is its place under the
// data directory, with "/"; only store/warehouse makes a path of it.
type File struct {
	Key    string `json:"key"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Version is one immutable state of a table's rows. A version is readable
// before it is recorded, and never changes after.
type Version struct {
	ID          VersionID
	Table       TableID
	RunID       string
	Files       []File
	Columns     []Column
	Rows        int64
	Bytes       int64
	MD5         string // of the file, 32 hex digits; "" when there are several
	CreatedAt   time.Time
	Cause       string     // why its run began, as syncs.Trigger says it
	MadeBy      string     // who began it: a user id, or system:<job>
	Maker       string     // the e-mail address of MadeBy, filled in lists; "" when it is no person
	PublishedAt *time.Time // when it last became current; nil: never, such as while it is held
	// Places in one count for the table's versions, which no clock moves. Turn goes
	// up each time the version is published again.
	Made int64
	Turn int64
}

// Again reports whether the version was published later than it was made:
// somebody went back to it, let it pass, or it stands in for a damaged one.
func (v Version) Again() bool { return v.Turn > v.Made }

// SyncStatus is how a table stands, from its runs.
type SyncStatus struct {
	State     string     // never, ok, error, held, kept, running or queued
	LastSync  *time.Time // last success
	LastTry   *time.Time
	Error     string // a sentence
	ErrorCode string
	NextStep  string
}

// What SyncStatus.State says beside never, ok, error, running and queued.
const (
	StatusHeld = "held" // newer rows wait for a person
	StatusKept = "kept" // a person chose the current rows over newer ones
)

// Removed is a table that was just unregistered, as it was.
type Removed struct {
	Published
	Bin string // brings it back; "" when nothing can
}

// Published is a table with its current version; Version is nil until a first
// sync succeeded.
type Published struct {
	Table
	Version *Version
	Status  SyncStatus
	// GrantedTo names the groups that hold a grant; filled for admins only.
	GrantedTo []string
}
