package store

import (
	"slices"
	"testing"
	"time"
)

func TestTimesSurvive(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("east", 3*3600)
	for _, c := range []struct{ in, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Date(2026, 11, 22, 9, 0, 0, 123456789, east), time.Date(2026, 11, 22, 6, 0, 0, 123456000, time.UTC)},
		{time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC)},
	} {
		var got time.Time
		if err := (at{&got}).Scan(micros(c.in)); err != nil || !got.Equal(c.want) || got.Location() != time.UTC {
			t.Errorf("%v is read back as %v, %v; want %v", c.in, got, err, c.want)
		}
		var maybe *time.Time
		if err := (maybeAt{&maybe}).Scan(microsOrNull(&c.in)); err != nil || maybe == nil || !maybe.Equal(c.want) {
			t.Errorf("%v is read back as %v, %v; want %v", c.in, maybe, err, c.want)
		}
	}
	absentTime := &time.Time{}
	if err := (maybeAt{&absentTime}).Scan(microsOrNull(nil)); err != nil || absentTime != nil {
		t.Errorf("no time is read back as %v, %v", absentTime, err)
	}
	for _, scan := range []func(any) error{at{new(time.Time)}.Scan, maybeAt{new(*time.Time)}.Scan} {
		if err := scan("yesterday"); err == nil {
			t.Error("a text was taken for a time")
		}
	}
}

func TestJSONSurvives(t *testing.T) {
	t.Parallel()
	for _, want := range [][]string{nil, {"a"}, {`"`, "ä", "\x00", "</script>"}} {
		text, err := encoded(want, len(want))
		var got []string
		if serr := (decoded{&got}).Scan(text); err != nil || serr != nil || !slices.Equal(got, want) {
			t.Errorf("%q is read back as %q: %v, %v", want, got, err, serr)
		}
	}
	var got []string
	for _, bad := range []any{"{", 7, []byte("[]")} {
		if err := (decoded{&got}).Scan(bad); err == nil {
			t.Errorf("%v was taken for JSON", bad)
		}
	}
	if _, err := encoded(func() {}, 1); err == nil {
		t.Error("a function was encoded")
	}
}

func TestContaining(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{"": "%%", "a b": "%a b%", "50%_!": "%50!%!_!!%"} {
		if got := containing(part); got != want {
			t.Errorf("containing(%q) = %q, want %q", part, got, want)
		}
	}
}

func TestQuoteIdent(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"users": `"users"`, `a"; DROP TABLE users; --`: `"a""; DROP TABLE users; --"`} {
		if got := quoteIdent(name); got != want {
			t.Errorf("quoteIdent(%q) = %s, want %s", name, got, want)
		}
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	if got, want := distinct([]string{"b", "a", "b", "c", "a"}), []string{"b", "a", "c"}; !slices.Equal(got, want) {
		t.Errorf("distinct: %v, want %v", got, want)
	}
}
