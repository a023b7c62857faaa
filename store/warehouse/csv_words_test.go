package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

var dateWords = []struct{ text, date string }{
	{"infinity", "infinity"},
	{"-infinity", "-infinity"},
	{"Infinity", "infinity"},
	{"-INFINITY", "-infinity"},
	{"epoch", "1970-01-01"},
	{"Epoch", "1970-01-01"},
	{" infinity ", "infinity"},
	{"\t-infinity  ", "-infinity"},
	{"  EPOCH\v", "1970-01-01"},
}

// wordRows is a CSV with the words for dates among others, and rows that do not
// fit when there is room for such.
func wordRows(date, nineteen string, late bool, misfits ...string) (content string, want []string) {
	head := []string{date + ",0"}
	if late {
		head = slices.Repeat(head, sampleRows+9520)
	}
	lines := append([]string{"d,n"}, head...)
	for i, w := range dateWords {
		lines = append(lines, fmt.Sprintf("%s,%d", w.text, i))
		want = append(want, fmt.Sprintf("%s|%d", w.date, i))
	}
	lines = append(append(lines, nineteen+",77"), misfits...)
	return strings.Join(append(lines, ",78", nineteen+",79"), "\n") + "\n", want
}

// TestConvertWordsForDates holds that infinity and epoch become what the engine's
// plain cast makes of them, not 1900-01-01, and that 1900-01-01 stays itself.
func TestConvertWordsForDates(t *testing.T) {
	t.Parallel()
	iso := files.Options{}
	european := files.Options{DateFormat: "%d.%m.%Y"}
	at := files.Options{DateFormat: "%d.%m.%Y %H:%M", Columns: []files.ColumnOption{{Column: "d", Type: "TIMESTAMP"}}}
	for _, c := range []struct {
		test, date, nineteen string
		options              files.Options
		kind, clock          string
	}{
		{"iso dates", "2024-02-01", "1900-01-01", iso, "DATE", ""},
		{"guessed form", "31/12/2024", "01/01/1900", iso, "DATE", ""},
		{"given form", "01.02.2024", "01.01.1900", european, "DATE", ""},
		{"given form with hours", "01.02.2024 10:00", "01.01.1900 00:00", at, "TIMESTAMP", " 00:00:00"},
	} {
		for _, late := range []bool{false, true} {
			for _, policy := range []files.MisfitPolicy{files.RejectAll, files.SkipRows, files.NullCells} {
				t.Run(fmt.Sprintf("%s, late %t, %s", c.test, late, policy), func(t *testing.T) {
					t.Parallel()
					s := newTestStore(t)
					options, misfit := c.options, []string(nil)
					options.Misfits = policy
					if policy != files.RejectAll && (late || c.options.DateFormat != "") {
						options.Columns = []files.ColumnOption{{Column: "d", Type: c.kind}}
						misfit = []string{"soon,80"}
					}
					content, want := wordRows(c.date, c.nineteen, late, misfit...)
					for i := range want {
						if !strings.Contains(want[i], "infinity") {
							want[i] = strings.Replace(want[i], "|", c.clock+"|", 1)
						}
					}
					want = append(want, "1900-01-01"+c.clock+"|77")
					if misfit != nil && policy == files.NullCells {
						want = append(want, "80")
					}
					want = append(want, "78", "1900-01-01"+c.clock+"|79")
					out, report, err := convertWith(t, s, "a.csv", content, options)
					if err != nil {
						t.Fatal(err)
					}
					if got := columnList(out.Columns); got != "d "+c.kind+", n BIGINT" {
						t.Errorf("columns %s", got)
					}
					got := mustRead(t, s, out)
					if got = got[max(0, len(got)-len(want)):]; !slices.Equal(got, want) {
						t.Errorf("rows %q, want %q", got, want)
					}
					var lost int64
					for _, l := range report.Losses {
						lost += l.Count
					}
					if n := int64(len(misfit)); report.Misfits.Count+lost != n || policy == files.SkipRows && report.Misfits.Count != n {
						t.Errorf("report %+v, want %d", report, n)
					}
				})
			}
		}
	}
}

func TestWordsForDatesAmongOtherMisfits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		columns             string
		last                []string
	}{
		{"word for NULL", "a.csv", manyRows("d,n", "2024-01-01,1", "infinity,2", "epoch,3"), files.Options{Nulls: []string{"infinity"}}, "d DATE, n BIGINT", []string{"2", "1970-01-01|3"}},
		{"hours later", "a.csv", manyRows("d,n", "2024-01-01,1", "epoch,2", "2020-01-01 12:30:00,3"), files.Options{}, "d TIMESTAMP, n BIGINT", []string{"1970-01-01 00:00:00|2", "2020-01-01 12:30:00|3"}},
		{"no date later", "a.csv", manyRows("d,n", "2024-01-01,1", "infinity,2", "soon,3"), files.Options{}, "d VARCHAR, n BIGINT", []string{"infinity|2", "soon|3"}},
		{"no whole number later", "a.csv", manyRows("d,n", "2024-01-01,1", "infinity,2", "epoch,x"), files.Options{}, "d DATE, n VARCHAR", []string{"infinity|2", "1970-01-01|x"}},
		{"left out and renamed", "a.csv", manyRows("d,n,e", "2024-01-01,1,2024-01-01", "infinity,2,epoch"), files.Options{Columns: []files.ColumnOption{{Column: "d", Drop: true}, {Column: "e", Name: "d"}}}, "n BIGINT, d DATE", []string{"2|1970-01-01"}},
		{"decimal commas", "a.csv", manyRows("d;n", "2024-01-01;1,5", "infinity;2,5"), files.Options{Decimal: ","}, "d DATE, n DOUBLE", []string{"infinity|2.5"}},
		{"packed tabs", "a.tsv.gz", mustGzip(t, manyRows("d\tn", "2024-01-01\t1", "-infinity\t2")), files.Options{}, "d DATE, n BIGINT", []string{"-infinity|2"}},
		{"words no date has", "a.csv", manyRows("d,n", "2024-01-01,1", "epochs,2", "to infinity,3"), files.Options{}, "d VARCHAR, n BIGINT", []string{"epochs|2", "to infinity|3"}},
		{"text of json", "a.json", `[{"d":"01.02.2024"},{"d":"infinity"},{"d":"01.01.1900"}]`, files.Options{DateFormat: "%d.%m.%Y", Columns: []files.ColumnOption{{Column: "d", Type: "DATE"}}}, "d DATE", []string{"2024-02-01", "infinity", "1900-01-01"}},
		{"short rows put aside", "a.csv", manyRows("d,n", "2024-01-01,1", "infinity,2", "epoch", "soon,3", "epoch,4"), files.Options{Misfits: files.SkipRows}, "d DATE, n BIGINT", []string{"infinity|2", "1970-01-01|4"}},
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
			if got = got[max(0, len(got)-len(c.last)):]; !slices.Equal(got, c.last) {
				t.Errorf("last rows %q, want %q", got, c.last)
			}
			if put := c.options.Misfits == files.SkipRows; put && (report.Misfits.Count != 2 || len(report.Misfits.First) != 2 || report.Misfits.First[0].Raw != "epoch") || !put && !report.Empty() {
				t.Errorf("report %+v", report)
			}
		})
	}
}

func TestPreviewShowsWordsForDates(t *testing.T) {
	t.Parallel()
	for _, policy := range []files.MisfitPolicy{"", files.SkipRows, files.NullCells} {
		s := newTestStore(t)
		content, want := wordRows("2024-02-01", "1900-01-01", false)
		mustWrite(t, s, "files/a.csv", content)
		p, err := s.PreviewWith(t.Context(), "files/a.csv", files.CSV, files.Options{Misfits: policy})
		if err != nil {
			t.Fatal(err)
		}
		want = append(append([]string{"2024-02-01|0"}, want...), "1900-01-01|77", "NULL|78", "1900-01-01|79")
		var got []string
		for _, row := range p.Rows {
			day := "NULL"
			if row[0] != nil {
				day = *row[0]
			}
			got = append(got, day+"|"+*row[1])
		}
		if !slices.Equal(got, want) || !p.Empty() {
			t.Errorf("%s: rows %q, want %q, preview %+v", policy, got, want, p)
		}
	}
}
