package pages

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain/people"
	"agnes/domain/registry"
)

// withoutVersion are the forms that need not say which state they were made
// from, each with the reason.
func withoutVersion() map[string]string {
	const session, start, oneWay, makes, reads = "concerns the own sign-in only", "starts work that runs after the state of then", "takes something away as a whole, and says so or can be undone",
		"makes something new", "changes nothing"
	reasons := map[string]string{
		"/theme":                                   "is a cookie of the browser",
		"/tables/{id}/remove":                      oneWay,
		"/admin/people/{id}/delete":                oneWay,
		"/admin/activity/views/{id}/delete":        oneWay,
		"/admin/groups/{id}/delete":                oneWay,
		"/admin/groups/{id}/members/{user}/remove": oneWay,
		"/profile/password":                        "the password of now is asked for",
		"/profile/tokens/{id}/rotate":              "replaces the secret that is shown, of whichever state",
		"/profile/tokens/{id}/revoke":              oneWay,
		"/samples/remove":                          oneWay,
		"/admin/people/{id}/invite":                "sends a link", "/admin/people/{id}/reset": "sends a link", "/admin/mail/test": "sends a mail",
		"/admin/access/apply":             "each cell says what was seen in it: TestOnlyTheCellsThatChangedAreAskedAgain",
		"/admin/access/changes/{id}/undo": "fails when a cell changed since",
		"/admin/access/leave":             oneWay,
		"/admin/access/rejoin":            "brings back what was taken away",
	}
	for reason, patterns := range map[string]string{
		session: "/login /logout /first-run /login/link /login/code /login/link/open /login/forgot /auth/password/login/web /auth/password/reset " +
			"/auth/password/reset/confirm /auth/password/setup/request /auth/password/setup/confirm " + resetPath + " " + setUpPath +
			" /confirm /confirm/again /profile/sessions/others/end /profile/sessions/all/end /profile/sessions/{id}/end",
		start: "/tables/{id}/sync /tables/{id}/profile /tables/{id}/versions/{version}/restore /syncs/rebuild /runs/{id}/cancel /runs/{id}/publish " +
			"/runs/{id}/discard /sources/{name}/inspect /console/runs/{id}/cancel /console/runs/{id}/forget",
		makes: "/samples /uploads /uploads/{id}/discard /files /files/{name} /profile/tokens /admin/people/invite /admin/groups /admin/groups/{id}/members /admin/groups/{id}/members/{user}/add /admin/bin/{id}/restore /admin/activity/views",
		reads: "/console /console/csv /admin/access/preview /admin/access/review",
	} {
		for pattern := range strings.FieldsSeq(patterns) {
			reasons[pattern] = reason
		}
	}
	return reasons
}

// olderForm is a form made from a state that is not that of now.
type olderForm struct {
	path string
	form url.Values
	says string // on the page that compares
}

// olderForms are one of each form that edits something.
func olderForms(p *portal) map[string]olderForm {
	p.t.Helper()
	p.mustTable("airports", 3)
	person := "/admin/people/" + string(p.analyst.ID)
	for _, name := range []string{"Ben B.", "Ben C."} {
		_, err := p.store.UpdateUser(p.t.Context(), p.actor(), p.analyst.ID, people.UserChange{Name: &name})
		must(p.t, err)
		_, err = p.store.UpdateUser(p.t.Context(), p.actor(), p.admin.ID, people.UserChange{Name: &name})
		must(p.t, err)
	}
	about := "changed meanwhile"
	_, err := p.store.UpdateTable(p.t.Context(), p.actor(), "airports", registry.TableChange{Description: &about})
	must(p.t, err)
	p.mustWatch(p.watch(twoSources()))
	p.as(p.admin).upload(part{"file", "new.csv", "x\n1\n"}, part{"table", "", "airports"}).wantRedirect("/uploads/up1?table=airports")
	sales := p.group("Sales")
	_, err = p.store.UpdateGroup(p.t.Context(), p.actor(), sales, people.GroupChange{Description: &about})
	must(p.t, err)
	return map[string]olderForm{
		"/admin/people/{id}":                    {person, url.Values{"version": {"1"}, "name": {"Benno"}}, "Benno"},
		"/admin/people/{id}/deactivate":         {person + "/deactivate", url.Values{"version": {"1"}}, "deactivated"},
		"/admin/people/{id}/reactivate":         {person + "/reactivate?version=1", nil, "Ben C."},
		"/admin/people/{id}/groups":             {person + "/groups", url.Values{"was": {string(sales)}, "group": {string(sales)}}, "Sales"},
		"/admin/groups/{id}":                    {"/admin/groups/" + string(sales), url.Values{"version": {"1"}, "description": {"all of it"}}, "all of it"},
		"/profile/name":                         {"/profile/name", url.Values{"version": {"1"}, "name": {"Adele"}}, "Adele"},
		"/tables/{id}/settings":                 {"/tables/airports/settings", url.Values{"version": {"1"}, "shrink_guard_pct": {"7"}}, "7 %"},
		"/uploads/{id}":                         {"/uploads/up1?table=airports", url.Values{"version": {"1"}}, "changed meanwhile"},
		"/sources/{name}/tables/{table}/rename": {"/sources/crm/tables/leads/rename", url.Values{"was": {"prospects"}, "name": {"customers_2"}}, "customers_2"},
	}
}

func TestEveryFormThatEditsNoticesAnOlderState(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	older, exempt := olderForms(p), withoutVersion()
	b := p.as(p.admin)
	there := map[string]bool{}
	for _, route := range p.Routes() {
		if route.Method != http.MethodPost {
			continue
		}
		there[route.Pattern] = true
		f, edits := older[route.Pattern]
		reason := exempt[route.Pattern]
		switch {
		case edits && reason != "":
			t.Errorf("%s is exempt, and tested", route.Pattern)
		case edits:
			b.post(f.path, f.form).wantStatus(http.StatusPreconditionFailed).wantText("was changed meanwhile", "Yours, not saved", "Discard mine", f.says)
		case reason == "":
			t.Errorf("%s takes no version: add it to olderForms, or to withoutVersion with a reason", route.Pattern)
		}
	}
	for pattern := range exempt {
		if !there[pattern] {
			t.Errorf("there is no form %s to be exempt", pattern)
		}
	}
	for pattern := range older {
		if !there[pattern] {
			t.Errorf("there is no form %s", pattern)
		}
	}
}

// sendAs sends the form of a button of the page that compares.
func (b *browser) sendAs(got page, verb string) page {
	b.p.t.Helper()
	form := url.Values{}
	at := ""
	got.Find("#clash form").Each(func(_ int, s *goquery.Selection) {
		if strings.TrimSpace(s.Find("button").Text()) != verb {
			return
		}
		at = s.AttrOr("action", "")
		s.Find("input").Each(func(_ int, in *goquery.Selection) { form.Add(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	})
	if at == "" {
		b.p.t.Fatalf("no button %q on %.2000s", verb, got.body)
	}
	return b.post(at, form)
}

const (
	keepTheirs = "Keep theirs, add mine where they changed nothing"
	saveMine   = "Save mine over theirs"
)

func TestClashOfATablesSettingsIsDecided(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]registry.Guard{
		keepTheirs: {ShrinkPercent: 40, Schema: registry.SchemaFreeze},
		saveMine:   {ShrinkPercent: 7, Schema: registry.SchemaFreeze},
	} {
		p := newPortal(t)
		p.mustTable("airports", 3)
		b := p.as(p.admin)
		form := b.get("/tables/airports").value("#guard ~ form input[name=version]")
		theirs := 40
		_, err := p.store.UpdateTable(t.Context(), p.actor(), "airports", registry.TableChange{ShrinkGuard: &theirs})
		must(t, err)
		got := b.post("/tables/airports/settings", url.Values{"version": {form}, "shrink_guard_pct": {"7"}, "schema_policy": {"freeze"}}).
			wantStatus(http.StatusPreconditionFailed).wantText("40 %", "7 %", "20 %", "One field was changed by you and by them.")
		b.sendAs(got, verb).wantRedirect("/tables/airports")
		now, err := p.store.GetTable(t.Context(), "airports")
		must(t, err)
		if now.Guard != want {
			t.Errorf("%s: %+v, want %+v", verb, now.Guard, want)
		}
	}
}

func TestClashOfAPersonsGroupsIsMerged(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	sales, books, hr := p.group("Sales"), p.group("Books"), p.group("HR")
	b, at := p.as(p.admin), "/admin/people/"+string(p.analyst.ID)
	set := func(want ...people.GroupID) {
		_, err := p.store.SetGroups(t.Context(), p.actor(), p.analyst.ID, people.GroupsChange{Want: want})
		must(t, err)
	}
	set(sales)
	set(sales, hr) // by somebody else, after the form was opened
	got := b.post(at+"/groups", url.Values{"was": {string(sales)}, "group": {string(books)}}).wantStatus(http.StatusPreconditionFailed).
		wantText("The list of groups of this person was changed meanwhile", "HR", "Books", "Sales", "no member")
	b.sendAs(got, keepTheirs).wantRedirect(at)
	u, err := p.store.GetUser(t.Context(), p.analyst.ID)
	must(t, err)
	if len(u.Groups) != 2 || u.Groups[0].Name != "Books" || u.Groups[1].Name != "HR" {
		t.Errorf("groups %+v, want Books and HR", u.Groups)
	}
}
