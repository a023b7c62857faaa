package views

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// How much of the matrix a page shows, and of a list.
const (
	MatrixTables  = 100
	MatrixGroups  = 40
	AccessPerPage = 50
)

// MatrixQuery is the state of the matrix that its address holds.
type MatrixQuery struct {
	Table     string // t
	Group     string // g
	Source    string // source
	Nobody    bool   // nobody=1
	EndsSoon  bool   // soon=1
	Persons   bool   // persons=1
	TablePage int    // tp, from 1
	GroupPage int    // gp, from 1
}

// Filter is what the query asks of the store.
func (q MatrixQuery) Filter() access.MatrixFilter {
	return access.MatrixFilter{
		Table: q.Table, Group: q.Group, Source: q.Source, Nobody: q.Nobody, EndsSoon: q.EndsSoon, Persons: q.Persons,
		Tables: access.Window{Limit: MatrixTables, Offset: (max(1, q.TablePage) - 1) * MatrixTables},
		Groups: access.Window{Limit: MatrixGroups, Offset: (max(1, q.GroupPage) - 1) * MatrixGroups},
	}
}

func (q MatrixQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"t": q.Table, "g": q.Group, "source": q.Source} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, on := range map[string]bool{"nobody": q.Nobody, "soon": q.EndsSoon, "persons": q.Persons} {
		if on {
			v.Set(name, "1")
		}
	}
	for name, page := range map[string]int{"tp": q.TablePage, "gp": q.GroupPage} {
		if page > 1 {
			v.Set(name, strconv.Itoa(page))
		}
	}
	return v
}

// URL is the address of the matrix in this state; defaults are left out.
func (q MatrixQuery) URL() string { return withQuery(AccessURL, q.values()) }

func (q MatrixQuery) exportURL() templ.SafeURL {
	q.TablePage, q.GroupPage = 1, 1
	return templ.SafeURL(withQuery(AccessURL+"/export.csv", q.values()))
}

func (q MatrixQuery) tablesAt(page int) MatrixQuery {
	q.TablePage = page
	return q
}

func (q MatrixQuery) groupsAt(page int) MatrixQuery {
	q.GroupPage = page
	return q
}

func withQuery(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// MatrixView is one page of the matrix.
type MatrixView struct {
	Query   MatrixQuery
	Matrix  access.Matrix
	Changes []access.Change // that can be taken back, the newest first
	Now     time.Time
}

// sentence is what there is in all.
func (v MatrixView) sentence() string { return totalsSentence(v.Matrix.Totals) }

func totalsSentence(t access.Totals) string {
	return Plural(t.Groups, "group") + ", " + persons(t.People) + ", " + Plural(t.Tables, "table")
}

// columns are the groups of the page, Everyone first.
func (v MatrixView) columns() []access.MatrixGroup {
	return append([]access.MatrixGroup{v.Matrix.Everyone}, v.Matrix.Groups...)
}

// tableSpan and groupSpan say which rows and columns the page shows.
func (v MatrixView) tableSpan() string {
	return span(v.Query.TablePage, MatrixTables, len(v.Matrix.Tables), v.Matrix.Matching) + " tables"
}

func (v MatrixView) groupSpan() string {
	return span(v.Query.GroupPage, MatrixGroups, len(v.Matrix.Groups), v.Matrix.Columns) + " groups and Everyone"
}

// span says which of all a page shows: "1–50 of 120".
func span(page, size, shown, all int) string {
	if shown == 0 {
		return "0 of " + Count(int64(all))
	}
	first := (max(1, page)-1)*size + 1
	return Count(int64(first)) + "–" + Count(int64(first+shown-1)) + " of " + Count(int64(all))
}

func (v MatrixView) moreTables() bool {
	return max(1, v.Query.TablePage)*MatrixTables < v.Matrix.Matching
}

func (v MatrixView) moreGroups() bool {
	return max(1, v.Query.GroupPage)*MatrixGroups < v.Matrix.Columns
}

// admins says what is in no column.
func (v MatrixView) admins() string {
	n := v.Matrix.Totals.Admins
	if n == 1 {
		return "Admin’s 1 person sees everything"
	}
	return "Admin’s " + Count(int64(n)) + " people see everything"
}

// pageState is what a browser needs to say which cells it would change: the
// ids behind the numbers of rows and columns, and what the cells hold.
type pageState struct {
	Groups []people.GroupID             `json:"groups"`
	Tables []registry.TableID           `json:"tables"`
	Was    map[string]*access.CellGrant `json:"was"`
}

// state is the pageState as text.
func (v MatrixView) state() string {
	s := pageState{Groups: []people.GroupID{}, Tables: []registry.TableID{}, Was: map[string]*access.CellGrant{}}
	for _, t := range v.Matrix.Tables {
		s.Tables = append(s.Tables, t.ID)
	}
	for c, g := range v.columns() {
		s.Groups = append(s.Groups, g.ID)
		for r, t := range v.Matrix.Tables {
			if grant, ok := v.Matrix.At(g.ID, t.ID); ok {
				s.Was[cellKey(c, r)] = grant.Cell()
			}
		}
	}
	text, err := json.Marshal(s)
	if err != nil { // ids, times and texts cannot fail to encode
		return "{}"
	}
	return string(text)
}

func cellKey(column, row int) string { return strconv.Itoa(column) + "." + strconv.Itoa(row) }

// EditsOf are the edits of a page whose boxes a browser without scripts sent:
// the state that the page had, and the cells that are ticked now.
func EditsOf(state string, ticked []string, now time.Time) ([]access.Edit, error) {
	var s pageState
	if err := json.Unmarshal([]byte(state), &s); err != nil {
		return nil, err
	}
	on := make(map[string]bool, len(ticked))
	for _, key := range ticked {
		on[key] = true
	}
	var edits []access.Edit
	for c, g := range s.Groups {
		for r, t := range s.Tables {
			key := cellKey(c, r)
			was := s.Was[key]
			if was.Live(now) == on[key] {
				continue
			}
			e := access.Edit{Cell: access.Cell{Group: g, ResourceType: access.TableResource, ResourceID: string(t)}, Was: was}
			if on[key] {
				e.Want = &access.CellGrant{}
			}
			edits = append(edits, e)
		}
	}
	return edits, nil
}

// EditsText is edits as a form carries them.
func EditsText(edits []access.Edit) string {
	text, err := json.Marshal(edits)
	if err != nil { // ids, times and texts cannot fail to encode
		return "[]"
	}
	return string(text)
}

// day names the day of a moment in full: "3 March", "3 March 2027".
func day(now, t time.Time) string {
	if t.UTC().Year() == now.UTC().Year() {
		return t.UTC().Format("2 January")
	}
	return t.UTC().Format("2 January 2006")
}

// byWhom words who gave something; what was given by Agnes itself has no address.
func byWhom(by string) string {
	if by == "" {
		return "Agnes"
	}
	return by
}

// grantWords says who gave a grant, when, until when and why.
func grantWords(now time.Time, g access.Grant) string {
	words := "granted by " + byWhom(g.AssignedBy) + " on " + day(now, g.AssignedAt)
	switch {
	case g.ExpiresAt == nil:
	case g.Live(now):
		words += ", ends on " + day(now, *g.ExpiresAt)
	default:
		words += ", ended on " + day(now, *g.ExpiresAt)
	}
	if g.Reason != "" {
		words += ": " + g.Reason
	}
	return words
}
