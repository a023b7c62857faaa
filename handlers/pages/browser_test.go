package pages

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain/people"
)

// browser keeps cookies and sends what a browser does.
type browser struct {
	p       *portal
	cookies map[string]*http.Cookie
}

// as returns a browser that is signed in as a user; the zero user is nobody.
func (p *portal) as(u people.User) *browser {
	p.t.Helper()
	b := &browser{p: p, cookies: map[string]*http.Cookie{}}
	if u.ID != "" {
		b.post("/test/sign-in/"+string(u.ID), nil)
	}
	return b
}

func (p *portal) nobody() *browser { return p.as(people.User{}) }

// page is an answer with its parsed HTML.
type page struct {
	*http.Response
	*goquery.Document
	t    *testing.T
	body string
}

func (b *browser) do(r *http.Request) page {
	t := b.p.t
	t.Helper()
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.p.handler.ServeHTTP(w, r.WithContext(t.Context()))
	got := w.Result()
	for _, c := range got.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c
	}
	body, err := io.ReadAll(got.Body)
	must(t, err)
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	must(t, err)
	return page{Response: got, Document: doc, t: t, body: string(body)}
}

func (b *browser) get(target string, headers ...string) page {
	b.p.t.Helper()
	return b.do(with(httptest.NewRequest(http.MethodGet, target, nil), headers))
}

func (b *browser) post(target string, form url.Values, headers ...string) page {
	b.p.t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(with(r, headers))
}

// with sets headers, given as names and values in turn.
func with(r *http.Request, headers []string) *http.Request {
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (p page) wantStatus(want int) page {
	p.t.Helper()
	if p.StatusCode != want {
		p.t.Fatalf("status = %d, want %d; body: %.600s", p.StatusCode, want, p.body)
	}
	return p
}

func (p page) wantRedirect(want string) {
	p.t.Helper()
	p.wantStatus(http.StatusSeeOther)
	if got := p.Header.Get("Location"); got != want {
		p.t.Fatalf("Location = %q, want %q", got, want)
	}
}

func (p page) wantText(texts ...string) page {
	p.t.Helper()
	got := strings.Join(strings.Fields(p.Text()), " ")
	for _, text := range texts {
		if !strings.Contains(got, text) {
			p.t.Errorf("page lacks %q; it says: %.1500s", text, got)
		}
	}
	return p
}

func (p page) wantNoText(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.Text(), text) {
			p.t.Errorf("page says %q", text)
		}
	}
	return p
}

// value is what a field of a form holds.
func (p page) value(selector string) string {
	p.t.Helper()
	field := p.Find(selector)
	if field.Length() != 1 {
		p.t.Fatalf("%d elements match %s, want 1", field.Length(), selector)
	}
	if goquery.NodeName(field) == "textarea" {
		return field.Text()
	}
	return field.AttrOr("value", "")
}
