package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// ConsoleRunView is a run as it stands. With neither Result nor Failure it
// runs or waits.
type ConsoleRunView struct {
	ID         string
	Elapsed    time.Duration
	Place      int   // in the queue, from 1; 0: it runs
	Rows       int64 // so far
	Statements []ConsoleStatement
	Unrun      bool // statements after the last of Statements were not run
	Result     *ConsoleResultView
	Failure    *ConsoleErrorView
}

// ConsoleStatement is one of several statements of a text.
type ConsoleStatement struct {
	ID      string
	SQL     string
	Status  Status
	Rows    int64
	Done    bool
	Current bool // the one that is shown
}

// ConsoleResultView is a page of the kept rows of a run.
type ConsoleResultView struct {
	RunID     string
	Simulated bool // through other eyes, to which downloads are closed
	Grid      Grid
	Total     int64 // rows kept
	Page      int   // from 1
	PerPage   int
	Sort      string // as the address has it
	More      bool   // rows beyond the kept ones exist
	Cut       bool   // the page is too wide to be shown whole
	Elapsed   time.Duration
	At        time.Time
}

// ExportFormat is one kind of file that a result is downloaded as.
type ExportFormat struct {
	Name  string // "CSV for spreadsheets"
	About string
	URL   templ.SafeURL // "" where it cannot be had
}

// maxSheetRows is how many rows a sheet holds below its head.
const maxSheetRows = 1048575

func (v ConsoleRunView) working() bool { return v.Result == nil && v.Failure == nil }

func (v ConsoleRunView) pollURL() string { return string(RunURL(v.ID)) + "&poll=1" }

// state says what the run does, and where it waits.
func (v ConsoleRunView) state() Status {
	if v.Place > 0 {
		return Status{Class: "st-idle", Icon: "hourglass", Word: "Waiting"}
	}
	return Status{Class: "st-run", Icon: "loader-circle", Word: "Running", Spin: true}
}

func (v ConsoleRunView) doing() string {
	if v.Place == 1 {
		return "It is next in line."
	}
	if v.Place > 1 {
		return "It is " + ordinal(v.Place) + " in line."
	}
	if v.Rows > 0 {
		return rowsWord(v.Rows) + " so far."
	}
	return "No rows yet."
}

// stop says which statement was the last, where others were not run.
func (v ConsoleRunView) stop() string {
	last := len(v.Statements)
	s := "Statement " + strconv.Itoa(last) + " did not end well"
	if v.Unrun {
		s += ", so what follows it was not run"
	}
	return s + "."
}

func (v ConsoleRunView) stopped() bool {
	return len(v.Statements) > 0 && !v.Statements[len(v.Statements)-1].Done
}

func (s ConsoleStatement) said() string {
	if s.Done {
		return rowsWord(s.Rows)
	}
	return s.Status.Word
}

// firstLine is a statement as a list shows it.
func firstLine(sql string) string {
	return clipped(strings.Join(strings.Fields(sql), " "), 200)
}

func ordinal(n int) string {
	end := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			end = "st"
		case 2:
			end = "nd"
		case 3:
			end = "rd"
		}
	}
	return Count(int64(n)) + end
}

// RunURL is the console with a run in it.
func RunURL(id string) templ.SafeURL {
	return templ.SafeURL("/console?run=" + url.QueryEscape(id))
}

// RunPageURL is a page of a run's rows, sorted.
func RunPageURL(id string, page int, sort string) templ.SafeURL {
	address := RunURL(id)
	if sort != "" {
		address += templ.SafeURL("&sort=" + url.QueryEscape(sort))
	}
	if page > 1 {
		address += templ.SafeURL("&page=" + strconv.Itoa(page))
	}
	return address
}

func runForm(id, action string) templ.SafeURL {
	return templ.SafeURL("/console/runs/" + url.PathEscape(id) + "/" + action)
}

func (v ConsoleResultView) summary() string {
	rows := rowsWord(v.Total)
	if v.More {
		rows = "first " + rows
	}
	return rows + " in " + Duration(v.Elapsed) + ", at " + v.At.UTC().Format("15:04:05") + " UTC"
}

func (v ConsoleResultView) pages() int {
	if v.PerPage <= 0 {
		return 1
	}
	return max(1, int((v.Total+int64(v.PerPage)-1)/int64(v.PerPage)))
}

func (v ConsoleResultView) span() string {
	return Count(v.Grid.First+1) + "–" + Count(v.Grid.First+int64(len(v.Grid.Rows))) + " of " + Count(v.Total)
}

// formats lists the files that the result can be downloaded as.
func (v ConsoleResultView) formats() []ExportFormat {
	at := func(format, more string) templ.SafeURL {
		address := "/api/query/runs/" + url.PathEscape(v.RunID) + "/export?format=" + format + more
		if v.Sort != "" {
			address += "&sort=" + url.QueryEscape(v.Sort)
		}
		return templ.SafeURL(address)
	}
	sheet := ExportFormat{Name: "Excel", About: "xlsx; numbers of more than 15 digits as text", URL: at("xlsx", "")}
	if v.Total > maxSheetRows {
		sheet = ExportFormat{Name: "Excel", About: "a sheet holds at most " + Count(maxSheetRows) + " rows"}
	}
	return []ExportFormat{
		{"CSV", "values exactly as they are", at("csv", "")},
		{"CSV for spreadsheets", "an apostrophe before text that starts like a formula, so that none is run", at("csv", "&guard=spreadsheet")},
		sheet,
		{"TSV", "tabs between the values", at("tsv", "")},
		{"Parquet", "with its types", at("parquet", "")},
		{"Arrow", "an IPC file, with its types", at("arrow", "")},
		{"JSON", "a list of objects", at("json", "")},
		{"NDJSON", "an object in each line", at("ndjson", "")},
	}
}
