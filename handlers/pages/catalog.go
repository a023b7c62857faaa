package pages

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

func (s *Server) catalog(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.tables(r)
	if err != nil {
		return err
	}
	q := parseCatalogQuery(r.URL.Query())

	v := catalogView(c.Tables(), q)
	v.Admin, v.Now = p.Admin, s.Now()
	if v.Offers, err = s.offers(r, p, c, q.Search); err != nil {
		return err
	}
	if p.Admin && v.All == 0 {
		if v.SetUp, err = s.setUp(r, p); err != nil {
			return err
		}
	}

	return s.answer(w, r, http.StatusOK, views.Catalog(v), func() templ.Component {
		return views.CatalogPage(s.chrome(r, "Catalog", views.NavCatalog), v)
	})
}

// setUp is how far a new instance is on its way to a first answer.
func (s *Server) setUp(r *http.Request, p access.Principal) (views.SetUp, error) {
	answered, err := s.History.AnyAnswer(r.Context())
	if err != nil {
		return views.SetUp{}, fmt.Errorf("look for a first answer: %w", err)
	}
	v := views.SetUp{MaxUpload: s.MaxUpload, AdminEmail: p.Email, FirstAnswer: answered}
	for _, sample := range s.Importer.Samples {
		v.Samples = append(v.Samples, views.SampleTable{Name: sample.Name, Rows: sample.Rows})
		v.SampleBytes += sample.Bytes
	}
	return v, nil
}

// parseCatalogQuery reads the list's state from the address; what cannot be
// read is the default, so that every address shows a list.
func parseCatalogQuery(v url.Values) views.CatalogQuery {
	q := views.CatalogQuery{
		Search: strings.TrimSpace(v.Get("q")), Sort: v.Get("sort"), Desc: v.Get("desc") == "1",
		Page: 1, PerPage: views.DefaultPerPage,
	}
	if _, known := orders()[q.Sort]; !known {
		q.Sort = "name"
	}
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 0 {
		q.Page = n
	}
	if n, err := strconv.Atoi(v.Get("per")); err == nil && slices.Contains([]int{50, 100, 250}, n) {
		q.PerPage = n
	}
	return q
}

// order compares two tables, which are large and so passed by pointer.
type order func(a, b *registry.Published) int

// orders are the ways to sort the list; ties go by name.
func orders() map[string]order {
	return map[string]order{
		"name":      func(_, _ *registry.Published) int { return 0 },
		"freshness": func(a, b *registry.Published) int { return cmp.Compare(lastSync(a), lastSync(b)) },
		"source":    func(a, b *registry.Published) int { return cmp.Compare(a.Source(), b.Source()) },
		"mode":      func(a, b *registry.Published) int { return cmp.Compare(a.QueryMode, b.QueryMode) },
		"rows":      func(a, b *registry.Published) int { return cmp.Compare(rows(a), rows(b)) },
		"size":      func(a, b *registry.Published) int { return cmp.Compare(size(a), size(b)) },
	}
}

func lastSync(t *registry.Published) int64 {
	if t.Status.LastSync == nil {
		return 0
	}
	return t.Status.LastSync.UnixMicro()
}

func rows(t *registry.Published) int64 {
	if t.Version == nil {
		return -1
	}
	return t.Version.Rows
}

func size(t *registry.Published) int64 {
	if t.Version == nil {
		return -1
	}
	return t.Version.Bytes
}

// catalogView picks one page of the tables that match.
func catalogView(tables []registry.Published, q views.CatalogQuery) views.CatalogView {
	v := views.CatalogView{Query: q, All: len(tables)}
	sources := map[string]struct{}{}
	words := strings.Fields(strings.ToLower(q.Search))
	var matching []*registry.Published
	for i := range tables {
		t := &tables[i]
		sources[t.Source()] = struct{}{}
		v.AllBytes += max(0, size(t))
		if !matches(t, words) {
			continue
		}
		matching = append(matching, t)
		v.Rows += max(0, rows(t))
		v.Bytes += max(0, size(t))
		if !failing(t) {
			v.AsExpected++
		}
	}
	v.Sources, v.Matching = len(sources), len(matching)
	if slices.ContainsFunc(tables, sampleReady) {
		v.Examples = examples()
	}
	sortTables(matching, orders()[q.Sort], q.Desc)
	v.Query.Page = min(q.Page, max(1, (len(matching)+q.PerPage-1)/q.PerPage))
	from := (v.Query.Page - 1) * q.PerPage
	for _, t := range matching[from:min(from+q.PerPage, len(matching))] {
		v.Tables = append(v.Tables, *t)
	}
	return v
}

func sortTables(tables []*registry.Published, by order, desc bool) {
	sign := 1
	if desc {
		sign = -1
	}
	slices.SortFunc(tables, func(a, b *registry.Published) int {
		if c := by(a, b); c != 0 {
			return sign * c
		}
		return sign * cmp.Compare(a.Name, b.Name)
	})
}

// matches reports whether every word is found in what describes the table.
func matches(t *registry.Published, words []string) bool {
	for _, word := range words {
		if !contains(t.Name, word) && !contains(t.Description, word) && !contains(t.Source(), word) &&
			!contains(string(t.ID), word) && !contains(t.BQFQN, word) && !columnContains(t.Version, word) {
			return false
		}
	}
	return true
}

func contains(text, word string) bool { return strings.Contains(strings.ToLower(text), word) }

func columnContains(v *registry.Version, word string) bool {
	return v != nil && slices.ContainsFunc(v.Columns, func(c registry.Column) bool { return contains(c.Name, word) })
}

// sampleReady reports whether a table can answer the examples.
func sampleReady(t registry.Published) bool { return t.Sample && t.Version != nil }

func examples() []views.Example {
	var out []views.Example
	for _, e := range files.Examples() {
		out = append(out, views.Example{Title: e.Title, SQL: e.SQL})
	}
	return out
}

func (s *Server) samplesLoad(w http.ResponseWriter, r *http.Request) error {
	made, err := s.Importer.LoadSamples(r.Context(), request.Actor(r))
	if err != nil {
		return err
	}
	t := views.Toast{Text: "The sample tables are here already."}
	if len(made) > 0 {
		t = views.Toast{Text: fmt.Sprintf("%d sample tables are being loaded. Everyone may read them.", len(made)), UndoURL: "/samples/remove"}
	}
	s.tell(r.Context(), t)
	request.Redirect(w, r, request.Home)
	return nil
}

func (s *Server) samplesRemove(w http.ResponseWriter, r *http.Request) error {
	if err := s.Importer.RemoveSamples(r.Context(), request.Actor(r)); err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The sample tables are removed, with their grants.", UndoURL: "/samples"})
	request.Redirect(w, r, request.Home)
	return nil
}
