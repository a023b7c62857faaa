package audit

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	hour := now.Add(-time.Hour)
	tests := []struct {
		query, again string // again: as the filter writes itself
		want         Filter
	}{
		{"", "", Filter{Range: "24h", Since: now.Add(-24 * time.Hour)}},
		{"range=never", "", Filter{Range: "24h", Since: now.Add(-24 * time.Hour)}},
		{"range=1h", "range=1h", Filter{Range: "1h", Since: hour}},
		{"range=all&reads=1", "range=all&reads=1", Filter{Range: "all", Reads: true}},
		{"person=+ada%40example.com+&action=user.&range=24h", "action=user.&person=ada%40example.com", Filter{Person: "ada@example.com", Action: "user.", Range: "24h", Since: now.Add(-24 * time.Hour)}},
		{"since=2026-11-01&until=2026-11-02", "since=2026-11-01T00%3A00%3A00Z&until=2026-11-03T00%3A00%3A00Z", Filter{Since: day(2026, 11, 1), Until: day(2026, 11, 3)}},
		{"since=2026-11-01T10:30", "since=2026-11-01T10%3A30%3A00Z", Filter{Since: day(2026, 11, 1).Add(10*time.Hour + 30*time.Minute)}},
		{"since=2026-11-01&range=1h", "range=1h", Filter{Range: "1h", Since: hour}},
		{"since=tomorrow", "", Filter{Range: "24h", Since: now.Add(-24 * time.Hour)}},
		{"q=a%00b%FF&result=failed&source=cli&resource=table:x", "q=ab&resource=table%3Ax&result=failed&source=cli", Filter{Text: "ab", Result: Failed, ClientKind: "cli", Resource: "table:x", Range: "24h", Since: now.Add(-24 * time.Hour)}},
	}
	for _, tt := range tests {
		values, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		got := ParseFilter(values, now)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.query, got, tt.want)
		}
		if again := got.Values().Encode(); again != tt.again {
			t.Errorf("%s writes itself %q, want %q", tt.query, again, tt.again)
		}
		if again := ParseFilter(got.Values(), now); again != got {
			t.Errorf("%s read again: %+v, was %+v", tt.query, again, got)
		}
	}
	long := ParseFilter(url.Values{"q": {strings.Repeat("ž", 300)}}, now)
	if n := len([]rune(long.Text)); n != maxPart {
		t.Errorf("%d characters of a long text", n)
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	c := Cursor{At: time.Date(2026, 11, 22, 9, 0, 0, 123000, time.UTC), ID: "a.b~"}
	if got := ParseCursor(c.Text()); got == nil || *got != c {
		t.Errorf("%q is read as %v", c.Text(), got)
	}
	for _, text := range []string{"", "x", ".", "1", "x.y", "1." + strings.Repeat("i", 300)} {
		if got := ParseCursor(text); got != nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 17, 0, 0, time.UTC)
	for length, want := range map[string]time.Duration{"1h": time.Minute, "24h": time.Hour, "7d": 3 * time.Hour, "30d": 12 * time.Hour, "365d": 7 * 24 * time.Hour} {
		bars := Filter{}.Over(length, now).Steps(now)
		if len(bars) == 0 || len(bars) > maxBars+1 || bars[0].To.Sub(bars[0].From) != want {
			t.Fatalf("%s: %d bars, %+v", length, len(bars), bars)
		}
		since := Filter{}.Over(length, now).Since
		if bars[0].From.After(since) || !bars[0].To.After(since) || !bars[len(bars)-1].To.After(now) || bars[len(bars)-1].From.After(now) {
			t.Errorf("%s: from %v to %v", length, bars[0].From, bars[len(bars)-1].To)
		}
		for i := 1; i < len(bars); i++ {
			if !bars[i].From.Equal(bars[i-1].To) {
				t.Errorf("%s: a gap before bar %d", length, i)
			}
		}
	}
	if bars := (Filter{Since: now.AddDate(-40, 0, 0)}).Steps(now); len(bars) == 0 || len(bars) > maxBars+1 {
		t.Errorf("forty years: %d bars", len(bars))
	}
	if bars := (Filter{}).Over(AllTime, now).Steps(now); bars != nil {
		t.Errorf("without a beginning: %v", bars)
	}
	if bars := (Filter{Since: now, Until: now.Add(-time.Hour)}).Steps(now); bars != nil {
		t.Errorf("the wrong way round: %v", bars)
	}
}
