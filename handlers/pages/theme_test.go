package pages

import (
	"net/http"
	"net/url"
	"testing"
)

func TestTheme(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.nobody()

	b.post("/theme", url.Values{"theme": {"ledger-night"}, "back": {"/login?next=%2Fdocs"}}).wantRedirect("/login?next=%2Fdocs")
	got := b.get("/login?next=/docs").wantStatus(http.StatusOK)
	if theme := got.Find("html").AttrOr("data-theme", ""); theme != "ledger-night" {
		t.Errorf("data-theme = %q", theme)
	}
	if back := got.value("input[name=back]"); back != "/login?next=/docs" {
		t.Errorf("back = %q", back)
	}

	b.post("/theme", url.Values{"theme": {""}, "back": {"//evil.example"}}).wantRedirect("/catalog")
	if c := b.cookies[themeCookie]; c != nil {
		t.Errorf("cookie = %v, want none: the system decides", c)
	}
	b.post("/theme", url.Values{"theme": {`"><script>`}})
	if c := b.cookies[themeCookie]; c != nil {
		t.Errorf("cookie = %v for an unknown theme", c)
	}
}
