package audit

import "time"

// steps are the widths that the bars of a chart may have.
var steps = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// maxBars is the most that a chart is cut into.
const maxBars = 60

// Steps cuts the time of a filter into the bars of its chart, on the marks of
// the clock. A filter without a beginning has none.
func (f Filter) Steps(now time.Time) []Bucket {
	from, to := f.Since, f.Until
	if to.IsZero() || to.After(now) {
		to = now.Add(time.Microsecond) // what happens now is in the last bar
	}
	if from.IsZero() || !from.Before(to) {
		return nil
	}
	width := steps[len(steps)-1]
	for _, w := range steps {
		if to.Sub(from) <= maxBars*w+time.Second {
			width = w
			break
		}
	}
	for to.Sub(from) > maxBars*width+time.Second {
		width *= 2
	}
	var bars []Bucket
	for at := from.UTC().Truncate(width); at.Before(to); at = at.Add(width) {
		bars = append(bars, Bucket{From: at, To: at.Add(width)})
	}
	return bars
}
