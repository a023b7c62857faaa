package views

import (
	"math"
	"strconv"
	"strings"
	"time"

	"agnes/domain/profile"
)

// The size of a small chart, in its own units.
const (
	chartWidth = 132
	chartFloor = 21 // y of the zero line
	chartTall  = 20
)

// bar is one bar of a small chart.
type bar struct{ X, Y, Width, Height string }

// chart is a small histogram with what stands at its ends.
type chart struct {
	Bars []bar
	Low  string
	High string
	Alt  string // the same in words
}

// barsOf draws counts side by side, a unit apart.
func barsOf(counts []int64) []bar {
	top := int64(0)
	for _, n := range counts {
		top = max(top, n)
	}
	step := float64(chartWidth+1) / float64(max(len(counts), 1))
	gap := 1.0
	if step < 3 {
		gap = step / 4
	}
	var bars []bar
	for i, n := range counts {
		if n <= 0 {
			continue
		}
		height := math.Max(1, chartTall*float64(n)/float64(top))
		bars = append(bars, bar{X: pixels(step * float64(i)), Y: pixels(chartFloor - height), Width: pixels(step - gap), Height: pixels(height)})
	}
	return bars
}

// chartOf draws what has a shape: numbers, dates and, where no value is
// frequent, the lengths of texts. False for everything else.
func chartOf(c profile.Column, now time.Time) (chart, bool) {
	switch {
	case c.Numeric != nil && c.Numeric.Histogram != nil && c.Numeric.Min != c.Numeric.Max:
		n := c.Numeric
		low, high := numberEnds(c.Type, n.Min, n.Max)
		alt := "Histogram from " + low + " to " + high
		if n.Median != nil {
			alt += ", median " + floatWord(*n.Median)
		}
		if n.Mean != nil {
			alt += ", mean " + floatWord(*n.Mean)
		}
		return chart{Bars: barsOf(n.Histogram.Counts), Low: low, High: high, Alt: alt}, true
	case c.Date != nil && c.Date.Histogram != nil && c.Date.Earliest != c.Date.Latest:
		low, high := dateEnds(*c.Date, now)
		return chart{Bars: barsOf(c.Date.Histogram.Counts), Low: low, High: high, Alt: "Rows by " + c.Date.Histogram.Unit + " from " + low + " to " + high}, true
	case c.String != nil && c.String.Lengths != nil && len(topValues(c)) == 0 && c.String.MaxLength > c.String.MinLength:
		low, high := Count(c.String.MinLength), Count(c.String.MaxLength)+" characters"
		return chart{Bars: barsOf(c.String.Lengths.Counts), Low: low, High: high, Alt: "Lengths of the texts from " + low + " to " + high}, true
	}
	return chart{}, false
}

// shownValue is a frequent value as a row shows it.
type shownValue struct {
	Value string
	Whole string // uncut, for the tooltip
	Share string
}

// The most that a row shows of frequent values.
const (
	topShown    = 4
	topLength   = 24
	topAllChars = 40
)

// topValues are a column's most frequent values, where they say something: not
// where each is there once.
func topValues(c profile.Column) []shownValue {
	if b := c.Boolean; b != nil {
		shown := []shownValue{{"true", "true", Percent(b.TruePct / 100)}, {"false", "false", Percent(b.FalsePct / 100)}}
		if b.FalseCount > b.TrueCount {
			shown[0], shown[1] = shown[1], shown[0]
		}
		return shown
	}
	if c.String == nil {
		return nil
	}
	var shown []shownValue
	room := topAllChars
	for _, t := range c.String.TopValues {
		telling := t.Count > 1 && (t.Pct >= 0.5 || c.UniqueCount <= 50) || c.UniqueCount == 1
		if !telling || len(shown) == topShown {
			break
		}
		word := shownValue{Value: shortened(t.Value, topLength), Whole: t.Value, Share: Percent(t.Pct / 100)}
		if room -= len([]rune(word.Value)) + 5; room < 0 && len(shown) > 0 {
			break
		}
		if strings.TrimSpace(t.Value) == "" {
			word.Value, word.Whole = "blank", "A text without letters"
		}
		shown = append(shown, word)
	}
	return shown
}

// example is a value of a column that has nothing to draw.
func example(c profile.Column) string {
	switch {
	case c.Numeric != nil && c.Numeric.Min == c.Numeric.Max && c.Numeric.Min != "":
		return numberWord(c.Type, c.Numeric.Min)
	case c.Date != nil && c.Date.Earliest == c.Date.Latest && c.Date.Earliest != "":
		return c.Date.Earliest
	case len(c.SampleValues) > 0:
		return c.SampleValues[0]
	}
	return ""
}

func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// numberEnds are the numbers at the ends of a chart: with all their digits where
// they are the same without.
func numberEnds(duckType string, least, most profile.Number) (low, high string) {
	low, high = numberWord(duckType, least), numberWord(duckType, most)
	if low == high {
		low, high = strings.Replace(string(least), "-", "−", 1), strings.Replace(string(most), "-", "−", 1)
	}
	return low, high
}

// numberWord is a number at the end of a chart: whole numbers as they are,
// others grouped and not longer than they can be read.
func numberWord(duckType string, n profile.Number) string {
	text := string(n)
	switch {
	case profile.Whole(duckType):
		return strings.Replace(text, "-", "−", 1)
	case strings.HasPrefix(duckType, "DECIMAL") && len(text) <= 16:
		return group(text)
	}
	x, ok := n.Float()
	if !ok {
		return text
	}
	return floatWord(x)
}

// floatWord keeps five digits of a number.
func floatWord(x float64) string {
	if x == 0 {
		return "0" // also of −0
	}
	if size := math.Abs(x); size >= 1e12 || size < 1e-4 {
		return strings.Replace(strconv.FormatFloat(x, 'g', 3, 64), "-", "−", 1)
	}
	decimals := 4
	for size := math.Abs(x); size >= 10 && decimals > 0; size /= 10 {
		decimals--
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return group(text)
}

// dateEnds are the dates at the ends of a chart: with their times where they are
// of one day.
func dateEnds(d profile.DateStats, now time.Time) (low, high string) {
	low, high = dateWord(d.Earliest, d.SpanDays, now), dateWord(d.Latest, d.SpanDays, now)
	_, first, timed := strings.Cut(d.Earliest, " ")
	_, last, _ := strings.Cut(d.Latest, " ")
	if low != high || !timed {
		return low, high
	}
	const minutes, seconds = len("10:00"), len("10:00:00")
	for _, n := range []int{minutes, seconds} {
		if len(first) >= n && len(last) >= n && first[:n] != last[:n] {
			first, last = first[:n], last[:n]
			break
		}
	}
	return low + " " + first, last
}

// dateWord is a date at the end of a chart: a month where the span is long.
func dateWord(text string, spanDays int64, now time.Time) string {
	if len(text) < len(time.DateOnly) {
		return text
	}
	day, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	if err != nil || strings.Contains(text, "BC") {
		return text
	}
	switch {
	case day.Equal(now.UTC().Truncate(24 * time.Hour)):
		return "today"
	case spanDays > 60*365:
		return day.Format("2006")
	case spanDays > 90:
		return day.Format("Jan 2006")
	}
	return day.Format("2 Jan 2006")
}
