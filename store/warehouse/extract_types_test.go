package warehouse

import (
	"path/filepath"
	"slices"
	"testing"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// TestTypesThatParquetHoldsWithLoss holds that values of an extract's own tables
// stay what they are, as text where Parquet has nothing for them.
func TestTypesThatParquetHoldsWithLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, kind, want string }{
		{"microseconds", "INTERVAL '1.234567 seconds'", "VARCHAR", "00:00:01.234567"},
		{"one_microsecond", "INTERVAL '1 microsecond'", "VARCHAR", "00:00:00.000001"},
		{"negative", "INTERVAL '-1 day'", "VARCHAR", "-1 day"},
		{"long", "INTERVAL '2000 hours'", "VARCHAR", "2000:00:00"},
		{"months", "INTERVAL '14 months'", "VARCHAR", "1 year 2 months"},
		{"no_interval", "NULL::INTERVAL", "VARCHAR", ""},
		{"intervals", "[[INTERVAL '1 microsecond', NULL]]", "VARCHAR[][]", "[['00:00:00.000001', NULL]]"},
		{"array", "[INTERVAL '-1 month']::INTERVAL[1]", "VARCHAR[]", "[-1 month]"},
		{"fields", "{'a': 1, 'INTERVAL': INTERVAL '1 microsecond'}", `STRUCT(a INTEGER, "INTERVAL" VARCHAR)`, "{'a': 1, 'INTERVAL': '00:00:00.000001'}"},
		{"keys", "MAP {INTERVAL '-1 day': [INTERVAL '1 microsecond']}", "MAP(VARCHAR, VARCHAR[])", "{-1 day=['00:00:00.000001']}"},
		{"zone", "'12:00:00+02'::TIMETZ", "VARCHAR", "12:00:00+02"},
		{"zones", "['12:00:00.5-08:30'::TIMETZ]", "VARCHAR[]", "['12:00:00.5-08:30']"},
		{"zone_field", "{'TIME': '12:00:00+02'::TIMETZ, 'x, y)': TIME '10:00:00'}", `STRUCT("TIME" VARCHAR, "x, y)" TIME)`, "{'TIME': '12:00:00+02', 'x, y)': '10:00:00'}"},
		{"one_of", "union_value(n := 1)", "VARCHAR", "1"},
		{"some_of", "[union_value(n := 1)]", "VARCHAR[]", "[1]"},
		{"one_of_field", "{'u': union_value(n := 1), 'v': 'x'}", "STRUCT(u VARCHAR, v VARCHAR)", "{'u': 1, 'v': x}"},
		{"one_of_deep", "[MAP {'k': {'u': union_value(n := INTERVAL 1 DAY)}}]", "MAP(VARCHAR, STRUCT(u VARCHAR))[]", "[{k={'u': 1 day}}]"},
		{"huge", "{'HUGEINT': 170141183460469231::HUGEINT, 'UHUGEINT': 1}", "STRUCT(HUGEINT DECIMAL(38,0), UHUGEINT INTEGER)", "{'HUGEINT': 170141183460469231, 'UHUGEINT': 1}"},
		{"choice", "{'h': [1::HUGEINT], 'e': 'HUGEINT, ('::ENUM('HUGEINT, (', 'it''s')}", "STRUCT(h DECIMAL(38,0)[], e VARCHAR)", "{'h': [1], 'e': 'HUGEINT, ('}"},
		{"quoted", `{'a"HUGEINT': 1::UHUGEINT}`, `STRUCT("a""HUGEINT" DECIMAL(38,0))`, `{'a"HUGEINT': 1}`},
		{"endless", "'infinity'::TIMESTAMP_S", "TIMESTAMP", "infinity"},
		{"endless_field", "{'TIMESTAMP_S': ['-infinity'::TIMESTAMP_S]}", "STRUCT(TIMESTAMP_S TIMESTAMP[])", "{'TIMESTAMP_S': [-infinity]}"},
		{"second", "TIMESTAMP_S '2024-01-01 10:00:00'", "TIMESTAMP", "2024-01-01 10:00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			newShop(t, s, metaFor("shop", "('t','',1,0,now(),'local')"), "CREATE TABLE shop.t AS SELECT "+c.value+" AS v")
			out := mustSnapshot(t, s, "t")
			got := mustQuery(t, "", "SELECT CAST(v AS VARCHAR) FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+")")
			if columnList(out.Columns) != "v "+c.kind || !slices.Equal(got, []string{c.want}) {
				t.Errorf("%s with %q, want v %s with %q", columnList(out.Columns), got, c.kind, c.want)
			}
		})
	}
}

// TestViewsKeepTypesThatLoseNothing: what a view reads from Parquet is what
// Parquet holds; only values that a view makes otherwise are text.
func TestViewsKeepTypesThatLoseNothing(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	file := filepath.Join(s.dir, "extracts", "shop", "data", "times.parquet")
	from := " FROM read_parquet(" + quoteLiteral(file) + ")"
	newShop(t, s,
		metaFor("shop", "('same','',1,0,now(),'local')", "('made','',1,0,now(),'local')", "('none','',1,0,now(),'local')", "('pair','',1,0,now(),'local')"),
		"COPY (SELECT INTERVAL '14 months 3 days 00:00:01.5' AS i, '12:00:00.123456+02'::TIMETZ AS z, ['12:00:00+02'::TIMETZ] AS zs) TO "+quoteLiteral(file),
		"CREATE VIEW shop.same AS SELECT *"+from,
		"CREATE VIEW shop.made AS SELECT -i AS i, i + INTERVAL 2000 HOUR AS h, i + INTERVAL 1 MICROSECOND AS u, '10:00:00+01'::TIMETZ AS z, {'i': -i} AS s"+from,
		"CREATE VIEW shop.none AS SELECT *"+from+" WHERE false",
		"CREATE VIEW shop.pair AS SELECT row(1, i) AS p, {'n': NULL, 'i': -i} AS n"+from,
	)
	for _, c := range []struct {
		table, columns string
		rows           []string
	}{
		{"same", "i INTERVAL, z TIME WITH TIME ZONE, zs TIME WITH TIME ZONE[]", []string{"1 year 2 months 3 days 00:00:01.5|10:00:00.123456+00|['10:00:00+00']"}},
		{"made", "i VARCHAR, h VARCHAR, u VARCHAR, z VARCHAR, s STRUCT(i VARCHAR)", []string{"-1 year -2 months -3 days -00:00:01.5|1 year 2 months 3 days 2000:00:01.5|1 year 2 months 3 days 00:00:01.500001|10:00:00+01|{'i': '-1 year -2 months -3 days -00:00:01.5'}"}},
		{"none", "i INTERVAL, z TIME WITH TIME ZONE, zs TIME WITH TIME ZONE[]", nil},
		{"pair", "p STRUCT(INTEGER, INTERVAL), n STRUCT(n INTEGER, i VARCHAR)", []string{"(1, '1 year 2 months 3 days 00:00:01.5')|{'n': NULL, 'i': '-1 year -2 months -3 days -00:00:01.5'}"}},
	} {
		out := mustSnapshot(t, s, c.table)
		got := mustQuery(t, "", "SELECT COLUMNS(*)::VARCHAR FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+")")
		if columnList(out.Columns) != c.columns || !slices.Equal(got, c.rows) {
			t.Errorf("%s: %s with %q, want %s with %q", c.table, columnList(out.Columns), got, c.columns, c.rows)
		}
	}
}

// TestParquetFilesKeepTheirTypes: a file that is made a table holds what Parquet
// does, so nothing of it needs to be text.
func TestParquetFilesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	file := mustPath(t, s, "files/a.parquet")
	mustWrite(t, s, "files/b.json", `[{"HUGEINT": {"HUGEINT": 1, "INTERVAL": 18446744073709551615}}, {"HUGEINT": {"HUGEINT": -1, "INTERVAL": -1}}]`)
	mustExec(t, "COPY (SELECT INTERVAL '14 months 00:00:01.5' AS i, '12:00:00+02'::TIMETZ AS z, [INTERVAL 1 DAY] AS l, {'HUGEINT': 1, 'z': '12:00:00+02'::TIMETZ} AS s) TO "+quoteLiteral(file))
	for _, c := range []struct {
		file, columns, row string
		format             files.Format
	}{
		{"files/a.parquet", "i INTERVAL, z TIME WITH TIME ZONE, l INTERVAL[], s STRUCT(HUGEINT INTEGER, z TIME WITH TIME ZONE)", "1 year 2 months 00:00:01.5|10:00:00+00|[1 day]|{'HUGEINT': 1, 'z': '10:00:00+00'}", files.Parquet},
		{"files/b.json", `HUGEINT STRUCT(HUGEINT DECIMAL(38,0), "INTERVAL" DECIMAL(38,0))`, "{'HUGEINT': 1, 'INTERVAL': 18446744073709551615}", files.JSON},
	} {
		out, err := s.Convert(t.Context(), c.file, c.format, Target{"files", "t", registry.VersionID("v-" + string(c.format))}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		got := mustQuery(t, "", "SELECT COLUMNS(*)::VARCHAR FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+")")
		if columnList(out.Columns) != c.columns || got[0] != c.row {
			t.Errorf("%s: %s with %q, want %s with %q", c.file, columnList(out.Columns), got, c.columns, c.row)
		}
	}
}
