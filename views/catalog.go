package views

import (
	"fmt"
	"strings"
	"time"

	"agnes/domain/registry"
)

// CatalogQuery is the state of the list that its address holds.
type CatalogQuery struct {
	Search  string // q
	Sort    string // sort: name, freshness, source, mode, rows or size; "" is name
	Desc    bool   // desc=1
	Page    int    // page, from 1
	PerPage int    // per; 50 by default
}

// CatalogView is the list of tables that the viewer may read.
type CatalogView struct {
	Query    CatalogQuery
	Tables   []registry.Published // one page of the matching tables, in order
	Matching int                  // tables that match the search
	All      int                  // tables that the viewer may read
	Sources  int                  // sources among All
	AllBytes int64                // of All

	// Sums over the matching tables.
	Rows       int64
	Bytes      int64
	AsExpected int // not failing

	Admin    bool
	Examples []Example // queries worth running on sample data; empty when none is loaded
	Offers   Offers    // that the viewer may ask for
	SetUp    SetUp     // shown while there are no tables
	Now      time.Time
}

// SetUp is the way of a new instance to its first answer, shown to admins.
type SetUp struct {
	Samples     []SampleTable
	SampleBytes int64
	MaxUpload   int64 // bytes
	AdminEmail  string
	FirstAnswer bool   // somebody's query has succeeded
	Error       string // why the last upload or sample load was refused
}

// SampleTable is one table that "Load sample data" would make.
type SampleTable struct {
	Name string
	Rows int64
}

// summary says in one sentence what the catalog holds.
func (v CatalogView) summary() string {
	return fmt.Sprintf("%s from %s: %s copied here", Plural(v.All, "table"), Plural(v.Sources, "source"), Bytes(v.AllBytes))
}

// expected counts the tables that are as they should be.
func (v CatalogView) expected() string {
	if v.AsExpected == v.Matching {
		return "all as expected"
	}
	return Count(int64(v.AsExpected)) + " as expected"
}

// span says which of the matching tables the page shows: "1–50 of 64".
func (v CatalogView) span() string {
	first := (v.Query.page()-1)*v.Query.perPage() + 1
	return fmt.Sprintf("%s–%s of %s", Count(int64(first)), Count(int64(first+len(v.Tables)-1)), Count(int64(v.Matching)))
}

func (v CatalogView) more() bool { return v.Query.page()*v.Query.perPage() < v.Matching }

func (q CatalogQuery) page() int { return max(1, q.Page) }

func (q CatalogQuery) perPage() int {
	if q.PerPage <= 0 {
		return DefaultPerPage
	}
	return q.PerPage
}

// plain reports whether the list is as it opens: first page, no search.
func (q CatalogQuery) plain() bool { return q.Search == "" && q.page() == 1 }

func (q CatalogQuery) at(page int) CatalogQuery {
	q.Page = page
	return q
}

func (q CatalogQuery) sorts(column string) bool {
	return q.Sort == column || q.Sort == "" && column == "name"
}

// sortedBy is the list sorted by a column; the same column again turns the order.
func (q CatalogQuery) sortedBy(column string) CatalogQuery {
	largestFirst := column == "rows" || column == "size"
	if q.sorts(column) {
		q.Desc = !q.Desc
	} else {
		q.Desc = largestFirst
	}
	q.Sort, q.Page = column, 1
	return q
}

func (q CatalogQuery) ariaSort(column string) string {
	switch {
	case !q.sorts(column):
		return "none"
	case q.Desc:
		return "descending"
	}
	return "ascending"
}

func (s SetUp) sampleRows() int64 {
	var rows int64
	for _, t := range s.Samples {
		rows += t.Rows
	}
	return rows
}

type setUpStep struct {
	Title  string
	Detail string
	Done   bool
}

func (s SetUp) steps() []setUpStep {
	return []setUpStep{
		{Title: "You are the administrator", Detail: s.AdminEmail, Done: true},
		{Title: "First table", Detail: "Sample data or a file: the boxes above"},
		{Title: "First answer", Detail: "One query in the console proves that reading works", Done: s.FirstAnswer},
	}
}

func (s SetUp) done() string {
	steps, done := s.steps(), 0
	for _, step := range steps {
		if step.Done {
			done++
		}
	}
	return fmt.Sprintf("%d of %d done", done, len(steps))
}

// nobody is the state of a table that no group holds.
func nobody() Status { return Status{Class: "st-late", Icon: "eye-off", Word: "Nobody"} }

func list(words []string) string { return strings.Join(words, ", ") }

func first(a, _ string) string { return a }

func second(_, b string) string { return b }
