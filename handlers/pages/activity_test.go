package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain/audit"
	"agnes/views"
)

// mustNote writes a row of the log.
func (p *portal) mustNote(e audit.Entry) {
	p.t.Helper()
	if e.Actor.UserID == "" {
		e.Actor = audit.Actor{UserID: string(p.analyst.ID), Email: p.analyst.Email, ClientKind: "cli", ClientIP: "192.0.2.9", RequestID: "req-77"}
	}
	if e.Result == "" {
		e.Result = "success"
	}
	must(p.t, p.store.Audit(p.t.Context(), e))
}

func TestActivityPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.clock.advance(time.Minute)
	p.mustNote(audit.Entry{
		Action: "user_group.updated", Resource: "group:g1", Params: map[string]any{"name": "Finance", "description": "same"},
		Before: map[string]any{"name": "<b>Money</b>", "description": "same"},
	})
	p.mustNote(audit.Entry{Action: "data.download", Resource: "table:orders", Result: "error.403"})
	p.mustNote(audit.Entry{Action: "brand.new", Resource: "thing:x"})
	p.nobody().get("/admin/activity").wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).get("/admin/activity").wantStatus(http.StatusForbidden)
	b := p.as(p.admin)

	got := b.get("/admin/activity").wantStatus(http.StatusOK).wantText("changed the group Finance", "downloaded orders", "Refused", "brand.new thing:x", "Ben Analyst", "req-77", "1 failed.", "kept for ever")
	changes := got.Find(`[aria-label="What changed"]`)
	if changes.Length() != 1 || changes.Find(`[role="row"]`).Length() != 2 || changes.Find("del").Text() != "− <b>Money</b>" || changes.Find("ins").Text() != "+ Finance" {
		t.Errorf("changes: %s", changes.Text())
	}
	if got.Find("figure svg rect.fill-red").Length() != 1 {
		t.Error("the chart shows no failure")
	}
	for query, want := range map[string]int{
		"?action=data.": 1, "?person=" + analystEmail: 4, "?person=" + string(p.analyst.ID) + "&result=failed": 1, "?resource=thing%3Ax": 1, "?q=money": 1, "?q=nothing": 0,
		"?action=data.&range=1h": 1, "?since=2030-01-01": 0,
	} {
		if n := b.get("/admin/activity" + query).wantStatus(http.StatusOK).Find("table[aria-label=Activity] tbody tr").Length(); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
	if n := b.get("/admin/activity?reads=1&action=activity.").Find("table[aria-label=Activity] tbody tr").Length(); n == 0 {
		t.Error("looks at the log are nowhere")
	}
}

func TestActivityPagesOn(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	for i := range 120 {
		p.mustNote(audit.Entry{ID: fmt.Sprintf("n%03d", i), Action: "thing.made", Resource: fmt.Sprintf("thing:%03d", i)})
	}
	b := p.as(p.admin)
	next, seen, pages := "/admin/activity?action=thing.", map[string]bool{}, 0
	first := ""
	for next != "" && pages < 5 {
		got := b.get(next).wantStatus(http.StatusOK)
		for _, row := range got.Find("table[aria-label=Activity] tbody tr td[data-m=wide] p").EachIter() {
			seen[strings.Join(strings.Fields(row.Text()), " ")] = true
		}
		if pages == 1 {
			first, _ = got.Find("a[rel=prev]").Attr("href")
		}
		next, _ = got.Find("a[rel=next]").Attr("href")
		pages++
	}
	if pages != 3 || len(seen) != 120 {
		t.Errorf("%d pages with %d rows, want 3 with 120", pages, len(seen))
	}
	back := b.get(first).wantStatus(http.StatusOK)
	if back.Find("a[rel=prev]").Length() != 0 || back.Find("table[aria-label=Activity] tbody tr").Length() != 50 {
		t.Error("newer does not lead back to the first page")
	}
}

// The page takes the same number of statements whatever the log holds.
func TestActivityQueriesAreFixed(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	ask := func() int64 {
		p.clock.advance(2 * time.Minute) // the look is noted each time
		before := p.store.Queries()
		b.get("/admin/activity?person=ben@example.com&action=thing&result=failed&q=x").wantStatus(http.StatusOK)
		return p.store.Queries() - before
	}
	fill := func(n int) {
		for i := range n {
			p.mustNote(audit.Entry{Action: fmt.Sprintf("thing%d.made", i), Result: "error.500", Params: map[string]any{"x": i}})
		}
	}
	fill(3)
	ask() // what is read once only
	few := ask()
	fill(150)
	if many := ask(); many != few {
		t.Errorf("%d statements with a short log, %d with a long one", few, many)
	}
}

func TestActivityNewer(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	got := b.get("/admin/activity").wantStatus(http.StatusOK)
	poll, ok := got.Find("#activity-newer").Attr("hx-get")
	if !ok {
		t.Fatal("the newest page does not ask for newer rows")
	}
	looks := len(p.audited(audit.ActionRead))
	if none := b.get(poll, "HX-Request-Type", "partial").wantStatus(http.StatusOK); none.Find("a").Length() != 0 {
		t.Errorf("nothing is newer: %s", none.body)
	}
	p.clock.advance(time.Second)
	for range 12 {
		p.mustNote(audit.Entry{Action: "thing.made"})
	}
	now := b.get(poll, "HX-Request-Type", "partial").wantStatus(http.StatusOK).wantText("12 newer events")
	if href, _ := now.Find("a").Attr("href"); href != views.ActivityURL {
		t.Errorf("show leads to %q", href)
	}
	if again, _ := now.Find("#activity-newer").Attr("hx-get"); again != poll {
		t.Errorf("asks next for %q, was %q", again, poll)
	}
	p.clock.advance(time.Hour)
	if n := len(p.audited(audit.ActionRead)); n != looks {
		t.Errorf("asking what is newer wrote %d rows", n-looks)
	}
}

func TestActivityViewsOnThePage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	form := url.Values{"name": {"Refused"}, "filter": {"result=failed&range=7d&nonsense=1"}}
	b.post("/admin/activity/views", form).wantStatus(http.StatusSeeOther)
	got := b.get("/admin/activity").wantStatus(http.StatusOK)
	href, _ := got.Find(`.ruled a:contains("Refused")`).Attr("href")
	if !strings.Contains(href, "result=failed") || !strings.Contains(href, "range=7d") || strings.Contains(href, "nonsense") {
		t.Errorf("the tab leads to %q", href)
	}
	if tab := b.get(href).Find(`.ruled a[aria-current=page]`); tab.Text() != "Refused" {
		t.Errorf("current tab %q", tab.Text())
	}
	b.post("/admin/activity/views", url.Values{"name": {strings.Repeat("n", 81)}, "filter": {""}}).wantStatus(http.StatusUnprocessableEntity).wantText("at most 80 characters")
	saved, err := p.store.ListViews(t.Context(), string(p.admin.ID))
	must(t, err)
	b.post("/admin/activity/views/nothing/delete", nil).wantStatus(http.StatusNotFound)
	b.post("/admin/activity/views/"+saved[0].ID+"/delete", nil).wantStatus(http.StatusSeeOther)
	if n := b.get("/admin/activity").Find(`.ruled a`).Length(); n != 1 {
		t.Errorf("%d tabs after forgetting", n)
	}
}

func TestActivityExportFromThePage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustNote(audit.Entry{Action: "thing.made", Resource: "thing:1"})
	p.clock.advance(time.Second)
	b := p.as(p.admin)
	got := b.get("/admin/activity?action=thing.")
	href, _ := got.Find(`a[download]:contains("CSV")`).Attr("href")
	file := b.get(href).wantStatus(http.StatusOK)
	if lines := strings.Split(strings.TrimSpace(file.body), "\n"); len(lines) != 2 || !strings.Contains(lines[1], "thing:1") {
		t.Errorf("file %q", file.body)
	}
	if rows := p.audited("activity.export"); len(rows) != 1 || rows[0].Params["rows"] != 1.0 || rows[0].Params["action"] != "thing." {
		t.Errorf("rows of the export %+v", rows)
	}
	b.get("/admin/activity/export?format=pdf").wantStatus(http.StatusUnprocessableEntity)
}

// A page of a table is a look at its columns, noted once a minute, also when
// it is refused.
func TestTablePageIsInTheLog(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("orders", 3, p.everyone())
	p.mustTable("secret", 3)
	b := p.as(p.analyst)
	for range 2 {
		b.get("/tables/orders").wantStatus(http.StatusOK)
		b.get("/tables/secret").wantStatus(http.StatusNotFound)
	}
	rows := p.audited("catalog.schema")
	if len(rows) != 2 || rows[0].Resource != "table:secret" || rows[0].Result != "error.404" || rows[1].Resource != "table:orders" || rows[1].Result != "success" {
		t.Errorf("rows %+v", rows)
	}
	if p.as(p.admin).get("/tables/orders").Find(`a[href="/admin/activity?range=30d&resource=table%3Aorders"]`).Length() != 1 {
		t.Error("the table's page does not lead to its activity")
	}
}
