package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/profile"
)

// drawBatch bounds what of the sample is held at once; a column of texts weighs
// more than one of numbers.
const (
	drawBatch  = 40
	textWeight = 4
)

// draw adds what charts show, column by column, as long as patient lasts: what
// is left then has its counts and no chart.
func (p *profiler) draw(ctx, patient context.Context) error {
	err := p.duplicates(patient)
	for batch := range p.drawBatches() {
		if err != nil {
			break
		}
		err = p.drawBatch(patient, batch)
	}
	if err != nil && patient.Err() != nil && ctx.Err() == nil {
		p.out.Incomplete = true
		return nil
	}
	return err
}

// drawBatches groups the columns that have something to draw.
func (p *profiler) drawBatches() func(func([]profiled) bool) {
	return func(yield func([]profiled) bool) {
		var batch []profiled
		weight := 0
		for _, c := range p.columns {
			w := 1
			switch {
			case c.out.String != nil:
				w = textWeight
			case c.out.Numeric == nil && c.out.Date == nil:
				continue
			}
			if weight+w > drawBatch {
				if !yield(batch) {
					return
				}
				batch, weight = nil, 0
			}
			batch, weight = append(batch, c), weight+w
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// drawBatch holds the sample of some columns and draws each.
func (p *profiler) drawBatch(ctx context.Context, batch []profiled) error {
	var parts []string
	for i := range batch {
		parts = append(parts, batch[i].held(i)...)
	}
	if _, err := p.db.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE held AS SELECT "+strings.Join(parts, ", ")+" FROM "+p.from+p.where); err != nil { //nolint:gosec // names and paths are quoted
		return fmt.Errorf("hold the sample: %w", err)
	}
	for i := range batch {
		if err := p.drawColumn(ctx, &batch[i], "c"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	if _, err := p.db.ExecContext(ctx, "DROP TABLE held"); err != nil {
		return fmt.Errorf("let go of the sample: %w", err)
	}
	return nil
}

// held is what is kept of a column: the value, or of a text its hash, its
// beginning and its length.
func (c *profiled) held(i int) []string {
	name := "c" + strconv.Itoa(i)
	switch {
	case c.base != "":
		return []string{"CAST(CAST(" + c.sql + " AS HUGEINT) - CAST(" + quoteLiteral(c.base) + " AS HUGEINT) AS DOUBLE) AS " + name}
	case c.out.Numeric != nil:
		return []string{"CAST(" + c.finite() + " AS DOUBLE) AS " + name}
	case c.out.Date != nil:
		return []string{c.moment() + " AS " + name}
	}
	return []string{
		c.comparable() + " AS " + name, c.text() + " AS " + name + "_text", "length(CAST(" + c.sql + " AS VARCHAR)) AS " + name + "_length",
	}
}

func (p *profiler) drawColumn(ctx context.Context, c *profiled, name string) error {
	switch {
	case c.out.Numeric != nil:
		return p.drawNumbers(ctx, c, name)
	case c.out.Date != nil:
		return p.drawDates(ctx, c, name)
	}
	return p.drawTexts(ctx, c, name)
}

func (p *profiler) drawNumbers(ctx context.Context, c *profiled, name string) error {
	n := c.out.Numeric
	var q [5]sql.NullFloat64
	err := p.db.QueryRowContext(ctx, "SELECT q[1], q[2], q[3], q[4], q[5] FROM (SELECT quantile_cont("+name+", [0.05, 0.25, 0.5, 0.75, 0.95]) AS q FROM held)").
		Scan(&q[0], &q[1], &q[2], &q[3], &q[4])
	if err != nil {
		return fmt.Errorf("quantiles: %w", err)
	}
	off, low, high := 0.0, c.low, c.high
	if c.base != "" {
		off, low, high = c.low, 0, distance(n.Min, n.Max)
	}
	for i := range q {
		q[i].Float64 += off
	}
	n.P5, n.P25, n.Median, n.P75, n.P95 = maybe(q[0]), maybe(q[1]), maybe(q[2]), maybe(q[3]), maybe(q[4])
	if c.present == n.NonFinite {
		return nil
	}
	n.Histogram, err = p.histogram(ctx, name, low, high, profile.Whole(c.Type))
	if err != nil {
		return err
	}
	for i := range n.Histogram.Bins {
		n.Histogram.Bins[i] += off
	}
	return nil
}

// distance is how far whole numbers are apart.
func distance(least, most profile.Number) float64 {
	from, _ := new(big.Int).SetString(string(least), 10)
	to, ok := new(big.Int).SetString(string(most), 10)
	if from == nil || !ok {
		return 0
	}
	far, _ := new(big.Float).SetInt(to.Sub(to, from)).Float64()
	return far
}

// histogram counts the values of a held column in bins from low to high.
func (p *profiler) histogram(ctx context.Context, name string, low, high float64, whole bool) (*profile.Histogram, error) {
	h := profile.NewHistogram(low, high, p.settings.HistogramBins, whole)
	width, last := h.Bins[1]-h.Bins[0], len(h.Counts)-1
	// Halves, because the distance of two large numbers may be none.
	bin := fmt.Sprintf("CAST(greatest(0, least(%d, floor((%s / 2 - %s) / %s))) AS BIGINT)", last, name, float(low/2), float(width/2))
	if width == 0 || math.IsInf(width, 0) {
		bin = "0"
	}
	counts, err := p.tally(ctx, bin, name)
	if err != nil {
		return nil, err
	}
	for i := range h.Counts {
		h.Counts[i] = counts[int64(i)]
	}
	return h, nil
}

// float is a number in SQL, of type DOUBLE whatever its digits.
func float(x float64) string {
	return "CAST('" + strconv.FormatFloat(x, 'g', -1, 64) + "' AS DOUBLE)"
}

// tally counts the held rows that have a value by a whole number made of it.
func (p *profiler) tally(ctx context.Context, number, name string) (map[int64]int64, error) {
	counts := map[int64]int64{}
	_, err := collect(ctx, p.db, "SELECT "+number+", count(*) FROM held WHERE "+name+" IS NOT NULL GROUP BY 1", func(r *sql.Rows) (struct{}, error) {
		var key, n int64
		err := r.Scan(&key, &n)
		counts[key] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	return counts, nil
}

func (p *profiler) drawDates(ctx context.Context, c *profiled, name string) error {
	if c.out.Date.Earliest == "" {
		return nil
	}
	periods := profile.PeriodsFor(c.out.Date.SpanDays)
	days := "date_diff('day', DATE '1970-01-01', CAST(%s AS DATE))"
	number := map[profile.Unit]string{
		profile.Day: days, profile.Week: days, profile.Month: "12 * year(%[1]s) + month(%[1]s) - 1",
		profile.Quarter: "4 * year(%[1]s) + quarter(%[1]s) - 1", profile.Year: "year(%s)",
	}[periods.Unit]
	number = "CAST(floor((" + fmt.Sprintf(number, name) + ") / " + strconv.FormatInt(periods.Step, 10) + ") AS BIGINT)"
	counts, err := p.tally(ctx, number, name)
	if err != nil {
		return err
	}
	c.out.Date.Histogram = periods.Histogram(counts)
	return nil
}

func (p *profiler) drawTexts(ctx context.Context, c *profiled, name string) error {
	t := c.out.String
	var present int64
	if err := p.db.QueryRowContext(ctx, "SELECT count("+name+") FROM held").Scan(&present); err != nil {
		return fmt.Errorf("count texts: %w", err)
	}
	if p.settings.TopValues > 0 {
		var err error
		t.TopValues, err = collect(ctx, p.db, fmt.Sprintf(
			"SELECT any_value(%[1]s_text) AS shown, count(*) AS n FROM held WHERE %[1]s IS NOT NULL GROUP BY %[1]s ORDER BY n DESC, shown LIMIT %[2]d",
			name, p.settings.TopValues), func(r *sql.Rows) (profile.TopValue, error) {
			var v profile.TopValue
			err := r.Scan(&v.Value, &v.Count)
			v.Pct = profile.Share(v.Count, present)
			return v, err
		})
		if err != nil {
			return fmt.Errorf("top values: %w", err)
		}
	}
	var err error
	t.Lengths, err = p.histogram(ctx, name+"_length", float64(t.MinLength), float64(t.MaxLength), true)
	return err
}

// duplicates counts the rows of the sample that are there already.
func (p *profiler) duplicates(ctx context.Context) error {
	if len(p.columns) == 0 || p.out.SampledRows == 0 {
		return nil
	}
	names := make([]string, 0, len(p.columns))
	for _, c := range p.columns {
		name := c.sql
		if c.category == profile.Interval { // whose hash is the same for many of them
			name = "CAST(" + name + " AS VARCHAR)"
		}
		names = append(names, name)
	}
	hashes := make([]string, 0, len(names)/countBatch+1)
	for part := range slices.Chunk(names, countBatch) {
		hashes = append(hashes, "hash("+strings.Join(part, ", ")+")")
	}
	query := "SELECT count(*) - count(DISTINCT hash(" + strings.Join(hashes, ", ") + ")) FROM " + p.from + p.where
	if err := p.db.QueryRowContext(ctx, query).Scan(&p.out.DuplicateRows); err != nil {
		return fmt.Errorf("count duplicate rows: %w", err)
	}
	return nil
}
