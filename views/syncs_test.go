package views

import (
	"strings"
	"testing"

	"agnes/domain/syncs"
)

func TestSyncsSentence(t *testing.T) {
	t.Parallel()
	failing := func(n int) []FailingTable {
		list := make([]FailingTable, n)
		for i := range list {
			list[i] = FailingTable{Published: testTables()[4], Since: before(11 * 60 * 60 * 1e9)}
		}
		return list
	}
	for want, v := range map[string]SyncsView{
		"No table is registered yet. Add data":                                                     {},
		"The one table is as fresh as promised.":                                                   {Tables: 1, Fresh: 1},
		"The one table is not as fresh as promised. It is failing since 03:32 UTC.":                {Tables: 1, Failing: failing(1)},
		"All 2 tables are as fresh as promised. 1 more stays outside and is asked live.":           {Tables: 2, Fresh: 2, Outside: 1},
		"No table is copied here yet. 2 more stay outside and are asked live.":                     {Outside: 2},
		"All 318 tables are as fresh as promised.":                                                 {Tables: 318, Fresh: 318},
		"316 of 318 tables are as fresh as promised. 2 are failing since 03:32 UTC.":               {Tables: 318, Fresh: 316, Failing: failing(2)},
		"1 of 3 tables are as fresh as promised. 1 is failing since 03:32 UTC. 1 has not run yet.": {Tables: 3, Fresh: 1, Failing: failing(1), Never: 1},
		"0 of 1,204 tables are as fresh as promised. 1,204 have not run yet.":                      {Tables: 1204, Never: 1204},
	} {
		v.Now = noon()
		got := strings.Join(strings.Fields(parse(t, draw(t, syncsSentence(v))).Text()), " ")
		if got != want {
			t.Errorf("sentence = %q, want %q", got, want)
		}
	}
}

func TestSyncsNeedsYou(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, SyncsLive(testSyncs())))

	row := doc.Find("#failing-ad_spend_daily")
	for _, want := range []string{"still serves rows 11 h old", "no column clicks", "Ask whoever", "extract_schema", "12 tries", "first at 03:32 UTC", "last 8 min ago"} {
		if !strings.Contains(row.Text(), want) {
			t.Errorf("the failing table lacks %q: %q", want, row.Text())
		}
	}
	if row.Find("form[method=post][action='/tables/ad_spend_daily/sync']").Length() != 1 {
		t.Error("it cannot be tried again")
	}
	if got := doc.Find("#source-legacy_dwh").Text(); !strings.Contains(got, "cannot be read") || !strings.Contains(got, "not a DuckDB file") {
		t.Errorf("the broken source says %q", got)
	}
	if got := doc.Find("#source-sales").Text(); !strings.Contains(got, "Bad Name") || !strings.Contains(got, "Left out") {
		t.Errorf("the source with a bad table says %q", got)
	}

	quiet := parse(t, draw(t, SyncsLive(SyncsView{Tables: 3, Fresh: 3, Now: noon()})))
	if quiet.Find("#needs-you, #running").Length() != 0 {
		t.Error("nothing needs anybody, and the page says otherwise")
	}
}

func TestSyncRunRow(t *testing.T) {
	t.Parallel()
	live := testSyncs().Live

	extracting := parse(t, draw(t, SyncRunRow(live[0], noon())))
	bar := extracting.Find("[role=progressbar]")
	if got := bar.AttrOr("aria-valuenow", ""); got != "16" {
		t.Errorf("aria-valuenow = %q, want 16: 64 %% of the first of four phases", got)
	}
	if got := bar.AttrOr("aria-valuetext", ""); got != "Extract, 64 %" {
		t.Errorf("aria-valuetext = %q", got)
	}
	if got := strings.Join(strings.Fields(extracting.Text()), " "); !strings.Contains(got, "11,801,220 rows") || !strings.Contains(got, "4 min 47 s of about 7 min") {
		t.Errorf("row = %q", got)
	}
	if extracting.Find("form[action='/runs/r1/cancel']").Length() != 1 {
		t.Error("the run cannot be cancelled")
	}

	late := parse(t, draw(t, SyncRunRow(live[1], noon())))
	if late.Find(".text-amber").Length() != 1 || late.Find(".fill-s4").Length() != 3 {
		t.Error("a run past its usual time is not amber after three done phases")
	}

	queued := parse(t, draw(t, SyncRunRow(live[2], noon())))
	if queued.Find("[role=progressbar]").Length() != 0 || !strings.Contains(queued.Text(), "Waits for a free place; asked for 1 min ago") {
		t.Errorf("a queued run says %q", queued.Text())
	}
}

func TestSegmentsOfUnknownRun(t *testing.T) {
	t.Parallel()
	r := LiveRun{Run: syncs.Run{State: syncs.Running, Fraction: 7}} // no phase yet, a fraction out of range
	segments := r.segments()
	if len(segments) != 4 || segments[0].Width != 100 || r.percentText() != "25" {
		t.Errorf("segments = %+v at %s %%", segments, r.percentText())
	}
}

func TestSyncsPageIsLive(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, SyncsPage(testChrome(true), testSyncs())))
	region := doc.Find("#syncs")
	if region.AttrOr("hx-sse:connect", "") != "/syncs/live" || region.AttrOr("hx-swap", "") != "innerMorph" {
		t.Error("the page does not follow what happens")
	}
	if got, want := doc.Find("#recent tbody tr").Length(), len(testSyncs().Recent); got != want {
		t.Errorf("%d recent runs, want %d", got, want)
	}
}
