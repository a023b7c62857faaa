package views

import (
	"strings"
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// testSources is a source in each state, and a name that was refused.
func testSources() SourcesView {
	gone := noon().Add(-3 * time.Hour)
	return SourcesView{
		Now: noon(),
		Sources: []syncs.Source{
			{Name: "crm", State: syncs.SourceOK, CheckedAt: noon().Add(-time.Minute), Tables: []syncs.SourceName{
				{Table: "customers", Name: "customers", ID: "customers", Mode: registry.ModeLocal},
				{Table: "leads", Name: "leads", ID: "leads", Mode: registry.ModeLocal},
				{Table: "visits", Name: "crm_visits", ID: "crm_visits", Mode: registry.ModeLocal, Removed: true},
			}},
			{
				Name: "shop", State: syncs.SourceOK, CheckedAt: noon().Add(-time.Hour),
				Tables: []syncs.SourceName{
					{Table: "orders", Name: "shop_orders", ID: "shop_orders", Mode: registry.ModeLocal},
					{Table: "visits", Name: "visits", ID: "visits", Mode: registry.ModeRemote},
					{Table: "old", Name: "old", ID: "old", Mode: registry.ModeLocal, Gone: true},
				},
				Problems: []syncs.Problem{
					{Table: "leads", Code: "name_taken", Owner: "crm", Since: noon().Add(-48 * time.Hour), Message: "The source crm already has a table named leads, and keeps the name. Give this one another name."},
					{Table: "lost", Code: "table_missing", Since: noon().Add(-time.Hour), Message: "_meta names lost, but the extract has no table or view of that name."},
				},
				Remote: []syncs.Remote{
					{Alias: "kbc", Extension: "keboola", Code: "extension_missing", Message: "The extension keboola for kbc is not installed on the server."},
					{Alias: "bq", Extension: "bigquery"},
				},
			},
			{Name: "legacy", State: syncs.SourceBroken, Code: "extract_unreadable", Message: "The extract of legacy is damaged.", CheckedAt: noon()},
			{Name: "past", State: syncs.SourceGone, Code: "source_gone", Message: "The extract.duckdb of this source is gone.", CheckedAt: gone, GoneAt: &gone, Tables: []syncs.SourceName{
				{Table: "stock", Name: "stock", ID: "stock", Mode: registry.ModeLocal},
			}},
		},
		Rename: RenameForm{Source: "shop", Table: "leads", Name: "crm_leads", Error: "crm_leads is the name of another table."},
	}
}

func TestSourcesPage(t *testing.T) {
	t.Parallel()
	c := testChrome(true)
	c.Title, c.Nav = "Sources", NavSources
	doc := parse(t, draw(t, SourcesPage(c, testSources())))
	for selector, want := range map[string]string{
		"#sources-head": "4 sources with 6 tables. 3 sources need you.", "#source-crm .st-ok": "Served", "#source-legacy .st-fail": "Broken",
		"#source-past .st-fail": "Gone", "#table-old": "Not offered any more", "#table-visits": "Asked live", "#table-crm_visits": "Removed", "#rename-shop-leads-error": "crm_leads is the name of another table.",
	} {
		if got := strings.Join(strings.Fields(doc.Find(selector).Text()), " "); !strings.Contains(got, want) {
			t.Errorf("%s says %q, want %q", selector, got, want)
		}
	}
	if got := doc.Find("#rename-shop-leads").AttrOr("value", ""); got != "crm_leads" {
		t.Errorf("the refused form holds %q", got)
	}
	if n := doc.Find("#table-crm_visits a").Length(); n != 0 {
		t.Error("a table that was removed has a link to its page")
	}
	if n := doc.Find("form[action='/sources/shop/tables/lost/rename']").Length(); n != 0 {
		t.Error("another name is offered for a table that is not there")
	}
	if n := doc.Find("form[method=post][action$='/inspect']").Length(); n != 4 {
		t.Errorf("%d buttons to look again, want 4", n)
	}
}

func TestTablesOfASource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table        syncs.SourceName
		gone         bool
		word, detail string
		unwell       bool
	}{
		{syncs.SourceName{}, false, "Served", "", false},
		{syncs.SourceName{Empty: true}, false, "Waits for its first rows", "", false},
		{syncs.SourceName{Empty: true, Failing: true}, false, "Failing", "no rows yet", true},
		{syncs.SourceName{Failing: true}, false, "Failing", "last rows served", true},
		{syncs.SourceName{Gone: true}, false, "Not offered any more", "last rows served", true},
		{syncs.SourceName{}, true, "Not offered any more", "last rows served", true},
		{syncs.SourceName{Gone: true, Mode: registry.ModeRemote}, false, "Not offered any more", "", true},
		{syncs.SourceName{Mode: registry.ModeRemote, Empty: true}, false, "Asked live", "not served yet", false},
		{syncs.SourceName{Removed: true}, false, "Removed", "comes back with the extractor's next run", false},
		{syncs.SourceName{Removed: true, Gone: true}, false, "Removed", "", false},
		{syncs.SourceName{Removed: true}, true, "Removed", "", true},
	} {
		s := syncs.Source{State: syncs.SourceOK, Tables: []syncs.SourceName{c.table}}
		if c.gone {
			s.State = syncs.SourceGone
		}
		if got := nameStatus(s, c.table); got.Word != c.word || got.Detail != c.detail {
			t.Errorf("%+v, gone %t: %q, %q, want %q, %q", c.table, c.gone, got.Word, got.Detail, c.word, c.detail)
		}
		if got := sourceStatus(s).Class != "st-ok"; got != c.unwell {
			t.Errorf("%+v, gone %t: needs somebody %t", c.table, c.gone, got)
		}
	}
}

func TestRemoteWords(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"remote_not_served": "rows are copied", "extension_missing": "no way to ask", "extension_not_allowed": "no way to ask",
		"token_missing": "does not answer", "attach_failed": "does not answer", "": "rows are copied",
	} {
		got := RemoteWords(registry.Published{Status: registry.SyncStatus{ErrorCode: code}})
		if !strings.HasPrefix(got, "Asked live, not served yet: ") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", code, got, want)
		}
	}
	far := registry.Published{Table: registry.Table{QueryMode: registry.ModeRemote}, Status: registry.SyncStatus{State: "remote", ErrorCode: "token_missing"}}
	if got := Freshness(far, noon()); got.Class != "st-idle" || got.Word != "Asked live" || got.Detail != "not served yet" {
		t.Errorf("freshness = %+v", got)
	}
	far.Version = &registry.Version{CreatedAt: noon().Add(-time.Hour)}
	if got := Freshness(far, noon()); got.Word != "Asked live" || !strings.HasPrefix(got.Detail, "rows ") {
		t.Errorf("freshness with rows from before = %+v", got)
	}
	if got := RemoteWords(far); !strings.Contains(got, "copied here before are served") {
		t.Errorf("with rows from before: %q", got)
	}
	far.Status = registry.SyncStatus{State: "error", ErrorCode: syncs.GoneUpstream, Error: "The source crm does not offer this table any more."}
	if got := Freshness(far, noon()); got.Word != "Failing" {
		t.Errorf("freshness of one that is gone = %+v", got)
	}
	doc := parse(t, draw(t, TablePage(testChrome(true), TableView{Table: far, Admin: true, Now: noon()})))
	if got := doc.Find("main").Text(); !strings.Contains(got, "does not offer this table any more") || doc.Find("form[action$='/sync']").Length() != 0 {
		t.Errorf("the page of one that is gone: %.400s", got)
	}
}

// A table of which nothing is here offers nothing that would fail.
func TestTableOutside(t *testing.T) {
	t.Parallel()
	far := TableView{Table: registry.Published{Table: registry.Table{ID: "far", Name: "far", QueryMode: registry.ModeRemote}}, Admin: true, Now: noon()}
	doc := parse(t, draw(t, TablePage(testChrome(true), far)))
	if doc.Find("form[action='/tables/far/sync'], form[action='/tables/far/settings']").Length() != 0 {
		t.Error("a table that never syncs can be synced")
	}
	if got := doc.Find("main").Text(); !strings.Contains(got, "Its rows stay outside.") || strings.Contains(got, "after the first sync") {
		t.Errorf("the page says %q", got)
	}
	lost := registry.Published{Status: registry.SyncStatus{State: "error"}}
	for want, at := range map[string]*time.Time{"no rows yet": nil, "no rows now": new(time.Time)} {
		lost.Status.LastSync = at
		if got := Freshness(lost, noon()).Detail; got != want {
			t.Errorf("detail = %q, want %q", got, want)
		}
	}
}

// Only who can follow a next step is told of it.
func TestTroubleOfATable(t *testing.T) {
	t.Parallel()
	v := TableView{Now: noon(), Table: registry.Published{
		Table:  registry.Table{ID: "leads", Name: "leads"},
		Status: registry.SyncStatus{State: "error", ErrorCode: syncs.GoneUpstream, Error: "The source crm does not offer this table any more.", NextStep: "Bring it back in the source, or remove the table here."},
	}}
	for _, admin := range []bool{true, false} {
		v.Admin = admin
		said := parse(t, draw(t, TablePage(testChrome(admin), v))).Find("main").Text()
		if !strings.Contains(said, "does not offer this table any more") {
			t.Errorf("admin %t: the reason is not on the page", admin)
		}
		if got := strings.Contains(said, "remove the table here"); got != admin {
			t.Errorf("admin %t: told to remove the table: %t", admin, got)
		}
	}
}
