package views

import (
	"strconv"
	"time"
)

// The chart's own units.
const (
	activityWide = 960
	activityTall = 40
)

// activityBar is one step of time: all, and what of it failed.
type activityBar struct {
	X, Width            string
	Y, Height           string
	FailedY, FailedTall string
	Failed              bool
	Title               string
}

func (v ActivityView) bars() []activityBar {
	top := int64(1)
	for _, b := range v.Bars {
		top = max(top, b.Events)
	}
	step := float64(activityWide) / float64(max(len(v.Bars), 1))
	tall := func(n int64) float64 {
		if n == 0 {
			return 0
		}
		return max(1.5, activityTall*float64(n)/float64(top))
	}
	bars := make([]activityBar, 0, len(v.Bars))
	for i, b := range v.Bars {
		if b.Events == 0 {
			continue
		}
		bars = append(bars, activityBar{
			X: pixels(step * float64(i)), Width: pixels(max(1, step-1)), Y: pixels(activityTall - tall(b.Events)), Height: pixels(tall(b.Events)),
			FailedY: pixels(activityTall - tall(b.Failed)), FailedTall: pixels(tall(b.Failed)), Failed: b.Failed > 0,
			Title: dayTime(v.Now, b.From) + ": " + Plural(int(b.Events), "event") + ", " + Count(b.Failed) + " failed",
		})
	}
	return bars
}

// chartWords say what the chart shows.
func (v ActivityView) chartWords() string {
	if len(v.Bars) == 0 {
		return ""
	}
	top := v.Bars[0]
	for _, b := range v.Bars {
		if b.Events > top.Events {
			top = b
		}
	}
	return "Events by " + stepWord(top.To.Sub(top.From)) + "; most, " + Count(top.Events) + ", from " + dayTime(v.Now, top.From)
}

func stepWord(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "hour"
	case d == 24*time.Hour:
		return "day"
	case d == 7*24*time.Hour:
		return "week"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " days"
}

func (v ActivityView) chartFrom() string { return dayTime(v.Now, v.Bars[0].From) }
