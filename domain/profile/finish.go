package profile

import "math"

// Finish derives from the counts what they say: shares, the table's sums and
// the alerts. It may be called again.
func (p *Profile) Finish(s Settings) {
	p.MissingCells, p.AvgCompleteness, p.MissingCellsPct = 0, 100, 0
	p.VariableTypes, p.DateRange, p.Alerts = map[Category]int{}, nil, []Alert{}
	complete := 0.0
	for i := range p.Columns {
		c := &p.Columns[i]
		p.finishColumn(c, s)
		p.MissingCells += c.NullCount
		complete += c.CompletenessPct
		p.VariableTypes[c.Category]++
		if p.DateRange == nil && c.Date != nil && c.Date.Earliest != "" {
			p.DateRange = &DateRange{Earliest: c.Date.Earliest, Latest: c.Date.Latest, SpanDays: c.Date.SpanDays}
		}
	}
	if n := len(p.Columns); n > 0 {
		p.AvgCompleteness = round(complete / float64(n))
		p.MissingCellsPct = share(p.MissingCells, p.CountedRows*int64(n))
	}
	if p.SampleRows == nil {
		p.SampleRows = []SampleRow{}
	}
}

func (p *Profile) finishColumn(c *Column, s Settings) {
	present := p.CountedRows - c.NullCount
	c.CompletenessPct = 100
	if p.CountedRows > 0 {
		c.CompletenessPct = share(present, p.CountedRows)
	}
	c.UniqueCount = min(c.UniqueCount, present)
	c.UniquePct = share(c.UniqueCount, present)
	if c.SampleValues == nil {
		c.SampleValues = []string{}
	}
	if n := c.Numeric; n != nil {
		n.ZerosPct, n.NegativePct = share(n.Zeros, present), share(n.Negative, present)
	}
	if b := c.Boolean; b != nil {
		b.TruePct, b.FalsePct = share(b.TrueCount, present), share(b.FalseCount, present)
	}
	if t := c.String; t != nil {
		t.AvgLength = round(t.AvgLength)
		if t.TopValues == nil {
			t.TopValues = []TopValue{}
		}
	}
	c.Alerts = []AlertType{}
	for _, a := range alertsOf(*c, present, p.CountedRows, s) {
		c.Alerts = append(c.Alerts, a.Type)
		p.Alerts = append(p.Alerts, a)
	}
}

// share is part of whole in per cent, with two decimals; 0 of nothing.
func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	pct := 100 * float64(part) / float64(whole)
	// Only all is 100 and only none is 0.
	switch rounded := round(pct); {
	case rounded >= 100 && part < whole:
		return 99.99
	case rounded <= 0 && part > 0:
		return 0.01
	default:
		return rounded
	}
}

// Share is share for who counts values of a sample.
func Share(part, whole int64) float64 { return share(part, whole) }

func round(x float64) float64 { return math.Round(x*100) / 100 }

// Finite returns a number that JSON can carry, nil for any other.
func Finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}
