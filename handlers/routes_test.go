package handlers_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"agnes/domain/access"
	"agnes/handlers"
	"agnes/handlers/request"
)

// One table: every route, and what nobody, a person and an administrator get.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	person, admin := "Bearer "+s.mustToken(s.user), "Bearer "+s.mustToken(s.admin)
	for _, route := range append(s.apiRoutes(), s.pageRoutes()...) {
		if route.Pattern == "/live" || route.Pattern == "/slow" || route.Pattern == "/api/panic" || route.Pattern == "/api/half" {
			continue
		}
		want := map[access.Need][3]int{
			access.Public: {200, 200, 200}, access.SignedIn: {401, 200, 200}, access.NeedTable: {401, 200, 200}, access.Admin: {401, 403, 200},
		}[route.Need]
		path := strings.ReplaceAll(route.Pattern, "{id}", "orders")
		for i, authorization := range []string{"", person, admin} {
			if got := s.ask(route.Method, path, "", "Authorization", authorization, "HX-Request", "").Code; got != want[i] && !redirected(route, got, want[i]) {
				t.Errorf("%s %s as %d: %d, want %d", route.Method, route.Pattern, i, got, want[i])
			}
		}
	}
}

// redirected tells a page's way to the sign-in page.
func redirected(route request.Route, got, want int) bool {
	return want == http.StatusUnauthorized && got == http.StatusFound && route.Method == http.MethodGet && !request.ForMachines(route.Pattern)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(answer)
	good := newSite(t, nil)
	base := func() handlers.Config {
		c := good.server.Config
		c.Registry = prometheus.NewRegistry()
		return c
	}
	tests := []struct {
		name   string
		change func(*handlers.Config)
		want   string
	}{
		{"no permission", func(c *handlers.Config) {
			c.API = []request.Route{{Method: http.MethodGet, Pattern: "/api/x", Handler: h}}
		}, "declares no permission"},
		{"no handler", func(c *handlers.Config) {
			c.API = []request.Route{{Method: http.MethodGet, Pattern: "/api/x", Need: access.Public}}
		}, "no handler"},
		{"twice", func(c *handlers.Config) { c.Pages = append(c.Pages, c.Pages[0]) }, "two routes answer GET /catalog"},
		{"a short scheduler token", func(c *handlers.Config) { c.SchedulerToken = "short" }, "fewer than 32"},
		{"nothing", func(c *handlers.Config) { *c = handlers.Config{} }, "are all needed"},
		{"an origin that is none", func(c *handlers.Config) { c.TrustedOrigins = []string{"*"} }, "origin"},
		{"a metric twice", func(c *handlers.Config) { c.Gauges = append(c.Gauges, c.Gauges[0]) }, "register a metric"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := base()
			tt.change(&c)
			if _, err := handlers.New(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestErrorsTakeTheReadersForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	person := "Bearer " + s.mustToken(s.user)
	tests := []struct {
		name, method, path string
		headers            []string
		status             int
		kind, location     string
	}{
		{"an unknown page", http.MethodGet, "/nowhere", []string{"Accept", browser}, 404, "text/html", ""},
		{"an unknown page for a program", http.MethodGet, "/nowhere", nil, 404, "application/json", ""},
		{"an unknown operation in a browser", http.MethodGet, "/api/nowhere", []string{"Accept", browser}, 404, "application/json", ""},
		{"a wrong method", http.MethodPut, "/catalog", []string{"Accept", browser}, 405, "text/html", ""},
		{"a wrong method of an operation", http.MethodPut, "/api/mine", nil, 405, "application/json", ""},
		{"a page when signed out", http.MethodGet, "/catalog?q=a&b=c", []string{"Accept", browser}, 302, "", "/login?next=%2Fcatalog%3Fq%3Da%26b%3Dc"},
		{"a form when signed out", http.MethodPost, "/change", []string{"Accept", browser}, 401, "text/html", ""},
		{"an operation when signed out", http.MethodGet, "/api/mine", []string{"Accept", browser}, 401, "application/json", ""},
		{"a page that is not theirs", http.MethodGet, "/admin", []string{"Accept", browser, "Authorization", person}, 403, "text/html", ""},
		{"an address of another site", http.MethodGet, "//evil.example/a", []string{"Accept", browser}, 404, "text/html", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.ask(tt.method, tt.path, "", tt.headers...)
			kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
			if w.Code != tt.status || (tt.kind != "" && kind != tt.kind) || w.Header().Get("Location") != tt.location {
				t.Errorf("got %d %s %q, want %d %s %q", w.Code, kind, w.Header().Get("Location"), tt.status, tt.kind, tt.location)
			}
		})
	}
	w := s.ask(http.MethodPost, "/change", "", "HX-Request", "true", "HX-Current-URL", "https://agnes.example/catalog?q=a")
	if got := w.Header().Get("HX-Redirect"); got != "/login?next=%2Fcatalog%3Fq%3Da" {
		t.Errorf("a fragment when signed out leads to %q", got)
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	server := s.serve()
	response, err := server.Client().Head(server.URL + "/api/open")
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ContentLength != int64(len("nobody")) {
		t.Errorf("HEAD: %d, length %d", response.StatusCode, response.ContentLength)
	}
}

func TestSignInTriesAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	codes := ""
	for range 11 {
		codes += fmt.Sprint(s.ask(http.MethodPost, "/auth/token", "", "X-Forwarded-For", codes).Code, " ")
	}
	if want := strings.Repeat("200 ", 10) + "429 "; codes != want {
		t.Errorf("eleven tries: %s, want %s", codes, want)
	}
	w := s.ask(http.MethodPost, "/auth/token", "")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" || !strings.Contains(detail(t, w), "Wait a minute") {
		t.Errorf("the twelfth: %d %v %s", w.Code, w.Header(), w.Body)
	}
	s.clock.advance(60e9)
	if w := s.ask(http.MethodPost, "/auth/token", ""); w.Code != http.StatusOK {
		t.Errorf("a minute later: %d", w.Code)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.ask(http.MethodGet, "/api/tables/orders", "")
	s.ask(http.MethodGet, "/api/tables/customers", "")
	s.ask("BREW", "/api/open", "")
	w := newRecorder()
	s.server.MetricsHandler().ServeHTTP(w, newGet("/metrics"))
	body, err := io.ReadAll(w.Result().Body)
	must(t, err)
	for _, want := range []string{
		`agnes_http_requests_total{class="4xx",method="GET",route="/api/tables/{id}"} 2`,
		`method="other"`,
		`agnes_http_requests_in_flight 0`,
		`agnes_children 3`,
		`agnes_http_request_seconds_count{method="GET",route="/api/tables/{id}"} 2`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(string(body), "orders") {
		t.Error("metrics name what people asked for")
	}
}

func TestNewHTTPServerBoundsConnections(t *testing.T) {
	t.Parallel()
	server := handlers.NewHTTPServer("127.0.0.1:0", http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if server.ReadHeaderTimeout == 0 || server.IdleTimeout == 0 || server.MaxHeaderBytes == 0 || server.WriteTimeout != 0 {
		t.Errorf("server = %+v", server)
	}
}
