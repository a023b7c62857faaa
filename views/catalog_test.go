package views

import (
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestCatalogQueryURL(t *testing.T) {
	t.Parallel()
	for want, q := range map[string]CatalogQuery{
		"/catalog":                             {},
		"/catalog?q=a+b%26c":                   {Search: "a b&c", Page: 1, PerPage: DefaultPerPage, Sort: "name"},
		"/catalog?desc=1&sort=rows":            {Sort: "rows", Desc: true},
		"/catalog?page=3&per=100":              {Page: 3, PerPage: 100},
		"/catalog?desc=1&page=2&q=x&sort=size": {Search: "x", Sort: "size", Desc: true, Page: 2},
	} {
		if got := q.URL(); got != want {
			t.Errorf("%+v.URL() = %q, want %q", q, got, want)
		}
	}
}

func TestCatalogSorting(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Catalog(testCatalog(true)))) // by rows, largest first

	head := func(label string) *goquery.Selection {
		return doc.Find("thead th").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.TrimSpace(s.Text()) == label })
	}
	for label, want := range map[string]struct{ sort, href string }{
		"Rows":  {"descending", "/catalog?sort=rows"},
		"Size":  {"none", "/catalog?desc=1&sort=size"},
		"Table": {"none", "/catalog"},
	} {
		th := head(label)
		if got := th.AttrOr("aria-sort", ""); got != want.sort {
			t.Errorf("%s: aria-sort = %q, want %q", label, got, want.sort)
		}
		if got := th.Find("a").AttrOr("href", ""); got != want.href {
			t.Errorf("%s: goes to %q, want %q", label, got, want.href)
		}
	}
}

func TestCatalogRows(t *testing.T) {
	t.Parallel()
	for name, admin := range map[string]bool{"administrator": true, "analyst": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, draw(t, Catalog(testCatalog(admin))))

			if got, want := doc.Find("tbody tr").Length(), len(testTables()); got != want {
				t.Errorf("%d rows, want %d", got, want)
			}
			if got := doc.Find("tbody th a").First().AttrOr("href", ""); got != "/tables/orders" {
				t.Errorf("the first row leads to %q", got)
			}
			heads := doc.Find("thead").Text()
			if strings.Contains(heads, "Who can see it") != admin {
				t.Errorf("heads = %q", heads)
			}
			if (doc.Find("a[href='/add']").Length() > 0) != admin {
				t.Error("the way to add data does not go by who looks")
			}
			if got := doc.Find("tfoot").Text(); !strings.Contains(got, "64 tables") || !strings.Contains(got, "2,514,077,830") || !strings.Contains(got, "57 as expected") {
				t.Errorf("sums = %q", got)
			}
		})
	}
}

func TestCatalogPager(t *testing.T) {
	t.Parallel()
	v := testCatalog(false)
	v.Query = CatalogQuery{Search: "o", Page: 2, PerPage: 9}
	v.Matching = 18
	doc := parse(t, draw(t, Catalog(v)))

	if got := doc.Find("footer p").First().Text(); got != "10–18 of 18" {
		t.Errorf("span = %q", got)
	}
	if got := doc.Find("footer a").AttrOr("href", ""); got != "/catalog?per=9&q=o" {
		t.Errorf("previous = %q", got)
	}
	if doc.Find("footer button[disabled]").Text() != "Next" {
		t.Error("there is a page after the last")
	}
}

func TestCatalogEmpty(t *testing.T) {
	t.Parallel()

	t.Run("an administrator gets the first steps", func(t *testing.T) {
		t.Parallel()
		doc := parse(t, draw(t, Catalog(CatalogView{Admin: true, SetUp: testSetUp()})))
		if doc.Find("form[action='/samples'] button").Length() != 1 {
			t.Error("sample data cannot be loaded")
		}
		upload := doc.Find("form[action='/uploads']")
		if upload.AttrOr("enctype", "") != "multipart/form-data" || upload.Find("input[type=file][name=file]").Length() != 1 || upload.Find("[type=submit]").Length() != 1 {
			t.Error("a file cannot be uploaded without scripts")
		}
		if got := doc.Find("tfoot").Text(); !strings.Contains(got, "3 tables") || !strings.Contains(got, "8,038") {
			t.Errorf("sums = %q", got)
		}
		if got := doc.Find("#chain .count").Text(); got != "1 of 3 done" {
			t.Errorf("chain = %q", got)
		}
	})
	t.Run("an analyst is told what to wait for", func(t *testing.T) {
		t.Parallel()
		doc := parse(t, draw(t, Catalog(CatalogView{})))
		if doc.Find("form").Length() != 0 || !strings.Contains(doc.Text(), "Nothing is granted to you yet.") {
			t.Errorf("page = %q", doc.Text())
		}
	})
	t.Run("a search without a hit is not an empty instance", func(t *testing.T) {
		t.Parallel()
		doc := parse(t, draw(t, Catalog(CatalogView{All: 12, Query: CatalogQuery{Search: "<b>"}, Admin: true})))
		if doc.Find("b b").Length() > 0 || !strings.Contains(doc.Text(), "No table matches “<b>”.") {
			t.Errorf("page = %q", doc.Text())
		}
		if doc.Find("a[href='/catalog']").Length() == 0 {
			t.Error("there is no way back to all tables")
		}
	})
}

func TestCatalogExamples(t *testing.T) {
	t.Parallel()
	v := testSamples()
	doc := parse(t, draw(t, Catalog(v)))
	link, err := url.Parse(doc.Find("#examples-title ~ ul a").First().AttrOr("href", ""))
	if err != nil || link.Path != "/console" || link.Query().Get("sql") != testExamples()[0].SQL {
		t.Errorf("the first example leads to %v, %v", link, err)
	}
	if doc.Find("#remove-samples form[action='/samples/remove']").Length() != 1 {
		t.Error("sample data cannot be removed")
	}
	v.Query.Search = "x"
	if parse(t, draw(t, Catalog(v))).Find("#examples-title").Length() != 0 {
		t.Error("the examples stand in the way of a search")
	}
}
