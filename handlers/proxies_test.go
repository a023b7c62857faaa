package handlers

import (
	"net/netip"
	"strings"
	"testing"
)

func trustedNetworks() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8:ffff::/48")}
}

func TestClientAddrBehindProxies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string // "" is the connection's own
	}{
		{"no proxy", "203.0.113.9:1", []string{"198.51.100.1"}, ""},
		{"a proxy that says nothing", "10.1.2.3:1", nil, ""},
		{"a proxy", "10.1.2.3:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"the client's own claim", "10.1.2.3:1", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"the client claims to be a proxy", "10.1.2.3:1", []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.1.2.3:1", []string{"1.1.1.1, 198.51.100.1, 192.0.2.1"}, "198.51.100.1"},
		{"two headers", "10.1.2.3:1", []string{"1.1.1.1", "198.51.100.1,10.0.0.7"}, "198.51.100.1"},
		{"everybody is a proxy", "10.1.2.3:1", []string{"10.0.0.8, 10.0.0.7"}, "10.0.0.8"},
		{"IPv6", "[2001:db8:ffff::1]:1", []string{"2001:db8::5"}, "2001:db8::5"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a port", "10.1.2.3:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6 with a port", "10.1.2.3:1", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		{"IPv6 in brackets", "10.1.2.3:1", []string{"[2001:db8::5]"}, "2001:db8::5"},
		{"a zone", "10.1.2.3:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"malformed at the right", "10.1.2.3:1", []string{"198.51.100.1, unknown"}, ""},
		{"malformed behind a proxy", "10.1.2.3:1", []string{"198.51.100.1, <script>, 10.0.0.7"}, ""},
		{"malformed beyond the client", "10.1.2.3:1", []string{"unknown, 198.51.100.1"}, "198.51.100.1"},
		{"an empty hop", "10.1.2.3:1", []string{"198.51.100.1,"}, ""},
		{"a connection without a port", "@", []string{"198.51.100.1"}, ""},
	} {
		got, ok := clientAddr(c.remote, c.forwarded, trustedNetworks())
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %s, %t; want %q", c.name, got, ok, c.want)
		}
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1:1", "1.1.1.1, 198.51.100.1", "10.0.0.7")
	f.Add("203.0.113.9:1", "198.51.100.1", "")
	f.Add("[::1]:1", "[::1", ",,")
	f.Fuzz(func(t *testing.T, remote, first, second string) {
		trusted := trustedNetworks()
		got, ok := clientAddr(remote, []string{first, second}, trusted)
		if ok && (!got.IsValid() || got.Zone() != "" || got.Is4In6()) {
			t.Fatalf("clientAddr(%q, %q, %q) = %v", remote, first, second, got)
		}
		if _, ok := clientAddr("203.0.113.9:1", []string{first, second}, trusted); ok {
			t.Fatal("a header was believed that no proxy sent")
		}
		// Whatever a client sends, its own address is what the proxy appends.
		if !strings.ContainsAny(first+second, "\x00") {
			got, ok = clientAddr("10.0.0.1:1", []string{first, second, "198.51.100.1"}, trusted)
			if !ok || got.String() != "198.51.100.1" {
				t.Fatalf("a client with %q, %q became %v", first, second, got)
			}
		}
	})
}
