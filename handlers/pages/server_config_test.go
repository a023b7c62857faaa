package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/settings"
	"agnes/store"
)

// setup is the configuration behind a portal.
type setup struct {
	store.Overlay
	env map[string]string
}

func (s setup) Input() (config.Input, error) {
	text, err := s.Read()
	return config.Input{
		YAML:   []config.File{{Name: "config/instance.yaml"}, {Name: "state/instance.yaml", Data: text}},
		Getenv: func(name string) (string, bool) { v, ok := s.env[name]; return v, ok },
	}, err
}

func (setup) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no such host")
}

// unreachable is a connection whose test fails.
type unreachable struct{}

func (unreachable) Section() string            { return "mail" }
func (unreachable) Title() string              { return "Mail" }
func (unreachable) Ready(c config.Config) bool { return c.Mail.Set() }
func (unreachable) Run(_ context.Context, _ config.Config, tell func(settings.Step)) {
	tell(settings.Step{Name: "Reach the server", State: settings.StepFailed, Detail: "Nobody answers.", Fix: "Check the port."})
	tell(settings.Step{Name: "Sign in", State: settings.StepSkipped, Detail: "Not reached."})
}

// withSettings gives a portal settings that can be changed.
func withSettings(t *testing.T, env map[string]string) (*portal, setup) {
	t.Helper()
	p := newPortal(t)
	files := setup{Overlay: store.Overlay{Path: filepath.Join(t.TempDir(), "instance.yaml")}, env: env}
	in, err := files.Input()
	must(t, err)
	cfg, _, err := config.Load(in)
	must(t, err)
	live := config.NewLive(cfg)
	p.Settings = &settings.Editor{Files: files, Store: p.store, Tables: p.store, Resolver: files, Live: live, Now: p.clock.now}
	p.Tests = &settings.Tester{Files: files, Tests: []settings.ConnectionTest{unreachable{}}}
	p.Current = func() Current {
		return Current{Instance: live.Now().Instance.Name, SessionIdle: live.Now().Auth.SessionIdle}
	}
	p.handler = p.router(slog.New(slog.NewTextHandler(p.log, nil)))
	return p, files
}

const settingsURL = "/admin/server-config"

// form is a section's form with pairs of names and values.
func settingsInput(section string, pairs ...string) url.Values {
	form := url.Values{"section": {section}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form
}

// reviews posts a form that can be taken, and returns the address of its review.
func (b *browser) reviews(form url.Values) string {
	b.p.t.Helper()
	got := b.post(settingsURL, form).wantStatus(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(got, settingsURL+"/review/") {
		b.p.t.Fatalf("sent to %s, want a review", got)
	}
	return got
}

func TestSettingsPageShowsEverySection(t *testing.T) {
	t.Parallel()
	p, _ := withSettings(t, map[string]string{"LOG_LEVEL": "debug", "SMTP_PASSWORD": "canary-7", "SMTP_FROM": "a@example.com"})
	b := p.as(p.admin)
	for _, s := range config.Sections() {
		got := b.get(settingsURL + "?section=" + s.Name).wantStatus(http.StatusOK).wantNoText("canary-7")
		for _, f := range config.Fields() {
			if config.SectionName(f.Key) == s.Name && got.Find(`[data-setting="`+f.Key+`"]`).Length() != 1 {
				t.Errorf("%s does not show %s", s.Name, f.Key)
			}
		}
	}
	b.get(settingsURL + "?section=outside").wantStatus(http.StatusOK).wantText("JWT_SECRET_KEY")
	b.get(settingsURL + "?section=nonsense").wantStatus(http.StatusOK).wantText("This installation")
	log := b.get(settingsURL + "?section=log").wantText("Set by the variable LOG_LEVEL")
	if log.Find(`[name="set.log.level"]`).Length() != 0 {
		t.Error("what a variable sets can be typed")
	}
	b.get(settingsURL + "?section=materialize").wantText("nothing reads them yet")
	p.as(p.analyst).get(settingsURL).wantStatus(http.StatusForbidden)
}

func TestSettingsPageQueries(t *testing.T) {
	t.Parallel()
	p, _ := withSettings(t, nil)
	b := p.as(p.admin)
	count := func() int64 {
		before := p.store.Queries()
		b.get(settingsURL).wantStatus(http.StatusOK)
		return p.store.Queries() - before
	}
	count() // fills what is kept of the catalog
	few := count()
	for i := range 5 {
		save := b.reviews(settingsInput("query", "was.query.queue", "256", "set.query.queue", "2"+string(rune('0'+i))))
		b.post(save, nil).wantStatus(http.StatusSeeOther)
	}
	count()
	if many := count(); many != few || many > 6 {
		t.Errorf("%d queries, before %d", many, few)
	}
}

func TestSettingsAreReviewedAndSaved(t *testing.T) {
	t.Parallel()
	p, files := withSettings(t, nil)
	b := p.as(p.admin)
	admins, err := p.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	other := p.mustUser(people.NewUser{Email: "eve@example.com", Groups: []people.GroupID{admins.ID}})
	b.post(settingsURL, settingsInput("instance", "was.instance.name", "AI Data Analyst", "set.instance.name", "AI Data Analyst")).
		wantRedirect(settingsURL + "?section=instance")

	review := b.reviews(settingsInput("instance", "was.instance.name", "AI Data Analyst", "set.instance.name", "Hollis"))
	b.get(review).wantStatus(http.StatusOK).wantText("AI Data Analyst", "Hollis", "at once")
	p.as(other).get(review).wantStatus(http.StatusNotFound)
	b.post(review, nil).wantRedirect(settingsURL + "?section=instance")
	b.get(settingsURL).wantText("Hollis", "saved here", "Saved. It is in force.")
	b.get(review).wantStatus(http.StatusNotFound)

	review = b.reviews(settingsInput("query", "was.query.queue", "256", "set.query.queue", "9"))
	b.get(review).wantText("with the next start")
	b.post(review, nil).wantStatus(http.StatusSeeOther)
	b.get(settingsURL+"?section=query").wantText("1 change in force after a restart", "query.queue", "waits for a restart")

	b.post(settingsURL, settingsInput("query", "was.query.queue", "9", "set.query.queue", "soon")).wantStatus(http.StatusUnprocessableEntity).
		wantText("is not a whole number")
	got := b.post(settingsURL, settingsInput("query", "was.query.queue", "9", "set.query.queue", "soon"))
	if got.value("#set-query-queue") != "soon" {
		t.Error("what was typed is gone")
	}

	review = b.reviews(settingsInput("query", "clear", "query.queue", "was.query.queue", "9", "set.query.queue", "9"))
	b.post(review+"/discard", nil).wantRedirect(settingsURL + "?section=query")
	b.post(review, nil).wantStatus(http.StatusNotFound)
	review = b.reviews(settingsInput("query", "clear", "query.queue"))
	p.clock.advance(31 * time.Minute)
	b.get(review).wantStatus(http.StatusNotFound).wantText("not kept any more")
	text, err := files.Read()
	must(t, err)
	if !strings.Contains(string(text), "queue: 9") {
		t.Errorf("the overlay is %s", text)
	}
}

func TestSettingsSecrets(t *testing.T) {
	t.Parallel()
	const canary = "canary-4d1"
	p, files := withSettings(t, nil)
	b := p.as(p.admin)
	wrong := b.post(settingsURL, settingsInput("mail", "new.mail.smtp_password", canary, "was.mail.smtp_port", "587", "set.mail.smtp_port", "many"))
	if wrong.StatusCode != http.StatusUnprocessableEntity || strings.Contains(wrong.body, canary) {
		t.Errorf("status %d, or the secret is shown", wrong.StatusCode)
	}
	review := b.reviews(settingsInput("mail", "new.mail.smtp_password", canary))
	asked := b.get(review).wantText("not set", "set")
	if strings.Contains(asked.body, canary) {
		t.Error("the review shows the secret")
	}
	b.post(review, nil).wantStatus(http.StatusSeeOther)
	p.clock.advance(3 * 24 * time.Hour)
	b = p.as(p.admin)
	got := b.get(settingsURL+"?section=mail").wantText("Set, changed", "by "+adminEmail)
	if strings.Contains(got.body, canary) || strings.Contains(p.log.String(), canary) {
		t.Error("the secret is shown or logged")
	}
	// An empty field keeps it, the box clears it.
	b.post(settingsURL, settingsInput("mail", "new.mail.smtp_password", "")).wantRedirect(settingsURL + "?section=mail")
	b.post(b.reviews(settingsInput("mail", "clear", "mail.smtp_password")), nil).wantStatus(http.StatusSeeOther)
	text, err := files.Read()
	must(t, err)
	if strings.Contains(string(text), canary) {
		t.Error("it is not cleared")
	}
}

func TestSettingsThatCanLockOut(t *testing.T) {
	t.Parallel()
	p, files := withSettings(t, nil)
	b := p.as(p.admin)
	review := b.reviews(settingsInput("server", "was.server.domain", "", "set.server.domain", "agnes.example.com"))
	b.get(review).wantText("lock everybody out")
	b.post(review, nil).wantStatus(http.StatusUnprocessableEntity).wantText("Tick that you have checked it")
	p.clock.advance(16 * time.Minute)
	b.get(review).wantText("sign-in of the last 15 minutes")
	yes := url.Values{"confirm_danger": {"true"}}
	got := b.post(review, yes, "Referer", "http://example.com"+review)
	got.wantRedirect("/confirm?next=" + url.QueryEscape(review))
	if _, err := os.Stat(files.Path); err == nil {
		t.Fatal("it was saved")
	}
	review = p.as(p.admin).reviews(settingsInput("server", "was.server.domain", "", "set.server.domain", "agnes.example.com"))
	p.as(p.admin).post(review, yes).wantStatus(http.StatusSeeOther)
}

func TestSettingsClash(t *testing.T) {
	t.Parallel()
	p, files := withSettings(t, nil)
	b := p.as(p.admin)
	version := b.get(settingsURL + "?section=query").value(`#settings-form input[name="version"]`)
	mine := b.reviews(settingsInput("query", "version", version, "was.query.queue", "256", "set.query.queue", "12", "was.query.max_rows", "10000", "set.query.max_rows", "7"))
	theirs := b.reviews(settingsInput("query", "version", version, "was.query.queue", "256", "set.query.queue", "11"))
	b.post(theirs, nil).wantStatus(http.StatusSeeOther)

	got := b.post(mine, nil).wantStatus(http.StatusPreconditionFailed).wantText("11", "12", "Keep theirs")
	keep := url.Values{}
	got.Find("form").EachWithBreak(func(_ int, form *goquery.Selection) bool {
		if !strings.Contains(form.Text(), "Keep theirs") {
			return true
		}
		if to := form.AttrOr("action", ""); to != mine {
			t.Errorf("the form goes to %s", to)
		}
		form.Find("input").Each(func(_ int, in *goquery.Selection) { keep.Add(in.AttrOr("name", ""), in.AttrOr("value", "")) })
		return false
	})
	b.post(mine, keep).wantStatus(http.StatusSeeOther)
	text, err := files.Read()
	must(t, err)
	if !strings.Contains(string(text), "queue: 11") || !strings.Contains(string(text), "max_rows: 7") {
		t.Errorf("the overlay is %s", text)
	}
}

func TestSettingsAffectTables(t *testing.T) {
	t.Parallel()
	p, _ := withSettings(t, nil)
	p.mustRegister(registry.Table{Name: "orders", SourceType: "bigquery", Bucket: "sales", SourceTable: "orders"}, -1)
	b := p.as(p.admin)
	review := b.reviews(settingsInput("data_source", "was.data_source.bigquery.project", "", "set.data_source.bigquery.project", "new"))
	b.get(review).wantText("1 table reads through this connection", "orders", "looked for in new")
	b.post(review, nil).wantStatus(http.StatusConflict).wantText("orders")
	b.post(review, url.Values{"confirm_affected": {"true"}}).wantStatus(http.StatusSeeOther)
}

func TestSettingsTestConnection(t *testing.T) {
	t.Parallel()
	p, files := withSettings(t, nil)
	b := p.as(p.admin)
	b.post(settingsURL+"/test", settingsInput("query")).wantStatus(http.StatusNotFound)
	b.post(settingsURL+"/test", settingsInput("mail")).wantStatus(http.StatusConflict).wantText("set up yet")
	must(t, os.WriteFile(files.Path, []byte("mail: {smtp_host: a.example.com, from: a@example.com}"), 0o600))
	b.post(settingsURL+"/test", settingsInput("mail")).wantStatus(http.StatusOK).wantText("Does not work", "Nobody answers.", "Check the port.", "Not tried")
}

func TestSettingsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p, files := withSettings(t, nil)
	must(t, os.WriteFile(files.Path, []byte("a: ["), 0o600))
	b := p.as(p.admin)
	b.get(settingsURL).wantStatus(http.StatusOK).wantText("cannot be used as they are")
	b.post(settingsURL, settingsInput("instance", "was.instance.name", "", "set.instance.name", "x")).
		wantStatus(http.StatusInternalServerError).wantText("cannot be read, so nothing was changed")
}
