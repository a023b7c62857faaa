package pages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/handlers/request"
)

func TestClashKeepsTheRestOfTheForm(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	h := p.page(func(w http.ResponseWriter, r *http.Request) error {
		must(t, parseForm(r))
		shown, err := p.clash(w, r, domain.NewStaleError(3, time.Time{}, "cyd@example.com",
			domain.Fields{"name": "a"}, domain.Fields{"name": "b"}, domain.Fields{"name": *sent(r, "name")}), clashOf{Title: "The thing", Labels: map[string]string{"name": "Name"}})
		if !shown {
			t.Error("a stale error is not shown")
		}
		return err
	})
	try := func(headers ...string) (*httptest.ResponseRecorder, string) {
		form := url.Values{"version": {"2"}, "name": {"x", "c"}, "tab": {"members"}, "api_token": {"s3cret"}, "Password": {"s3cret"}}
		r := with(httptest.NewRequest(http.MethodPost, "/things/1?tab=a", strings.NewReader(form.Encode())), headers)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Referer", "http://example.com/things")
		w := httptest.NewRecorder()
		p.Sessions.LoadAndSave(h).ServeHTTP(w, r.WithContext(request.WithID(t.Context(), "req-1")))
		if w.Code != http.StatusPreconditionFailed {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		return w, w.Body.String()
	}
	_, whole := try()
	for _, want := range []string{"<html", "The thing was changed meanwhile", `action="/things/1?tab=a"`, `href="/things"`, `name="version" value="3"`, `name="name" value="c"`, `name="tab" value="members"`} {
		if !strings.Contains(whole, want) {
			t.Errorf("lacks %s in %s", want, whole)
		}
	}
	if strings.Contains(whole, "s3cret") || strings.Contains(whole, `value="2"`) {
		t.Error("a secret or the old version is sent back")
	}
	if _, part := try("HX-Request", "true", "HX-Request-Type", "partial"); strings.Contains(part, "<html") || !strings.Contains(part, "Save mine over theirs") {
		t.Errorf("fragment: %.300s", part)
	}
}

func TestClashLeavesOtherErrorsAlone(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	if shown, err := p.clash(nil, nil, errBroken, clashOf{}); shown || err != nil {
		t.Errorf("another error is shown: %v", err)
	}
}
