package audit

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ActionRead is the action of somebody who looks at the log itself.
const ActionRead = "activity.read"

// Results that a filter names beside patterns.
const (
	Succeeded = "success"
	Failed    = "failed" // every result that begins with error
)

// Filter says which rows of the audit log are meant. The list, the counts, the
// chart and the export take the same one.
type Filter struct {
	Person     string // id of a user, or an address
	Action     string // beginning of the action
	Resource   string // whole
	Result     string // Succeeded, Failed, or a pattern of SQL's LIKE
	ClientKind string
	Text       string // anywhere in what was asked or was there before
	Range      string // one of Ranges; "": Since and Until
	Since      time.Time
	Until      time.Time // not included; zero: no end
	Reads      bool      // also the looks at the log itself
}

// Range is a stretch of time that ends now.
type Range struct {
	Key    string
	Label  string // after "in"
	Length time.Duration
}

// DefaultRange is what a filter that names no time means.
const DefaultRange = "24h"

// AllTime is the range without a beginning.
const AllTime = "all"

// Ranges are the stretches that a filter may name.
func Ranges() []Range {
	const day = 24 * time.Hour
	return []Range{{"1h", "1 h", time.Hour}, {"24h", "24 h", day}, {"7d", "7 days", 7 * day}, {"30d", "30 days", 30 * day}, {"365d", "a year", 365 * day}, {AllTime, "all time", 0}}
}

// The most that is read of one part of a filter.
const maxPart = 200

// ParseFilter reads a filter from an address or a saved view. What cannot be
// read is left out, so that every address shows a list; now is the end of a range.
func ParseFilter(v url.Values, now time.Time) Filter {
	part := func(name string) string {
		text := strings.TrimSpace(strings.ToValidUTF8(v.Get(name), ""))
		if r := []rune(text); len(r) > maxPart {
			text = string(r[:maxPart])
		}
		return strings.ReplaceAll(text, "\x00", "")
	}
	f := Filter{
		Person: part("person"), Action: part("action"), Resource: part("resource"), Result: part("result"),
		ClientKind: part("source"), Text: part("q"), Reads: v.Get("reads") == "1",
	}
	over := part("range")
	f.Since, f.Until = moment(part("since"), false), moment(part("until"), true)
	if over == "" && (!f.Since.IsZero() || !f.Until.IsZero()) {
		return f
	}
	return f.Over(over, now)
}

// Over is the filter over a range that ends at now; an unknown one is the default.
func (f Filter) Over(key string, now time.Time) Filter {
	f.Range, f.Since, f.Until = DefaultRange, now.Add(-24*time.Hour), time.Time{}
	for _, r := range Ranges() {
		if r.Key != key {
			continue
		}
		f.Range, f.Since = r.Key, time.Time{}
		if r.Length > 0 {
			f.Since = now.Add(-r.Length)
		}
	}
	return f
}

// moment reads a day or a time of it, in UTC; the end of a day is the next one.
func moment(text string, end bool) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t.UTC()
		}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() <= 1970 || day.Year() >= 9999 {
		return time.Time{}
	}
	if end {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// Values is the filter as an address holds it; defaults are left out.
func (f Filter) Values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"person": f.Person, "action": f.Action, "resource": f.Resource, "result": f.Result, "source": f.ClientKind, "q": f.Text,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	switch {
	case f.Range == DefaultRange:
	case f.Range != "":
		v.Set("range", f.Range)
	default:
		if !f.Since.IsZero() {
			v.Set("since", f.Since.Format(time.RFC3339Nano))
		}
		if !f.Until.IsZero() {
			v.Set("until", f.Until.Format(time.RFC3339Nano))
		}
	}
	if f.Reads {
		v.Set("reads", "1")
	}
	return v
}

// Key tells filters apart; two looks with the same key within a minute are
// written down once.
func (f Filter) Key() string { return f.Values().Encode() }

// Narrowed reports whether the filter is more than a time.
func (f Filter) Narrowed() bool {
	return f.Person != "" || f.Action != "" || f.Resource != "" || f.Result != "" || f.ClientKind != "" || f.Text != ""
}

// Params is the filter as audit rows name it.
func (f Filter) Params() map[string]any {
	params := map[string]any{}
	for name, values := range f.Values() {
		params[name] = values[0]
	}
	return params
}

// Cursor is a place between two rows, named by the row after which the next
// page begins.
type Cursor struct {
	At time.Time
	ID string
}

// Text is the cursor as an address holds it.
func (c Cursor) Text() string { return strconv.FormatInt(c.At.UnixMicro(), 10) + "." + c.ID }

// ParseCursor reads Text; nil for anything else.
func ParseCursor(text string) *Cursor {
	micros, id, ok := strings.Cut(text, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if !ok || err != nil || len(id) > maxPart {
		return nil
	}
	return &Cursor{At: time.UnixMicro(n).UTC(), ID: id}
}
