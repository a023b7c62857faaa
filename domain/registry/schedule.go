package registry

import (
	"strconv"
	"strings"
	"time"
)

// Schedule is a parsed sync schedule (contract 1.6).
type Schedule struct {
	Every time.Duration   // for "every 15m", "every 2h"
	Daily []time.Duration // for "daily 05:00,17:30": offsets from midnight UTC
}

// ParseSchedule reads "every N[mh]" or "daily HH:MM[,HH:MM…]", case-sensitive,
// without blanks around commas; ok is false for anything else.
func ParseSchedule(s string) (_ Schedule, ok bool) {
	if rest, found := strings.CutPrefix(s, "every "); found {
		return parseEvery(rest)
	}
	if rest, found := strings.CutPrefix(s, "daily "); found {
		return parseDaily(rest)
	}
	return Schedule{}, false
}

func parseEvery(s string) (Schedule, bool) {
	if len(s) < 2 {
		return Schedule{}, false
	}
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour}[s[len(s)-1]]
	digits := s[:len(s)-1]
	n, err := strconv.ParseUint(digits, 10, 24)
	if unit == 0 || err != nil || digits[0] == '+' {
		return Schedule{}, false
	}
	return Schedule{Every: max(time.Duration(n)*unit, 1)}, true
}

func parseDaily(s string) (Schedule, bool) {
	var out Schedule
	for part := range strings.SplitSeq(s, ",") {
		if len(part) != 5 || part[2] != ':' {
			return Schedule{}, false
		}
		at, err := time.Parse("15:04", part)
		if err != nil {
			return Schedule{}, false
		}
		out.Daily = append(out.Daily, time.Duration(at.Hour())*time.Hour+time.Duration(at.Minute())*time.Minute)
	}
	return out, true
}

// Due reports whether a table that last succeeded at last (nil: never) is due
// at now. Days are UTC; a target counts from the moment it passed until a
// success after it, also over midnight.
func (s Schedule) Due(now time.Time, last *time.Time) bool {
	if last == nil {
		return true
	}
	if s.Every > 0 {
		return now.Sub(*last) >= s.Every || last.After(now) // the clock was set back: how long ago it was, nobody knows
	}
	// After the clock was set back, a success that lies ahead must hide no target.
	from, until := *last, now
	if last.After(now) {
		from, until = now, *last
	}
	midnight := now.UTC().Truncate(24 * time.Hour)
	for _, day := range []time.Time{midnight, midnight.AddDate(0, 0, -1), midnight.AddDate(0, 0, 1)} {
		for _, at := range s.Daily {
			if target := day.Add(at); from.Before(target) && !target.After(until) {
				return true
			}
		}
	}
	return false
}
