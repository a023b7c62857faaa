package views

import (
	"strings"
	"testing"
	"time"

	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// testProfile is a profile with a column of every kind that a row draws.
func testProfile() *profile.Kept {
	float := func(x float64) *float64 { return &x }
	p := profile.Profile{RowCount: 18402117, CountedRows: 18402117, SampledRows: 500123, Sampled: true, Columns: []profile.Column{
		{Name: "order_id", Type: "BIGINT", Category: profile.Numeric, UniqueCount: 7204118, Numeric: &profile.NumericStats{
			Min: "-1000012", Max: "8214560", Median: float(4607286), Mean: float(4.6e6),
			Histogram: &profile.Histogram{Bins: []float64{1, 2, 3, 4}, Counts: []int64{10, 0, 1000000}},
		}},
		{Name: "placed_at", Type: "TIMESTAMP", Category: profile.Timestamp, NullCount: 11225291, UniqueCount: 6981004, Date: &profile.DateStats{
			Earliest: "2022-01-03 10:00:00", Latest: "2026-11-22 14:00:00", SpanDays: 1784,
			Histogram: &profile.DateHistogram{Unit: "quarter", Bins: []string{"2022-Q1", "2022-Q2"}, Counts: []int64{3, 4}},
		}},
		{Name: "channel", Type: "VARCHAR", Category: profile.String, NullCount: 441651, UniqueCount: 3, UniqueExact: true, String: &profile.StringStats{
			MinLength: 3, MaxLength: 5, TopValues: []profile.TopValue{{Value: "web", Count: 9, Pct: 52}, {Value: "  ", Count: 4, Pct: 24}, {Value: strings.Repeat("long ", 20), Count: 2, Pct: 12}},
		}},
		{Name: "email", Type: "VARCHAR", Category: profile.String, UniqueCount: 18402117, UniqueExact: true, String: &profile.StringStats{
			MinLength: 6, MaxLength: 42, TopValues: []profile.TopValue{{Value: "a@b.cd", Count: 1}}, Lengths: &profile.Histogram{Bins: []float64{6, 24, 43}, Counts: []int64{5, 6}},
		}},
		{Name: "paid", Type: "BOOLEAN", Category: profile.Boolean, UniqueCount: 2, UniqueExact: true, Boolean: &profile.BooleanStats{TrueCount: 1, FalseCount: 18402116}},
		{Name: "note", Type: "STRUCT(a INTEGER)", Category: profile.Nested, NullCount: 18402117},
		{Name: "tags", Type: "VARCHAR[]", Category: profile.Nested, UniqueCount: 2, UniqueExact: true, SampleValues: []string{"[a, b]"}},
		{Name: "vat", Type: "DECIMAL(4,2)", Category: profile.Numeric, UniqueCount: 1, UniqueExact: true, Numeric: &profile.NumericStats{Min: "0.20", Max: "0.20"}},
	}}
	p.Finish(profile.DefaultSettings())
	return &profile.Kept{Version: "v1", VersionAt: noon(), ProfiledAt: noon(), Profile: p}
}

// profiled is the table page with columns as in testProfile.
func profiled(change func(*TableView)) TableView {
	v := testTable(TabColumns)
	kept := testProfile()
	version := *v.Table.Version
	version.Columns = nil
	for _, c := range kept.Profile.Columns {
		version.Columns = append(version.Columns, registry.Column{Name: c.Name, Type: c.Type})
	}
	v.Table.Version, v.Table.PrimaryKey = &version, []string{"ORDER_ID"}
	v.Profile = syncs.ProfileView{Kept: kept, Current: true}
	if change != nil {
		change(&v)
	}
	return v
}

func TestColumnsShowWhatIsInThem(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, Table(profiled(nil))))
	rows := doc.Find("table[aria-label=Columns] tbody tr")
	row := func(i int) string { return strings.Join(strings.Fields(rows.Eq(i).Text()), " ") }
	for i, want := range [][]string{
		{"order_id", "primary key", "BIGINT", "−1000012", "8214560", "none", "≈ 7,204,118"},
		{"placed_at", "Jan 2022", "today", "61 %"},
		{"web 52 %", "blank 24 %", "2.4 %", "3"},
		{"Every value is different", "6", "42 characters"},
		{"false 100 %", "true <0.1 %"},
		{"all"},
		{"such as [a, b]"},
		{"Every value is the same", "always 0.20"},
	} {
		for _, w := range want {
			if !strings.Contains(row(i), w) {
				t.Errorf("row %d lacks %q: %q", i, w, row(i))
			}
		}
	}
	if got, _ := rows.Eq(0).Find("svg[role=img]").Attr("aria-label"); got != "Histogram from −1000012 to 8214560, median 4,607,286, mean 4,600,000" {
		t.Errorf("the chart is said to be %q", got)
	}
	if n := rows.Eq(0).Find("svg[role=img] rect").Length(); n != 2 { // what is 0 has no bar
		t.Errorf("%d bars, want 2", n)
	}
	if rows.Eq(1).Find(".fill-amber-mark").Length() != 1 || rows.Eq(2).Find(".fill-amber-mark").Length() != 0 {
		t.Error("many missing values look like few")
	}
	if text := doc.Find("#table-columns > p").Text(); !strings.Contains(text, "18,402,117 rows · charts and shares of a sample of 500,123") || !strings.Contains(text, "no duplicate rows in the sample") {
		t.Errorf("note %q", text)
	}
	if doc.Find("#table-columns [role=status]").Length() != 0 || doc.Find("[hx-trigger]").Length() != 0 {
		t.Error("a current profile has a state")
	}
}

func TestProfileStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*TableView)
		want   string
		button bool
		again  bool
	}{
		"none":           {func(v *TableView) { v.Profile = syncs.ProfileView{} }, "is not counted yet", true, false},
		"first":          {func(v *TableView) { v.Profile = syncs.ProfileView{Counting: true} }, "Counting what is in the columns…", false, true},
		"newer":          {func(v *TableView) { v.Profile.Current, v.Profile.Counting = false, true }, "Until then this is of the version from", false, true},
		"older":          {func(v *TableView) { v.Profile.Current = false }, "The newest rows are not counted", true, false},
		"of unknown age": {func(v *TableView) { v.Profile.Current, v.Profile.Kept.VersionAt = false, time.Time{} }, "of an older version", true, false},
		"of another day": {func(v *TableView) { v.Profile.Current, v.Profile.Kept.VersionAt = false, noon().AddDate(0, 0, -3) }, "the version from 19 Nov", true, false},
		"failed": {func(v *TableView) {
			v.Profile = syncs.ProfileView{Failure: &work.Failure{Message: "It took too long."}}
		}, "It took too long.", true, false},
		"none, for a reader": {func(v *TableView) { v.Profile, v.Admin = syncs.ProfileView{}, false }, "is not counted yet", false, false},
	} {
		doc := parse(t, draw(t, Table(profiled(c.change))))
		if got := doc.Find("#table-columns > [role=status]").Text(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := doc.Find("form[action='/tables/orders/profile']").Length() == 1; got != c.button {
			t.Errorf("%s: button %v", name, got)
		}
		if got := doc.Find("#table-columns[hx-trigger='every 2s']").Length() == 1; got != c.again {
			t.Errorf("%s: looks again %v", name, got)
		}
		if n := doc.Find("table[aria-label=Columns] tbody tr").Length(); n != 8 {
			t.Errorf("%s: %d columns, want all", name, n)
		}
	}
}

// TestValuesWithoutBoundsAreCounted: they are in no figure and no chart.
func TestValuesWithoutBoundsAreCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		column profile.Column
		want   string
	}{
		"only NaN": {
			profile.Column{Category: profile.Numeric, UniqueCount: 1, SampleValues: []string{"nan"}, Numeric: &profile.NumericStats{NonFinite: 3, NaN: 3}},
			"Every value is the same · 3 not a number (NaN) | always nan",
		},
		"both, and numbers": {
			profile.Column{Category: profile.Numeric, UniqueCount: 3, Numeric: &profile.NumericStats{
				Min: "1", Max: "1", NonFinite: 1201, NaN: 1200, Infinite: 1, Histogram: &profile.Histogram{Bins: []float64{1, 1}, Counts: []int64{1}},
			}},
			"1,200 not a number (NaN) · 1 infinite | such as 1",
		},
		"of an older profile": {
			profile.Column{Category: profile.Numeric, UniqueCount: 2, SampleValues: []string{"nan"}, Numeric: &profile.NumericStats{NonFinite: 4}},
			"4 not a number or infinite | such as nan",
		},
		"many zeros too": {
			profile.Column{Category: profile.Numeric, UniqueCount: 2, SampleValues: []string{"0"}, Numeric: &profile.NumericStats{Zeros: 9, NonFinite: 1, NaN: 1}},
			"0 in 75 % of the rows · 1 not a number (NaN) | such as 0",
		},
		"dates without end": {
			profile.Column{Category: profile.Date, UniqueCount: 1, SampleValues: []string{"infinity"}, Date: &profile.DateStats{Infinite: 12}},
			"Every value is the same · 12 infinite | always infinity",
		},
	} {
		c.column.Name, c.column.Type, c.column.UniqueExact = "x", map[profile.Category]string{profile.Numeric: "DOUBLE", profile.Date: "DATE"}[c.column.Category], true
		doc := parse(t, draw(t, Table(profiled(func(v *TableView) {
			v.Table.Version.Columns = []registry.Column{{Name: "x", Type: c.column.Type}}
			v.Profile.Kept.Profile = profile.Profile{RowCount: 12, CountedRows: 12, SampledRows: 12, Columns: []profile.Column{c.column}}
			v.Profile.Kept.Profile.Finish(profile.DefaultSettings())
		}))))
		row := doc.Find("table[aria-label=Columns] tbody tr").First()
		words := func(selector string) string {
			return strings.Join(strings.Fields(row.Find(selector).Not(".md\\:hidden").First().Text()), " ")
		}
		if got := words("th .sub") + " | " + words("td:nth-of-type(2) > span"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A column that has another kind of values now has no profile.
func TestProfileOfAnotherType(t *testing.T) {
	t.Parallel()
	v := profiled(nil)
	v.Table.Version.Columns[0].Type = "VARCHAR"
	if rows := v.columnRows(); rows[0].Profile != nil || rows[1].Profile == nil {
		t.Error("the figures of numbers stand beside texts")
	}
}

func TestNumberWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, number, want string }{
		{"BIGINT", "-1234567", "−1234567"},
		{"DECIMAL(18,2)", "-1240.00", "−1,240.00"},
		{"DOUBLE", "8990.5", "8,990.5"},
		{"DOUBLE", "1.7e+308", "1.7e+308"},
		{"DOUBLE", "0.333333333", "0.3333"},
		{"DOUBLE", "-122.4194155", "−122.42"},
		{"FLOAT", "0.0", "0"},
		{"DOUBLE", "0.00001", "1e−05"},
		{"DECIMAL(38,0)", "99999999999999999999", "1e+20"},
	} {
		if got := numberWord(c.kind, profile.Number(c.number)); got != c.want {
			t.Errorf("numberWord(%s, %s) = %q, want %q", c.kind, c.number, got, c.want)
		}
	}
}

func TestDateWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		span int64
		want string
	}{
		{"2024-02-29", 10, "29 Feb 2024"},
		{"2024-02-29 10:00:00", 800, "Feb 2024"},
		{"1200-02-28", 300000, "1200"},
		{"0044-03-15 (BC)", 5, "0044-03-15 (BC)"},
		{"", 0, ""},
		{noon().Format(time.DateOnly), 4, "today"},
	} {
		if got := dateWord(c.text, c.span, noon()); got != c.want {
			t.Errorf("dateWord(%q, %d) = %q, want %q", c.text, c.span, got, c.want)
		}
	}
}

// TestTheEndsOfAChartDiffer: where short words are the same, longer ones tell.
func TestTheEndsOfAChartDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, least, most, want string }{
		{"DOUBLE", "1.00001", "1.000010999", "1.00001 1.000010999"},
		{"DOUBLE", "-1.00002", "-1.00001", "−1.00002 −1.00001"},
		{"DOUBLE", "-1.5e+203", "-0.0", "−1.5e+203 0"},
		{"BIGINT", "9223372036854774808", "9223372036854775807", "9223372036854774808 9223372036854775807"},
	} {
		if low, high := numberEnds(c.kind, profile.Number(c.least), profile.Number(c.most)); low+" "+high != c.want {
			t.Errorf("%s to %s: %q and %q, want %q", c.least, c.most, low, high, c.want)
		}
	}
	for _, c := range []struct{ first, last, want string }{
		{"2026-11-20 10:00:00", "2026-11-20 14:30:59", "20 Nov 2026 10:00 – 14:30"},
		{"2026-11-20 10:00:01", "2026-11-20 10:00:59.5", "20 Nov 2026 10:00:01 – 10:00:59"},
		{"2026-11-20 10:00:00.123456781", "2026-11-20 10:00:00.123456789", "20 Nov 2026 10:00:00.123456781 – 10:00:00.123456789"},
		{"2026-11-20 10:00:00", "2026-11-21 09:00:00", "20 Nov 2026 – 21 Nov 2026"},
		{noon().Format(time.DateTime), noon().Add(time.Hour).Format(time.DateTime), "today 14:32 – 15:32"},
		{"2026-11-20", "2026-11-20", "20 Nov 2026 – 20 Nov 2026"},
	} {
		if low, high := dateEnds(profile.DateStats{Earliest: c.first, Latest: c.last}, noon()); low+" – "+high != c.want {
			t.Errorf("%s to %s: %q and %q, want %q", c.first, c.last, low, high, c.want)
		}
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	if got := barsOf(nil); len(got) != 0 {
		t.Errorf("bars of nothing: %v", got)
	}
	bars := barsOf([]int64{1000000, 0, 1})
	if len(bars) != 2 || bars[0].Height != "20.0" || bars[0].Y != "1.0" || bars[1].Height != "1.0" {
		t.Errorf("bars %+v", bars)
	}
	for _, n := range []int{1, 15, 62, 121} {
		counts := make([]int64, n)
		for i := range counts {
			counts[i] = 1
		}
		if last := barsOf(counts)[n-1]; strings.HasPrefix(last.Width, "-") || last.Width == "0.0" {
			t.Errorf("%d bars are %s wide", n, last.Width)
		}
	}
}
