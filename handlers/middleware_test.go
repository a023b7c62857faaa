package handlers_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/handlers"
	"agnes/static"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func newGet(path string) *http.Request {
	return httptest.NewRequest(http.MethodGet, path, http.NoBody)
}

// serve runs the site behind a real connection.
func (s *site) serve() *httptest.Server {
	s.t.Helper()
	server := httptest.NewServer(s.server)
	s.t.Cleanup(server.Close)
	return server
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tests := []struct{ sent, want string }{
		{"abc-DEF_123", "abc-DEF_123"},
		{"a b\nc<script>", "abcscript"},
		{strings.Repeat("x", 100), strings.Repeat("x", 64)},
		{"é!§", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got := s.ask(http.MethodGet, "/api/open", "", "X-Request-Id", tt.sent).Header().Get("X-Request-Id")
		if tt.want == "" {
			if len(got) != 12 || strings.Trim(got, "0123456789abcdef") != "" {
				t.Errorf("id for %q = %q, want 12 hexadecimal digits", tt.sent, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("id for %q = %q, want %q", tt.sent, got, tt.want)
		}
	}
}

func TestOneLineARequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.ask(http.MethodGet, "/api/tables/orders?secret=hunter2", "", "Authorization", "Bearer "+s.mustToken(s.user), "X-Request-Id", "req1")
	s.ask(http.MethodGet, "/nowhere", "")
	s.ask(http.MethodGet, "/api/panic", "")
	lines := s.lines()
	if len(lines) != 3 {
		t.Fatalf("%d access lines, want 3", len(lines))
	}
	want := map[string]any{"method": "GET", "route": "/api/tables/{id}", "status": 200.0, "bytes": 29.0, "request_id": "req1", "user_id": string(s.user.ID)}
	for key, v := range want {
		if lines[0][key] != v {
			t.Errorf("%s = %v, want %v", key, lines[0][key], v)
		}
	}
	if _, ok := lines[0]["dur_ms"]; !ok {
		t.Error("dur_ms is missing")
	}
	if lines[1]["route"] != "none" || lines[1]["user_id"] != "" || lines[2]["status"] != 500.0 {
		t.Errorf("lines = %v", lines[1:])
	}
	if strings.Contains(s.log.String(), "hunter2") || strings.Contains(s.log.String(), "orders") {
		t.Error("the log holds what was typed")
	}
}

func TestPanicIsOneInternalError(t *testing.T) {
	t.Parallel()
	for _, debug := range []bool{false, true} {
		s := newSite(t, func(c *handlers.Config) { c.Debug = debug })
		w := s.ask(http.MethodGet, "/api/panic", "", "X-Request-Id", "req1")
		if got, want := strings.TrimSpace(w.Body.String()), `{"detail":"Internal server error","request_id":"req1"}`; w.Code != 500 || got != want {
			t.Errorf("got %d %s, want %s", w.Code, got, want)
		}
		if strings.Count(s.log.String(), `"msg":"panic"`) != 1 || !strings.Contains(s.log.String(), "/srv/secret") {
			t.Error("the panic is not in the log once")
		}
	}
}

func TestHalfAnAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	server := s.serve()
	response, err := server.Client().Get(server.URL + "/api/half")
	if err != nil {
		return // cut before the header
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("half an answer looks whole")
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	common := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	}
	for _, secure := range []bool{false, true} {
		s := newSite(t, func(c *handlers.Config) { c.Secure = secure })
		for path, csp := range map[string]string{"/nowhere": static.CSP, "/api/open": "default-src 'none'; frame-ancestors 'none'"} {
			h := s.ask(http.MethodGet, path, "").Header()
			for name, want := range common {
				if got := h.Get(name); got != want {
					t.Errorf("%s %s = %q, want %q", path, name, got, want)
				}
			}
			if h.Get("Content-Security-Policy") != csp || !strings.Contains(h.Get("Permissions-Policy"), "camera=()") {
				t.Errorf("%s: policies %q, %q", path, h.Get("Content-Security-Policy"), h.Get("Permissions-Policy"))
			}
			if got := h.Get("Strict-Transport-Security") != ""; got != secure {
				t.Errorf("%s: HSTS %t, want %t", path, got, secure)
			}
		}
	}
}

func TestVersionsAreNamedToClients(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	h := s.ask(http.MethodGet, "/api/nowhere", "").Header()
	if h.Get("X-Agnes-Latest-Version") != "1.2.3" || h.Get("X-Agnes-Min-Version") != "0.0.0" {
		t.Errorf("headers %v", h)
	}
	if h := s.ask(http.MethodGet, "/catalog", "").Header(); h.Get("X-Agnes-Latest-Version") != "" {
		t.Error("pages name versions")
	}
}

func TestOtherSites(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	token := "Bearer " + s.mustToken(s.user)
	tests := []struct {
		name, method, path string
		headers            []string
		status             int
		allowed            string
	}{
		{"our own page", http.MethodPost, "/api/mine", []string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"a program", http.MethodPost, "/api/mine", nil, 200, ""},
		{"another site's form", http.MethodPost, "/api/mine", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403, ""},
		{"another site's form, old browser", http.MethodPost, "/change", []string{"Origin", "https://evil.example"}, 403, ""},
		{"a sister site", http.MethodPost, "/change", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://blog.example.com"}, 403, ""},
		{"another site's link", http.MethodGet, "/api/mine", []string{"Sec-Fetch-Site", "cross-site"}, 200, ""},
		{"another site reads", http.MethodGet, "/api/mine", []string{"Origin", "https://evil.example"}, 200, ""},
		{"a configured site", http.MethodPost, "/api/mine", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://tools.example.com"}, 200, "https://tools.example.com"},
		{"a site that may read only", http.MethodPost, "/api/mine", []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://localhost:3000"}, 403, "http://localhost:3000"},
		{"a configured site asks first", http.MethodOptions, "/api/all/1", []string{"Origin", "https://tools.example.com", "Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization"}, 204, "https://tools.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.ask(tt.method, tt.path, "", append(tt.headers, "Authorization", token)...)
			if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != tt.status || got != tt.allowed {
				t.Errorf("got %d, allowed %q, want %d, %q", w.Code, got, tt.status, tt.allowed)
			}
			if credentials := w.Header().Get("Access-Control-Allow-Credentials"); (credentials == "true") != (tt.allowed != "") {
				t.Errorf("credentials %q", credentials)
			}
		})
	}
	w := s.ask(http.MethodPost, "/change", "", "Sec-Fetch-Site", "cross-site", "Accept", "text/html")
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "another site") {
		t.Errorf("the refusal in a browser: %d %s", w.Code, w.Body)
	}
}

func TestNoOriginsMeansNone(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *handlers.Config) { c.CORSOrigins = nil })
	if got := s.ask(http.MethodGet, "/api/open", "", "Origin", "https://evil.example").Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("allowed %q", got)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for path, want := range map[string]string{"/api/large": "gzip", "/api/data/large": "", "/api/open": ""} {
		w := s.ask(http.MethodGet, path, "", "Accept-Encoding", "gzip")
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%s: Content-Encoding %q, want %q", path, got, want)
		}
	}
	w := s.ask(http.MethodGet, "/api/large", "", "Accept-Encoding", "gzip")
	unpacked, err := gzip.NewReader(w.Body)
	must(t, err)
	body, err := io.ReadAll(unpacked)
	must(t, err)
	if len(body) != 5002 {
		t.Errorf("%d bytes unpacked, want 5002", len(body))
	}
}

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tests := []struct {
		path string
		size int
		want int
	}{{"/api/echo", 10, 200}, {"/api/echo", 11, 413}, {"/api/upload", 3 << 20, 200}}
	for _, tt := range tests {
		if got := s.ask(http.MethodPost, tt.path, strings.Repeat("x", tt.size)).Code; got != tt.want {
			t.Errorf("%s with %d bytes: %d, want %d", tt.path, tt.size, got, tt.want)
		}
	}
}

func TestStreamsEndWhenTheServerStops(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	server := s.serve()
	response, err := server.Client().Do(mustRequest(t, server.URL+"/live"))
	must(t, err)
	defer response.Body.Close()
	reader := bufio.NewReader(response.Body)
	if line, err := reader.ReadString('\n'); err != nil || line != "data: begun\n" {
		t.Fatalf("first line %q, %v", line, err)
	}
	close(s.stopping)
	if _, err := io.ReadAll(reader); err != nil {
		t.Errorf("the stream's end: %v", err)
	}
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	must(t, err)
	r.Header.Set("Accept", "text/event-stream")
	return r
}

func TestHandlersHaveADeadline(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *handlers.Config) { c.Timeout = time.Millisecond })
	if got := s.ask(http.MethodGet, "/slow", "").Code; got != http.StatusServiceUnavailable {
		t.Errorf("a handler without end: %d", got)
	}
}
