package pages

import (
	"net/url"
	"testing"
	"time"

	"agnes/domain/access"
)

// Pages with forms that ask for a recent sign-in say so before anything is typed.
func TestConfirmBeforeTyping(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	at := "/admin/people/" + string(p.analyst.ID)
	b := p.as(p.admin)
	for path, next := range map[string]string{at: url.QueryEscape(at), "/profile": "%2Fprofile"} {
		offered := "a[href='/confirm?next=" + next + "']"
		if b.get(path).Find(offered).Length() != 0 {
			t.Errorf("%s asks somebody who has just signed in", path)
		}
	}
	p.clock.advance(access.RecentFor + time.Second)
	for path, next := range map[string]string{at: url.QueryEscape(at), "/profile": "%2Fprofile"} {
		offered := b.get(path).Find("a[href='/confirm?next=" + next + "']")
		if offered.Length() == 0 || offered.First().Text() != "Confirm who you are first" {
			t.Errorf("%s does not say so", path)
		}
	}
}
