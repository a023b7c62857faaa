package pages

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"agnes/domain/registry"
	"agnes/views"
)

func TestCatalogShowsWhatIsGranted(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("salaries", 2)

	p.nobody().get("/catalog").wantStatus(http.StatusUnauthorized).wantNoText("airports")
	p.as(p.analyst).get("/catalog").wantStatus(http.StatusOK).wantText("airports", "about airports").wantNoText("salaries")
	p.as(p.admin).get("/catalog").wantStatus(http.StatusOK).wantText("airports", "salaries")
}

func TestCatalogIsPageOrFragment(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	b := p.as(p.analyst)
	for _, kind := range []string{"", "full"} {
		if got := b.get("/catalog", "HX-Request", "true", "HX-Request-Type", kind); got.Find("nav").Length() == 0 {
			t.Errorf("request type %q got a fragment", kind)
		}
	}
	got := b.get("/catalog?q=air", "HX-Request", "true", "HX-Request-Type", "partial").wantText("airports")
	if got.Find("nav, title").Length() != 0 {
		t.Error("the fragment holds the page around it")
	}
	if vary := strings.Join(got.Header.Values("Vary"), ", "); !strings.Contains(vary, "HX-Request, HX-Request-Type") {
		t.Errorf("Vary = %q", vary)
	}
}

func TestNewInstanceShowsItsFirstSteps(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	got := p.as(p.admin).get("/catalog").wantStatus(http.StatusOK).wantText("airports", "movies", "1 KiB")
	if got.Find(`form[action="/samples"]`).Length() != 1 || got.Find(`form[action="/uploads"]`).Length() != 1 {
		t.Error("the empty page lacks a first step")
	}
	empty := p.as(p.analyst).get("/catalog").wantStatus(http.StatusOK)
	if empty.Find(`form[action="/samples"]`).Length() != 0 {
		t.Error("an analyst is offered what only administrators may do")
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.as(p.analyst).post("/samples", nil).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)

	b.post("/samples", nil).wantRedirect("/catalog")
	got := b.get("/catalog").wantText("2 sample tables are being loaded", "airports", "movies")
	if got.Find(`form[action="/samples/remove"]`).Length() == 0 {
		t.Error("the message offers no undo")
	}
	b.get("/catalog").wantNoText("are being loaded")
	p.as(p.analyst).get("/catalog").wantText("airports")

	b.post("/samples", nil).wantRedirect("/catalog")
	b.get("/catalog").wantText("are here already")

	b.post("/samples/remove", nil, "HX-Request", "true").wantStatus(http.StatusOK)
	b.get("/catalog").wantText("sample tables are removed", "Load sample data")
	if len(p.folder.items) != 0 {
		t.Errorf("files left: %v", p.folder.items)
	}
}

func TestParseCatalogQuery(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]views.CatalogQuery{
		"": {Sort: "name", Page: 1, PerPage: 50},
		"q=+air+&sort=rows&desc=1&page=3&per=100": {Search: "air", Sort: "rows", Desc: true, Page: 3, PerPage: 100},
		"sort=password&desc=yes&page=-1&per=7":    {Sort: "name", Page: 1, PerPage: 50},
		"page=many":                               {Sort: "name", Page: 1, PerPage: 50},
	} {
		v, err := url.ParseQuery(text)
		must(t, err)
		if got := parseCatalogQuery(v); got != want {
			t.Errorf("parseCatalogQuery(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestCatalogView(t *testing.T) {
	t.Parallel()
	var tables []registry.Published
	for i := range 120 {
		tables = append(tables, registry.Published{
			Table:   registry.Table{ID: registry.TableID(fmt.Sprintf("t%03d", i)), Name: fmt.Sprintf("t%03d", i), Description: "numbers"},
			Version: &registry.Version{Rows: int64(1000 - i), Bytes: 10, Columns: []registry.Column{{Name: "Latitude"}}},
		})
	}
	tables[7].Version, tables[7].Status.State = nil, "error"
	tables[8].SourceType, tables[8].Bucket = registry.SourceCustom, "shop"
	for name, c := range map[string]struct {
		query    views.CatalogQuery
		matching int
		page     int
		first    []string
	}{
		"all":          {views.CatalogQuery{Sort: "name"}, 120, 1, []string{"t000", "t001"}},
		"descending":   {views.CatalogQuery{Sort: "name", Desc: true}, 120, 1, []string{"t119", "t118"}},
		"by rows":      {views.CatalogQuery{Sort: "rows"}, 120, 1, []string{"t007", "t119"}},
		"by name":      {views.CatalogQuery{Search: "T01"}, 10, 1, []string{"t010", "t011"}},
		"by column":    {views.CatalogQuery{Search: "latitude t00"}, 9, 1, []string{"t000", "t001"}},
		"by source":    {views.CatalogQuery{Search: "shop"}, 1, 1, []string{"t008"}},
		"third page":   {views.CatalogQuery{Page: 3}, 120, 3, []string{"t100", "t101"}},
		"past it":      {views.CatalogQuery{Page: 99}, 120, 3, []string{"t100", "t101"}},
		"nothing":      {views.CatalogQuery{Search: "unheard"}, 0, 1, nil},
		"by freshness": {views.CatalogQuery{Sort: "freshness"}, 120, 1, []string{"t000"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := c.query
			q.Sort, q.Page, q.PerPage = cmp.Or(q.Sort, "name"), max(1, q.Page), 50
			v := catalogView(tables, q)
			if v.Matching != c.matching || v.Query.Page != c.page || v.All != 120 || v.Sources != 2 {
				t.Errorf("matching %d, page %d, all %d, sources %d", v.Matching, v.Query.Page, v.All, v.Sources)
			}
			var got []string
			for _, table := range v.Tables[:min(len(v.Tables), len(c.first))] {
				got = append(got, table.Name)
			}
			if !slices.Equal(got, c.first) {
				t.Errorf("first tables = %v, want %v", got, c.first)
			}
		})
	}
	if v := catalogView(tables, views.CatalogQuery{Sort: "name", Page: 1, PerPage: 50}); v.AsExpected != 119 || v.AllBytes != 1190 {
		t.Errorf("as expected %d, bytes %d", v.AsExpected, v.AllBytes)
	}
}

func BenchmarkCatalogView(b *testing.B) {
	columns := make([]registry.Column, 20)
	for i := range columns {
		columns[i].Name = fmt.Sprintf("Column_%d", i)
	}
	tables := make([]registry.Published, 10_000)
	for i := range tables {
		name := fmt.Sprintf("table_%05d", i)
		tables[i] = registry.Published{Table: registry.Table{ID: registry.TableID(name), Name: name}, Version: &registry.Version{Columns: columns, Rows: int64(i % 977)}}
	}
	for _, q := range []views.CatalogQuery{{Sort: "rows", Desc: true}, {Sort: "name", Search: "unheard of"}} {
		q.Page, q.PerPage = 1, 50
		b.Run(q.Sort, func(b *testing.B) {
			for b.Loop() {
				catalogView(tables, q)
			}
		})
	}
}
