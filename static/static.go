// Package static holds the built stylesheet, scripts, fonts, icons and sample
// data, and serves them. assets/build.mjs makes them in static/dist; every file
// is named by a hash of its content, and manifest.json maps the plain names.
// The entry points are Check, Path, Handler and Sample.
package static

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

// Prefix is where Handler expects to be mounted, with the prefix left in place.
const Prefix = "/static/"

// CSP is the content security policy under which every page works: nothing
// inline, nothing from elsewhere.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed all:dist
var dist embed.FS

var errNoBundle = errors.New("this program was compiled without its browser files: run npm ci && npm run build, then compile it again")

// built reads the embedded bundle once, when it is first needed.
var built = sync.OnceValues(func() (*bundle, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the embedded bundle: %w", err)
	}
	return readBundle(sub)
})

// Check fails when the program was compiled without the browser files.
func Check() error {
	_, err := built()
	return err
}

// Path is the address of a built file: "app.css" → "/static/app.3f9c1a2b.css".
// It panics on a name that was not built. In a program compiled without the
// bundle, which Check refuses to start, it returns the plain name.
func Path(name string) string {
	b, err := built()
	if err != nil {
		return Prefix + name
	}
	return b.path(name)
}

// Sample returns a sample data file, such as "airports.csv", or fs.ErrNotExist.
func Sample(name string) ([]byte, error) {
	b, err := built()
	if err != nil {
		return nil, err
	}
	return b.sample(name)
}

// bundle is one set of built files.
type bundle struct {
	files  fs.FS
	hashed map[string]string // plain name → hashed name
	plain  map[string]string // hashed name → plain name
}

func readBundle(files fs.FS) (*bundle, error) {
	raw, err := fs.ReadFile(files, "manifest.json")
	if err != nil {
		return nil, errNoBundle
	}
	b := &bundle{files: files, hashed: map[string]string{}, plain: map[string]string{}}
	if err := json.Unmarshal(raw, &b.hashed); err != nil {
		return nil, fmt.Errorf("read the manifest of the browser files: %w", err)
	}
	for name, hashed := range b.hashed {
		b.plain[hashed] = name
	}
	return b, nil
}

func (b *bundle) path(name string) string {
	hashed, ok := b.hashed[name]
	if !ok {
		panic(fmt.Sprintf("static: no built file is named %q", name))
	}
	return Prefix + hashed
}

func (b *bundle) sample(name string) ([]byte, error) {
	if name != path.Base(name) {
		return nil, fmt.Errorf("read sample file %q: %w", name, fs.ErrNotExist)
	}
	content, err := fs.ReadFile(b.files, "sample/"+name)
	if err != nil {
		return nil, fmt.Errorf("read sample file %q: %w", name, err)
	}
	return content, nil
}
