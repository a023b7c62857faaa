package letters

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain/people"
)

const link = "https://agnes.example/login/link/open?token=abc"

func TestCompose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		letter  people.Letter
		subject string
		words   []string
	}{
		"a sign-in": {
			people.Letter{Purpose: people.ToSignIn, URL: link, Code: "ABCD-2345", Works: time.Hour, Brand: "Hollis & Brandt", Name: "Ben"},
			"Sign in to Agnes of Hollis & Brandt",
			[]string{"Hello Ben,", link, "ABCD-2345", "for one hour", "delete this mail"},
		},
		"a reset":       {people.Letter{Purpose: people.ToReset, URL: link, Works: 24 * time.Hour}, "A new password for Agnes", []string{"Hello,", link, "for 24 hours"}},
		"an invitation": {people.Letter{Purpose: people.ToSetUp, URL: link, Works: 7 * 24 * time.Hour, By: "ada@example.com"}, "Your account of Agnes", []string{"ada@example.com made", link, "for 7 days"}},
		"a test":        {people.Letter{URL: "https://agnes.example"}, "Mail from Agnes arrives", []string{"It arrived"}},
		"a way in":      {people.Letter{Purpose: people.ToSetUp, URL: "https://agnes.example/login"}, "Your account of Agnes", []string{"Go to the sign-in page"}},
		"a hostile name": {
			people.Letter{Purpose: people.ToSignIn, URL: link, Works: time.Hour, Name: `<img src=x onerror="alert(1)">`},
			"Sign in to Agnes",
			[]string{`<img src=x onerror="alert(1)">`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.letter.To = "ben@example.com"
			got, err := Compose(t.Context(), c.letter)
			if err != nil || got.To != c.letter.To || got.Subject != c.subject {
				t.Fatalf("Compose() = %+v, %v", got, err)
			}
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(got.HTML))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.words {
				if !strings.Contains(got.Text, want) || !strings.Contains(doc.Text(), want) {
					t.Errorf("text or HTML lacks %q: %s", want, got.Text)
				}
			}
			if n := doc.Find("img, script, link, iframe, [src], [background]").Length(); n > 0 {
				t.Errorf("%d elements load something", n)
			}
			if href, there := doc.Find("a").Attr("href"); there != (c.letter.Purpose != "") || there && href != c.letter.URL {
				t.Errorf("link = %q", href)
			}
			if strings.Contains(got.HTML+got.Text, "%!") {
				t.Error("a format is broken")
			}
		})
	}
}
