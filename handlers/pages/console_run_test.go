package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// partial are the headers of a request of htmx for a part of a page.
var partial = []string{"HX-Request", "true", "HX-Request-Type", "partial"}

// run posts SQL and returns the address of its run, which has ended or is held.
func (b *browser) run(sql string) string {
	b.p.t.Helper()
	got := b.post("/console", url.Values{"sql": {sql}, "limit": {"10000"}}).wantStatus(http.StatusSeeOther)
	return got.Header.Get("Location")
}

// ended waits for all runs in the background.
func (p *portal) ended(address string) {
	p.t.Helper()
	_, id, _ := strings.Cut(address, "run=")
	for p.Runner.Going(access.OwnerOf(p.analyst.ID, ""), id) {
		p.Runner.Wait(p.t.Context(), access.OwnerOf(p.analyst.ID, ""), id)
	}
}

func TestConsoleRun(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.engine.airports()
	p.engine.more = true
	b := p.as(p.analyst)
	form := url.Values{"sql": {"FROM airports"}, "limit": {"1000"}}
	p.nobody().post("/console", form).wantStatus(http.StatusUnauthorized)

	address := b.post("/console", form).wantStatus(http.StatusSeeOther).Header.Get("Location")
	p.ended(address)
	for range 2 { // it survives a reload
		got := b.get(address).wantStatus(http.StatusOK).wantText("JFK", "Kennedy", "NULL", "first 2 rows", "Only the first 2 rows were kept")
		if sql := got.value("textarea[name=sql]"); sql != "FROM airports" {
			t.Errorf("sql = %q", sql)
		}
		if limit := got.Find("select[name=limit] option[selected]").AttrOr("value", ""); limit != "1000" {
			t.Errorf("limit = %q", limit)
		}
	}
	id := strings.TrimPrefix(address, "/console?run=")
	want := query.Statement{SQL: "FROM airports", MaxRows: 1000, RunID: id, By: p.analyst.ID}
	if p.engine.last() != want || len(p.engine.asked) != 1 {
		t.Errorf("asked %+v, want once %+v", p.engine.asked, want)
	}
	p.as(p.admin).get(address).wantStatus(http.StatusNotFound).wantNoText("JFK")

	answer := b.post("/console", form, partial...).wantStatus(http.StatusOK)
	if answer.Find("textarea, title").Length() != 0 || !strings.HasPrefix(answer.Header.Get("HX-Push-Url"), "/console?run=") {
		t.Errorf("a fragment pushes %q, and holds the page around it?", answer.Header.Get("HX-Push-Url"))
	}
	p.ended(answer.Header.Get("HX-Push-Url"))
	form.Set("limit", "77")
	p.ended(b.post("/console", form).wantStatus(http.StatusSeeOther).Header.Get("Location"))
	if got := p.engine.last().MaxRows; got != defaultLimit {
		t.Errorf("MaxRows = %d for a limit that is not offered", got)
	}
	runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
	must(t, err)
	if len(runs) != 3 || runs[0].Origin != query.FromConsole || runs[0].State != query.OK || runs[0].Kept != query.KeptWhole {
		t.Errorf("query runs = %+v", runs)
	}
}

func TestConsoleShowsARunAtWork(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	p.engine.hold = map[string]chan struct{}{"FROM slow": make(chan struct{})}
	p.engine.place = 3
	b := p.as(p.analyst)

	address := b.run("FROM slow")
	p.clock.advance(90 * time.Second)
	got := b.get(address).wantStatus(http.StatusOK).wantText("Waiting", "It is 3rd in line.", "1 min 30 s", "Cancel")
	if poll := got.Find("#run").AttrOr("hx-get", ""); poll != address+"&poll=1" {
		t.Errorf("asks again at %q", poll)
	}
	if got.Find("noscript").Length() == 0 {
		t.Error("without scripts the page never looks again")
	}
	b.get("/console/history").wantText("Waiting", "Cancel")
	p.engine.mu.Lock()
	p.engine.place = 0
	p.engine.mu.Unlock()
	if part := b.get(address, partial...).wantText("Running", "No rows yet."); part.Find("meta").Length() > 0 {
		t.Error("a part of the page makes the whole page load again")
	}

	id := strings.TrimPrefix(address, "/console?run=")
	p.as(p.admin).post("/console/runs/"+id+"/cancel", nil).wantStatus(http.StatusNotFound) // somebody else's goes on
	b.get(address).wantText("Running")
	b.post("/console/runs/"+id+"/cancel", nil).wantStatus(http.StatusSeeOther)
	p.ended(address)
	got = b.get(address).wantText("The query was stopped", "You stopped the query.")
	if _, polls := got.Find("#run").Attr("hx-get"); polls {
		t.Error("a run that has ended is asked for again")
	}
}

func TestConsoleRunGoesOnWhenTheReaderLeaves(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	b := p.as(p.analyst)
	ctx, cancel := context.WithCancel(t.Context())
	p.engine.hook = cancel
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/console", strings.NewReader("sql=FROM+airports"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(b.cookies["session"])
	p.handler.ServeHTTP(httptest.NewRecorder(), r)
	runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
	must(t, err)
	if len(runs) != 1 {
		t.Fatalf("query runs = %+v", runs)
	}
	p.ended("run=" + runs[0].ID)
	b.get("/console?run="+runs[0].ID).wantText("JFK", "2 rows")
}

func TestConsolePagesAndSorts(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.columns = []registry.Column{{Name: "n", Type: "VARCHAR"}}
	for batch := range 3 {
		var rows [][]*string
		for i := range 400 {
			rows = append(rows, []*string{text("row-" + strconv.Itoa(batch*400+i) + ".")})
		}
		p.engine.batches = append(p.engine.batches, rows)
	}
	b := p.as(p.analyst)
	address := b.run("FROM t")
	p.ended(address)

	first := b.get(address).wantText("1–500 of 1,200", "row-0.", "row-499.").wantNoText("row-500.", "Previous")
	if got := first.Find("#sort-1").AttrOr("href", ""); got != address+"&sort=%231" || first.Find("th[aria-sort=none]").Length() != 1 {
		t.Errorf("the head sorts at %q", got)
	}
	b.get(address+"&page=3").wantText("1,001–1,200 of 1,200", "row-1199.").wantNoText("Next")
	b.get(address + "&page=99").wantText("row-1199.")
	b.get(address + "&sort=nosuch").wantStatus(http.StatusOK).wantText("row-0.")
	if n := len(p.engine.asked); n != 1 {
		t.Errorf("the query ran %d times", n)
	}
	sorted := b.get(address+"&sort=%231&page=2", partial...).wantStatus(http.StatusOK)
	if sorted.Find("th[aria-sort=ascending]").Length() != 1 || sorted.Find("#sort-1").AttrOr("href", "") != address+"&sort=-%231" {
		t.Error("the sorted head does not lead to the falling order")
	}
	if got := p.engine.last().SQL; !strings.Contains(got, "ORDER BY c0 ASC NULLS LAST LIMIT 500 OFFSET 500") {
		t.Errorf("sorted by %s", got)
	}
	if got := sorted.Find("a[download]").First().AttrOr("href", ""); !strings.HasSuffix(got, "/export?format=csv&sort=%231") {
		t.Errorf("the download is at %q", got)
	}
	p.engine.err = domain.E(domain.Unavailable, "out_of_memory", "It needed more than 1 GiB.")
	b.get(address+"&sort=%231").wantStatus(http.StatusOK).wantText("The rows cannot be shown this way", "more than 1 GiB")
}

func TestConsoleRunsSeveralStatements(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	const whole = "FROM a;\nFROM b;\n  FROM broken;\nFROM never"
	several := &query.SQLError{Code: query.CodeSeveral, Text: "This text holds 4 statements."}
	for at := 0; at < len(whole); {
		end := len(whole)
		if i := strings.IndexByte(whole[at:], ';'); i >= 0 {
			end = at + i + 1
		}
		several.Statements = append(several.Statements, work.Place{Start: at, End: end})
		at = end
	}
	broken := "\n  FROM broken;"
	p.engine.answer = map[string]error{whole: several, broken: &query.SQLError{Code: "query_error", Text: "Binder Error: no such thing", Line: 2, Column: 8}}
	b := p.as(p.analyst)

	address := b.run(whole)
	p.ended(address)
	got := b.get(address).wantStatus(http.StatusOK).wantText("Statement 1", "Statement 3", "Statement 3 did not end well, so what follows it was not run.", "no such thing").wantNoText("Statement 4")
	if alert := got.Find("[role=alert]"); alert.AttrOr("data-line", "") != "3" || alert.AttrOr("data-column", "") != "8" {
		t.Errorf("the error is at %s:%s of the text, want 3:8", alert.AttrOr("data-line", ""), alert.AttrOr("data-column", ""))
	}
	if sql := got.value("textarea[name=sql]"); sql != whole {
		t.Errorf("sql = %q", sql)
	}
	second := b.get(address+".2").wantText("JFK", "Statement 3")
	if on := second.Find("nav [aria-current=page][href*=\".2\"]").Length(); on != 1 {
		t.Error("the statement that is shown is not marked")
	}
	b.get(address + ".4").wantStatus(http.StatusNotFound)
	b.get("/console/history").wantText("Several", "Failed", "Done")

	p.engine.answer = map[string]error{whole: several}
	p.ended(b.run(whole))
	p.engine.answer[whole] = &query.SQLError{Code: query.CodeSeveral, Text: "This text holds 4 statements."}
	address = b.run(whole)
	p.ended(address)
	b.get(address).wantText("Only one statement runs at a time", "holds 4 statements")
}

func TestConsoleSeriesIsCancelled(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	p.engine.hold = map[string]chan struct{}{"FROM a;": make(chan struct{})}
	p.engine.answer = map[string]error{"FROM a;FROM b": &query.SQLError{Code: query.CodeSeveral, Statements: []work.Place{{Start: 0, End: 7}, {Start: 7, End: 13}}}}
	b := p.as(p.analyst)
	address := b.run("FROM a;FROM b")
	b.get(address).wantText("Running")
	b.post("/console/runs/"+strings.TrimPrefix(address, "/console?run=")+"/cancel", nil).wantStatus(http.StatusSeeOther)
	p.ended(address)
	b.get(address).wantText("The query was stopped", "Statement 1").wantNoText("Statement 2")
}

func TestConsoleHistory(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	b := p.as(p.analyst)
	p.nobody().get("/console/history").wantStatus(http.StatusUnauthorized)
	b.get("/console/history").wantStatus(http.StatusOK).wantText("You have run nothing yet.")
	first := b.run("FROM one")
	p.ended(first)
	for i := range historyRuns {
		p.clock.advance(time.Second)
		p.ended(b.run("FROM other" + strconv.Itoa(i)))
	}

	got := b.get("/console/history").wantText("2 rows", "kept", "Older").wantNoText("FROM one")
	older := got.Find("a[href*=after]").AttrOr("href", "")
	b.get(older).wantText("FROM one", "Newest").wantNoText("FROM other1 ")
	b.get("/console/history?q=one").wantText("FROM one").wantNoText("FROM other")
	b.get("/console/history?state=failed").wantText("No query of yours matches.")
	p.as(p.admin).get("/console/history").wantNoText("FROM one")

	id := strings.TrimPrefix(first, "/console?run=")
	p.as(p.admin).post("/console/runs/"+id+"/forget", nil).wantStatus(http.StatusNotFound)
	b.post("/console/runs/"+id+"/forget", nil).wantStatus(http.StatusSeeOther)
	b.get("/console/history?q=one").wantText("are forgotten").wantNoText("FROM one")
	b.get(first).wantStatus(http.StatusNotFound).wantText("There is no such query of yours.")
}

func TestConsoleSaysWhyRowsAreGone(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	b := p.as(p.analyst)
	address := b.run("FROM airports")
	p.ended(address)
	id := strings.TrimPrefix(address, "/console?run=")
	must(t, p.Results.Keeper.Remove(id))
	b.get(address).wantStatus(http.StatusOK).wantText("The rows are not there", "gone or damaged", "2 rows in").wantNoText("JFK")
	if got := b.get(address).value("textarea[name=sql]"); got != "FROM airports" {
		t.Errorf("the query cannot be run again: %q", got)
	}

	p.Runner.Limits.Results.Bytes = 1
	address = b.run("FROM airports")
	p.ended(address)
	b.get(address).wantText("Not kept: too large", "All as CSV")
}

func TestConsoleErrors(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.mustTable("airport_secrets", 3)
	b := p.as(p.analyst)
	const noTable = "Catalog Error: Table with name airprots does not exist!\nDid you mean \"airports\"?\n\nLINE 1: FROM airprots\n             ^"
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"sql":         {&query.SQLError{Code: "query_error", Text: noTable, Line: 1, Column: 6}, []string{"There is no table airprots", "airports", "Did you mean"}},
		"stopped":     {domain.E(domain.Cancelled, "query_timeout", "The query was stopped after its limit of 1m0s."), []string{"The query was stopped", "its limit of 1m0s"}},
		"unavailable": {domain.E(domain.Unavailable, "out_of_memory", "It needed more than 1 GiB."), []string{"It needed more than 1 GiB."}},
		"internal":    {errBroken, []string{"a fault inside Agnes", "number of the run"}},
	} {
		t.Run(name, func(t *testing.T) {
			p.engine.err = c.err
			address := b.run("FROM airprots")
			p.ended(address)
			got := b.get(address).wantStatus(http.StatusOK).wantText(c.want...).wantNoText("secrets", "/var/lib")
			if sql := got.value("textarea[name=sql]"); sql != "FROM airprots" {
				t.Errorf("sql = %q", sql)
			}
		})
	}
	p.engine.err = nil
	b.post("/console", url.Values{"sql": {"  "}}).wantStatus(422).wantText("There is nothing to run")
	b.post("/console", url.Values{"sql": {strings.Repeat("x", 2000)}}, partial...).wantStatus(422).wantText("The statement is too long")
	p.engine.late = domain.E(domain.Unavailable, "child_died", "The query process ended.")
	address := b.run("FROM airports")
	p.ended(address)
	b.get(address).wantText("The query process ended.")
	b.get("/console?run=nosuch").wantStatus(http.StatusNotFound).wantText("There is no such query of yours.")
}

func TestConsoleLimitsSayWhenToTryAgain(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	p.Runner.Limits.Person.Concurrent = 1
	p.engine.hold = map[string]chan struct{}{"FROM slow": make(chan struct{})}
	b := p.as(p.analyst)
	b.run("FROM slow")
	got := b.post("/console", url.Values{"sql": {"FROM airports"}}).wantStatus(http.StatusTooManyRequests).wantText("1 queries of yours")
	if after := got.Header.Get("Retry-After"); after != "1" {
		t.Errorf("Retry-After = %q", after)
	}
}
