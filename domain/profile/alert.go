package profile

import (
	"fmt"
	"strconv"
)

// AlertType names what deserves a look.
type AlertType string

// The types of contract 6.1.
const (
	Constant        AlertType = "constant"
	Unique          AlertType = "unique"
	HighMissing     AlertType = "high_missing"
	Missing         AlertType = "missing"
	Imbalance       AlertType = "imbalance"
	Zeros           AlertType = "zeros"
	HighCardinality AlertType = "high_cardinality"
)

// zerosPct is the share of zeros that deserves a look; it has no setting.
const zerosPct = 50

// Alert is something in a column that deserves a look, in a sentence.
type Alert struct {
	Column  string    `json:"column"`
	Type    AlertType `json:"type"`
	Message string    `json:"message"`
}

// Has reports whether the column has an alert of that type.
func (c Column) Has(t AlertType) bool {
	for _, a := range c.Alerts {
		if a == t {
			return true
		}
	}
	return false
}

// alertsOf applies the rules to one column; present of its rows have a value.
func alertsOf(c Column, present, rows int64, s Settings) []Alert {
	var found []Alert
	add := func(t AlertType, format string, args ...any) {
		found = append(found, Alert{Column: c.Name, Type: t, Message: fmt.Sprintf(format, args...)})
	}
	unique := c.UniqueExact && present > 1 && c.UniqueCount == present
	switch {
	case present > 1 && c.UniqueCount == 1:
		add(Constant, "Every value is the same.")
	case unique && present == rows:
		add(Unique, "Every value is different.")
	}
	switch missing := 100 - c.CompletenessPct; {
	case rows == 0:
	case missing >= float64(s.HighMissingPct):
		add(HighMissing, "%s %% of the values are missing.", percent(missing))
	case missing >= float64(s.MissingPct):
		add(Missing, "%s %% of the values are missing.", percent(missing))
	}
	if pct := topShare(c); c.UniqueCount > 1 && c.UniqueCount <= s.MaxCategoricalDistinct && pct > float64(s.ImbalancePct) {
		add(Imbalance, "One value makes up %s %%.", percent(pct))
	}
	if c.Numeric != nil && c.UniqueCount > 1 && c.Numeric.ZerosPct >= zerosPct {
		add(Zeros, "%s %% of the values are 0.", percent(c.Numeric.ZerosPct))
	}
	if c.Category == String && !unique && c.UniqueCount > s.HighCardinality {
		add(HighCardinality, "%d different values.", c.UniqueCount)
	}
	return found
}

// topShare is the share of the most frequent value, where values are counted.
func topShare(c Column) float64 {
	switch {
	case c.String != nil && len(c.String.TopValues) > 0:
		return c.String.TopValues[0].Pct
	case c.Boolean != nil:
		return max(c.Boolean.TruePct, c.Boolean.FalsePct)
	}
	return 0
}

// percent words a share without needless decimals.
func percent(pct float64) string {
	if pct >= 10 {
		return strconv.FormatFloat(pct, 'f', 0, 64)
	}
	return strconv.FormatFloat(pct, 'f', -1, 64)
}
