package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/profile"
)

const (
	countBatch = 40 // columns that one pass over the rows counts
	// exactEach and exactSum bound how many different values are held at once
	// to count them exactly, of one column and of one pass.
	exactEach = 1_000_000
	exactSum  = 2_000_000
	// safeSquare is the magnitude beyond which squares are no numbers any more.
	safeSquare = "1e150"
	// wholeDoubles is the magnitude beyond which a double is not every whole number.
	wholeDoubles = 1 << 53
	// leadRows is how many first rows the examples are taken from.
	leadRows = 100
)

// count fills in what every column has: examples, how much is missing, how
// many values differ, the least and the largest.
func (p *profiler) count(ctx context.Context) error {
	for batch := range slices.Chunk(p.columns, countBatch) {
		if err := p.examples(ctx, batch); err != nil {
			return err
		}
		if err := p.measure(ctx, batch); err != nil {
			return err
		}
	}
	return p.distinct(ctx)
}

// measure counts several columns in one pass. When a value is more than the
// engine can calculate with, each column is tried by itself, and then without
// its figures.
func (p *profiler) measure(ctx context.Context, batch []profiled) error {
	err := p.ask(ctx, batch, p.figures)
	if err == nil || ctx.Err() != nil || engineBroken(err) || generalFault(err) != nil {
		return err
	}
	for i := range batch {
		one := batch[i : i+1]
		if err = p.ask(ctx, one, p.figures); err == nil {
			continue
		}
		p.log.Warn("column without figures", "type", one[0].Type, "err", err)
		if err = p.ask(ctx, one, p.basics); err != nil {
			return err
		}
	}
	return nil
}

// question is one aggregate, and where its answer goes.
type question struct {
	sql  string
	into any
}

// ask puts the questions about several columns in one query.
func (p *profiler) ask(ctx context.Context, batch []profiled, about func(*profiled) ([]question, func())) error {
	var parts []string
	var into []any
	var after []func()
	for i := range batch {
		questions, use := about(&batch[i])
		for _, q := range questions {
			parts, into = append(parts, q.sql), append(into, q.into)
		}
		after = append(after, use)
	}
	if err := p.db.QueryRowContext(ctx, "SELECT "+strings.Join(parts, ", ")+" FROM "+p.counted()).Scan(into...); err != nil {
		return fmt.Errorf("count columns: %w", err)
	}
	for _, use := range after {
		use()
	}
	return nil
}

// basics are what can be counted of any type.
func (p *profiler) basics(c *profiled) ([]question, func()) {
	return []question{{"count(" + c.sql + ")", &c.present}, {"approx_count_distinct(" + c.sql + ")", &c.out.UniqueCount}}, func() {
		c.out.NullCount = p.out.CountedRows - c.present
		c.out.UniqueCount = min(c.out.UniqueCount, c.present)
	}
}

// figures are the basics with what the type allows.
func (p *profiler) figures(c *profiled) ([]question, func()) {
	all, basics := p.basics(c)
	var more []question
	use := func() {}
	switch c.category {
	case profile.Numeric:
		more, use = numericFigures(c)
	case profile.String:
		more, use = stringFigures(c)
	case profile.Date, profile.Timestamp:
		more, use = dateFigures(c)
	case profile.Boolean:
		b := &profile.BooleanStats{}
		more = []question{{countWhere(c.sql), &b.TrueCount}, {countWhere("NOT " + c.sql), &b.FalseCount}}
		use = func() { c.out.Boolean = b }
	case profile.Time, profile.Interval, profile.Binary, profile.Nested, profile.Other:
	}
	return append(all, more...), func() {
		basics()
		if c.present > 0 {
			use()
		}
	}
}

// countWhere counts the rows for which a condition holds; 0, not NULL, where it has
// no answer for any.
func countWhere(condition string) string { return "count(*) FILTER (WHERE " + condition + ")" }

// finite is a column's number, NULL for NaN and infinities.
func (c *profiled) finite() string {
	if c.floating() {
		return "CASE WHEN isfinite(" + c.sql + ") THEN " + c.sql + " END"
	}
	return c.sql
}

// floating reports whether a column's numbers may be NaN or infinite.
func (c *profiled) floating() bool { return c.Type == "FLOAT" || c.Type == "DOUBLE" }

func numericFigures(c *profiled) ([]question, func()) {
	n, finite := &profile.NumericStats{}, c.finite()
	double := "CAST(" + finite + " AS DOUBLE)"
	square := "CASE WHEN abs(" + double + ") < " + safeSquare + " THEN " + double + " END"
	var least, most sql.NullString
	var low, high, mean, deviation sql.NullFloat64
	var vast int64
	asked := []question{
		{"CAST(min(" + finite + ") AS VARCHAR)", &least},
		{"CAST(max(" + finite + ") AS VARCHAR)", &most},
		{"min(" + double + ")", &low},
		{"max(" + double + ")", &high},
		{"avg(" + c.mean(square) + ")", &mean},
		{"count(" + finite + ") - count(" + square + ")", &vast},
		{"stddev_samp(" + square + ")", &deviation},
		{countWhere(c.sql + " = 0"), &n.Zeros},
		{countWhere(finite + " < 0"), &n.Negative},
	}
	if c.floating() {
		asked = append(asked, question{countWhere("isnan(" + c.sql + ")"), &n.NaN}, question{countWhere("isinf(" + c.sql + ")"), &n.Infinite})
	}
	return asked, func() {
		n.Min, n.Max, n.NonFinite = number(least), number(most), n.NaN+n.Infinite
		if vast == 0 { // of a part of the values they would be figures of something else
			n.Mean, n.Stddev = maybe(mean), maybe(deviation)
		}
		c.low, c.high, c.out.Numeric = low.Float64, high.Float64, n
		if profile.Whole(c.Type) && max(-c.low, c.high) > wholeDoubles {
			c.base = least.String
		}
	}
}

// mean is what the mean is taken of: the value itself where the engine adds it up
// without a loss and without an overflow, else the number that square is.
func (c *profiled) mean(square string) string {
	kind, digits, _ := strings.Cut(c.Type, "(")
	width, _, _ := strings.Cut(digits, ",")
	n, err := strconv.Atoi(width)
	switch {
	case kind == "DECIMAL" && err == nil && n <= 18, profile.Whole(c.Type) && !strings.HasSuffix(c.Type, "HUGEINT"):
		return c.sql
	}
	return square
}

func stringFigures(c *profiled) ([]question, func()) {
	length := "length(CAST(" + c.sql + " AS VARCHAR))"
	var least, most sql.NullInt64
	var mean sql.NullFloat64
	return []question{{"min(" + length + ")", &least}, {"max(" + length + ")", &most}, {"avg(" + length + ")", &mean}}, func() {
		c.out.String = &profile.StringStats{MinLength: least.Int64, MaxLength: most.Int64, AvgLength: mean.Float64}
	}
}

// moment is a column's date or point in time as DuckDB calculates with it, NULL
// for the infinities.
func (c *profiled) moment() string {
	value := c.sql
	if c.category == profile.Timestamp && c.Type != "TIMESTAMP_NS" { // which has more digits
		value = "TRY_CAST(" + value + " AS TIMESTAMP)"
	}
	return "CASE WHEN isfinite(" + value + ") THEN " + value + " END"
}

func dateFigures(c *profiled) ([]question, func()) {
	value := c.moment()
	var first, last sql.NullString
	var days sql.NullInt64
	d := &profile.DateStats{}
	asked := []question{
		{"count(" + c.sql + ") - count(" + value + ")", &d.Infinite},
		{"CAST(min(" + value + ") AS VARCHAR)", &first},
		{"CAST(max(" + value + ") AS VARCHAR)", &last},
		{"date_diff('day', min(" + value + "), max(" + value + "))", &days},
	}
	return asked, func() {
		d.Earliest, d.Latest, d.SpanDays = first.String, last.String, days.Int64
		c.out.Date = d
	}
}

// number is a JSON number of the engine's text; "" when there is none.
func number(text sql.NullString) profile.Number {
	if text.Valid && json.Valid([]byte(text.String)) {
		return profile.Number(text.String)
	}
	return ""
}

func maybe(x sql.NullFloat64) *float64 {
	if !x.Valid {
		return nil
	}
	return profile.Finite(x.Float64)
}

// distinct counts different values exactly where they are not too many to hold,
// as many columns in one pass as fit.
func (p *profiler) distinct(ctx context.Context) error {
	var batch []profiled
	var held int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := p.ask(ctx, batch, func(c *profiled) ([]question, func()) {
			return []question{{"count(DISTINCT " + c.comparable() + ")", &c.out.UniqueCount}}, func() { c.out.UniqueExact = true }
		})
		batch, held = nil, 0
		return err
	}
	for _, c := range p.columns {
		if b := c.out.Boolean; b != nil {
			c.out.UniqueExact, c.out.UniqueCount = true, min(b.TrueCount, 1)+min(b.FalseCount, 1)
			continue
		}
		if c.out.UniqueCount > exactEach {
			continue
		}
		if held+c.out.UniqueCount > exactSum || len(batch) == countBatch {
			if err := flush(); err != nil {
				return err
			}
		}
		batch, held = append(batch, c), held+c.out.UniqueCount
	}
	return flush()
}

// comparable is a column's value in a few bytes, equal where the values are.
func (c *profiled) comparable() string {
	switch c.category {
	case profile.Numeric, profile.Date, profile.Timestamp, profile.Boolean, profile.Time,
		profile.Interval: // whose hash is the same for many of them
		return c.sql
	case profile.String, profile.Binary, profile.Nested, profile.Other:
	}
	return "CASE WHEN " + c.sql + " IS NOT NULL THEN hash(" + c.sql + ") END"
}

// text is a column's value as it is shown, cut; of binary values only the size.
func (c *profiled) text() string {
	if c.category == profile.Binary && c.Type == "BLOB" {
		return "octet_length(" + c.sql + ") || CASE octet_length(" + c.sql + ") WHEN 1 THEN ' byte' ELSE ' bytes' END"
	}
	return "left(CAST(" + c.sql + " AS VARCHAR), " + strconv.Itoa(profile.MaxText) + ")"
}
