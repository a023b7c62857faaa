package warehouse

import (
	"reflect"
	"strings"
	"testing"

	"agnes/domain/files"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "uploads/1/a.csv", "id;name\n1;x\n2;\n"+strings.Repeat("3;y\n", 100))
	mustWrite(t, s, "uploads/1/a.json", `[{"a":1},{"b":null}]`)
	mustExec(t, "COPY (SELECT 1 AS n FROM range(70)) TO "+quoteLiteral(mustPath(t, s, "uploads/1/a.parquet"))+" (FORMAT parquet)")
	for _, c := range []struct {
		name, dialect, columns string
		rows                   int
		total                  int64
	}{
		{"a.csv", `Separated by semicolon, quoted by ", with column names`, "id BIGINT, name VARCHAR", 50, 102},
		{"a.json", "", "a BIGINT, b VARCHAR", 2, -1},
		{"a.parquet", "", "n INTEGER", 50, 70},
	} {
		format, _ := files.FormatOf(c.name)
		got, err := s.Preview(t.Context(), "uploads/1/"+c.name, format)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got.Dialect != c.dialect || columnList(got.Columns) != c.columns || len(got.Rows) != c.rows || got.TotalRows != c.total {
			t.Errorf("%s: dialect %q, columns %s, %d rows of %d", c.name, got.Dialect, columnList(got.Columns), len(got.Rows), got.TotalRows)
		}
	}
}

// TestPreviewReadsAsTheSyncDoes holds that a preview, which puts rows aside where
// a sync would refuse the file, finds the same columns all the same.
func TestPreviewReadsAsTheSyncDoes(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"lines before the header": "Report\nDate: 2024\n\nid,a\n1,2\n3,4\n5,6\n",
		"text with a comma":       "comment\nnice\ngood, but slow\nbad\n",
		"dates of two forms":      "d\n2024-01-02\n01/02/2024\n2024/1/3\n",
		"one finer time":          "t,n\n2024-01-02 10:00:00.123456789,1\n",
		"a late word":             manyRows("id,price", "1,2", "2,cheap", "3,4"),
		"a late fraction":         manyRows("id,price", "1,2", "2,2.5", "3,4"),
		"commas in the last rows": "comment\n" + strings.Repeat("nice\n", 50) + "x,y\nz,w\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, err := convert(t, s, "a.csv", content)
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.Preview(t.Context(), "files/a.csv", files.CSV)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := columnList(p.Columns), columnList(out.Columns); got != want || p.TotalRows != out.Rows || p.Misfits.Count != 0 {
				t.Errorf("preview %s of %d rows and %d misfits, sync %s of %d rows", got, p.TotalRows, p.Misfits.Count, want, out.Rows)
			}
		})
	}
}

func TestPreviewShowsNullAndCutsLongValues(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "uploads/1/a.csv", "id,name\n1,\n2,"+strings.Repeat("ž", 5000)+"\n")
	got, err := s.Preview(t.Context(), "uploads/1/a.csv", files.CSV)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows[0][1] != nil {
		t.Errorf("missing value is %q, want nil", *got.Rows[0][1])
	}
	if n := len([]rune(*got.Rows[1][1])); n != 1000 {
		t.Errorf("long value has %d characters, want 1000", n)
	}
}

func TestPreviewRefuses(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "uploads/1/a.csv", "id,a,b\n1,2,3\n4,5\n6,7,8\n")
	got, err := s.Preview(t.Context(), "uploads/1/a.csv", files.CSV)
	if err != nil {
		t.Fatal(err)
	}
	want := files.Misfits{Count: 1, First: []files.Misfit{{Line: 3, Column: "b", Reason: "has 2 values, the header has 3", Raw: "4,5"}}}
	if !reflect.DeepEqual(got.Misfits, want) || len(got.Rows) != 2 || columnList(got.Columns) != "id BIGINT, a BIGINT, b BIGINT" {
		t.Errorf("misfits %+v beside %d rows of %s", got.Misfits, len(got.Rows), columnList(got.Columns))
	}
	if _, err := s.Preview(t.Context(), "../a.csv", files.CSV); err == nil {
		t.Error("a key outside the data directory was read")
	}
}

func TestWordsForValueOfWrongType(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", "id,price\n1,2\n2,x\n")
	db, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	path := mustPath(t, s, "files/a.csv")
	_, err = db.ExecContext(t.Context(), "CREATE TABLE t AS FROM read_csv("+quoteFile(path)+", auto_detect = false, header = true, columns = {'id': 'BIGINT', 'price': 'BIGINT'})")
	failure := wantCode(t, csvFault(err, path), "file_value_misfit")
	if want := `Line 3 of a.csv: "x" in column price is not a whole number, as the other rows have.`; failure.Message != want || failure.Line != 3 {
		t.Errorf("message %q at line %d, want %q at 3", failure.Message, failure.Line, want)
	}
}

func TestEngineWordsHideFolders(t *testing.T) {
	t.Parallel()
	err := refuse("x", "", "%s", "IO Error: Cannot open \"/srv/data/extracts/shop/data/a.parquet\": gone\n\nLINE 1: select\n   ^")
	if got, want := engineWords(err), `IO Error: Cannot open "a.parquet": gone`; got != want {
		t.Errorf("engineWords = %q, want %q", got, want)
	}
}

func TestLikelyDelimiter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, delim string
		values      int
	}{
		{"a,b,c", ",", 3}, {"a;b,c;d", ";", 3}, {`"a,b",c`, ",", 2}, {"a", "", 1}, {"a\tb", "\t", 2}, {"", "", 1},
	} {
		if delim, n := likelyDelimiter(c.line); delim != c.delim || n != c.values {
			t.Errorf("likelyDelimiter(%q) = %q, %d, want %q, %d", c.line, delim, n, c.delim, c.values)
		}
	}
}

func TestPreviewOfFileThatNamesItsSeparator(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", "sep=;\r\nid;a\r\n1;x\r\n2\r\n3;z\r\n")
	p, err := s.Preview(t.Context(), "files/a.csv", files.CSV)
	if err != nil {
		t.Fatal(err)
	}
	if p.Separator != ";" || columnList(p.Columns) != "id BIGINT, a VARCHAR" || len(p.Rows) != 2 || len(p.Warnings) > 0 {
		t.Errorf("preview %+v", p)
	}
	if p.Misfits.Count != 1 || p.Misfits.First[0].Line != 4 {
		t.Errorf("misfits %+v, want one in line 4", p.Misfits)
	}
}

func TestPreviewSaysWhatMakesAColumnText(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", manyRows("id,price", "1,2", "2,cheap", "3,4"))
	p, err := s.Preview(t.Context(), "files/a.csv", files.CSV)
	if err != nil {
		t.Fatal(err)
	}
	if want := `Column price is read as text: in line 30482, "cheap" is not a whole number.`; len(p.Warnings) != 1 || p.Warnings[0] != want {
		t.Errorf("warnings %q, want %q", p.Warnings, want)
	}
	p, err = s.PreviewWith(t.Context(), "files/a.csv", files.CSV, files.Options{Misfits: files.SkipRows})
	if err != nil || p.Misfits.Count != 1 || columnList(p.Columns) != "id BIGINT, price BIGINT" {
		t.Errorf("preview with rows left out %+v, %v", p, err)
	}
}
