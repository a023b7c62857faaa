package views

import (
	"slices"
	"strings"
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// UploadView is the page that adds data.
type UploadView struct {
	Replaces   *registry.Table // the upload becomes this table's rows; nil for a new table
	Unfinished []files.Part    // the viewer's uploads that stopped half way
	Waiting    []WaitingFile   // files placed on the server that no table reads
	MaxUpload  int64           // bytes
	Error      string          // why the last upload was refused
	Item       string          // the folder or pattern that was asked for
	ItemError  string          // why it is no table
	FilesPlace string          // where files may be placed, as operators name it: "the files folder of the data directory"
	Now        time.Time
}

// WaitingFile is a file that lies on the server and is no table yet.
type WaitingFile struct {
	files.File
	PreviewURL string
}

// words says what the file, or each file of the folder, is.
func (f WaitingFile) words() string {
	if f.Files > 0 {
		return "folder of " + Plural(f.Files, "file") + ", " + formatWord(f.Format)
	}
	return formatWord(f.Format)
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
	Errors      FieldErrors // name, description, and of the corrections
	Error       string
	Failed      string // why no table can be made of the file as it is read
	NextStep    string
	Options     files.Options // how it is read
	Matched     files.Dataset // the files of a folder or pattern; none for one file
	Replaces    *registry.Published
	Version     int64                  // of Replaces' registration, that the form was made from
	Changes     registry.ColumnChanges // against Replaces
}

// holdWords says that the rows of the file would wait for a person, and why; ""
// when they would be published.
func (v PreviewView) holdWords() string {
	if v.Replaces == nil || v.Replaces.Version == nil {
		return ""
	}
	is := registry.Version{Columns: v.Preview.Columns, Rows: v.Preview.TotalRows}
	if is.Rows < 0 { // not counted yet
		is.Rows = v.Replaces.Version.Rows
	}
	hold := v.Replaces.Review(is)
	if hold == nil {
		return ""
	}
	return "These rows will be held. " + hold.Message
}

func (v UploadView) itemErrors() FieldErrors { return FieldErrors{"item": v.ItemError} }

func (v UploadView) filesPlace() string {
	if v.FilesPlace == "" {
		return "the files folder of the data directory"
	}
	return v.FilesPlace
}

// summary says in words what the file is.
func (v PreviewView) summary() string {
	if v.Failed != "" {
		return Bytes(v.Bytes)
	}
	parts := []string{formatWord(v.Preview.Format)}
	if v.Preview.Files > 0 {
		parts = append(parts, Plural(v.Preview.Files, "file"))
	}
	if v.Preview.Dialect != "" {
		parts = append(parts, v.Preview.Dialect)
	}
	parts = append(parts, Bytes(v.Bytes), Plural(len(v.Preview.Columns), "column"))
	if v.Preview.TotalRows >= 0 {
		parts = append(parts, rowsWord(v.Preview.TotalRows)+v.fitting())
	}
	return strings.Join(parts, " · ")
}

// shownMatches is how many files of a folder or pattern are named.
const shownMatches = 8

// firstMatches are the files that are named.
func (v PreviewView) firstMatches() []files.DatasetFile {
	return v.Matched.Files[:min(len(v.Matched.Files), shownMatches)]
}

// matchWords says how many files become the table, and which do not.
func (v PreviewView) matchWords() string {
	said := Plural(len(v.Matched.Files), "file") + " of " + Bytes(v.Matched.Bytes()) + " together become one table. More that are placed there later join it."
	if len(v.Matched.Files) == 1 {
		said = "One file of " + Bytes(v.Matched.Bytes()) + " becomes the table. More that are placed there later join it."
	}
	if n := v.Matched.Skipped; n > 0 {
		said += " Passed over, being of other formats: " + Plural(n, "file") + "."
	}
	return said
}

func formatWord(f files.Format) string {
	switch f {
	case files.NDJSON:
		return "JSON, one object a line"
	case files.XLSX:
		return "Workbook"
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
	case len(v.Preview.From) > 0:
		return "The first rows of " + Plural(len(distinct(v.Preview.From)), "file") + "."
	case v.Preview.TotalRows < 0:
		if shown == 1 {
			return "The first row."
		}
		return "The first " + Count(shown) + " rows."
	case v.Preview.TotalRows <= shown:
		return "All " + rowsWord(shown) + v.fitting() + "."
	}
	return "The first " + Count(shown) + " of " + Count(v.Preview.TotalRows) + " rows" + v.fitting() + "."
}

// fitting tells counted rows from those of the file, where they differ.
func (v PreviewView) fitting() string {
	switch {
	case v.Preview.Misfits.Count == 0:
		return ""
	case v.Preview.TotalRows == 1:
		return " that fits"
	}
	return " that fit"
}

// distinct are the values of a list whose equals follow each other.
func distinct(list []string) []string { return slices.Compact(slices.Clone(list)) }
