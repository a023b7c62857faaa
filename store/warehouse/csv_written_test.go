package warehouse

import (
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

// TestNumbersKeepHowTheyAreWritten holds that no value is changed where a number
// does not say all of it, however late it comes and whatever becomes of misfits.
func TestNumbersKeepHowTheyAreWritten(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		first, late, kind string // of the column
		want              string
	}{
		{"12", "007", "VARCHAR", "007"},
		{"12", "-07", "VARCHAR", "-07"},
		{"12", `"00"`, "VARCHAR", "00"},
		{"12", "+420123", "VARCHAR", "+420123"},
		{"12", "0x1F", "VARCHAR", "0x1F"},
		{"12", "1_000", "VARCHAR", "1_000"},
		{"12", "0", "BIGINT", "0"},
		{"12", "-0", "BIGINT", "0"},
		{"12", " 5 ", "BIGINT", "5"},
		{"1.5", "007", "VARCHAR", "007"},
		{"1.5", "007.50", "VARCHAR", "007.50"},
		{"1.5", "0.50", "DOUBLE", "0.5"},
		{"1.5", "9007199254740993", "VARCHAR", "9007199254740993"},
		{"1.5", "9999999999999999999", "VARCHAR", "9999999999999999999"},
		{"1.5", "9007199254740992", "DOUBLE", "9007199254740992.0"},
		{"1.5", "0.30000000000000004", "DOUBLE", "0.30000000000000004"},
		{"10:00:00", "2024/01/02", "VARCHAR", "2024/01/02"},
		{"2024-01-02 10:00:00", "01/02/24", "VARCHAR", "01/02/24"},
		{"25/01/2024", "01/02/24", "VARCHAR", "01/02/24"},
		{"25/01/2024", "1/2/2024", "DATE", "2024-02-01"},
	} {
		for _, policy := range []files.MisfitPolicy{files.RejectAll, files.SkipRows, files.NullCells} {
			if policy != files.RejectAll && i%3 != 0 {
				continue
			}
			t.Run(c.first+" "+c.late+" "+string(policy), func(t *testing.T) {
				t.Parallel()
				s := newTestStore(t)
				out, report, err := convertWith(t, s, "a.csv", manyRows("id,n", "1,"+c.first, "2,"+c.late), files.Options{Misfits: policy})
				if err != nil {
					t.Fatal(err)
				}
				rows := mustRead(t, s, out)
				if got := columnList(out.Columns); got != "id BIGINT, n "+c.kind || rows[len(rows)-1] != "2|"+c.want {
					t.Errorf("columns %s, last row %q, want %q of %s", got, rows[len(rows)-1], c.want, c.kind)
				}
				if said := slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "kept as text") }); said != (c.kind == "VARCHAR") && !strings.Contains(c.first, ":") || !report.Empty() {
					t.Errorf("warnings %q, report %v", out.Warnings, report)
				}
			})
		}
	}
}

// TestNumbersThatSomebodyAskedFor holds that a type which the corrections give is
// taken at its word, but not for digits that it does not hold.
func TestNumbersThatSomebodyAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ content, kind, want, code string }{
		{"id,n\n1,007\n2,+5\n", "BIGINT", "1|7 2|5", ""},
		{manyRows("id,n", "2,5", "1,007"), "BIGINT", "2|5 1|7", ""},
		{"id,n\n1,1.5\n2,9007199254740993\n", "DOUBLE", "", "file_value_misfit"},
		{"id,n\n1,1.5\n2,9007199254740994\n", "DOUBLE", "1|1.5 2|9007199254740994.0", ""},
	} {
		s := newTestStore(t)
		out, _, err := convertWith(t, s, "a.csv", c.content, files.Options{Columns: []files.ColumnOption{{Column: "n", Type: c.kind}}})
		if err != nil {
			if got := FailureOf(err); got.Code != c.code {
				t.Errorf("%s: %s: %s", c.kind, got.Code, got.Message)
			}
			continue
		}
		if got := strings.Join(slices.Compact(mustRead(t, s, out)), " "); got != c.want || len(out.Warnings) > 0 {
			t.Errorf("%s: rows %q, want %q, warnings %q", c.kind, got, c.want, out.Warnings)
		}
	}
}

// TestDatesOfTwoForms holds that a column of dates which no one form reads is text,
// and no reason to refuse the file.
func TestDatesOfTwoForms(t *testing.T) {
	t.Parallel()
	for _, late := range []string{"02-01-2024", "2024/01/02", "01/02/24", "inf", "12024-01-01"} {
		for _, content := range []string{"id,d\n1,2024-01-02\n1,2024-01-02\n2," + late + "\n", manyRows("id,d", "1,2024-01-02", "2,"+late)} {
			s := newTestStore(t)
			out, err := convert(t, s, "a.csv", content)
			if err != nil {
				t.Errorf("%s: %v", late, err)
				continue
			}
			rows := mustRead(t, s, out)
			if columnList(out.Columns) != "id BIGINT, d VARCHAR" || rows[0] != "1|2024-01-02" || rows[len(rows)-1] != "2|"+late {
				t.Errorf("%s: %s, rows %q to %q", late, columnList(out.Columns), rows[0], rows[len(rows)-1])
			}
		}
	}
}

// TestNumbersThatDoubleCuts holds that no digit before a point is lost, and that codes
// like 1e5 stay as they are, in the first rows and behind them.
func TestNumbersThatDoubleCuts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, odd, kind string }{
		{"1.5", "12345678901234567.89", "VARCHAR"},
		{"1.5", "-1234567890123456.5", "VARCHAR"},
		{"1.5", "123456789012345.67", "DOUBLE"},
		{"1.5", "0.1234567890123456789", "DOUBLE"},
		{"1.5", "1e5", "VARCHAR"},
		{"7", "12E4", "VARCHAR"},
		{"1.5", "1e+05", "DOUBLE"},
		{"1.5", "1.0E5", "DOUBLE"},
		{"1.5", "1e-7", "DOUBLE"},
		{"2024-01-01T00:00:00+01:00", "1/2/24", "VARCHAR"},
	} {
		for _, late := range []bool{false, true} {
			s := newTestStore(t)
			content := "n,a\n" + c.first + ",x\n" + c.odd + ",y\n"
			if late {
				content = manyRows("n,a", c.first+",x", c.odd+",y")
			}
			out, err := convert(t, s, "a.csv", content)
			if err != nil {
				t.Fatal(err)
			}
			rows := mustRead(t, s, out)
			if out.Columns[0].Type != c.kind || c.kind == "VARCHAR" && rows[len(rows)-1] != c.odd+"|y" {
				t.Errorf("%s, late %t: %s as %s, want %s", c.odd, late, rows[len(rows)-1], out.Columns[0].Type, c.kind)
			}
		}
	}
}

// TestOddNumbersOfManyColumns holds that columns are looked at by parts without
// losing one.
func TestOddNumbersOfManyColumns(t *testing.T) {
	t.Parallel()
	const wide = 3*testedAtOnce + 7
	row := func(cell string) string { return strings.Repeat(cell+",", wide-1) + cell + "\n" }
	cells := strings.Split(strings.TrimSpace(row("5")), ",")
	want := map[int]bool{0: true, testedAtOnce - 1: true, testedAtOnce: true, wide - 1: true}
	for i := range want {
		cells[i] = "007"
	}
	out, err := convert(t, newTestStore(t), "a.csv", row("n")+row("5")+strings.Join(cells, ",")+"\n")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range out.Columns {
		if (c.Type == "VARCHAR") != want[i] || len(out.Columns) != wide {
			t.Errorf("column %d of %d is %s", i+1, len(out.Columns), c.Type)
		}
	}
}
