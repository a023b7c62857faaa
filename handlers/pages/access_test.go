package pages

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/views"
)

// company is a portal with a few groups, tables and people.
type company struct {
	*portal
	sales, finance people.GroupID
	ann, bob       people.User // in Sales; bob in Finance too
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{portal: newPortal(t)}
	c.sales, c.finance = c.group("Sales"), c.group("Finance")
	c.ann = c.mustUser(people.NewUser{Email: "ann@example.com", Name: "Ann", Groups: []people.GroupID{c.sales}})
	c.bob = c.mustUser(people.NewUser{Email: "bob@example.com", Name: "Bob", Groups: []people.GroupID{c.sales, c.finance}})
	c.mustTable("orders", -1, c.sales)
	c.mustTable("payments", -1)
	c.mustTable("rates", -1, c.everyone())
	return c
}

func (p *portal) mustApply(edits ...access.Edit) access.Change {
	p.t.Helper()
	change, err := p.store.ApplyAccess(p.t.Context(), audit.System("test"), "", edits)
	must(p.t, err)
	return change
}

func tableCell(group people.GroupID, table string) access.Cell {
	return access.Cell{Group: group, ResourceType: access.TableResource, ResourceID: table}
}

func adds(group people.GroupID, table string) access.Edit {
	return access.Edit{Cell: tableCell(group, table), Want: &access.CellGrant{}}
}

func takes(group people.GroupID, table string) access.Edit {
	return access.Edit{Cell: tableCell(group, table), Was: &access.CellGrant{}}
}

func editsForm(edits ...access.Edit) url.Values {
	return url.Values{"edits": {views.EditsText(edits)}, "back": {"/admin/access?t=o"}}
}

// labels are what the cells of a matrix say.
func labels(p page) []string {
	return p.Find("input.cx").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("aria-label", "") })
}

func TestMatrixShowsWhatCellsHold(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	end := c.clock.now().Add(48 * time.Hour)
	c.mustApply(access.Edit{Cell: tableCell(c.finance, "payments"), Want: &access.CellGrant{ExpiresAt: &end, Reason: "quarter close"}})
	b := c.as(c.admin)
	got := b.get("/admin/access").wantStatus(http.StatusOK).wantText("Admin’s 1 person sees everything", "Everyone", "Finance", "Sales", "Files")
	want := []string{
		"orders, Everyone: no access", "orders, Finance: no access", "orders, Sales: granted",
		"payments, Everyone: no access", "payments, Finance: granted until 24 November", "payments, Sales: no access",
		"rates, Everyone: granted", "rates, Finance: inherited from Everyone", "rates, Sales: inherited from Everyone",
	}
	if l := labels(got); !slices.Equal(l, want) {
		t.Errorf("cells %q, want %q", l, want)
	}
	if title := got.Find("td.ends").AttrOr("title", ""); title != "granted by system:test on 22 November, ends on 24 November: quarter close" {
		t.Errorf("title = %q", title)
	}
	c.clock.advance(72 * time.Hour)
	got = c.as(c.admin).get("/admin/access")
	if l := labels(got); l[4] != "payments, Finance: ended on 24 November" || got.Find("td.ended input[checked]").Length() != 0 {
		t.Errorf("ended: %q", l[4])
	}
}

func TestMatrixIsFilteredAndPagedOnBothAxes(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	soon := c.clock.now().Add(24 * time.Hour)
	c.mustApply(access.Edit{Cell: tableCell(c.finance, "orders"), Want: &access.CellGrant{ExpiresAt: &soon}})
	_, err := c.store.PersonGroup(t.Context(), c.actor(), c.ann.ID)
	must(t, err)
	b := c.as(c.admin)
	for query, want := range map[string][2]string{
		"":             {"orders payments rates", "Everyone Finance Sales"},
		"?t=PAY":       {"payments", "Everyone Finance Sales"},
		"?g=fin":       {"orders payments rates", "Everyone Finance"},
		"?nobody=1":    {"payments", "Everyone Finance Sales"},
		"?soon=1":      {"orders", "Everyone Finance Sales"},
		"?persons=1":   {"orders payments rates", "Everyone ann@example.com (only) Finance Sales"},
		"?source=jira": {"", ""},
		"?tp=x&gp=-1":  {"orders payments rates", "Everyone Finance Sales"},
	} {
		got := b.get("/admin/access" + query).wantStatus(http.StatusOK)
		rows := strings.Join(got.Find(".mx th[scope=row] a").Map(words), " ")
		columns := strings.Join(got.Find(".mx thead a").Map(words), " ")
		if rows != want[0] || columns != want[1] {
			t.Errorf("%s: rows %q, columns %q; want %q", query, rows, columns, want)
		}
	}
	b.get("/admin/access?t=zzz").wantText("No table matches.", "Show all 3")
	b.get("/admin/access?tp=9").wantText("This page is past the end.")
	fragment := b.get("/admin/access?t=pay", "HX-Request", "true", "HX-Request-Type", "partial")
	if strings.Contains(fragment.body, "<html") || !strings.Contains(fragment.body, "payments") {
		t.Errorf("fragment: %.200s", fragment.body)
	}
	for _, path := range []string{"/admin/access", "/admin/access/export.csv", "/admin/access/gone", "/admin/access?view=person&user=" + string(c.ann.ID)} {
		c.as(c.analyst).get(path).wantStatus(http.StatusForbidden)
		c.nobody().get(path).wantStatus(http.StatusUnauthorized)
	}
}

func words(_ int, s *goquery.Selection) string { return strings.TrimSpace(s.Text()) }

func TestStagedEditsAreSaidInASentence(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	post := func(edits ...access.Edit) page {
		return b.post("/admin/access/preview", editsForm(edits...)).wantStatus(http.StatusOK)
	}
	post(adds(c.finance, "payments")).wantText("1 change:", "1 group, 1 person gains 1 table.", "Apply 1 change")
	post(takes(c.sales, "orders"), adds(c.finance, "orders")).wantText("2 groups, 1 person loses 1 table.")
	post(adds(c.sales, "payments")).wantText("This concerns more than half: 2 of 3 people.")
	everyone := post(adds(c.everyone(), "payments")).wantText("3 people gain 1 table.", "This changes what Everyone sees: 3 of 3 people.")
	if everyone.Find("input[name=confirm][required]").Length() != 1 {
		t.Error("nobody is asked about Everyone")
	}
	if got := post(); strings.TrimSpace(got.body) != "" {
		t.Errorf("without edits: %q", got.body)
	}
	b.post("/admin/access/preview", url.Values{"edits": {"{"}}).wantStatus(http.StatusBadRequest)
	b.post("/admin/access/preview", editsForm(adds(c.sales, ""))).wantStatus(http.StatusUnprocessableEntity)
	c.as(c.analyst).post("/admin/access/preview", editsForm(adds(c.sales, "orders"))).wantStatus(http.StatusForbidden)
}

func TestEditsAreAppliedAndTakenBack(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	form := editsForm(adds(c.finance, "payments"), takes(c.sales, "orders"))
	form.Set("note", "audit of Q3")
	form.Set("reason", "quarter close")
	form.Set("ends_on", "2026-12-01")
	form.Set("staged", "1")
	b.post("/admin/access/apply", form).wantStatus(http.StatusUnprocessableEntity).wantText("Tick the box to say that this is meant.", "This concerns more than half")
	form.Set("confirm", "1")
	b.post("/admin/access/apply", form).wantRedirect("/admin/access?t=o#applied")

	got := b.get("/admin/access").wantText("2 changes applied: 2 groups, 1 person gains 1 table, 2 people lose 1.", "audit of Q3", "Undo")
	if l := labels(got); l[2] != "orders, Sales: no access" || l[4] != "payments, Finance: granted until 1 December" {
		t.Errorf("cells %q", l)
	}
	if title := got.Find("td.ends").AttrOr("title", ""); !strings.HasSuffix(title, "ends on 1 December: quarter close") {
		t.Errorf("title %q", title)
	}
	undo := got.Find("section form[action$=undo]").AttrOr("action", "")
	b.post(undo, nil).wantStatus(http.StatusSeeOther)
	got = b.get("/admin/access").wantText("2 changes of access taken back.")
	if l := labels(got); l[2] != "orders, Sales: granted" || l[4] != "payments, Finance: no access" {
		t.Errorf("after the undo: %q", l)
	}
	b.post(undo, nil).wantStatus(http.StatusConflict).wantText("taken back already")
	c.mustApply(adds(c.finance, "orders"))
	c.clock.advance(access.UndoFor + time.Second)
	b.get("/admin/access").wantNoText("Undo")
}

func TestReviewRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	form := editsForm(adds(c.finance, "payments"))
	b.post("/admin/access/review", form).wantStatus(http.StatusOK).wantText("1 change of access", "payments", "Finance", "gets it without end")
	for field, value := range map[string]string{"ends_on": "2020-01-01", "note": strings.Repeat("x", 5000)} {
		form.Set(field, value)
		b.post("/admin/access/apply", form).wantStatus(http.StatusUnprocessableEntity)
		form.Del(field)
	}
	b.post("/admin/access/apply", editsForm(adds(c.finance, "nothing"))).wantStatus(http.StatusNotFound).wantText("There is no table nothing")
	b.post("/admin/access/apply", editsForm(adds("gone", "payments"))).wantStatus(http.StatusNotFound)
	outside := editsForm(adds(c.finance, "payments"))
	outside.Set("back", "https://elsewhere.example/")
	b.post("/admin/access/apply", outside).wantRedirect("/admin/access")
}

func TestMatrixWithoutScripts(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	got := b.get("/admin/access")
	form := url.Values{"page": {got.value("input[name=page]")}, "back": {got.value("main input[name=back]")}}
	got.Find("input.cx[checked]").Each(func(_ int, s *goquery.Selection) { form.Add("on", s.AttrOr("value", "")) })
	b.post("/admin/access/review", form).wantRedirect("/admin/access")
	form["on"] = append(form["on"], "1.1") // Finance, payments
	form["on"] = slices.DeleteFunc(form["on"], func(key string) bool { return key == "2.0" })
	review := b.post("/admin/access/review", form).wantStatus(http.StatusOK).wantText("2 changes of access", "gets it", "loses it")
	send := url.Values{"edits": {review.value("input[name=edits]")}, "back": {review.value("main input[name=back]")}, "confirm": {"1"}}
	b.post("/admin/access/apply", send).wantRedirect("/admin/access")
	if l := labels(b.get("/admin/access")); l[2] != "orders, Sales: no access" || l[4] != "payments, Finance: granted" {
		t.Errorf("cells %q", l)
	}
}

func TestOnlyTheCellsThatChangedAreAskedAgain(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	mine := editsForm(adds(c.finance, "payments"), takes(c.sales, "orders"))
	mine.Set("confirm", "1")
	end := c.clock.now().Add(24 * time.Hour)
	c.mustApply(access.Edit{Cell: tableCell(c.sales, "orders"), Was: &access.CellGrant{}, Want: &access.CellGrant{ExpiresAt: &end}})

	got := b.post("/admin/access/apply", mine).wantStatus(http.StatusPreconditionFailed).
		wantText("1 cell changed under you", "The other 1 change of yours", "granted without end", "granted until 23 November", "no access")
	if rows := got.Find("table tbody tr"); rows.Length() != 1 || !strings.Contains(rows.Text(), "orders") {
		t.Errorf("asked about %s", rows.Text())
	}
	send := url.Values{"edits": {got.value("input[name=edits]")}, "back": {got.value("main input[name=back]")}, "confirm": {"1"}}
	theirs := url.Values{}
	for k, v := range send {
		theirs[k] = v
	}
	name := got.Find("input[type=radio]").AttrOr("name", "")
	theirs.Set(name, "theirs")
	b.post("/admin/access/apply", theirs).wantStatus(http.StatusSeeOther)
	if l := labels(b.get("/admin/access")); l[2] != "orders, Sales: granted until 23 November" || l[4] != "payments, Finance: granted" {
		t.Errorf("theirs: %q", l)
	}
	only := url.Values{"edits": {views.EditsText([]access.Edit{{Cell: tableCell(c.sales, "orders"), Was: &access.CellGrant{ExpiresAt: &end}}})}, "back": {"/admin/access"}, "cell-0": {"theirs"}}
	b.post("/admin/access/apply", only).wantRedirect("/admin/access")
	only.Set("cell-0", "mine")
	only.Set("confirm", "1")
	b.post("/admin/access/apply", only).wantRedirect("/admin/access")
	if l := labels(b.get("/admin/access")); l[2] != "orders, Sales: no access" {
		t.Errorf("mine: %q", l)
	}
}

func TestMatrixExport(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.group("=cmd|' /C calc'!A0")
	got := c.as(c.admin).get("/admin/access/export.csv?t=a").wantStatus(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	must(t, err)
	want := [][]string{
		{"table", "source", "bucket", "Everyone", "'=cmd|' /C calc'!A0", "Finance", "Sales"},
		{"payments", "files", "files", "", "", "", ""},
		{"rates", "files", "files", "granted", "inherited", "inherited", "inherited"},
	}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("export %q, want %q", rows, want)
	}
	if empty := c.as(c.admin).get("/admin/access/export.csv?t=zzz").wantStatus(http.StatusOK); !strings.HasPrefix(empty.body, "table,") {
		t.Errorf("an export of nothing is %q", empty.body)
	}
}

func TestAccessPagesTakeAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	b := c.as(c.admin)
	pages := []string{
		"/admin/access", "/admin/access?view=group", "/admin/access?view=group&group=" + string(c.sales),
		"/admin/access?view=table", "/admin/access?view=table&table=orders", "/admin/access?view=person", "/admin/access?view=person&user=" + string(c.ann.ID),
		"/tables/orders?tab=readers",
	}
	count := func(do func()) int64 {
		before := c.store.Queries()
		do()
		return c.store.Queries() - before
	}
	measure := func() (all []int64) {
		for _, path := range pages {
			b.get(path) // so that what is kept is read
			all = append(all, count(func() { b.get(path).wantStatus(http.StatusOK) }))
		}
		return append(all, count(func() {
			b.post("/admin/access/preview", editsForm(adds(c.finance, "payments"))).wantStatus(http.StatusOK)
		}))
	}
	few := measure()
	for i := range 60 {
		g := c.group(fmt.Sprintf("g%02d", i))
		c.mustUser(people.NewUser{Email: fmt.Sprintf("p%d@example.com", i), Groups: []people.GroupID{g, c.sales, c.finance}})
		c.mustTable(fmt.Sprintf("t%03d", i), -1, g, c.sales)
		c.mustApply(adds(g, "orders"))
	}
	if many := measure(); !slices.Equal(few, many) {
		t.Errorf("statements of %v: %v, with sixty times as much %v", pages, few, many)
	}
	if n := b.get("/admin/access").Find(".mx thead a").Length(); n != views.MatrixGroups+1 {
		t.Errorf("%d columns, want %d", n, views.MatrixGroups+1)
	}
	if n := b.get("/admin/access?gp=2").Find(".mx thead a").Length(); n != 1+62-views.MatrixGroups {
		t.Errorf("%d columns on page 2", n)
	}
}
