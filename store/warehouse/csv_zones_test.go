package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

// TestLateCells states what becomes of a cell that is not like the rows that
// types were guessed from, under each policy: nothing becomes NULL unseen.
func TestLateCells(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, good, bad, guessed string }{
		{"TIMESTAMPTZ", "2024-01-01 10:00:00+00", "nan", "VARCHAR"},
		{"TIMESTAMPTZ", "2024-01-01 10:00:00+00", "2024-01-01 25:00:00+00", "VARCHAR"},
		{"TIMESTAMPTZ", "infinity", "2024-02-30 10:00:00", "VARCHAR"},
		{"TIMESTAMPTZ", "2024-01-01 10:00:00+00", `say ""hi"" to 'TIMESTAMP'`, "VARCHAR"},
		{"TIMESTAMP", "2024-01-01 10:00:00", "nan", "VARCHAR"},
		{"TIMESTAMP", "2024-01-01 10:00:00", "2024-02-30 10:00:00", "VARCHAR"},
		{"DATE", "2024-01-01", "2024-02-30", "VARCHAR"},
		{"TIME", "10:00:00", "25:00:00", "VARCHAR"},
		{"BIGINT", "1", "9223372036854775808", "VARCHAR"},
		{"DOUBLE", "1.5", "x", "VARCHAR"},
		{"BOOLEAN", "true", "2", "VARCHAR"},
		{"UUID", "5e2f1e3e-9e0c-4c2b-8a2e-2b0c0c0c0c0c", "5e2f1e3e", ""},
		{"JSON", "{}", "{", ""},
		{"DECIMAL(4,2)", "1.5", "1000", ""},
		{"HUGEINT", "1", "1e40", ""},
		{"INTEGER", "1", "3000000000", ""},
		{"SMALLINT", "1", "70000", ""},
		{"FLOAT", "1.5", "x", ""},
		{"BIGINT", "1", "1.5", "DOUBLE"},
		{"BIGINT", "1", "1e-3", "DOUBLE"},
		{"BIGINT", "9007199254740993", "1.5", "VARCHAR"},
		{"INTEGER", "1", "-0.25", ""},
		{"HUGEINT", "1", "1.5", ""},
		{"TINYINT", "1", "1.5", ""},
		{"DECIMAL(4,2)", "1.5", "1.555", ""},
		{"DOUBLE", "1.5", "1e400", "VARCHAR"},
		{"DOUBLE", "1.5", "1e-400", "VARCHAR"},
		{"TIMESTAMP", "2024-01-01 10:00:00", "2024-01-01 10:00:00+02", "VARCHAR"},
		{"TIMESTAMP", "2024-01-01 10:00:00", "2024-01-01 10:00:00-05:30", "VARCHAR"},
		{"TIMESTAMP", "2024-01-01 10:00:00", "2024-01-01 10:00:00.1234567", "VARCHAR"},
		{"TIME", "10:00:00", "10:00:00+02", "VARCHAR"},
		{"TIME", "10:00:00", "10:00:00.1234567", "VARCHAR"},
		{"TIME", "10:00:00", "2024-01-01 10:00:00", "VARCHAR"},
		{"DATE", "2024-01-01", "2024-01-01 10:00:00+02", "VARCHAR"},
	} {
		content := manyRows("d,n", `"`+c.good+`",1`, `"`+c.bad+`",2`, ",3", `"`+c.good+`",4`)
		bad := strings.ReplaceAll(c.bad, `""`, `"`)
		given := []files.ColumnOption{{Column: "d", Type: c.kind}}
		const line, rows = sampleRows + 10000 + 2, sampleRows + 10000 + 3
		t.Run(c.kind+" "+c.bad, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			if c.guessed != "" {
				out, report, err := convertWith(t, s, "a.csv", content, files.Options{})
				if err != nil {
					t.Fatal(err)
				}
				got := mustRead(t, s, out)
				if want := "d " + c.guessed + ", n BIGINT"; columnList(out.Columns) != want || len(got) != rows || got[line-2] != strings.Replace(bad, "1e-3", "0.001", 1)+"|2" || !report.Empty() {
					t.Errorf("guessed: columns %s, want %s, row %q", columnList(out.Columns), want, got[line-2])
				}
			}
			s = newTestStore(t)
			_, report, err := convertWith(t, s, "a.csv", content, files.Options{Columns: given})
			failure := wantCode(t, err, "file_value_misfit")
			if !strings.Contains(failure.Message, fmt.Sprint(line)) || report.Misfits.Count != 1 || report.Misfits.First[0].Line != line {
				t.Errorf("refused: %q, report %+v", failure.Message, report)
			}
			s = newTestStore(t)
			out, report, err := convertWith(t, s, "a.csv", content, files.Options{Columns: given, Misfits: files.SkipRows})
			if err != nil {
				t.Fatal(err)
			}
			if m := report.Misfits; out.Rows != rows-1 || m.Count != 1 || m.First[0].Line != line || m.First[0].Column != "d" || m.First[0].Reason == "" {
				t.Errorf("skipped: %d rows, report %+v", out.Rows, m)
			}
			s = newTestStore(t)
			out, report, err = convertWith(t, s, "a.csv", content, files.Options{Columns: given, Misfits: files.NullCells})
			if err != nil {
				t.Fatal(err)
			}
			if l := report.Losses; out.Rows != rows || len(l) != 1 || l[0].Count != 1 || l[0].Example != bad {
				t.Errorf("made NULL: %d rows, report %+v", out.Rows, report)
			}
			p, err := s.PreviewWith(t.Context(), "files/a.csv", files.CSV, files.Options{Columns: given})
			if err != nil {
				t.Fatal(err)
			}
			if m := p.Misfits; m.Count != 1 || m.First[0].Line != line || p.TotalRows != rows-1 {
				t.Errorf("preview: %d rows, %+v", p.TotalRows, m)
			}
		})
	}
}

// TestZones holds what becomes of dates with zones beside other misfits, forms
// and words.
func TestZones(t *testing.T) {
	t.Parallel()
	zone := []files.ColumnOption{{Column: "d", Type: "TIMESTAMPTZ"}}
	const at = "2024-01-01 10:00:00+02,1"
	for _, c := range []struct {
		test, content string
		options       files.Options
		kind          string
		last          []string
		lines         []int64
	}{
		{"empty cells", manyRows("d,n", at, ",2", `"",3`), files.Options{}, "TIMESTAMP WITH TIME ZONE", []string{"2", "3"}, nil},
		{"word for NULL", manyRows("d,n", at, "nan,2"), files.Options{Nulls: []string{"nan"}}, "TIMESTAMP WITH TIME ZONE", []string{"2"}, nil},
		{"words and names of zones", manyRows("d,n", at, "infinity,2", "epoch,3", "2024-01-01 10:00:00 Europe/Berlin,4"), files.Options{}, "TIMESTAMP WITH TIME ZONE", []string{"infinity|2", "1970-01-01 00:00:00+00|3", "2024-01-01 09:00:00+00|4"}, nil},
		{
			"several misfits", manyRows("d,n", at, "nan,2", "2024-01-01 10:00:00 Europe/Berlin,3", "nan,x", "short", ",5", "soon,6", `"two`+"\n"+`lines",4`),
			files.Options{Columns: append(zone, files.ColumnOption{Column: "n", Type: "BIGINT"}), Misfits: files.SkipRows},
			"TIMESTAMP WITH TIME ZONE",
			[]string{"2024-01-01 09:00:00+00|3", "5"},
			[]int64{30482, 30484, 30485, 30487, 30488},
		},
		{"given form", manyRows("d,n", "01.02.2024 10:00,1", "infinity,2", "03.02.2024 11:00,3"), files.Options{DateFormat: "%d.%m.%Y %H:%M", Columns: zone}, "TIMESTAMP WITH TIME ZONE", []string{"infinity|2", "2024-02-03 11:00:00+00|3"}, nil},
		{"misfit of a given form", manyRows("d,n", "01.02.2024 10:00,1", "soon,2", "03.02.2024 11:00,3"), files.Options{DateFormat: "%d.%m.%Y %H:%M", Columns: zone, Misfits: files.SkipRows}, "TIMESTAMP WITH TIME ZONE", []string{"2024-02-03 11:00:00+00|3"}, []int64{30482}},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, report, err := convertWith(t, s, "a.csv", c.content, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := columnList(out.Columns), "d "+c.kind+", n BIGINT"; got != want {
				t.Errorf("columns %s, want %s", got, want)
			}
			got := mustRead(t, s, out)
			if got = got[max(0, len(got)-len(c.last)):]; !slices.Equal(got, c.last) {
				t.Errorf("rows %q, want %q", got, c.last)
			}
			var lines []int64
			for _, m := range report.Misfits.First {
				lines = append(lines, m.Line)
			}
			if !slices.Equal(lines, c.lines) || len(report.Losses) > 0 {
				t.Errorf("lines %v, want %v, report %+v", lines, c.lines, report)
			}
		})
	}
}

// TestPreviewLeavesMisfitsOfZonesOut holds that a preview does not show NULL for a
// cell that is none.
func TestPreviewLeavesMisfitsOfZonesOut(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", "d,n\n2024-01-01 10:00:00+00,1\nnan,2\n,3\n2024-01-01 10:00:00 Europe/Berlin,4\n")
	for _, policy := range []files.MisfitPolicy{files.RejectAll, files.SkipRows} {
		p, err := s.PreviewWith(t.Context(), "files/a.csv", files.CSV, files.Options{Misfits: policy, Columns: []files.ColumnOption{{Column: "d", Type: "TIMESTAMPTZ"}}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range p.Rows {
			got = append(got, *row[1])
		}
		if want := []string{"1", "3", "4"}; !slices.Equal(got, want) || p.TotalRows != 3 || p.Misfits.Count != 1 || p.Misfits.First[0].Line != 3 {
			t.Errorf("%s: rows %q, want %q, preview %+v", policy, got, want, p)
		}
	}
}
