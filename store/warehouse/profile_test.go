package warehouse

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/profile"
	"agnes/domain/work"
)

// mustParquet writes the rows of a query as a version's file and returns its key.
func mustParquet(tb testing.TB, s *Store, name, query string) string {
	tb.Helper()
	key := "versions/files/" + name + "/v1.parquet"
	path, err := s.path(key)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	db, err := s.Open(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := db.ExecContext(tb.Context(), "COPY ("+query+") TO "+quoteLiteral(path)+" (FORMAT parquet)"); err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	return key
}

func profileJob(s *Store, keys ...string) work.ProfileJob {
	return work.ProfileJob{
		DataDir: s.dir, Table: "orders", Keys: keys, Bytes: 3 << 20, Settings: profile.DefaultSettings(), Patience: time.Minute,
		Budget: work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/test"},
	}
}

func mustProfile(t *testing.T, s *Store, query string, change func(*work.ProfileJob)) profile.Profile {
	t.Helper()
	job := profileJob(s, mustParquet(t, s, "orders", query))
	if change != nil {
		change(&job)
	}
	p, err := s.Profile(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(p); err != nil {
		t.Fatalf("the profile is no JSON: %v", err)
	}
	return p
}

func mustColumn(t *testing.T, p profile.Profile, name string) profile.Column {
	t.Helper()
	for _, c := range p.Columns {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no column %s", name)
	return profile.Column{}
}

func sum(counts []int64) (all int64) {
	for _, n := range counts {
		all += n
	}
	return all
}

func TestProfile(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	p := mustProfile(t, s, `
		SELECT i AS id, (i - 500) * 0.5 AS net, CASE WHEN i % 10 < 6 THEN 'web' WHEN i % 10 < 9 THEN 'app' ELSE 'store' END AS channel,
			DATE '2024-01-01' + CAST(i % 700 AS INTEGER) AS day, i % 4 = 0 AS paid, CASE WHEN i % 4 = 0 THEN i END AS voucher
		FROM range(1000) r(i)`, nil)

	if p.RowCount != 1000 || p.ColumnCount != 6 || p.Sampled || p.Incomplete || p.DuplicateRows != 0 || p.FileSizeMB != 3 {
		t.Errorf("table: %+v", p)
	}
	if p.MissingCells != 750 || p.MissingCellsPct != 12.5 || len(p.SampleRows) != 5 || string(p.SampleRows[0]["channel"]) != `"web"` || string(p.SampleRows[1]["id"]) != "1" {
		t.Errorf("table: %d missing, %v %%, rows %s", p.MissingCells, p.MissingCellsPct, p.SampleRows)
	}
	if d := p.DateRange; d == nil || d.Earliest != "2024-01-01" || d.Latest != "2025-11-30" || d.SpanDays != 699 {
		t.Errorf("date range %+v", d)
	}
	id := mustColumn(t, p, "id")
	if n := id.Numeric; id.UniqueCount != 1000 || n.Min != "0" || n.Max != "999" || *n.Median != 499.5 || *n.P95 != 949.05 || n.Zeros != 1 || sum(n.Histogram.Counts) != 1000 {
		t.Errorf("id: %+v %+v", id, n)
	}
	net := mustColumn(t, p, "net").Numeric
	if net.Min != "-250.0" || net.Max != "249.5" || net.Negative != 500 || len(net.Histogram.Counts) != 15 || math.Abs(*net.Mean+0.25) > 1e-9 {
		t.Errorf("net: %+v", net)
	}
	channel := mustColumn(t, p, "channel")
	if top := channel.String.TopValues; len(top) != 3 || top[0] != (profile.TopValue{Value: "web", Count: 600, Pct: 60}) || channel.String.MaxLength != 5 {
		t.Errorf("channel: %+v", channel.String)
	}
	day := mustColumn(t, p, "day").Date
	if day.Histogram.Unit != "month" || day.Histogram.Bins[0] != "2024-01" || len(day.Histogram.Bins) != 23 || sum(day.Histogram.Counts) != 1000 {
		t.Errorf("day: %+v", day.Histogram)
	}
	if b := mustColumn(t, p, "paid").Boolean; b.TrueCount != 250 || b.FalsePct != 75 {
		t.Errorf("paid: %+v", b)
	}
	if v := mustColumn(t, p, "voucher"); v.NullCount != 750 || !v.Has(profile.HighMissing) || v.SampleValues[0] != "0" {
		t.Errorf("voucher: %+v", v)
	}
}

// Whatever a file holds, its profile is made and is JSON.
func TestProfileOfEveryType(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	p := mustProfile(t, s, `
		SELECT * FROM (VALUES
			('nan'::DOUBLE, 'inf'::FLOAT, '99999999999999999999999999999999999999'::DECIMAL(38,0), 1.7e308::DOUBLE, 'a''"b'::BLOB, uuid(), {'a': [1, 2], 'b': 'x'},
				[1, NULL], MAP {'k': 1}, INTERVAL 3 DAY, TIME '10:00:00', 'infinity'::TIMESTAMP, 'infinity'::DATE, TIMESTAMPTZ '2024-01-01 00:00:00+02',
				repeat('ž', 100000), 'x'::ENUM('x', 'y'), '{"a": 1}'::JSON, NULL::VARCHAR, NULL::INTEGER, 9223372036854775807, TIMESTAMP_NS '2024-01-01 00:00:00'),
			(1.5, -1, -1, -1.7e308, ''::BLOB, NULL, NULL, NULL, NULL, NULL, NULL, '0044-03-15 (BC) 10:00:00'::TIMESTAMP, DATE '2024-02-29', NULL,
				'', NULL, NULL, NULL, NULL, -9223372036854775808, NULL)
		) AS t(nan, inf, huge, vast, blob, id, struct, list, map, span, clock, moment, day, zoned, long, enum, json, nothing, none, big, fine)`, nil)

	for name, want := range map[string]profile.Category{
		"nan": profile.Numeric, "huge": profile.Numeric, "blob": profile.Binary, "id": profile.String, "struct": profile.Nested, "list": profile.Nested, "map": profile.Nested,
		"span": profile.Interval, "clock": profile.Time, "moment": profile.Timestamp, "day": profile.Date, "zoned": profile.Timestamp, "fine": profile.Timestamp,
	} {
		if c := mustColumn(t, p, name); c.Category != want || c.UniqueCount < 1 {
			t.Errorf("%s %s: %s with %d values, want %s", name, c.Type, c.Category, c.UniqueCount, want)
		}
	}
	if n := mustColumn(t, p, "nan").Numeric; n.NonFinite != 1 || n.Min != "1.5" || n.Max != "1.5" || *n.Mean != 1.5 || sum(n.Histogram.Counts) != 1 {
		t.Errorf("nan: %+v", n)
	}
	if n := mustColumn(t, p, "vast").Numeric; n.Max != "1.7e+308" || n.Histogram == nil || sum(n.Histogram.Counts) != 2 || n.Histogram.Counts[0] != 1 {
		t.Errorf("vast: %+v %+v", n, n.Histogram)
	}
	if n := mustColumn(t, p, "big").Numeric; n.Max != "9223372036854775807" || n.Min != "-9223372036854775808" || sum(n.Histogram.Counts) != 2 {
		t.Errorf("big: %+v %+v", n, n.Histogram)
	}
	long := mustColumn(t, p, "long")
	if long.String.MaxLength != 100000 || len([]rune(long.String.TopValues[1].Value)) != profile.MaxText || len([]rune(long.SampleValues[0])) != profile.MaxText {
		t.Errorf("long: %d characters, top %d", long.String.MaxLength, len(long.String.TopValues[1].Value))
	}
	if d := mustColumn(t, p, "moment").Date; d.Earliest != "0044-03-15 (BC) 10:00:00" || sum(d.Histogram.Counts) != 1 {
		t.Errorf("moment: %+v", d)
	}
	if c := mustColumn(t, p, "nothing"); c.String != nil || c.NullCount != 2 || !c.Has(profile.HighMissing) {
		t.Errorf("nothing: %+v", c)
	}
	if blob := mustColumn(t, p, "blob"); blob.SampleValues[0] != "4 bytes" {
		t.Errorf("blob: %v", blob.SampleValues)
	}
}

func TestProfileAgreesWithDuckDB(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	p := mustProfile(t, s, `
		SELECT INTERVAL (i) DAY AS span, 9007199254740993 + i AS big, 9223372036854775807 - i AS edge, CAST(0.1 AS DECIMAL(3,1)) AS tenth, 1e300 * i AS vast, CAST('9' || repeat('9', 37) AS DECIMAL(38,0)) AS wide
		FROM range(1000) r(i)`, nil)
	if c := mustColumn(t, p, "span"); c.UniqueCount != 1000 || !c.UniqueExact {
		t.Errorf("%d different intervals of 1000", c.UniqueCount)
	}
	if n := mustColumn(t, p, "big").Numeric; *n.Mean != 9007199254741492 { // .5, which a double of that size has not
		t.Errorf("the mean of large whole numbers is %f", *n.Mean)
	}
	if h := mustColumn(t, p, "edge").Numeric.Histogram; len(h.Counts) < 14 || slices.Max(h.Counts) > 100 || sum(h.Counts) != 1000 {
		t.Errorf("large whole numbers side by side are drawn as %v", h.Counts)
	}
	if n := mustColumn(t, p, "tenth").Numeric; *n.Mean != 0.1 {
		t.Errorf("the mean of 0.1 is %v", *n.Mean)
	}
	if n := mustColumn(t, p, "vast").Numeric; n.Mean != nil || n.Stddev != nil {
		t.Errorf("the mean of a part of the values is told: %v", *n.Mean)
	}
	if n := mustColumn(t, p, "wide").Numeric; n == nil || n.Mean == nil {
		t.Errorf("a wide decimal has no figures: %+v", n)
	}
	if p := mustProfile(t, s, `SELECT INTERVAL (i) DAY AS span FROM range(1000) r(i)`, nil); p.DuplicateRows != 0 {
		t.Errorf("%d of 1000 different intervals are duplicates", p.DuplicateRows)
	}
}

func TestProfileOfASample(t *testing.T) {
	t.Parallel()
	for name, column := range map[string]string{"by number": "i", "by chance": "file_row_number"} {
		s := newTestStore(t)
		p := mustProfile(t, s, "SELECT i AS "+column+", 'v' || (i % 7) AS word, NULL AS gone FROM range(100000) r(i)", func(j *work.ProfileJob) {
			j.Settings.SampleSize = 10000
		})
		if !p.Sampled || p.CountedRows != 100000 || p.SampledRows < 9000 || p.SampledRows > 11000 {
			t.Errorf("%s: %d of %d rows, counted %d", name, p.SampledRows, p.RowCount, p.CountedRows)
		}
		c := mustColumn(t, p, column)
		if n := sum(c.Numeric.Histogram.Counts); c.UniqueCount != 100000 || !c.UniqueExact || c.Numeric.Max != "99999" || n < 9000 || n > 11000 {
			t.Errorf("%s: %+v", name, c)
		}
		if top := mustColumn(t, p, "word").String.TopValues; len(top) != 7 || top[0].Pct < 13 || top[0].Pct > 16 {
			t.Errorf("%s: top values %+v", name, top)
		}
	}
}

func TestProfileDuplicatesAndEmptyTables(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if p := mustProfile(t, s, "SELECT i % 10 AS a, NULL AS b FROM range(100) r(i)", nil); p.DuplicateRows != 90 {
		t.Errorf("%d duplicates, want 90", p.DuplicateRows)
	}
	p := mustProfile(t, s, "SELECT 1 AS a, 'x' AS b, DATE '2024-01-01' AS c WHERE false", nil)
	if p.RowCount != 0 || p.AvgCompleteness != 100 || len(p.Alerts) != 0 || len(p.Columns) != 3 || p.DateRange != nil {
		t.Errorf("empty: %+v", p)
	}
}

func TestProfileOfManyColumnsIsBounded(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	var columns []string
	for i := range 2000 {
		columns = append(columns, fmt.Sprintf(`CASE WHEN i %% 2 = 0 THEN %d + i END AS "column %d"`, i, i))
	}
	p := mustProfile(t, s, "SELECT "+strings.Join(columns, ", ")+" FROM range(10) r(i)", nil)
	if len(p.Columns) != profile.MaxColumns || p.ColumnCount != 2000 || p.ColumnsLeftOut != 1500 || p.Incomplete {
		t.Fatalf("%d of %d columns, %d left out, incomplete %t", len(p.Columns), p.ColumnCount, p.ColumnsLeftOut, p.Incomplete)
	}
	last := p.Columns[profile.MaxColumns-1]
	if n := last.Numeric; last.Name != "column 499" || n.Min != "499" || n.Max != "507" || last.NullCount != 5 || sum(n.Histogram.Counts) != 5 {
		t.Errorf("%+v %+v", last, n)
	}
}

func TestProfileWithoutPatience(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	p := mustProfile(t, s, "SELECT i AS id FROM range(1000) r(i)", func(j *work.ProfileJob) { j.Patience = -time.Second })
	if id := mustColumn(t, p, "id"); !p.Incomplete || id.UniqueCount != 1000 || id.Numeric.Max != "999" || id.Numeric.Histogram != nil {
		t.Errorf("incomplete %v, id %+v", p.Incomplete, id)
	}
}

func TestProfileChild(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	key := mustParquet(t, s, "orders", "SELECT 1 AS id")
	mustWrite(t, s, "versions/files/broken/v1.parquet", "PAR1 no")
	events := mustEvents(t, "profile", profileJob(s, key))
	if events[0].Profile == nil || len(events[0].Profile.Columns) != 1 || !events[len(events)-1].Done {
		t.Errorf("events %+v", events)
	}
	for name, c := range map[string]struct {
		job  work.ProfileJob
		code string
	}{
		"broken": {profileJob(s, "versions/files/broken/v1.parquet"), "profile_failed"},
		"gone":   {profileJob(s, "versions/files/gone/v1.parquet"), "profile_failed"},
		"none":   {profileJob(s), "job_invalid"},
		"out":    {profileJob(s, "../x"), "job_invalid"},
	} {
		events := mustEvents(t, "profile", c.job)
		if f := events[len(events)-1].Failure; f == nil || f.Code != c.code || strings.Contains(f.Message, s.dir) {
			t.Errorf("%s: %+v, want %s", name, f, c.code)
		}
	}
}
