package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwarded puts the client's address where the connection's stands, when the
// connection is that of a trusted proxy. Everything inside asks the connection
// only, so that no handler can believe a header that anybody may send.
func (s *Server) forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, ok := clientAddr(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), s.network().Proxies); ok {
			behind := *r
			behind.RemoteAddr = net.JoinHostPort(client.String(), "0")
			r = &behind
		}
		next.ServeHTTP(w, r)
	})
}

// clientAddr is whom a trusted proxy asks for: from the right, the first address
// that is no trusted proxy; each proxy adds the one that it was asked by, and
// what is left of that is hearsay. ok is false when the connection's own
// address stands: of others than trusted proxies, and for lists that cannot be read.
func clientAddr(remote string, forwarded []string, trusted []netip.Prefix) (client netip.Addr, ok bool) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	if addr, err := netip.ParseAddr(host); err != nil || !within(addr, trusted) {
		return netip.Addr{}, false
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := hopAddr(strings.TrimSpace(hop))
		if err != nil {
			return netip.Addr{}, false
		}
		client, ok = addr, true
		if !within(addr, trusted) {
			break
		}
	}
	return client, ok
}

// hopAddr reads an address, which some proxies write with a port.
func hopAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(text); err != nil {
			return netip.Addr{}, err
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), nil
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
