package views

import (
	"slices"
	"strings"
	"time"

	"agnes/domain/registry"
)

// ConsoleView is the SQL console. At most one of Run and Failure is set; with
// neither, the result region shows the examples.
type ConsoleView struct {
	SQL      string
	Limit    int   // rows to keep; 0: all
	Limits   []int // to choose from
	Sources  []ConsoleSource
	Open     registry.TableID // table whose columns are unfolded
	Examples []Example
	Run      *ConsoleRunView
	Failure  *ConsoleErrorView // of a query that did not become a run
	UserID   string            // names the draft that the browser keeps
	Now      time.Time
}

// ConsoleSource is one group of the tree of tables.
type ConsoleSource struct {
	Name   string
	Icon   string
	Code   bool // Name is a name of data
	Tables []registry.Published
}

// ConsoleErrorView is why a query was not answered.
type ConsoleErrorView struct {
	Title     string // "There is no table airprots" or "The query was stopped"
	Message   string // a sentence
	NextStep  string
	Code      string
	Engine    string   // the engine's own words; folded
	Line      int      // from 1; 0 when unknown
	Column    int      // from 1; 0 when unknown
	AskURL    string   // where to ask for the table that the statement names; "" for none
	Nearest   []string // tables or columns that were perhaps meant
	Cancelled bool
	Ended     bool   // the query was answered, but its rows are not there
	Summary   string // of an answered one
	Elapsed   time.Duration
	RequestID string
	RunID     string
}

// Limits are the numbers of rows that the console offers to keep; 0 is all.
func Limits() []int { return []int{1000, 10000, 100000, 1000000, 0} }

func limitWord(n int) string {
	if n == 0 {
		return "all"
	}
	return Count(int64(n))
}

// given says where the text in the editor comes from: a draft in the browser
// gives way to it, but not to that of a run on a page that is reloaded.
func (v ConsoleView) given() string {
	switch {
	case v.Run != nil:
		return "run"
	case v.SQL != "":
		return "true"
	}
	return "false"
}

func (v ConsoleView) limits() []int {
	if len(v.Limits) == 0 {
		return Limits()
	}
	return v.Limits
}

func (v ConsoleView) treeNote() string {
	n := 0
	for _, s := range v.Sources {
		n += len(s.Tables)
	}
	return Plural(n, "table") + " you may query."
}

func (v ConsoleErrorView) foldTitle() string {
	if v.Engine != "" {
		return "What the engine said"
	}
	return "For a report"
}

// shortType leaves out what would not fit beside a column's name.
func shortType(duckType string) string {
	kind, _, _ := strings.Cut(duckType, "(")
	return clipped(kind, 14)
}

// ConsoleSources groups tables for the tree by where they come from, files
// last, each group in the order given.
func ConsoleSources(tables []registry.Published) []ConsoleSource {
	var sources []ConsoleSource
	at := map[string]int{}
	for _, t := range tables {
		s := SourceOf(t.Table)
		name := s.Name
		if t.SourceType == registry.SourceCustom && !t.Sample {
			name = t.Bucket
		}
		i, known := at[name]
		if !known {
			i, at[name] = len(sources), len(sources)
			sources = append(sources, ConsoleSource{Name: name, Icon: s.Icon, Code: name == t.Bucket})
		}
		sources[i].Tables = append(sources[i].Tables, t)
	}
	slices.SortStableFunc(sources, func(a, b ConsoleSource) int {
		return strings.Compare(sourceRank(a), sourceRank(b))
	})
	return sources
}

func sourceRank(s ConsoleSource) string {
	switch s.Icon {
	case "file-spreadsheet":
		return "1"
	case "flask-conical":
		return "2"
	}
	return "0" + s.Name
}

// Schema is what /console/schema.json answers, for the editor's completion.
type Schema struct {
	Tables []SchemaTable `json:"tables"`
}

// SchemaTable is one table that may be queried.
type SchemaTable struct {
	Name    string            `json:"name"`
	Columns []registry.Column `json:"columns"`
}

// NewSchema lists tables with their columns.
func NewSchema(tables []registry.Published) Schema {
	s := Schema{Tables: make([]SchemaTable, 0, len(tables))}
	for _, t := range tables {
		table := SchemaTable{Name: t.Name, Columns: []registry.Column{}}
		if t.Version != nil && t.Version.Columns != nil {
			table.Columns = t.Version.Columns
		}
		s.Tables = append(s.Tables, table)
	}
	return s
}
