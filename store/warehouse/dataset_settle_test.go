package warehouse

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
	"agnes/domain/work"
)

// TestFilesThatDisagree holds that no value of several files is read otherwise than
// its file and the others together say, and none is written otherwise when its
// column becomes text.
func TestFilesThatDisagree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test    string
		files   map[string]string
		options files.Options
		columns string
		rows    string
		code    string
	}{
		{
			"days and months that another file tells apart",
			map[string]string{"1.csv": "d\n01/25/2024\n", "2.csv": "d\n03/02/2024\n"},
			files.Options{},
			"d DATE", "2024-01-25 2024-03-02", "",
		},
		{
			"days and months that no file tells apart",
			map[string]string{"1.csv": "d\n04/02/2024\n", "2.csv": "d\n03/02/2024\n"},
			files.Options{},
			"d DATE", "2024-02-04 2024-02-03", "",
		},
		{
			"days and months in both orders",
			map[string]string{"1.csv": "d\n01/25/2024\n", "2.csv": "d\n03/02/2024\n", "3.csv": "d\n25/03/2024\n"},
			files.Options{},
			"", "", "files_dates_unclear",
		},
		{
			"days and months in an order that is said",
			map[string]string{"1.csv": "d\n01/02/2024\n", "2.csv": "d\n03/02/2024\n"},
			files.Options{DateFormat: "%m/%d/%Y"},
			"d DATE", "2024-01-02 2024-03-02", "",
		},
		{
			"both orders without doubt",
			map[string]string{"1.csv": "d\n01/25/2024\n", "2.csv": "d\n25/03/2024\n"},
			files.Options{},
			"d DATE", "2024-01-25 2024-03-25", "",
		},
		{
			"dates with time",
			map[string]string{"1.csv": "d\n01/25/2024 10:00:00 AM\n", "2.csv": "d\n03/02/2024 10:00:00 AM\n"},
			files.Options{},
			"d TIMESTAMP", "2024-01-25 10:00:00 2024-03-02 10:00:00", "",
		},
		{
			"text and values of a type",
			map[string]string{"1.csv": "d,n,x\n25/01/2024,1.50,7\n", "2.csv": "d,n,x\nsoon,007,8\n"},
			files.Options{Columns: []files.ColumnOption{{Column: "n", Name: "m"}}},
			"d VARCHAR, m VARCHAR, x BIGINT", "25/01/2024|1.50|7 soon|007|8", "",
		},
		{
			"settled dates beside text",
			map[string]string{"1.csv": "d,n\n01/25/2024,1.50\n", "2.csv": "d,n\n03/02/2024,x\n"},
			files.Options{},
			"d DATE, n VARCHAR", "2024-01-25|1.50 2024-03-02|x", "",
		},
		{
			"columns and files without a value",
			map[string]string{"1.csv": "a,b\n1,1.5\n", "2.csv": "a,b\n2,\n", "3.csv": "a,b\n"},
			files.Options{},
			"a BIGINT, b DOUBLE", "1|1.5 2", "",
		},
		{
			"no value in JSON",
			map[string]string{"1.json": `[{"a":{"b":1}}]`, "2.json": `[{"a":null,"c":1}]`},
			files.Options{},
			"a STRUCT(b BIGINT), c BIGINT", "{'b': 1} 1", "",
		},
		{
			"long numbers and fractions",
			map[string]string{"1.csv": "a\n9007199254740993\n", "2.csv": "a\n2.50\n"},
			files.Options{},
			"a VARCHAR", "9007199254740993 2.50", "",
		},
		{
			"long numbers and fractions in JSON",
			map[string]string{"1.json": `[{"a":9007199254740993}]`, "2.json": `[{"a":2.5}]`},
			files.Options{},
			"a VARCHAR", "9007199254740993 2.5", "",
		},
		{
			"locks of Office", map[string]string{"1.csv": "a\n1\n", "~$1.csv": "\x05a"}, files.Options{}, "a BIGINT", "1", "",
		},
		{
			"a folder that is no day", map[string]string{"d=2024-13-45/1.csv": "a\n1\n"}, files.Options{}, "a BIGINT, d VARCHAR", "1|2024-13-45", "",
		},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			for name, content := range c.files {
				mustWrite(t, s, "files/m/"+name, content)
			}
			out, err := s.ConvertWith(t.Context(), "files/m", files.CSV, c.options, Target{"files", "t", "v1"}, nil)
			if c.code != "" {
				wantCode(t, err, c.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rows := mustRead(t, s, out)
			want := strings.Split(c.rows, " ")
			if strings.Contains(c.rows, ":00") || strings.Contains(c.rows, "{") {
				rows, want = []string{strings.Join(rows, " ")}, []string{c.rows}
			}
			slices.Sort(rows)
			slices.Sort(want)
			if got := columnList(out.Columns); got != c.columns || !slices.Equal(rows, want) {
				t.Errorf("%s with %q, want %s with %q", got, rows, c.columns, want)
			}
			if _, err := s.PreviewWith(t.Context(), "files/m", files.CSV, c.options); err != nil {
				t.Errorf("preview: %v", err)
			}
		})
	}
}

// TestRowsPutAsideOfSeveralFiles holds that they are one table, with the file of
// each.
func TestRowsPutAsideOfSeveralFiles(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	of := map[string]string{"1.csv": "a,b\n1,1.50\n3,4,5\n", "2.csv": "a,b\n1,x\n3\n", "3.csv": "a,b\n5,6\n"}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		mustWrite(t, s, "files/m/"+name, of[name])
	}
	var report files.Report
	out, err := s.ConvertWith(t.Context(), "files/m", files.CSV, files.Options{Misfits: files.SkipRows}, Target{"files", "t", "v1"}, func(e work.Event) {
		if e.Report != nil {
			report = *e.Report
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	aside, err := os.ReadFile(mustPath(t, s, report.Misfits.Key))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(aside)), "\n")
	if out.Rows != 3 || report.Misfits.Count != 2 || len(lines) != 3 || lines[0] != "file,line,column,reason,raw" || !strings.HasPrefix(lines[1], "m/1.csv,3,") || !strings.HasPrefix(lines[2], "m/2.csv,3,") {
		t.Errorf("%d rows, %d misfits, aside %q", out.Rows, report.Misfits.Count, lines)
	}
}
