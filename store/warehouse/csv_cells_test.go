package warehouse

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"agnes/domain/files"
)

// TestCellScan holds which columns the look at bytes finds, whatever the pieces
// in which it reads.
func TestCellScan(t *testing.T) {
	t.Parallel()
	kinds := []cellKind{wholeCell, anyCell, clockCell, doubleCell}
	const head, good = "a.e,b,c,d\n", "12,1.5,2024-01-01 10:00:00.123456,1.5e-10\n"
	for _, c := range []struct {
		test, content string
		skip          int
		want          []int
		odd           bool
	}{
		{"nothing", head + good + good, 0, nil, false},
		{"no rows", head, 0, nil, false},
		{"fraction", head + good + "1.5,,,\n" + good, 0, []int{0}, false},
		{"exponent", head + "1E-3,,,", 0, []int{0}, false},
		{"windows lines", strings.ReplaceAll(head+good+"1.5,,,1e400\n", "\n", "\r\n"), 0, []int{0, 3}, false},
		{"lone carriage return", head + "1,x\r1.5,x\n", 0, []int{0}, false},
		{"quoted", head + `"1.5","a,""b` + "\n" + `",,` + "\n", 0, []int{0}, false},
		{"after quotes with lines", head + `1,"a,""b` + "\n" + `c",10:00:00+02,` + "\n", 0, []int{2}, false},
		{"separator within quotes", head + `"1,5",,,` + "\n", 0, []int{0}, false},
		{"lines before", "1.5,1e400,10:00:00+02,1e400\n" + head + good, 1, nil, false},
		{"offset", head + ",,2024-01-01 10:00-05,\n", 0, []int{2}, false},
		{"fine time", head + ",,10:00:00.1234567,\n", 0, []int{2}, false},
		{"small", head + ",,,1e-400\n", 0, []int{3}, false},
		{"long", head + ",,," + strings.Repeat("9", 400) + "\n", 0, []int{3}, false},
		{"written plainly", head + "0,,2024-1-1,0.30000000000000004\n-1,,,-0.5\n 7,,,123456789012345\n", 0, nil, false},
		{"leading zeros", head + "007,,,-00.5\n", 0, []int{0, 3}, false},
		{"signs, bars and sixteens", head + "+5,,,1_000\n0x1F,,,\n", 0, []int{0, 3}, false},
		{"short year", head + ",,01/02/24,\n", 0, []int{2}, false},
		{"many digits", head + ",,,9007199254740993\n", 0, []int{3}, false},
		{"long row", head + `1,"` + strings.Repeat("x", cellsBuffer) + `",,` + "\n1.5,,,\n", 0, []int{0}, false},
		{"open quote", head + `1,"x`, 0, nil, true},
		{"quote inside", head + `1, "x,1",,` + "\n", 0, nil, true},
		{"text after quotes", head + `"1"x,,,` + "\n", 0, nil, true},
	} {
		for _, pieces := range []bool{false, true} {
			t.Run(c.test, func(t *testing.T) {
				t.Parallel()
				scan := newCellScan(",", `"`, slices.Clone(kinds))
				var err error
				if pieces {
					err = scan.read(iotest.HalfReader(strings.NewReader(c.content)), c.skip, true)
				} else {
					err = scan.read(strings.NewReader(c.content), c.skip, true)
				}
				if c.odd != errors.Is(err, errOddRow) || !c.odd && err != nil {
					t.Fatal(err)
				}
				var got []int
				for i, hit := range scan.hits {
					if hit {
						got = append(got, i)
					}
				}
				if !c.odd && !slices.Equal(got, c.want) {
					t.Errorf("columns %v, want %v", got, c.want)
				}
			})
		}
	}
}

// TestLosingCells holds what becomes of cells that their types do not hold, in
// other dialects and beside other misfits.
func TestLosingCells(t *testing.T) {
	t.Parallel()
	const bigint = "n BIGINT, d BIGINT"
	given := []files.ColumnOption{{Column: "n", Type: "BIGINT"}, {Column: "d", Type: "BIGINT"}}
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		columns             string
		last                []string
		lines               []int64
	}{
		{"whole after all", "a.csv", manyRows("n,d", "1,1", "2.0,2", "3.0e2,3"), files.Options{}, bigint, []string{"2|2", "300|3"}, nil},
		{"word for NULL", "a.csv", manyRows("n,d", "1,1", "1.5,2", "3,3"), files.Options{Nulls: []string{"1.5"}}, bigint, []string{"NULL|2", "3|3"}, nil},
		{"semicolons and commas", "a.csv", manyRows("n;d", "1;1", "1,5;2"), files.Options{Decimal: ","}, "n DOUBLE, d BIGINT", []string{"1.5|2"}, nil},
		{"packed tabs", "a.tsv.gz", mustGzip(t, manyRows("n\td", "1\t1", "1.5\t2")), files.Options{}, "n DOUBLE, d BIGINT", []string{"1.5|2"}, nil},
		{"long whole numbers", "a.csv", manyRows("n,d", "1,1", "12345678901234567890123,1", "1.5,2"), files.Options{}, "n VARCHAR, d BIGINT", []string{"12345678901234567890123|1", "1.5|2"}, nil},
		{
			"several put aside", "a.csv", manyRows("n,d", "1,1", "1.5,2", "x,3", "1e-3,0.5", "short", "x,1.5", "5,5"),
			files.Options{Columns: given, Misfits: files.SkipRows},
			bigint,
			[]string{"1|1", "5|5"},
			[]int64{30482, 30483, 30484, 30485, 30486},
		},
		{"guessed and put aside", "a.csv", manyRows("n,d", "1,1", "1.5,2", "5,5"), files.Options{Misfits: files.SkipRows}, bigint, []string{"1|1", "5|5"}, []int64{30482}},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, report, err := convertWith(t, s, c.name, c.content, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			got := mustRead(t, s, out)
			for i := range c.last {
				c.last[i] = strings.TrimPrefix(c.last[i], "NULL|")
			}
			if got = got[max(0, len(got)-len(c.last)):]; !slices.Equal(got, c.last) {
				t.Errorf("last rows %q, want %q", got, c.last)
			}
			var lines []int64
			for _, m := range report.Misfits.First {
				lines = append(lines, m.Line)
			}
			if !slices.Equal(lines, c.lines) || len(report.Losses) > 0 {
				t.Errorf("report %+v, want lines %v", report, c.lines)
			}
		})
	}
}
