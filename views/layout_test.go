package views

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func page(t *testing.T, c Chrome) *goquery.Document {
	t.Helper()
	return parse(t, draw(t, CatalogPage(c, testCatalog(c.Admin()))))
}

func TestLayoutNavigation(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		admin bool
		want  string
	}{
		"an administrator sees everything that is there": {true, "/catalog /console /syncs /sources /add /admin/access /admin/people /admin/activity /admin/server-config /admin/mail"},
		"an analyst sees the work":                       {false, "/catalog /console /requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testChrome(tc.admin)
			c.Nav = NavConsole
			doc := page(t, c)

			got := doc.Find("#nav .nav-i").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("href", "") })
			if strings.Join(got, " ") != tc.want {
				t.Errorf("navigation = %v, want %s", got, tc.want)
			}
			if current := doc.Find("#nav [aria-current=page]").AttrOr("href", ""); current != "/console" {
				t.Errorf("current = %q, want /console", current)
			}
			if n := doc.Find("#nav .count-red").Length(); (n == 1) != tc.admin {
				t.Errorf("%d counts of failing tables", n)
			}
		})
	}
}

func TestLayoutTheme(t *testing.T) {
	t.Parallel()
	for theme, want := range map[Theme]struct{ attribute, next string }{
		ThemeSystem: {"", "ledger"}, ThemeDay: {"ledger", "ledger-night"}, ThemeNight: {"ledger-night", ""},
	} {
		c := testChrome(false)
		c.Theme, c.Back = theme, "/catalog?q=a"
		doc := page(t, c)

		if got := doc.Find("html").AttrOr("data-theme", ""); got != want.attribute {
			t.Errorf("data-theme = %q, want %q", got, want.attribute)
		}
		form := doc.Find("form[action='/theme']")
		if got := form.Find("[name=theme]").AttrOr("value", "?"); got != want.next {
			t.Errorf("after %q the switch turns to %q, want %q", theme, got, want.next)
		}
		if got := form.Find("[name=back]").AttrOr("value", ""); got != c.Back {
			t.Errorf("back = %q, want %q", got, c.Back)
		}
		if ParseTheme(string(theme)) != theme {
			t.Errorf("ParseTheme(%q) = %q", theme, ParseTheme(string(theme)))
		}
	}
	if got := ParseTheme("dracula"); got != ThemeSystem {
		t.Errorf("ParseTheme(dracula) = %q, want the system's", got)
	}
}

func TestLayoutScripts(t *testing.T) {
	t.Parallel()
	c := testChrome(true)
	if n := page(t, c).Find("script[src]").Length(); n != 1 {
		t.Errorf("%d scripts, want one", n)
	}
	c.Nav = NavConsole
	if n := page(t, c).Find("script[src]").Length(); n != 2 {
		t.Errorf("%d scripts on the console, want two", n)
	}
}

func TestSignedOutTellsNothing(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, SignInPage(Chrome{Title: "Sign in", Brand: "Hollis & Brandt", Failing: 2, Version: "0.1.0"}, SignInView{Password: true, Email: "a@b.cz", Next: "/console", Error: "No."})))

	for _, selector := range []string{"#nav", "#palette", "[data-user]", ".count"} {
		if doc.Find(selector).Length() > 0 {
			t.Errorf("somebody who is not signed in sees %s", selector)
		}
	}
	if strings.Contains(doc.Text(), "0.1.0") {
		t.Error("somebody who is not signed in sees the version")
	}
	if got := doc.Find("[name=next]").AttrOr("value", ""); got != "/console" {
		t.Errorf("next = %q", got)
	}
	if got := doc.Find("[name=email]").AttrOr("value", ""); got != "a@b.cz" {
		t.Errorf("the address that was typed is lost: %q", got)
	}
	if got := doc.Find("[role=alert]").Text(); !strings.Contains(got, "No.") {
		t.Errorf("error = %q", got)
	}
	if _, kept := doc.Find("[name=password]").Attr("value"); kept {
		t.Error("the page holds a password")
	}
}

func TestFirstRunPage(t *testing.T) {
	t.Parallel()
	v := FirstRunView{Name: "Petra", Email: "petra", Errors: FieldErrors{"email": "An e-mail address looks like name@example.com."}}
	doc := parse(t, draw(t, FirstRunPage(Chrome{Title: "Set up"}, v)))

	email := doc.Find("#email")
	if email.AttrOr("aria-invalid", "") != "true" || email.AttrOr("aria-describedby", "") != "email-error" {
		t.Error("the wrong field is not marked")
	}
	if got := doc.Find("#email-error").Text(); !strings.Contains(got, "name@example.com") {
		t.Errorf("its sentence = %q", got)
	}
	if _, focused := email.Attr("autofocus"); !focused {
		t.Error("the wrong field is not where one goes on")
	}
	if got := doc.Find("#password").AttrOr("aria-describedby", ""); got != "password-hint" {
		t.Errorf("the password is described by %q", got)
	}
}

func TestViewerInitials(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]Viewer{
		"PN": {Name: "Petra Nováková"}, "JD": {Name: "Jonas van Dahl"}, "P": {Name: "petra"}, "TK": {Email: "tomas.krejci@example.com"}, "Č": {Name: "Čeněk"}, "": {},
	} {
		if got := v.Initials(); got != want {
			t.Errorf("%+v.Initials() = %q, want %q", v, got, want)
		}
	}
}

func TestToasts(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Toasts([]Toast{{Text: "3 tables removed", UndoURL: "/undo/1"}, {Error: true, Text: "Not saved."}})))

	if got := doc.Find("[role=status] form").AttrOr("action", ""); got != "/undo/1" {
		t.Errorf("undo goes to %q", got)
	}
	if got := doc.Find("[role=alert] p").Text(); got != "Not saved." {
		t.Errorf("the error says %q", got)
	}
	if doc.Find("[role=alert] form").Length() != 0 {
		t.Error("an error offers Undo")
	}
	if doc.Find("#toasts").AttrOr("hx-swap-oob", "") != "true" {
		t.Error("as a fragment it would not find its place")
	}
}

func TestErrorPage(t *testing.T) {
	t.Parallel()
	v := ErrorView{Status: 404, Title: "There is no such page.", Message: "It was removed.", NextStep: "Look in the catalog.", Code: "not_found", RequestID: "01JD"}
	text := parse(t, draw(t, ErrorPage(testChrome(false), v))).Find("main").Text()
	for _, want := range []string{"404", v.Title, v.Message, v.NextStep, "not_found", "01JD", "To the catalog"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestErrorFragment(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, ErrorFragment(ErrorView{Status: 503, Title: "The engine is busy.", BackURL: "/console", BackLabel: "Try again"})))
	if doc.Find("h1").Length() != 0 || doc.Find("h2").Text() != "The engine is busy." {
		t.Error("a fragment brings a second h1 to its page")
	}
	if got := doc.Find("a").Text(); got != "Try again" {
		t.Errorf("the way on says %q", got)
	}
}
