package views

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"agnes/domain"
)

func testClash() ClashView {
	return ClashView{
		Title: "The group Finance", Back: "/admin/groups/7", Action: "/admin/groups/7", Now: noon(),
		Labels: map[string]string{"name": "Name", "description": "What it is for"},
		Hidden: url.Values{"tab": {"members"}, "tick": {"a", "b"}},
		Stale: domain.NewStaleError(4, noon().Add(-3*time.Minute), "jonas@hollisbrandt.eu",
			domain.Fields{"name": "Finance", "description": "Closes the books", "owner": "Petra"},
			domain.Fields{"name": "Finance EU", "description": "Closes the books", "owner": "Jonas"},
			domain.Fields{"name": "Finance & Controlling", "description": ""}),
	}
}

// formNamed is what a form with that button sends.
func formNamed(t *testing.T, doc *goquery.Document, verb string) url.Values {
	t.Helper()
	sent := url.Values{}
	form := doc.Find("form").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.TrimSpace(s.Find("button").Text()) == verb })
	if form.Length() != 1 {
		t.Fatalf("%d forms have the button %q", form.Length(), verb)
	}
	form.Find("input").Each(func(_ int, s *goquery.Selection) { sent.Add(s.AttrOr("name", ""), s.AttrOr("value", "")) })
	return sent
}

func TestClashSendsOnlyWhatItsButtonsSay(t *testing.T) {
	t.Parallel()
	v := testClash()
	doc := parse(t, draw(t, ClashFragment(v)))
	for verb, want := range map[string]string{
		"Keep theirs, add mine where they changed nothing": "description=&tab=members&tick=a&tick=b&version=4",
		"Save mine over theirs":                            "description=&name=Finance+%26+Controlling&tab=members&tick=a&tick=b&version=4",
	} {
		if got := formNamed(t, doc, verb).Encode(); got != want {
			t.Errorf("%s sends %s, want %s", verb, got, want)
		}
	}
	buttons := doc.Find("#clash .btn").Map(func(_ int, s *goquery.Selection) string { return strings.TrimSpace(s.Text()) })
	if got := strings.Join(buttons, "|"); got != "Keep theirs, add mine where they changed nothing|Save mine over theirs|Discard mine" {
		t.Errorf("buttons in order: %s", got)
	}
	for field, want := range map[string]string{"name": "changed by both", "description": "changed by you", "owner": "changed by them"} {
		if got := strings.TrimSpace(doc.Find(`[data-clash="` + field + `"] .st`).Text()); got != want {
			t.Errorf("%s is said to be %q, want %q", field, got, want)
		}
	}
	text := strings.Join(strings.Fields(doc.Text()), " ")
	for _, want := range []string{"jonas@hollisbrandt.eu changed it 3 min ago, after you opened it.", "One field was changed by you and by them.", "What it is for", "nothing"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q: %s", want, text)
		}
	}
}

func TestClashSendsWhatItsMakerSays(t *testing.T) {
	t.Parallel()
	v := testClash()
	v.Keep, v.Over = url.Values{"group": {"1"}, "was": {"2"}}, url.Values{"group": {"3"}, "was": {"2"}}
	v.Stale.Version = 0
	doc := parse(t, draw(t, ClashFragment(v)))
	if got := formNamed(t, doc, "Save mine over theirs").Encode(); got != "group=3&tab=members&tick=a&tick=b&was=2" {
		t.Errorf("sends %s", got)
	}
}

func TestClashOfTheSameChangeHasNothingToSave(t *testing.T) {
	t.Parallel()
	v := testClash()
	v.Stale = domain.NewStaleError(2, time.Time{}, "", domain.Fields{"name": "a"}, domain.Fields{"name": "b"}, domain.Fields{"name": "b"})
	doc := parse(t, draw(t, ClashFragment(v)))
	if n := doc.Find("form").Length(); n != 0 {
		t.Errorf("%d forms", n)
	}
	if text := doc.Text(); !strings.Contains(text, "they made the same change") || !strings.Contains(text, "Somebody changed it") {
		t.Errorf("says %s", text)
	}
}

func addGroups(add func(string, Chrome, string, Nav, func(Chrome) templ.Component), admin Chrome) {
	add("clash", admin, "Changed meanwhile", NavAccess, func(c Chrome) templ.Component { return ClashPage(c, testClash()) })
}
