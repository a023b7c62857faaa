package profile

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"agnes/domain/registry"
)

func TestCategoryOf(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]Category{
		"BIGINT": Numeric, "UHUGEINT": Numeric, "DECIMAL(18,2)": Numeric, "double": Numeric, "VARCHAR": String, "UUID": String, "ENUM('a', 'b')": String, "JSON": String,
		"DATE": Date, "TIMESTAMP": Timestamp, "TIMESTAMP WITH TIME ZONE": Timestamp, "TIMESTAMP_NS": Timestamp, "BOOLEAN": Boolean, "TIME": Time, "TIME WITH TIME ZONE": Time,
		"INTERVAL": Interval, "BLOB": Binary, "BIT": Binary, "INTEGER[]": Nested, "DATE[3]": Nested, "STRUCT(a INTEGER)": Nested, "MAP(VARCHAR, INTEGER)": Nested,
		"UNION(a INTEGER)": Nested, "STRUCT(a INTEGER)[]": Nested, "GEOMETRY": Other, "": Other,
	} {
		if got := CategoryOf(kind); got != want {
			t.Errorf("CategoryOf(%q) = %s, want %s", kind, got, want)
		}
	}
	for kind, want := range map[string]bool{"BIGINT": true, "INTEGER": true, "UINTEGER": true, "UTINYINT": true, "DECIMAL(3,0)": false, "DOUBLE": false, "POINT_2D": false} {
		if got := Whole(kind); got != want {
			t.Errorf("Whole(%q) = %v", kind, got)
		}
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	text := func(unique int64, top float64) Column {
		return Column{Category: String, UniqueCount: unique, UniqueExact: true, String: &StringStats{TopValues: []TopValue{{Pct: top}}}}
	}
	number := func(unique, zeros int64) Column {
		return Column{Category: Numeric, UniqueCount: unique, UniqueExact: true, Numeric: &NumericStats{Zeros: zeros}}
	}
	with := func(c Column, change func(*Column)) Column {
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		column Column
		want   []AlertType
	}{
		"nothing special":             {text(20, 30), nil},
		"constant":                    {text(1, 100), []AlertType{Constant}},
		"unique":                      {number(100, 0), []AlertType{Unique}},
		"unique texts are not many":   {text(100, 1), []AlertType{Unique}},
		"unique but for the missing":  {with(number(90, 0), func(c *Column) { c.NullCount = 10 }), []AlertType{Missing}},
		"an estimate proves nothing":  {with(number(100, 0), func(c *Column) { c.UniqueExact = false }), nil},
		"many missing":                {with(number(3, 0), func(c *Column) { c.NullCount = 30 }), []AlertType{HighMissing}},
		"some missing":                {with(number(3, 0), func(c *Column) { c.NullCount = 5 }), []AlertType{Missing}},
		"few missing":                 {with(number(3, 0), func(c *Column) { c.NullCount = 4 }), nil},
		"all missing":                 {Column{Category: String, NullCount: 100}, []AlertType{HighMissing}},
		"unbalanced":                  {text(4, 60.01), []AlertType{Imbalance}},
		"balanced":                    {text(4, 60), nil},
		"not of categories":           {text(51, 90), []AlertType{HighCardinality}},
		"half are zero":               {number(3, 50), []AlertType{Zeros}},
		"less than half are zero":     {number(3, 49), nil},
		"all are zero":                {number(1, 100), []AlertType{Constant}},
		"yes mostly":                  {Column{Category: Boolean, UniqueCount: 2, UniqueExact: true, Boolean: &BooleanStats{TrueCount: 90, FalseCount: 10}}, []AlertType{Imbalance}},
		"numbers of high cardinality": {number(51, 0), nil},
	} {
		p := Profile{CountedRows: 100, Columns: []Column{c.column}}
		p.Finish(DefaultSettings())
		if got := p.Columns[0].Alerts; !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		for _, a := range p.Alerts {
			if !strings.HasSuffix(a.Message, ".") || !p.Columns[0].Has(a.Type) {
				t.Errorf("%s: alert %+v", name, a)
			}
		}
	}
}

func TestNoAlertsOfFewRows(t *testing.T) {
	t.Parallel()
	for _, rows := range []int64{0, 1} {
		p := Profile{CountedRows: rows, Columns: []Column{{Category: Numeric, UniqueCount: rows, UniqueExact: true}}}
		p.Finish(DefaultSettings())
		if len(p.Alerts) != 0 || p.Columns[0].CompletenessPct != 100 {
			t.Errorf("%d rows: %+v", rows, p.Alerts)
		}
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	p := Profile{CountedRows: 3, Columns: []Column{
		{Name: "a", Category: Numeric, NullCount: 1, UniqueCount: 5, Numeric: &NumericStats{Zeros: 1}},
		{Name: "b", Category: Numeric, NullCount: 3},
		{Name: "c", Category: Date, Date: &DateStats{}, NullCount: 3},
		{Name: "d", Category: Date, Date: &DateStats{Earliest: "2024-01-01", Latest: "2024-01-03", SpanDays: 2}},
	}}
	p.Finish(DefaultSettings())
	if p.MissingCells != 7 || p.MissingCellsPct != 58.33 || p.AvgCompleteness != 41.67 || p.VariableTypes[Numeric] != 2 {
		t.Errorf("sums: %+v", p)
	}
	if p.DateRange == nil || p.DateRange.Latest != "2024-01-03" {
		t.Errorf("date range %+v", p.DateRange)
	}
	if a := p.Columns[0]; a.CompletenessPct != 66.67 || a.UniqueCount != 2 || a.UniquePct != 100 || a.Numeric.ZerosPct != 50 {
		t.Errorf("a: %+v", a)
	}
	before, after := mustJSON(t, p), ""
	p.Finish(DefaultSettings())
	if after = mustJSON(t, p); before != after {
		t.Errorf("a second Finish changes\n%s\nto\n%s", before, after)
	}
	for _, list := range []string{`"sample_values":[]`, `"alerts":[`, `"sample_rows":[]`} {
		if !strings.Contains(before, list) {
			t.Errorf("no %s in %s", list, before)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole int64
		want        float64
	}{{0, 0, 0}, {0, 5, 0}, {5, 5, 100}, {1, 3, 33.33}, {999_999, 1_000_000, 99.99}, {1, 1_000_000, 0.01}} {
		if got := Share(c.part, c.whole); got != c.want {
			t.Errorf("Share(%d, %d) = %v, want %v", c.part, c.whole, got, c.want)
		}
	}
}

func TestNewHistogram(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		low, high float64
		whole     bool
		bins      int
		first     float64 // upper edge of the first bin
		last      float64
	}{
		"numbers":         {0, 30, false, 15, 2, 30},
		"one number":      {7, 7, false, 1, 7, 7},
		"few whole":       {1, 4, true, 4, 2, 5},
		"one whole":       {3, 3, true, 1, 4, 4},
		"whole as equal":  {0, 99, true, 15, 7, 105},
		"as many as bins": {1, 15, true, 15, 2, 16},
		"nearly all":      {-math.MaxFloat64, math.MaxFloat64, false, 15, -math.MaxFloat64 / 15 * 13, math.MaxFloat64},
	} {
		h := NewHistogram(c.low, c.high, 15, c.whole)
		if len(h.Counts) != c.bins || len(h.Bins) != c.bins+1 || h.Bins[c.bins] != c.last || math.Abs(h.Bins[1]-c.first) > math.Abs(c.first)*1e-9 {
			t.Errorf("%s: %d bins %v", name, len(h.Counts), h.Bins)
		}
		for _, edge := range h.Bins {
			if Finite(edge) == nil {
				t.Errorf("%s: edge %v", name, edge)
			}
		}
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days   int64
		counts map[int64]int64
		unit   Unit
		bins   []string
	}{
		{3, map[int64]int64{19723: 1, 19725: 2}, Day, []string{"2024-01-01", "2024-01-02", "2024-01-03"}},
		{181, map[int64]int64{2817: 1, 2819: 2}, Week, []string{"2023-12-28", "2024-01-04", "2024-01-11"}},
		{500, map[int64]int64{2023*12 + 11: 1, 2024 * 12: 2}, Month, []string{"2023-12", "2024-01"}},
		{4000, map[int64]int64{2023*4 + 3: 1, 2024*4 + 1: 2}, Quarter, []string{"2023-Q4", "2024-Q1", "2024-Q2"}},
		{10000, map[int64]int64{1999: 1, 2000: 2}, Year, []string{"1999", "2000"}},
		{100000, map[int64]int64{400: 1}, Year, []string{"2000"}},
		{0, nil, Day, []string{}},
	} {
		p := PeriodsFor(c.days)
		h := p.Histogram(c.counts)
		if p.Unit != c.unit || !slices.Equal(h.Bins, c.bins) || len(h.Counts) != len(h.Bins) {
			t.Errorf("%d days: %+v %+v, want %s %v", c.days, p, h, c.unit, c.bins)
		}
	}
	for days := int64(0); days < 5_000_000; days += 997 {
		p := PeriodsFor(days)
		perUnit := map[Unit]int64{Day: 1, Week: 1, Month: 30, Quarter: 91, Year: 365}[p.Unit] * p.Step
		if bars := days / perUnit; bars > maxPeriods+5 {
			t.Fatalf("%d days make %d bars", days, bars)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	p := Profile{Columns: []Column{{Name: "Id"}, {Name: "name", IsPrimaryKey: true}}}
	got := p.Describe(registry.Published{Table: registry.Table{ID: "orders", Description: "One row per order", PrimaryKey: []string{"id"}}})
	if got.TableID != "orders" || got.Description == "" || !got.Columns[0].IsPrimaryKey || got.Columns[1].IsPrimaryKey {
		t.Errorf("described %+v", got)
	}
	if !p.Columns[1].IsPrimaryKey {
		t.Error("Describe changes the profile that it is asked of")
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-1", "99999999999999999999999999999.999999999", "1.7e+308", "null"} {
		var n Number
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if again, err := json.Marshal(n); err != nil || string(again) != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
	var n Number
	for _, text := range []string{`"x"`, `{}`, `true`} {
		if err := json.Unmarshal([]byte(text), &n); err == nil {
			t.Errorf("%s is read as %q", text, n)
		}
	}
	if _, err := json.Marshal(Number("1 2")); err == nil {
		t.Error("no number is written")
	}
	if x, ok := Number("-2.50").Float(); x != -2.5 || !ok {
		t.Errorf("-2.50 is %v, %t", x, ok)
	}
	if _, ok := Number("").Float(); ok {
		t.Error("none is a number")
	}
}
