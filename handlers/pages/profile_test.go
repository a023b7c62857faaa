package pages

import (
	"net/http"
	"strings"
	"testing"

	"agnes/domain/profile"
	"agnes/domain/registry"
)

// mustCount keeps a profile of a table's current version, or of another one.
func (p *portal) mustCount(id registry.TableID, version registry.VersionID) {
	p.t.Helper()
	table, err := p.store.GetTable(p.t.Context(), id)
	must(p.t, err)
	if version == "" {
		version = table.Version.ID
	}
	made := profile.Profile{RowCount: 3, CountedRows: 3, Columns: []profile.Column{
		{
			Name: "iata", Type: "VARCHAR", Category: profile.String, UniqueCount: 2, UniqueExact: true,
			String: &profile.StringStats{TopValues: []profile.TopValue{{Value: "JFK", Count: 2, Pct: 66.67}}},
		},
		{Name: "latitude", Type: "DOUBLE", Category: profile.Numeric, NullCount: 2, UniqueCount: 1, UniqueExact: true, Numeric: &profile.NumericStats{Min: "40.5", Max: "40.5"}},
	}}
	made.Finish(profile.DefaultSettings())
	must(p.t, p.store.SaveProfile(p.t.Context(), profile.Kept{Table: id, Version: version, VersionAt: p.clock.now(), ProfiledAt: p.clock.now(), Profile: made}))
}

func TestTablePageShowsItsProfile(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	got := p.as(p.analyst).get("/tables/airports").wantStatus(http.StatusOK).wantText("not counted yet")
	if got.Find("form[action$='/profile']").Length() != 0 {
		t.Error("an analyst is offered to profile")
	}
	p.mustCount("airports", "")
	got = p.as(p.analyst).get("/tables/airports").wantStatus(http.StatusOK).wantText("JFK", "67 %", "3 rows")
	if text := got.Find("#table-columns").Text(); strings.Contains(text, "not counted") {
		t.Errorf("a counted table: %s", text)
	}
	p.mustCount("airports", "an-older-one")
	p.as(p.analyst).get("/tables/airports").wantStatus(http.StatusOK).wantText("This is of the version from 14:31 UTC", "JFK")
}

func TestProfileNow(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("new", -1)
	p.nobody().post("/tables/airports/profile", nil).wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).post("/tables/airports/profile", nil).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	if b.get("/tables/airports").Find("form[method=post][action='/tables/airports/profile']").Length() != 1 {
		t.Error("an administrator is not offered to profile")
	}
	b.post("/tables/nothing/profile", nil).wantStatus(http.StatusNotFound)
	b.post("/tables/new/profile", nil).wantStatus(http.StatusConflict).wantText("nothing to count")
	b.post("/tables/airports/profile", nil).wantRedirect("/tables/airports")
	got := b.get("/tables/airports").wantText("Counting what is in the columns")
	if got.Find("#table-columns[hx-get='/tables/airports'][hx-trigger='every 2s']").Length() != 1 {
		t.Error("the page does not look again")
	}
	entries, err := p.store.ListAudit(t.Context(), 1)
	must(t, err)
	if len(entries) != 1 || entries[0].Action != "catalog.profile_refresh" || entries[0].Resource != "table:airports" {
		t.Errorf("audited %+v", entries)
	}
}

// A profile is content of rows: the page of a table that one may not read has none.
func TestProfileOfATableThatOneMayNotRead(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("salaries", 2)
	p.mustCount("salaries", "")
	for _, path := range []string{"/tables/salaries", "/tables/salaries?tab=columns", "/catalog", "/palette.json", "/console/schema.json"} {
		got := p.as(p.analyst).get(path)
		if strings.Contains(got.Text(), "JFK") || strings.Contains(got.Text(), "40.5") {
			t.Errorf("%s tells the profile", path)
		}
	}
	p.as(p.analyst).get("/tables/salaries").wantStatus(http.StatusNotFound)
}
