package views

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
)

// galleryDir is where TestGallery writes its pages, for assets/look.mjs to look at.
var galleryDir = flag.String("gallery", "", "folder to write every page to")

// TestGallery draws every page in every state worth seeing and holds it to the
// rules that all pages share.
func TestGallery(t *testing.T) {
	t.Parallel()
	for name, page := range gallery() {
		for suffix, theme := range map[string]Theme{"light": ThemeDay, "dark": ThemeNight} {
			t.Run(name+"-"+suffix, func(t *testing.T) {
				t.Parallel()
				chrome := page.chrome
				chrome.Theme = theme
				html := draw(t, page.draw(chrome))

				if *galleryDir != "" {
					file := filepath.Join(*galleryDir, name+"-"+suffix+".html")
					if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
						t.Fatalf("write %s: %v", file, err)
					}
				}
				checkPage(t, html)
			})
		}
	}
}

// checkPage holds a page to what all pages promise.
func checkPage(t *testing.T, html string) {
	t.Helper()
	doc := parse(t, html)

	for _, selector := range []string{"style", "script:not([src])", "[style]", "[onclick]", "[onload]", "[onsubmit]", "[onchange]"} {
		if n := doc.Find(selector).Length(); n > 0 {
			t.Errorf("%d elements match %q, which the policy blocks", n, selector)
		}
	}
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("the page has %d h1, want 1", n)
	}
	if title := doc.Find("title").Text(); title == "" || strings.Contains(title, "%!") {
		t.Errorf("title = %q", title)
	}
	for _, bad := range []string{"%!", "<nil>", "0001-01-01", "{{", "NaN"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if seen[id] {
			t.Errorf("id %q is there twice", id)
		}
		seen[id] = true
	})
	doc.Find("form").Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("action", "") == "" || s.AttrOr("method", "") == "" {
			t.Errorf("a form lacks action or method: %s", s.Text())
		}
	})
	for _, attribute := range []string{"for", "commandfor", "popovertarget", "aria-labelledby", "aria-describedby", "aria-controls"} {
		doc.Find("[" + attribute + "]").Each(func(_ int, s *goquery.Selection) {
			if id := s.AttrOr(attribute, ""); !seen[id] {
				t.Errorf("%s=%q names nothing", attribute, id)
			}
		})
	}
	if n := doc.Find(".btn-primary:not(.sr-only)").Length(); n > 1 {
		t.Errorf("%d filled buttons in view, want at most one", n)
	}
}

func draw(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatalf("Render() = %v", err)
	}
	return b.String()
}

func parse(t *testing.T, html string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return doc
}

// noon is now in every test.
func noon() time.Time { return time.Date(2026, 11, 22, 14, 32, 0, 0, time.UTC) }

func before(d time.Duration) *time.Time {
	at := noon().Add(-d)
	return &at
}
