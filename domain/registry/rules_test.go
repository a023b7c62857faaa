package registry

import (
	"strings"
	"testing"
	"time"

	"agnes/domain"
)

func TestIdentifier(t *testing.T) {
	cases := map[string]bool{
		"orders": true, "_x": true, "A1": true, strings.Repeat("a", 64): true,
		"": false, "1a": false, "a-b": false, "a.b": false, "orders\n": false, "é": false, "a b": false, strings.Repeat("a", 65): false,
	}
	for s, want := range cases {
		if got := Identifier(s); got != want {
			t.Errorf("Identifier(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestQuotedIdentifier(t *testing.T) {
	cases := map[string]bool{
		"in.c-sales": true, "0x": true, "a": true, strings.Repeat("a", 128): true,
		"": false, ".a": false, "-a": false, "a/b": false, "a\n": false, "..": false, strings.Repeat("a", 129): false,
	}
	for s, want := range cases {
		if got := QuotedIdentifier(s); got != want {
			t.Errorf("QuotedIdentifier(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestSuggestName(t *testing.T) {
	cases := map[string]string{
		"Sales Report (2026).csv": "sales_report_2026_csv", "2026": "t_2026", "": "table_1", "日本": "table_1",
		"order": "order_table", "a--b": "a_b", "_x_": "x", strings.Repeat("ab_", 40): strings.Trim(strings.Repeat("ab_", 40)[:64], "_"),
	}
	for in, want := range cases {
		if got := SuggestName(in); got != want {
			t.Errorf("SuggestName(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSuggestName(f *testing.F) {
	for _, s := range []string{"orders.csv", "", "SELECT", "ü", "1", "main"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name := SuggestName(s); name != "" {
			if _, err := CheckName(name); err != nil {
				t.Errorf("SuggestName(%q) = %q, which CheckName refuses: %v", s, name, err)
			}
		}
	})
}

func TestCheckName(t *testing.T) {
	if got, err := CheckName(" orders "); got != "orders" || err != nil {
		t.Errorf(`CheckName(" orders ") = %q, %v`, got, err)
	}
	for _, bad := range []string{"", "a b", "Table", "_meta", "information_schema", "1x"} {
		if _, err := CheckName(bad); domain.KindOf(err) != domain.Invalid {
			t.Errorf("CheckName(%q) = %v, want Invalid", bad, err)
		}
	}
}

func TestIDFor(t *testing.T) {
	if got := IDFor("  Web Sessions "); got != "web_sessions" {
		t.Errorf("IDFor = %q, want web_sessions", got)
	}
}

func TestQuote(t *testing.T) {
	if got := Quote(`we"ird`); got != `"we""ird"` {
		t.Errorf("Quote = %s", got)
	}
}

func TestParseSchedule(t *testing.T) {
	for s, want := range map[string]bool{
		"every 15m": true, "every 2h": true, "every 0m": true, "daily 05:00": true, "daily 05:00,17:30": true,
		"": false, "every": false, "every 15": false, "every 15s": false, "Every 15m": false, "every -1m": false, "every +1m": false, "every  1m": false,
		"daily 5:00": false, "daily 24:00": false, "daily 05:60": false, "daily 05:00, 06:00": false, "daily ": false, "0 5 * * *": false, "every 15m\n": false,
	} {
		if _, ok := ParseSchedule(s); ok != want {
			t.Errorf("ParseSchedule(%q) ok = %v, want %v", s, ok, want)
		}
	}
}

func TestScheduleDue(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	at := func(h, m int) *time.Time {
		x := day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
		return &x
	}
	cases := []struct {
		schedule string
		now      time.Time
		last     *time.Time
		want     bool
	}{
		{"every 15m", *at(12, 0), nil, true},
		{"every 15m", *at(12, 0), at(11, 45), true},
		{"every 15m", *at(12, 0), at(11, 46), false},
		{"every 0m", *at(12, 0), at(12, 0), false}, // at once again, never in the same instant
		{"daily 05:00", *at(4, 59), at(-18, 0), false},
		{"daily 05:00", *at(5, 0), at(-18, 0), true},
		{"daily 05:00", *at(6, 0), at(5, 1), false},
		{"daily 05:00,17:30", *at(18, 0), at(5, 1), true},
		{"daily 23:50", *at(0, 5), at(-20, 0), true}, // missed before midnight
		{"daily 05:00", *at(12, 0), nil, true},
		{"daily 05:00", *at(12, 0), at(400*24, 0), true}, // a clock was ahead for that sync
		{"daily 05:00", *at(12, 0), at(29, 0), true},     // and hides tomorrow's
		{"daily 05:00", *at(12, 0), at(13, 0), false},    // it hides none
		{"every 15m", *at(12, 0), at(400*24, 0), true},
	}
	for _, c := range cases {
		s, ok := ParseSchedule(c.schedule)
		if !ok {
			t.Fatalf("ParseSchedule(%q) failed", c.schedule)
		}
		if got := s.Due(c.now, c.last); got != c.want {
			t.Errorf("%q due at %s, last %v: %v, want %v", c.schedule, c.now.Format(time.TimeOnly), c.last, got, c.want)
		}
	}
}
