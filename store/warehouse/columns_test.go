package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// TestReservedColumnNames holds the rule: names that DuckDB uses too are kept,
// and said; what they hold is read back.
func TestReservedColumnNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rowid", "ROWID", "filename", "file_index", "file_row_number", "File_Row_Number"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, err := convert(t, s, "a.csv", "id,"+name+"\n1,7\n2,8\n3,9\n")
			if err != nil {
				t.Fatal(err)
			}
			if got := mustRead(t, s, out); columnList(out.Columns) != "id BIGINT, "+name+" BIGINT" || !slices.Equal(got, []string{"1|7", "2|8", "3|9"}) {
				t.Errorf("%s with %q", columnList(out.Columns), got)
			}
			want := "Column " + name + " has a name that DuckDB gives to something of its own in every table. Queries get the column; rename it if you need the other."
			if len(out.Warnings) != 1 || out.Warnings[0] != want {
				t.Errorf("warnings %q, want %q", out.Warnings, want)
			}
			_, _, err = convertWith(t, newTestStore(t), "a.csv", "id,"+name+"\n1,7\n", files.Options{Columns: []files.ColumnOption{{Column: name, Name: "other"}}})
			if err != nil {
				t.Errorf("renamed: %v", err)
			}
		})
	}
	if got := reservedNames([]registry.Column{{Name: "rowid"}, {Name: "a"}, {Name: "Filename"}}); len(got) != 1 || !strings.HasPrefix(got[0], "Columns rowid, Filename have names") {
		t.Errorf("said %q", got)
	}
}

func TestNamesInDifferentCase(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	out, err := convert(t, s, "a.csv", "id,ID,Id,ID_2\n1,2,3,4\n")
	if err != nil {
		t.Fatal(err)
	}
	if columnList(out.Columns) != "id BIGINT, ID_3 BIGINT, Id_4 BIGINT, ID_2 BIGINT" || len(out.Warnings) != 1 || out.Warnings[0] != "Columns need names, each its own. Renamed: ID → ID_3, Id → Id_4." {
		t.Errorf("%s, warnings %q", columnList(out.Columns), out.Warnings)
	}
	mustExec(t, `COPY (SELECT 1 AS a, 2 AS b) TO `+quoteLiteral(mustPath(t, s, "files/b.parquet")))
	mustWrite(t, s, "files/c.xlsx", mustBook(t, `<row><c t="str"><v>a</v></c><c t="str"><v>A</v></c></row><row><c><v>1</v></c><c><v>2</v></c></row>`))
	out, err = s.Convert(t.Context(), "files/c.xlsx", files.XLSX, Target{"files", "c", "v1"}, nil)
	if err != nil || columnList(out.Columns) != "a BIGINT, A_2 BIGINT" {
		t.Errorf("workbook: %s, %v", columnList(out.Columns), err)
	}
}

// TestFoldersThatNameColumns holds what happens when folders of the form
// key=value clash with columns, or with each other.
func TestFoldersThatNameColumns(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a/YEAR=2023/x.csv", "id,year\n1,7\n")
	mustWrite(t, s, "files/a/year=2024/x.csv", "id,year\n2,8\n")
	out, err := s.Convert(t.Context(), "files/a", files.CSV, Target{"files", "a", "v1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, s, out); columnList(out.Columns) != "id BIGINT, YEAR BIGINT" || !slices.Equal(got, []string{"1|2023", "2|2024"}) {
		t.Errorf("%s with %q", columnList(out.Columns), got)
	}
	if want := "Column year is named by folders as well. The folders' values are taken, and those in the files are left out."; !slices.Contains(out.Warnings, want) {
		t.Errorf("warnings %q, want %q", out.Warnings, want)
	}
	mustWrite(t, s, "files/b/k=1/K=2/x.csv", "id\n1\n")
	_, err = s.Convert(t.Context(), "files/b", files.CSV, Target{"files", "b", "v1"}, nil)
	if failure := wantCode(t, err, "file_columns_doubled"); failure.Message != "Two columns of b/k=1/K=2/x.csv would be called K." {
		t.Errorf("says %q", failure.Message)
	}
	mustWrite(t, s, "files/c/rowid=1/ =2/x.csv", "id\n1\n")
	out, err = s.Convert(t.Context(), "files/c", files.CSV, Target{"files", "c", "v1"}, nil)
	if err != nil || columnList(out.Columns) != "id BIGINT, rowid BIGINT" || len(out.Warnings) != 1 {
		t.Errorf("%s, warnings %q, %v", columnList(out.Columns), out.Warnings, err)
	}
}

func TestRowsWithoutShapeWhereCellsBecomeNull(t *testing.T) {
	t.Parallel()
	_, report, err := convertWith(t, newTestStore(t), "a.csv", "id,d\n1,2024-01-01\nx,soon\n3\n4,2024-01-02,5\n",
		files.Options{Misfits: files.NullCells, Columns: []files.ColumnOption{{Column: "id", Type: "BIGINT"}, {Column: "d", Type: "DATE"}}})
	failure := wantCode(t, err, "file_row_misfit")
	if failure.Message != "Line 4 of a.csv has 1 value, the header has 2." || failure.NextStep != "Correct that line, or choose to leave such rows out: no cell of it can be made NULL." {
		t.Errorf("says %q, then %q", failure.Message, failure.NextStep)
	}
	if report.Misfits.Count != 2 || report.Misfits.First[0].Line != 4 || report.Misfits.First[1].Line != 5 {
		t.Errorf("report %+v", report)
	}
}

// A file that is put in the place of another, of the same length and time, is
// another file.
func TestFileThatIsReplacedWhileItIsRead(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", "id\n1\n2\n")
	r, err := s.prepare(t.Context(), "files/a.csv", files.CSV, files.Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.unchanged(); err != nil {
		t.Errorf("nothing happened: %v", err)
	}
	mustWrite(t, s, "files/b.csv", "id\n3\n4\n")
	mustRenameOver(t, mustPath(t, s, "files/b.csv"), mustPath(t, s, "files/a.csv"), r.before.at)
	wantCode(t, r.unchanged(), "file_changed")
}

func mustRenameOver(t *testing.T, from, to string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(from, at, at); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestTypesThatHoldLess holds that a correction of a type drops no part of a value
// in any format: what does not fit is a misfit.
func TestTypesThatHoldLess(t *testing.T) {
	t.Parallel()
	parquet := "COPY (FROM (VALUES (1.5::DOUBLE, 9007199254740993, TIMESTAMP '2024-01-01 10:00:00', 0.1::DOUBLE), (2, 5, '2024-01-02', 1.555)) AS t(f, n, \"at\", p)) TO '%s' (FORMAT parquet)"
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		rows                []string
		lost                []files.Loss
	}{
		{
			"JSON", "a.json", `[{"f":1.5,"s":"1.5","m":"x","at":"2024-01-01T10:00:00"},{"f":2,"s":"2","m":7.5,"at":"2024-01-02T00:00:00"},{"f":3,"s":"3","m":7,"at":"2024-01-03T00:00:00"}]`,
			files.Options{Columns: []files.ColumnOption{{Column: "f", Type: "BIGINT"}, {Column: "s", Type: "INTEGER"}, {Column: "m", Type: "BIGINT"}, {Column: "at", Type: "DATE"}}},
			[]string{"", "2|2|2024-01-02", "3|3|7|2024-01-03"},
			[]files.Loss{{Column: "f", Count: 1, Example: "1.5"}, {Column: "s", Count: 1, Example: "1.5"}, {Column: "m", Count: 2, Example: `"x"`}, {Column: "at", Count: 1, Example: "2024-01-01 10:00:00"}},
		},
		{
			"Parquet", "a.parquet", parquet,
			files.Options{Columns: []files.ColumnOption{{Column: "f", Type: "BIGINT"}, {Column: "n", Type: "DOUBLE"}, {Column: "at", Type: "DATE"}, {Column: "p", Type: "DECIMAL(18,2)"}}},
			[]string{"0.10", "2|5.0|2024-01-02"},
			[]files.Loss{{Column: "f", Count: 1, Example: "1.5"}, {Column: "n", Count: 1, Example: "9007199254740993"}, {Column: "at", Count: 1, Example: "2024-01-01 10:00:00"}, {Column: "p", Count: 1, Example: "1.555"}},
		},
		{
			"points where commas are decimal", "a.csv", "p;n\n1,5;1\n1.234;2\n1.234,5;3\n",
			files.Options{Decimal: ",", Columns: []files.ColumnOption{{Column: "p", Type: "DOUBLE"}}},
			[]string{"1.5|1", "2", "3"},
			[]files.Loss{{Column: "p", Count: 2, Example: "1.234"}},
		},
		{
			"points in JSON where commas are decimal", "a.json", `[{"p":"1,5"},{"p":"1.234"}]`,
			files.Options{Decimal: ",", Columns: []files.ColumnOption{{Column: "p", Type: "DOUBLE"}}},
			[]string{"1.5", ""},
			[]files.Loss{{Column: "p", Count: 1, Example: "1.234"}},
		},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			content := c.content
			if content == parquet {
				place := filepath.Join(t.TempDir(), "a.parquet")
				mustExec(t, fmt.Sprintf(parquet, place))
				made, err := os.ReadFile(place)
				if err != nil {
					t.Fatal(err)
				}
				content = string(made)
			}
			c.options.Misfits = files.NullCells
			out, report, err := convertWith(t, s, c.name, content, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := mustRead(t, s, out); !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
			if !slices.Equal(report.Losses, c.lost) {
				t.Errorf("losses %v, want %v", report.Losses, c.lost)
			}
			c.options.Misfits = files.RejectAll
			if _, _, err = convertWith(t, s, c.name, content, c.options); FailureOf(err).Code != "file_value_misfit" {
				t.Errorf("without leave to lose anything: %v", err)
			}
		})
	}
}
