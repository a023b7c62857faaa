package views

import (
	"strings"
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// UploadView is the page that adds data.
type UploadView struct {
	Replaces   *registry.Table // the upload becomes this table's rows; nil for a new table
	Waiting    []WaitingFile   // files placed on the server that no table reads
	MaxUpload  int64           // bytes
	Error      string          // why the last upload was refused
	FilesPlace string          // where files may be placed, as operators name it: "the files folder of the data directory"
	Now        time.Time
}

// WaitingFile is a file that lies on the server and is no table yet.
type WaitingFile struct {
	files.File
	PreviewURL string
}

// PreviewView shows what a file would become.
type PreviewView struct {
	FileName    string
	Bytes       int64
	Preview     files.Preview
	Action      string // posted to with name and description
	CancelURL   string // posted to, to throw the upload away; "" offers a plain way back
	TableName   string // suggested or typed
	Description string
	Errors      FieldErrors // name, description
	Error       string
	Replaces    *registry.Published
	Changes     ColumnChanges // against Replaces
}

// ColumnChanges is how a file differs from the table that it replaces.
type ColumnChanges struct {
	Added   []registry.Column
	Removed []registry.Column
	Retyped []RetypedColumn
}

// RetypedColumn is a column whose type changes.
type RetypedColumn struct {
	Name string
	Was  string
	Is   string
}

// None reports whether the columns are the same.
func (c ColumnChanges) None() bool {
	return len(c.Added) == 0 && len(c.Removed) == 0 && len(c.Retyped) == 0
}

// CompareColumns tells how a file's columns differ from a table's.
func CompareColumns(was, is []registry.Column) ColumnChanges {
	before := make(map[string]string, len(was))
	for _, c := range was {
		before[c.Name] = c.Type
	}
	var changes ColumnChanges
	for _, c := range is {
		kind, known := before[c.Name]
		switch {
		case !known:
			changes.Added = append(changes.Added, c)
		case kind != c.Type:
			changes.Retyped = append(changes.Retyped, RetypedColumn{Name: c.Name, Was: kind, Is: c.Type})
		}
		delete(before, c.Name)
	}
	for _, c := range was {
		if _, gone := before[c.Name]; gone {
			changes.Removed = append(changes.Removed, c)
		}
	}
	return changes
}

func (v UploadView) filesPlace() string {
	if v.FilesPlace == "" {
		return "the files folder of the data directory"
	}
	return v.FilesPlace
}

// summary says in words what the file is.
func (v PreviewView) summary() string {
	parts := []string{formatWord(v.Preview.Format)}
	if v.Preview.Dialect != "" {
		parts = append(parts, v.Preview.Dialect)
	}
	parts = append(parts, Bytes(v.Bytes), Plural(len(v.Preview.Columns), "column"))
	if v.Preview.TotalRows >= 0 {
		parts = append(parts, rowsWord(v.Preview.TotalRows))
	}
	return strings.Join(parts, " · ")
}

func formatWord(f files.Format) string {
	switch f {
	case files.NDJSON:
		return "JSON, one object a line"
	case files.Parquet:
		return "Parquet"
	default:
		return strings.ToUpper(string(f))
	}
}

// rowsFound words the rows of the file, which are not always counted yet.
func (v PreviewView) rowsFound() string {
	if v.Preview.TotalRows < 0 {
		return "not counted yet"
	}
	return rowsWord(v.Preview.TotalRows)
}

func (v PreviewView) rowsNote() string {
	shown := int64(len(v.Preview.Rows))
	switch {
	case v.Preview.TotalRows < 0:
		if shown == 1 {
			return "The first row."
		}
		return "The first " + Count(shown) + " rows."
	case v.Preview.TotalRows <= shown:
		return "All " + rowsWord(shown) + "."
	}
	return "The first " + Count(shown) + " of " + Count(v.Preview.TotalRows) + " rows."
}
