package handlers

import (
	"fmt"
	"testing"
	"time"
)

func TestNetworkIsWhatOnePersonHas(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7",
		"::ffff:192.0.2.7":     "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
		"@":                    "@",
		"":                     "",
	} {
		if got := network(ip); got != want {
			t.Errorf("network(%q) = %q, want %q", ip, got, want)
		}
	}
}

func TestAttemptsForgetTheQuietest(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	a := newAttempts(1, func() time.Time { return now })
	if !a.allow("192.0.2.7") || a.allow("192.0.2.7") {
		t.Fatal("one try a minute is not one try")
	}
	for i := range maxAddresses - 1 {
		a.allow(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if a.allow("192.0.2.7") {
		t.Error("an address within the bound was forgotten")
	}
	for i := range maxAddresses {
		a.allow(fmt.Sprintf("11.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if len(a.byAddr) != maxAddresses || a.recent.Len() != maxAddresses {
		t.Errorf("%d addresses are remembered, want %d", len(a.byAddr), maxAddresses)
	}
}
