package warehouse

import (
	"os"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

// A sheet with a title, blank rows, a cell of two lines and two cells that do not fit.
const scatteredRows = `<row r="1"><c t="str"><v>Report</v></c></row>` +
	`<row r="4"><c t="str"><v>id</v></c><c t="str"><v>note</v></c></row>` +
	`<row r="5"><c><v>1</v></c><c t="str"><v>two&#10;lines</v></c></row>` +
	`<row r="9"><c t="str"><v>soon</v></c><c t="str"><v>a</v></c></row>` +
	`<row><c><v>3</v></c><c t="str"><v>b</v></c></row>` +
	`<row r="1048576"><c t="str"><v>never</v></c><c t="str"><v>c</v></c></row>`

func TestMisfitsOfAWorkbookNameItsRows(t *testing.T) {
	t.Parallel()
	ids := []files.ColumnOption{{Column: "id", Type: "BIGINT"}}
	s := newTestStore(t)
	out, report, err := convertWith(t, s, "a.xlsx", mustBook(t, scatteredRows), files.Options{Skip: 1, Misfits: files.SkipRows, Columns: ids})
	if err != nil {
		t.Fatal(err)
	}
	m := report.Misfits
	if out.Rows != 2 || m.Count != 2 || len(m.First) != 2 || m.First[0].Line != 9 || m.First[1].Line != 1048576 || m.First[0].Column != "id" {
		t.Errorf("%d rows, misfits %+v", out.Rows, m)
	}
	kept, err := os.ReadFile(mustPath(t, s, m.Key))
	if text := string(kept); err != nil || !strings.Contains(text, "\n9,id,") || !strings.Contains(text, "\n1048576,id,") {
		t.Errorf("kept aside %q, %v", text, err)
	}
	_, report, err = convertWith(t, newTestStore(t), "a.xlsx", mustBook(t, scatteredRows), files.Options{Skip: 1, Columns: ids})
	failure := wantCode(t, err, "file_value_misfit")
	if !strings.HasPrefix(failure.Message, `Row 9 of a.xlsx: "soon" in column id is not a whole number`) || failure.Line != 9 || report.Misfits.Count != 2 {
		t.Errorf("says %q at %d, report %+v", failure.Message, failure.Line, report)
	}
	out, report, err = convertWith(t, newTestStore(t), "a.xlsx", mustBook(t, scatteredRows), files.Options{Skip: 1, Misfits: files.NullCells, Columns: ids})
	if err != nil || out.Rows != 4 || len(report.Losses) != 1 || report.Losses[0].Count != 2 || report.Misfits.Count != 0 {
		t.Errorf("%d rows, report %+v, %v", out.Rows, report, err)
	}
	mustWrite(t, s, "uploads/1/a.xlsx", mustBook(t, scatteredRows))
	p, err := s.PreviewWith(t.Context(), "uploads/1/a.xlsx", files.XLSX, files.Options{Skip: 1, Columns: ids})
	if err != nil || p.Misfits.Count != 2 || p.Misfits.First[0].Line != 9 {
		t.Errorf("preview %+v, %v", p.Misfits, err)
	}
}

func TestErrorCellsOfTheFirstRow(t *testing.T) {
	t.Parallel()
	rows := `<row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row><row><c><v>2</v></c><c t="e"><v>#DIV/0!</v></c></row><row><c><v>3</v></c><c><v>7</v></c></row>`
	for header, count := range map[files.Choice]int64{files.No: 2, files.Yes: 1} {
		_, report, err := convertWith(t, newTestStore(t), "a.xlsx", mustBook(t, rows), files.Options{Header: header})
		if err != nil || len(report.Losses) != 1 || report.Losses[0].Count != count {
			t.Errorf("header %q: report %+v, %v, want %d cells", header, report, err, count)
		}
	}
}

func TestRowAt(t *testing.T) {
	t.Parallel()
	s := &sheet{}
	for line, row := range map[int64]int64{7: 7} {
		if got := s.rowAt(line); got != row {
			t.Errorf("without places line %d is row %d, want %d", line, got, row)
		}
	}
	for _, p := range []sheetRow{{1, 3}, {2, 4}, {3, 9}, {5, 10}, {6, 11}} {
		s.place(p.line, p.row)
	}
	if len(s.rows) != 3 {
		t.Errorf("%d entries, want 3: %v", len(s.rows), s.rows)
	}
	for _, c := range [][2]int64{{1, 3}, {2, 4}, {3, 9}, {5, 10}, {6, 11}, {99, 104}} {
		if got := s.rowAt(c[0]); got != c[1] {
			t.Errorf("line %d is row %d, want %d", c[0], got, c[1])
		}
	}
}

// TestCellsOfAWorkbook holds that cells which other programs write otherwise than
// Excel does keep their value, or are counted.
func TestCellsOfAWorkbook(t *testing.T) {
	t.Parallel()
	row := func(cells ...string) string { return "<row>" + strings.Join(cells, "") + "</row>" }
	text := func(s string) string { return `<c t="inlineStr"><is><t>` + s + `</t></is></c>` }
	number := func(s string) string { return "<c><v>" + s + "</v></c>" }
	heads := row(text("a"), text("b"))
	for _, c := range []struct {
		test, rows string
		options    files.Options
		columns    string
		want       []string
		losses     []files.Loss
	}{
		{
			"formulas that nobody worked out", heads + row(`<c><f>A1+1</f></c>`, number("1")) + row(`<c t="str"><f>B1&amp;"x"</f><v></v></c>`, number("2")) + row(`<c><f t="shared" si="0"/><v>7</v></c>`, number("3")),
			files.Options{},
			"a BIGINT, b BIGINT",
			[]string{"1", "2", "7|3"},
			[]files.Loss{{Column: "a", Count: 1, Example: "=A1+1"}},
		},
		{"yes and no in words", heads + row(`<c t="b"><v>true</v></c>`, number("1")) + row(`<c t="b"><v>0</v></c>`, number("2")), files.Options{}, "a BOOLEAN, b BIGINT", []string{"true|1", "false|2"}, nil},
		{"no yes and no no", heads + row(`<c t="b"><v>maybe</v></c>`, number("1")), files.Options{}, "a VARCHAR, b BIGINT", []string{"maybe|1"}, nil},
		{"long numbers", heads + row(number("1234567890123456"), number("12345678901234567890")) + row(number("1.5E3"), number("1")), files.Options{}, "a BIGINT, b VARCHAR", []string{"1234567890123456|12345678901234567890", "1500|1"}, nil},
		{
			"rows that are not in the file count as lines before the table",
			`<row r="1">` + text("Report") + `</row><row r="3">` + text("a") + text("b") + `</row><row r="4">` + number("1") + number("2") + `</row>`,
			files.Options{Skip: 2},
			"a BIGINT, b BIGINT",
			[]string{"1|2"},
			nil,
		},
		{
			"text stays text when other columns are guessed anew",
			heads + strings.Repeat(row(text("1.10"), number("5")), sampleRows+1) + row(text("1.20"), number("1.5")),
			files.Options{},
			"a VARCHAR, b DOUBLE",
			[]string{"1.10|5.0", "1.20|1.5"},
			nil,
		},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, report, err := convertWith(t, s, "a.xlsx", mustBook(t, c.rows), c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := slices.Compact(mustRead(t, s, out)); !slices.Equal(got, c.want) {
				t.Errorf("rows %q, want %q", got, c.want)
			}
			if !slices.Equal(report.Losses, c.losses) {
				t.Errorf("losses %v, want %v", report.Losses, c.losses)
			}
		})
	}
}

func TestMergedCellsAreSaid(t *testing.T) {
	t.Parallel()
	for ref, said := range map[string]bool{"A2:A3": true, "A2:B2": true, "A1:B1": false} {
		s := newTestStore(t)
		book := mustBook(t, "", "xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c t="str"><v>a</v></c></row><row r="2"><c><v>1</v></c></row><row r="3"><c/></row></sheetData>`+
			`<mergeCells><mergeCell ref="`+ref+`"/></mergeCells></worksheet>`)
		out, _, err := convertWith(t, s, "a.xlsx", book, files.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "merged") }); got != said {
			t.Errorf("%s: warnings %q", ref, out.Warnings)
		}
	}
}
