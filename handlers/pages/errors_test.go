package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"agnes/connectors/mail/mailtest"
	"agnes/domain"
	"agnes/domain/access"
	"agnes/handlers/request"
	"agnes/views"
)

func TestEveryKindIsWorded(t *testing.T) {
	t.Parallel()
	for _, k := range domain.Kinds() {
		v := errorView(domain.E(k, "some_code", "A sentence."))
		if v.Title == "" || v.Message == "" {
			t.Errorf("kind %d: title %q, message %q", k, v.Title, v.Message)
		}
		if k != domain.Internal && k != domain.Unauthenticated && v.Message != "A sentence." {
			t.Errorf("kind %d says %q", k, v.Message)
		}
	}
	if v := errorView(errBroken); strings.Contains(v.Message, "disk") || v.NextStep == "" {
		t.Errorf("an unknown error says %q, then %q", v.Message, v.NextStep)
	}
}

func TestSentencesForProgramsAreReplaced(t *testing.T) {
	t.Parallel()
	for _, err := range []error{access.Check(nil, access.SignedIn), access.Check(&access.Principal{}, access.Admin)} {
		known := request.Known(err)
		if v := errorView(fmt.Errorf("wrapped: %w", err)); v.Message == known.Message || v.Code != known.Code {
			t.Errorf("%s: page says %q", known.Code, v.Message)
		}
	}
}

func TestThemeSwitchOfAFormLeadsBack(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	got := p.as(p.admin).post("/tables/nothing/sync", nil, "Referer", "http://example.com/syncs").wantStatus(http.StatusNotFound)
	if back := got.Find("input[name=back]").First().AttrOr("value", ""); back != "/syncs" {
		t.Errorf("back = %q: a form's address shows no page", back)
	}
}

func TestUnknownPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.nobody().get("/nowhere").wantStatus(http.StatusNotFound).wantText("This page does not exist", "req-1").wantNoText("Ada")
	p.as(p.admin).get("/nowhere").wantStatus(http.StatusNotFound).wantText("Ada")
	got := p.as(p.admin).get("/nowhere", "HX-Request-Type", "partial").wantStatus(http.StatusNotFound)
	if got.Find("title").Length() != 0 {
		t.Error("the fragment holds the page around it")
	}
}

// TestBrokenStoreIsNotShown takes the state away under every page.
func TestBrokenStoreIsNotShown(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	who := p.principal(p.admin)
	must(t, p.store.Close())
	form := url.Values{"sql": {"SELECT 1"}, "name": {"Ada"}, "edits": {views.EditsText([]access.Edit{adds("g", "airports")})}}.Encode()
	for _, route := range p.Routes() {
		target := strings.NewReplacer("{id}", "airports", "{name}", "a.csv").Replace(route.Pattern)
		if route.Need == access.Public || target == "/docs" || strings.HasPrefix(target, "/uploads") || strings.HasPrefix(target, "/files") || target == "/admin/groups/new" {
			continue // reads no state, or that of the folder
		}
		if strings.HasPrefix(target, "/admin/mail") {
			continue // shows the configuration
		}
		if target == "/syncs/rebuild" {
			continue // asks for a rebuild, which is a fake here, and reads nothing
		}
		t.Run(route.Method+" "+route.Pattern, func(t *testing.T) {
			r := httptest.NewRequest(route.Method, target, strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			ctx, err := p.Sessions.Load(r.Context(), "")
			must(t, err)
			w := httptest.NewRecorder()
			route.Handler.ServeHTTP(w, r.WithContext(request.WithPrincipal(ctx, &who)))
			if w.Code != http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
				t.Errorf("status = %d", w.Code)
			}
			for _, word := range []string{"sql:", "database is closed", "system.db"} {
				if strings.Contains(w.Body.String(), word) {
					t.Errorf("the page says %q", word)
				}
			}
		})
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3, p.everyone())
	p.withMail(mailtest.Options{})
	nobody, analyst := p.nobody(), p.as(p.analyst)
	for _, route := range p.Routes() {
		if route.Need == access.Undeclared {
			t.Errorf("%s %s declares no permission", route.Method, route.Pattern)
		}
		target := strings.NewReplacer("{id}", "airports", "{name}", "a.csv").Replace(route.Pattern)
		try := func(b *browser) int {
			if route.Method == http.MethodPost {
				return b.post(target, url.Values{"sql": {"SELECT 1"}}).StatusCode
			}
			return b.get(target).StatusCode
		}
		if route.Pattern == "/logout" || route.Pattern == "/confirm/again" || route.Pattern == "/profile/sessions/all/end" {
			continue // they end the sign-in that the others need
		}
		proves := route.Pattern == "/login" && route.Method == http.MethodPost || route.Pattern == "/auth/email/verify" // they refuse what proves nothing
		if got := try(nobody); (got == http.StatusUnauthorized) != (route.Need != access.Public || proves) {
			t.Errorf("%s %s answers nobody with %d", route.Method, route.Pattern, got)
		}
		if route.Pattern == "/login" || route.Pattern == "/first-run" {
			continue
		}
		if got := try(analyst); (got == http.StatusForbidden) != (route.Need == access.Admin) {
			t.Errorf("%s %s answers an analyst with %d", route.Method, route.Pattern, got)
		}
	}
}

func TestFormsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/console", strings.NewReader("sql="+strings.Repeat("x", 100)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Body = http.MaxBytesReader(w, r.Body, 10)
	if err := parseForm(r); domain.KindOf(err) != domain.TooLarge || statusOf(err) != http.StatusRequestEntityTooLarge {
		t.Errorf("parseForm = %v, status %d", err, statusOf(err))
	}
	if err := badForm(errors.New("odd escape")); statusOf(err) != http.StatusBadRequest {
		t.Errorf("status = %d, want 400", statusOf(err))
	}
}

// TestPagesMakeAFixedNumberOfQueries compares pages over few and many tables.
func TestPagesMakeAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.admin)
	count := func(target string) int64 {
		b.get(target).wantStatus(http.StatusOK) // the registry is read anew after a change
		before := p.store.Queries()
		b.get(target).wantStatus(http.StatusOK)
		return p.store.Queries() - before
	}
	targets := []string{"/catalog", "/syncs", "/add", "/console", "/tables/airports", "/console/schema.json"}
	p.mustTable("airports", 3)
	few := map[string]int64{}
	for _, target := range targets {
		few[target] = count(target)
	}
	for i := range 30 {
		p.mustTable(fmt.Sprintf("t%d", i), 3)
	}
	for _, target := range targets {
		if many := count(target); many != few[target] {
			t.Errorf("%s: %d queries with 31 tables, %d with one", target, many, few[target])
		}
	}
}
