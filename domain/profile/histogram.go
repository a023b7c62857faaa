package profile

import (
	"fmt"
	"math"
	"time"
)

// NewHistogram returns empty bins from low to high. Bins of whole numbers hold
// equally many of them each, so that no bin looks fuller than it is.
func NewHistogram(low, high float64, bins int, whole bool) *Histogram {
	bins = max(bins, 1)
	width := high/float64(bins) - low/float64(bins)
	if whole {
		width = math.Max(1, math.Ceil((high-low+1)/float64(bins)))
		bins = int(math.Max(1, math.Ceil((high-low+1)/width)))
	} else if width == 0 {
		bins = 1
	}
	h := &Histogram{Bins: make([]float64, bins+1), Counts: make([]int64, bins)}
	for i := range h.Bins {
		if part := float64(i) / float64(bins); whole {
			h.Bins[i] = low + width*float64(i)
		} else { // not by the whole width, which may be more than a number holds
			h.Bins[i] = low*(1-part) + high*part
		}
	}
	return h
}

// Unit is a period by which dates are counted.
type Unit string

// The units.
const (
	Day     Unit = "day"
	Week    Unit = "week"
	Month   Unit = "month"
	Quarter Unit = "quarter"
	Year    Unit = "year"
)

// Periods are how the dates of a column are counted: by Step units each.
// Values are numbered by units: days since 1970 (also for weeks), months, quarters or years
// since the year 0.
type Periods struct {
	Unit Unit
	Step int64
}

// maxPeriods bounds the bars of a chart.
const maxPeriods = 60

// PeriodsFor chooses periods for a span, so that there are neither few nor too many.
func PeriodsFor(spanDays int64) Periods {
	years := spanDays/365 + 1
	switch {
	case spanDays <= maxPeriods:
		return Periods{Day, 1}
	case spanDays <= 7*maxPeriods:
		return Periods{Week, 7}
	case years <= 3:
		return Periods{Month, 1}
	case years <= maxPeriods/4:
		return Periods{Quarter, 1}
	}
	return Periods{Year, years/maxPeriods + 1}
}

// Histogram lays counts by number of period out in a row without gaps.
func (p Periods) Histogram(counts map[int64]int64) *DateHistogram {
	h := &DateHistogram{Unit: string(p.Unit), Bins: []string{}, Counts: []int64{}}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for n := range counts {
		first, last = min(first, n), max(last, n)
	}
	for n := first; n <= last && len(h.Bins) <= 2*maxPeriods; n++ {
		h.Bins, h.Counts = append(h.Bins, p.name(n*p.Step)), append(h.Counts, counts[n])
	}
	return h
}

func (p Periods) name(n int64) string {
	switch p.Unit {
	case Day, Week:
		return time.Unix(n*86400, 0).UTC().Format("2006-01-02")
	case Month:
		return fmt.Sprintf("%04d-%02d", n/12, n%12+1)
	case Quarter:
		return fmt.Sprintf("%04d-Q%d", n/4, n%4+1)
	case Year:
	}
	return fmt.Sprintf("%04d", n)
}
