package access

import (
	"time"

	"agnes/domain/people"
	"agnes/domain/registry"
)

// EndsSoon is how long before its end a grant counts as ending soon.
const EndsSoon = 14 * 24 * time.Hour

// Window is a part of a list.
type Window struct{ Limit, Offset int }

// MatrixFilter narrows the matrix of groups and tables; empty fields do not
// narrow. Everyone is in every matrix, Admin in none: it sees all there is.
type MatrixFilter struct {
	Table    string // part of a table's name
	Group    string // part of a group's name
	Source   string // as MatrixTable.Source names it
	Nobody   bool   // only tables that nobody but administrators can see
	EndsSoon bool   // only tables with a grant that ends within EndsSoon
	Persons  bool   // groups of one person too
	Tables   Window
	Groups   Window
}

// MatrixTable is a row of the matrix.
type MatrixTable struct {
	ID          registry.TableID
	Name        string
	SourceType  string
	Bucket      string
	SourceTable string
	Sample      bool
}

// Table is the row as its registration knows it, as far as the matrix does.
func (t MatrixTable) Table() registry.Table {
	return registry.Table{ID: t.ID, Name: t.Name, SourceType: t.SourceType, Bucket: t.Bucket, SourceTable: t.SourceTable, Sample: t.Sample}
}

// Section is what stands together in the matrix: the tables of one bucket of
// one source.
type Section struct {
	Source string
	Sample bool
	Bucket string
	Tables int // that match the filter
}

// Section names the section that a row stands in.
func (t MatrixTable) Section() Section {
	return Section{Source: t.Table().Source(), Sample: t.Sample, Bucket: t.Bucket}
}

// MatrixGroup is a column of the matrix.
type MatrixGroup struct {
	ID       people.GroupID
	Name     string
	Members  int // active people, for Everyone all of them
	Everyone bool
	Person   people.UserID // whose group of one this is; "" for all others
}

// Matrix is one page of groups and tables, and the grants where they meet,
// those that have ended among them.
type Matrix struct {
	Filter   MatrixFilter
	Tables   []MatrixTable
	Sections []Section // of all tables that match
	Matching int       // tables that match the filter
	Everyone MatrixGroup
	Groups   []MatrixGroup // without Everyone
	Columns  int           // groups that match the filter, without Everyone
	Cells    map[Cell]Grant
	Totals   Totals
	Sources  []string
}

// GoneShown is how many grants on tables that are no more are listed together.
const GoneShown = 20

// Totals counts what the pages of access are about.
type Totals struct {
	Groups int // groups of one person left out
	Tables int
	People int // active
	Admins int // active people who see everything
}

// At is what a cell holds; ok is false where there is no grant.
func (m Matrix) At(group people.GroupID, table registry.TableID) (g Grant, ok bool) {
	g, ok = m.Cells[Cell{Group: group, ResourceType: TableResource, ResourceID: string(table)}]
	return g, ok
}

// Place is where a grant stands.
func (g Grant) Place() Cell {
	return Cell{Group: g.GroupID, ResourceType: g.ResourceType, ResourceID: g.ResourceID}
}
