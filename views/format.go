package views

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes words a size: 0 B, 180 KiB, 1.4 GiB.
func Bytes(n int64) string {
	if n < 0 {
		return "–"
	}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	size, unit := float64(n)/1024, 0
	for size >= 1023.5 && unit < len(units)-1 {
		size /= 1024
		unit++
	}
	return short(size) + " " + units[unit]
}

// short keeps one decimal below ten, where it says something.
func short(x float64) string {
	if x < 9.95 {
		return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// Count groups a number by thousands: 18,402,117.
func Count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// group puts commas between the thousands of a plain decimal number.
func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	whole, rest, hasRest := strings.Cut(digits, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if hasRest {
		b.WriteString("." + rest)
	}
	return b.String()
}

// Plural counts things: "1 table", "3 tables". The plural of one is one+"s".
func Plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(int64(n)) + " " + one + "s"
}

// Percent words a fraction: 0.641 is "64 %".
func Percent(fraction float64) string {
	switch percent := fraction * 100; {
	case percent > 0 && percent < 0.1:
		return "<0.1 %"
	case percent > 0 && percent < 10:
		return short(percent) + " %"
	default:
		return strconv.FormatFloat(math.Round(percent), 'f', 0, 64) + " %"
	}
}

// Ago says how long before now t was: relative within a day, the date after.
func Ago(now, t time.Time) string {
	switch age := now.Sub(t); {
	case age < time.Second:
		return "just now"
	case age < 24*time.Hour:
		return coarse(age) + " ago"
	default:
		return "on " + Date(now, t)
	}
}

// coarse words a duration by its largest unit.
func coarse(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// Date names a day, with the year where it is not now's: "12 Nov", "12 Nov 2025".
func Date(now, t time.Time) string {
	if t.UTC().Year() == now.UTC().Year() {
		return t.UTC().Format("2 Jan")
	}
	return t.UTC().Format("2 Jan 2006")
}

// Duration words how long something took: "8 ms", "0.41 s", "4 min 47 s", "3 h 12 min".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return pair(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 24*time.Hour:
		return pair(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	default:
		return pair(int(d.Hours())/24, "d", int(d.Hours())%24, "h")
	}
}

func pair(large int, largeUnit string, small int, smallUnit string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", large, largeUnit)
	}
	return fmt.Sprintf("%d %s %d %s", large, largeUnit, small, smallUnit)
}

// Clock is the time of day in UTC: "14:31".
func Clock(t time.Time) string { return t.UTC().Format("15:04") }

// Stamp is the exact time in UTC, for tooltips.
func Stamp(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05") + " UTC" }

func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
