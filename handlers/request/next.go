package request

import (
	"net/url"
	"strings"
)

// Home is where people go when nothing else was asked for.
const Home = "/catalog"

// maxNext is the longest address to come back to.
const maxNext = 2048

// SafeNext returns the place on this server that next names, or Home when it
// could be read, by any browser, as a place elsewhere.
func SafeNext(next string) string {
	if len(next) < 1 || len(next) > maxNext || next[0] != '/' {
		return Home
	}
	for i := range len(next) {
		if c := next[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return Home
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" {
		return Home
	}
	// Decoded once, as a proxy might, the path must still be plain.
	path := u.Path
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsRune(path, '\\') || strings.ContainsFunc(path, control) {
		return Home
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return Home
		}
	}
	u.Fragment, u.RawFragment = "", ""
	if safe := u.String(); len(safe) <= maxNext { // escaped, it may have grown
		return safe
	}
	return Home
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
