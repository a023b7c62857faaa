package static

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// testBundle is a small bundle as the build would make it.
func testBundle(t *testing.T) *bundle {
	t.Helper()
	b, err := readBundle(fstest.MapFS{
		".keep":                   {},
		"manifest.json":           {Data: []byte(`{"app.css": "app.0a1b2c3d.css", "font.woff2": "font.11223344.woff2", "icons.svg": "icons.aabbccdd.svg"}`)},
		"app.0a1b2c3d.css":        {Data: []byte("body { color: red }")},
		"app.0a1b2c3d.css.br":     {Data: []byte("brotli")},
		"app.0a1b2c3d.css.gz":     {Data: []byte("gzipped")},
		"font.11223344.woff2":     {Data: []byte("wOF2")},
		"icons.aabbccdd.svg":      {Data: []byte("<svg/>")},
		"icons.aabbccdd.svg.gz":   {Data: []byte("gzipped svg")},
		"sample/airports.csv":     {Data: []byte("iata,name\n00M,Thigpen\n")},
		"sample/nested/other.csv": {Data: []byte("no")},
	})
	if err != nil {
		t.Fatalf("readBundle() = %v", err)
	}
	return b
}

func TestReadBundle(t *testing.T) {
	t.Parallel()

	t.Run("a program without its bundle says what to do", func(t *testing.T) {
		t.Parallel()
		_, err := readBundle(fstest.MapFS{".keep": {}})

		if !errors.Is(err, errNoBundle) || !strings.Contains(err.Error(), "npm run build") {
			t.Errorf("readBundle() = %v, want what to run", err)
		}
	})

	t.Run("a broken manifest is an error", func(t *testing.T) {
		t.Parallel()
		if _, err := readBundle(fstest.MapFS{"manifest.json": {Data: []byte("{")}}); err == nil {
			t.Error("readBundle() = nil, want an error")
		}
	})
}

func TestBundlePath(t *testing.T) {
	t.Parallel()
	b := testBundle(t)

	if got, want := b.path("app.css"), "/static/app.0a1b2c3d.css"; got != want {
		t.Errorf("path(app.css) = %q, want %q", got, want)
	}

	defer func() {
		if recover() == nil {
			t.Error("path(unknown.css) did not panic")
		}
	}()
	b.path("unknown.css")
}

func TestBundleSample(t *testing.T) {
	t.Parallel()
	b := testBundle(t)

	content, err := b.sample("airports.csv")
	if err != nil || !strings.HasPrefix(string(content), "iata,name") {
		t.Errorf("sample(airports.csv) = %q, %v", content, err)
	}
	for _, name := range []string{"none.csv", "nested/other.csv", "../manifest.json", ""} {
		if _, err := b.sample(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("sample(%q) = %v, want ErrNotExist", name, err)
		}
	}
}

// TestBuilt looks at the real bundle, where one was built.
func TestBuilt(t *testing.T) {
	t.Parallel()
	if err := Check(); err != nil {
		if got := Path("app.css"); got != "/static/app.css" {
			t.Errorf("Path(app.css) without a bundle = %q, want the plain name", got)
		}
		t.Skip("no bundle was built")
	}

	for _, name := range []string{"app.css", "app.js", "console.js", "upload.js", "icons.svg", "favicon.svg"} {
		if got := Path(name); !strings.HasPrefix(got, "/static/") || got == "/static/"+name {
			t.Errorf("Path(%s) = %q, want a hashed name", name, got)
		}
	}
	for _, name := range []string{"airports.csv", "seattle-weather.csv", "movies.json"} {
		if content, err := Sample(name); err != nil || len(content) < 1000 {
			t.Errorf("Sample(%s) = %d bytes, %v", name, len(content), err)
		}
	}
}

// TestBuiltStylesheet follows every address in the stylesheet: each font that
// it names was built under that name.
func TestBuiltStylesheet(t *testing.T) {
	t.Parallel()
	b, err := built()
	if err != nil {
		t.Skip("no bundle was built")
	}
	css, err := fs.ReadFile(b.files, b.hashed["app.css"])
	if err != nil {
		t.Fatalf("read the stylesheet: %v", err)
	}

	fonts := 0
	for _, part := range strings.Split(string(css), "url(")[1:] {
		name, _, _ := strings.Cut(part, ")")
		if !strings.HasSuffix(name, ".woff2") { // daisyUI's noise, switched off by --fx-noise
			continue
		}
		fonts++
		if _, known := b.plain[name]; !known {
			t.Errorf("the stylesheet names %q, which was not built", name)
		}
	}
	if fonts == 0 {
		t.Error("the stylesheet names no fonts")
	}
	if !strings.Contains(string(css), "--fx-noise:none") {
		t.Error("the stylesheet does not switch off daisyUI's noise, a data: image that the policy refuses")
	}
}
