package static

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestBundleServe(t *testing.T) {
	t.Parallel()
	b := testBundle(t)

	const forever = "public, max-age=31536000, immutable"
	for _, tc := range []struct {
		name, method, path, accept     string
		status                         int
		body, kind, encoding, lifetime string
	}{
		{name: "hashed", path: "app.0a1b2c3d.css", status: 200, body: "body { color: red }", kind: "text/css; charset=utf-8", lifetime: forever},
		{name: "plain", path: "app.css", status: 200, body: "body { color: red }", kind: "text/css; charset=utf-8", lifetime: "no-cache"},
		{name: "brotli first", path: "app.0a1b2c3d.css", accept: "gzip, deflate, br", status: 200, body: "brotli", kind: "text/css; charset=utf-8", encoding: "br", lifetime: forever},
		{name: "gzip", path: "app.0a1b2c3d.css", accept: "gzip", status: 200, body: "gzipped", kind: "text/css; charset=utf-8", encoding: "gzip", lifetime: forever},
		{name: "brotli refused", path: "app.0a1b2c3d.css", accept: "br;q=0, gzip;q=0.5", status: 200, body: "gzipped", kind: "text/css; charset=utf-8", encoding: "gzip", lifetime: forever},
		{name: "no brotli copy", path: "icons.svg", accept: "br, gzip", status: 200, body: "gzipped svg", kind: "image/svg+xml", encoding: "gzip", lifetime: "no-cache"},
		{name: "a font is not packed again", path: "font.11223344.woff2", accept: "br, gzip", status: 200, body: "wOF2", kind: "font/woff2", lifetime: forever},
		{name: "head", method: http.MethodHead, path: "app.css", accept: "br", status: 200, kind: "text/css; charset=utf-8", encoding: "br", lifetime: "no-cache"},
		{name: "unknown", path: "other.css", status: 404},
		{name: "old hash", path: "app.ffffffff.css", status: 404},
		{name: "packed copy by name", path: "app.0a1b2c3d.css.br", status: 404},
		{name: "folder", path: "", status: 404},
		{name: "sample folder", path: "sample/", status: 404},
		{name: "sample file", path: "sample/airports.csv", status: 404},
		{name: "manifest", path: "manifest.json", status: 404},
		{name: "out of the folder", path: "../static.go", status: 404},
		{name: "post", method: http.MethodPost, path: "app.css", status: 405},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.method == "" {
				tc.method = http.MethodGet
			}
			r := httptest.NewRequest(tc.method, Prefix, nil)
			r.URL.Path = Prefix + tc.path
			r.Header.Set("Accept-Encoding", tc.accept)
			w := httptest.NewRecorder()

			b.serve(w, r)

			if w.Code != tc.status {
				t.Fatalf("status = %d, want %d", w.Code, tc.status)
			}
			if tc.status != http.StatusOK {
				return
			}
			if got := w.Body.String(); got != tc.body {
				t.Errorf("body = %q, want %q", got, tc.body)
			}
			for header, want := range map[string]string{
				"Content-Type":           tc.kind,
				"Content-Encoding":       tc.encoding,
				"Cache-Control":          tc.lifetime,
				"Vary":                   "Accept-Encoding",
				"X-Content-Type-Options": "nosniff",
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s = %q, want %q", header, got, want)
				}
			}
			if w.Header().Get("ETag") == "" || w.Header().Get("Content-Length") == "" {
				t.Errorf("ETag %q or Content-Length %q is missing", w.Header().Get("ETag"), w.Header().Get("Content-Length"))
			}
		})
	}
}

func TestBundleServeUnchanged(t *testing.T) {
	t.Parallel()
	b := testBundle(t)
	r := httptest.NewRequest(http.MethodGet, Prefix+"app.css", nil)
	w := httptest.NewRecorder()
	b.serve(w, r)
	tag := w.Header().Get("ETag")

	again := httptest.NewRequest(http.MethodGet, Prefix+"app.css", nil)
	again.Header.Set("If-None-Match", tag)
	w = httptest.NewRecorder()
	b.serve(w, again)
	if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("status = %d with %d bytes, want 304 with none", w.Code, w.Body.Len())
	}

	packed := httptest.NewRequest(http.MethodGet, Prefix+"app.css", nil)
	packed.Header.Set("If-None-Match", tag)
	packed.Header.Set("Accept-Encoding", "br")
	w = httptest.NewRecorder()
	b.serve(w, packed)
	if w.Code != http.StatusOK {
		t.Errorf("status = %d for another encoding, want 200: its tag differs", w.Code)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/static/nothing.css", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("status = %d, want 404", w.Code)
	}
}
