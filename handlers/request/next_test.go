package request_test

import (
	"net/url"
	"strings"
	"testing"

	"agnes/handlers/request"
)

func TestSafeNext(t *testing.T) {
	t.Parallel()
	tests := []struct{ next, want string }{
		{"/tables/orders", "/tables/orders"},
		{"/console?sql=SELECT+1&table=a%2Fb", "/console?sql=SELECT+1&table=a%2Fb"},
		{"/console?sql=https%3A%2F%2Fexample.com%2F%2F", "/console?sql=https%3A%2F%2Fexample.com%2F%2F"},
		{"/catalog#top", "/catalog"},
		{"/%C3%A4pfel", "/%C3%A4pfel"},
		{"/", "/"},
		{"", "/catalog"},
		{"catalog", "/catalog"},
		{"//evil.example", "/catalog"},
		{"///evil.example", "/catalog"},
		{`/\evil.example`, "/catalog"},
		{`\\evil.example`, "/catalog"},
		{`/a\b`, "/catalog"},
		{"/%2Fevil.example", "/catalog"},
		{"/%2f%2fevil.example", "/catalog"},
		{"/%5Cevil.example", "/catalog"},
		{"/%09/evil.example", "/catalog"},
		{"/%00", "/catalog"},
		{"/./evil", "/catalog"},
		{"/..//evil.example", "/catalog"},
		{"/a/../b", "/catalog"},
		{"/%2e%2e/evil", "/catalog"},
		{"/\t/evil.example", "/catalog"},
		{"/\n/evil.example", "/catalog"},
		{"/a\r\nLocation: https://evil.example", "/catalog"},
		{"/a b", "/catalog"},
		{"/é", "/catalog"},
		{"https://evil.example/", "/catalog"},
		{"javascript:alert(1)", "/catalog"},
		{"/%zz", "/catalog"},
		{"/" + strings.Repeat("a", 3000), "/catalog"},
		{"/" + strings.Repeat("`", 1000), "/catalog"}, // longer once it is escaped
	}
	for _, tt := range tests {
		if got := request.SafeNext(tt.next); got != tt.want {
			t.Errorf("SafeNext(%q) = %q, want %q", tt.next, got, tt.want)
		}
	}
}

// FuzzSafeNext reads the answer as the laxest browsers do: without tabs and
// line ends, and with / for \.
func FuzzSafeNext(f *testing.F) {
	for _, seed := range []string{"/a", "//a", `/\a`, "/%2f/a", "/a?next=//b", "/\t/a", "/..//a", "https:/a", "/%5c%5ca"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "agnes.example"}
	f.Fuzz(func(t *testing.T, next string) {
		got := request.SafeNext(next)
		lax := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(got)
		if !strings.HasPrefix(lax, "/") || strings.HasPrefix(lax, "//") {
			t.Fatalf("SafeNext(%q) = %q, which may lead elsewhere", next, got)
		}
		for i := range len(got) {
			if got[i] <= ' ' || got[i] >= 0x7f {
				t.Fatalf("SafeNext(%q) = %q, which no header should hold", next, got)
			}
		}
		u, err := base.Parse(lax)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			t.Fatalf("SafeNext(%q) = %q leads to %v (%v)", next, got, u, err)
		}
		if again := request.SafeNext(got); again != got {
			t.Fatalf("SafeNext(%q) = %q, and of that %q", next, got, again)
		}
	})
}
