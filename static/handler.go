package static

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Handler serves the built files under Prefix. Hashed names may be kept
// forever; plain names are asked for again each time. Nothing else is found:
// no folders, no sample data, no manifest.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := built()
		if err != nil {
			http.NotFound(w, r)
			return
		}
		b.serve(w, r)
	})
}

// contentType is fixed here because the system's own table differs from
// machine to machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".json", ".webmanifest":
		return "application/json"
	}
	return "application/octet-stream"
}

func (b *bundle) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	name, inPlace := strings.CutPrefix(r.URL.Path, Prefix)
	file, forever, known := b.find(name)
	if !inPlace || !known {
		http.NotFound(w, r)
		return
	}
	content, encoding, err := b.read(file, r.Header.Get("Accept-Encoding"))
	if err != nil {
		http.NotFound(w, r)
		return
	}

	h := w.Header()
	h.Set("Content-Type", contentType(file))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", `"`+file+encoding+`"`)
	h.Set("Cache-Control", "no-cache")
	if forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		h.Set("Content-Length", strconv.Itoa(len(content)))
	}
	http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(content))
}

// find tells which built file a name in an address means, and whether the name
// says so forever.
func (b *bundle) find(name string) (file string, forever, known bool) {
	if _, ok := b.plain[name]; ok {
		return name, true, true
	}
	file, known = b.hashed[name]
	return file, false, known
}

// read returns the smallest copy of a file that the client takes.
func (b *bundle) read(file, accept string) (content []byte, encoding string, err error) {
	for _, packed := range []struct{ encoding, ending string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accept, packed.encoding) {
			continue
		}
		if content, err := fs.ReadFile(b.files, file+packed.ending); err == nil {
			return content, packed.encoding, nil
		}
	}
	content, err = fs.ReadFile(b.files, file)
	return content, "", err
}

// accepts reports whether an Accept-Encoding header allows a coding.
func accepts(header, coding string) bool {
	for offer := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(offer, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		_, weight, weighted := strings.Cut(params, "q=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		return !weighted || err != nil || q > 0
	}
	return false
}
