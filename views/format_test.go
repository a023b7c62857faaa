package views

import (
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		-1: "–", 0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 184320: "180 KiB", 3250586: "3.1 MiB",
		10 << 20: "10 MiB", 1048575: "1 MiB", 1503238553: "1.4 GiB", 1 << 40: "1 TiB", 1 << 60: "1 EiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 18402117: "18,402,117", -1240: "−1,240"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 tables", 1: "1 table", 2: "2 tables", 1204: "1,204 tables"} {
		if got := Plural(n, "table"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for fraction, want := range map[float64]string{0: "0 %", 0.0004: "<0.1 %", 0.012: "1.2 %", 0.07: "7 %", 0.641: "64 %", 0.999: "100 %", 1: "100 %"} {
		if got := Percent(fraction); got != want {
			t.Errorf("Percent(%v) = %q, want %q", fraction, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{
		-time.Minute: "just now", 0: "just now", 38 * time.Second: "38 s ago", 14 * time.Minute: "14 min ago", 12 * time.Hour: "12 h ago",
		23*time.Hour + 59*time.Minute: "23 h ago", 24 * time.Hour: "on 21 Nov", 400 * 24 * time.Hour: "on 18 Oct 2025",
	} {
		if got := Ago(noon(), noon().Add(-age)); got != want {
			t.Errorf("Ago(%v before) = %q, want %q", age, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 8 * time.Millisecond: "8 ms", 410 * time.Millisecond: "0.41 s", 3200 * time.Millisecond: "3.2 s",
		38 * time.Second: "38 s", 287 * time.Second: "4 min 47 s", 5 * time.Minute: "5 min", 192 * time.Minute: "3 h 12 min", 50 * time.Hour: "2 d 2 h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestTimesAreUTC(t *testing.T) {
	t.Parallel()
	at := noon().In(time.FixedZone("CET", 3600))
	if got, want := Clock(at), "14:32"; got != want {
		t.Errorf("Clock() = %q, want %q", got, want)
	}
	if got, want := Stamp(at), "22 November 2026, 14:32:00 UTC"; got != want {
		t.Errorf("Stamp() = %q, want %q", got, want)
	}
	if got, want := machineTime(at), "2026-11-22T14:32:00Z"; got != want {
		t.Errorf("machineTime() = %q, want %q", got, want)
	}
}
