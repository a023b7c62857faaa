package handlers

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds how many addresses are remembered; the one that was
// quiet the longest is forgotten first.
const maxAddresses = 10_000

// attempts counts tries to sign in by address.
type attempts struct {
	perMinute int
	now       func() time.Time

	mu     sync.Mutex
	byAddr map[string]*list.Element
	recent *list.List // of *attempt, the latest in front
}

type attempt struct {
	addr  string
	limit *rate.Limiter
}

func newAttempts(perMinute int, now func() time.Time) *attempts {
	return &attempts{perMinute: perMinute, now: now, byAddr: map[string]*list.Element{}, recent: list.New()}
}

// allow takes one try of an address, or reports that it has none left.
func (a *attempts) allow(ip string) bool {
	addr := network(ip)
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.byAddr[addr]
	if ok {
		a.recent.MoveToFront(e)
	} else {
		e = a.recent.PushFront(&attempt{addr: addr, limit: rate.NewLimiter(rate.Every(time.Minute/time.Duration(a.perMinute)), a.perMinute)})
		a.byAddr[addr] = e
		if a.recent.Len() > maxAddresses {
			last := a.recent.Back()
			delete(a.byAddr, a.recent.Remove(last).(*attempt).addr)
		}
	}
	return e.Value.(*attempt).limit.AllowN(a.now(), 1)
}

// network is what one person has: an IPv4 address, or a /64 of IPv6.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}
