package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// manyRows is a CSV of more rows than the sniffer looks at, with lines after.
func manyRows(header, row string, last ...string) string {
	return header + "\n" + strings.Repeat(row+"\n", sampleRows+10000) + strings.Join(last, "\n") + "\n"
}

func convert(t *testing.T, s *Store, name, content string) (work.Extracted, error) {
	t.Helper()
	mustWrite(t, s, "files/"+name, content)
	format, known := files.FormatOf(name)
	if !known {
		t.Fatalf("format of %s is unknown", name)
	}
	return s.Convert(t.Context(), "files/"+name, format, Target{"files", "t", "v1"}, nil)
}

func TestConvertKeepsEverything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test, name, content string
		columns             string
		rows                []string
		warnings            int
	}{
		{"plain", "a.csv", "id,price\n1,1.5\n2,2.5\n", "id BIGINT, price DOUBLE", []string{"1|1.5", "2|2.5"}, 0},
		{"semicolons and decimal commas", "a.csv", "a;b\n1,5;x\n2,5;y\n", "a VARCHAR, b VARCHAR", []string{"1,5|x", "2,5|y"}, 0},
		{"quotes", "a.csv", "id,note\n1,\"two\nlines\"\n2,\"x, \"\"y\"\"\"\n", "id BIGINT, note VARCHAR", []string{"1|two\nlines", "2|x, \"y\""}, 0},
		{"windows lines and byte order mark", "a.csv", "\ufeffid,a\r\n1,x\r\n2,y\r\n", "id BIGINT, a VARCHAR", []string{"1|x", "2|y"}, 0},
		{"one column", "a.csv", "name\nanna\nbob\n", "name VARCHAR", []string{"anna", "bob"}, 0},
		{"text only, with header", "a.csv", "name,city\nanna,Rome\nbob,Oslo\n", "name VARCHAR, city VARCHAR", []string{"anna|Rome", "bob|Oslo"}, 0},
		{"no header", "a.csv", "anna,1\nbob,2\n", "column_1 VARCHAR, column_2 BIGINT", []string{"anna|1", "bob|2"}, 1},
		{
			"blank, doubled and padded names", "a.csv", "id,name, price ,ID,\n1,a,1.5,7,x\n2,b,2.5,8,y\n",
			"id BIGINT, name VARCHAR, price DOUBLE, ID_2 BIGINT, column_5 VARCHAR",
			[]string{"1|a|1.5|7|x", "2|b|2.5|8|y"},
			1,
		},
		{"leading zeros", "a.csv", "zip,n\n00123,1\n00456,2\n", "zip VARCHAR, n BIGINT", []string{"00123|1", "00456|2"}, 0},
		{"long numbers", "a.csv", "account,n\n12345678901234567890,1.5\n2,2\n", "account VARCHAR, n DOUBLE", []string{"12345678901234567890|1.5", "2|2.0"}, 1},
		{"rows that look like comments", "a.csv", "id,a,b\n1,2,3\n#7,8,9\n", "id VARCHAR, a BIGINT, b BIGINT", []string{"1|2|3", "#7|8|9"}, 0},
		{"lines before the header", "a.csv", "Report of sales\n\nid,a,b\n1,2,3\n4,5,6\n", "id BIGINT, a BIGINT, b BIGINT", []string{"1|2|3", "4|5|6"}, 1},
		{"more lines before the header than rows", "a.csv", "Report\nDate: 2024\n\nid,a\n1,2\n", "id BIGINT, a BIGINT", []string{"1|2"}, 1},
		{"one column with commas at its end", "a.csv", "comment\nnice\ngood\nfine\nx,y\nz,w\n", "comment VARCHAR", []string{"nice", "good", "fine", "x,y", "z,w"}, 0},
		{"one column with a tab in its last line", "a.csv", "value\n81\n25\nNULL\nt\tt\n", "value VARCHAR", []string{"81", "25", "NULL", "t\tt"}, 0},
		{"a tab in the only row", "a.csv", "\"a,b\",c,d\nt\tt,,638.83\n", "a,b VARCHAR, c VARCHAR, d DOUBLE", []string{"t\tt|638.83"}, 0},
		{"byte order mark before quotes", "a.csv", "\ufeff\"i,d\",\"name\"\n\"1\",\"x\"\n", "i,d BIGINT, name VARCHAR", []string{"1|x"}, 0},
		{"byte order mark before JSON", "a.json", "\ufeff[{\"a\":1},{\"a\":2}]", "a BIGINT", []string{"1", "2"}, 0},
		{"unpaired quotes", "a.csv", "id,a\n1,5\" pipe\n2,x\n3,\"lead\n", "id BIGINT, a VARCHAR", []string{"1|5\" pipe", "2|x", "3|\"lead"}, 1},
		{"dates", "a.csv", "d,t\n31/12/2024,2024-01-01 10:00:00\n", "d DATE, t TIMESTAMP", []string{"2024-12-31|2024-01-01 10:00:00"}, 0},
		{"dates that may be the other way round", "a.csv", "d,e\n03/04/2024,2024-03-04\n05/06/2024,2024-05-06\n", "d DATE, e TIMESTAMP", []string{"2024-04-03|2024-03-04 00:00:00", "2024-06-05|2024-05-06 00:00:00"}, 1},
		{"dates that are the same either way", "a.csv", "d\n03/03/2024\n", "d DATE", []string{"2024-03-03"}, 0},
		{"dates with the year first", "a.csv", "d\n2024-03-04\n", "d DATE", []string{"2024-03-04"}, 0},
		{"no newline at the end", "a.csv", "id,a\n1,x", "id BIGINT, a VARCHAR", []string{"1|x"}, 0},
		{"odd names", "a.csv", "it's,\"say \"\"hi\"\"\"\n1,2\n", `it's BIGINT, say "hi" BIGINT`, []string{"1|2"}, 0},
		{"tabs", "a.tsv", "id\tnote\n1\ta,b\n2\tc\n", "id BIGINT, note VARCHAR", []string{"1|a,b", "2|c"}, 0},
		{"commas in a file that claims tabs", "a.tsv", "id,note\n1,a\n", "id BIGINT, note VARCHAR", []string{"1|a"}, 0},
		{"list of objects", "a.json", `[{"a":1,"b":"x"},{"a":2,"c":[1,2]}]`, "a BIGINT, b VARCHAR, c BIGINT[]", []string{"1|x", "2|[1, 2]"}, 0},
		{"object per line", "a.ndjson", "{\"a\":1}\n{\"a\":2,\"late\":true}\n", "a BIGINT, late BOOLEAN", []string{"1", "2|true"}, 0},
		{"words and numbers mixed", "a.json", `[{"a":"x","b":[1],"c":null},{"a":1776,"b":"y"}]`, "a VARCHAR, b JSON, c VARCHAR", []string{"x|[1]", `1776|"y"`}, 0},
		{"signs mixed", "a.json", `[{"n":-1,"m":-1},{"n":9,"m":18446744073709551615}]`, "n BIGINT, m DECIMAL(38,0)", []string{"-1|-1", "9|18446744073709551615"}, 0},
		{
			"signs mixed deep inside", "a.json", `[{"n":{"x":[-1,2]}},{"n":{"x":[18446744073709551615]}}]`,
			"n STRUCT(x DECIMAL(38,0)[])",
			[]string{"{'x': [-1, 2]}", "{'x': [18446744073709551615]}"},
			0,
		},
		{"one object", "a.json", `{"a":1}`, "a BIGINT", []string{"1"}, 1},
		{"doubled keys", "a.json", `[{"a":1,"A":2,"":3}]`, "a BIGINT, A_1 BIGINT, C2 BIGINT", []string{"1|2|3"}, 0},
		{"pattern characters in the name", "a[1]*?.csv", "id,a\n1,x\n", "id BIGINT, a VARCHAR", []string{"1|x"}, 0},
		{"quote in the name", "it's.csv", "id,a\n1,x\n", "id BIGINT, a VARCHAR", []string{"1|x"}, 0},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, err := convert(t, s, c.name, c.content)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := mustRead(t, s, out); !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
			if out.Rows != int64(len(c.rows)) || len(out.Warnings) != c.warnings {
				t.Errorf("%d rows and warnings %q, want %d and %d", out.Rows, out.Warnings, len(c.rows), c.warnings)
			}
			wantClean(t, s)
		})
	}
}

func TestConvertReadsAllRowsWhenTheFirstMislead(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	out, err := convert(t, s, "late.csv", manyRows("id,price", "1,2", "2,cheap"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := columnList(out.Columns), "id BIGINT, price VARCHAR"; got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if got := mustRead(t, s, out); got[len(got)-1] != "2|cheap" || out.Rows != sampleRows+10001 {
		t.Errorf("%d rows, last %q", out.Rows, got[len(got)-1])
	}
}

func TestConvertQuotesBeyondTheSample(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	out, err := convert(t, s, "late.csv", manyRows("id,note", "1,x", `2,"a ""b"""`, `3,"c,d"`))
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, s, out); !slices.Equal(got[len(got)-2:], []string{`2|a "b"`, "3|c,d"}) {
		t.Errorf("last rows %q", got[len(got)-2:])
	}
}

func TestConvertRefusals(t *testing.T) {
	t.Parallel()
	late := sampleRows + 10000 + 2
	for _, c := range []struct {
		test, name, content, code string
		line                      int
	}{
		{"empty", "a.csv", "", "file_empty", 0},
		{"blank", "a.csv", " \n\n", "file_empty", 0},
		{"header only", "a.csv", "id,a\n", "file_no_rows", 0},
		{"binary", "a.csv", "id,a\n\x00\x01\x02", "file_not_text", 0},
		{"workbook", "a.csv", "PK\x03\x04xxxx", "file_not_text", 0},
		{"utf-16", "a.csv", "\xff\xfei\x00d\x00", "file_not_utf8", 0},
		{"latin-1", "a.csv", "id,a\n1,caf\xe9\n", "file_not_utf8", 2},
		{"latin-1 late", "a.csv", manyRows("id,a", "1,x", "2,caf\xe9\xff"), "file_not_utf8", late},
		{"short row", "a.csv", "id,a,b\n1,2,3\n4,5\n6,7,8\n9,9,9\n", "file_row_misfit", 3},
		{"long row", "a.csv", "id,a,b\n1,2,3\n4,5,6,7\n6,7,8\n", "file_row_misfit", 3},
		{"short row late", "a.csv", manyRows("id,a,b", "1,2,3", "4,5"), "file_row_misfit", late},
		{"open quote late", "a.csv", manyRows("id,a", `1,"x"`, `2,"y`), "file_quote_open", late},
		{"broken json", "a.json", `[{"a":1},{"a":`, "file_json_invalid", 1},
		{"numbers in json", "a.json", `[1,2,3]`, "file_json_not_rows", 0},
		{"mixed json", "a.json", `[{"a":1},5]`, "file_json_not_rows", 0},
		{"empty list", "a.json", `[]`, "file_no_rows", 0},
		{"text as parquet", "a.parquet", "id,a\n1,2\n", "file_not_parquet", 0},
		{"broken parquet", "a.parquet", "PAR1xxxxxxxxxxxxxxxxxxxxPAR1", "file_not_parquet", 0},
		{"parquet as csv", "a.csv", "PAR1xxxxxxxx", "file_not_text", 0},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			_, err := convert(t, s, c.name, c.content)
			failure := wantCode(t, err, c.code)
			if failure.Line != c.line || failure.NextStep == "" {
				t.Errorf("line %d, want %d; next step %q", failure.Line, c.line, failure.NextStep)
			}
			wantClean(t, s)
			if left, err := filepath.Glob(filepath.Join(s.dir, "versions/files/t/*")); err != nil || len(left) > 0 {
				t.Errorf("left %q, %v", left, err)
			}
		})
	}
}

func TestConvertMissingFile(t *testing.T) {
	t.Parallel()
	_, err := newTestStore(t).Convert(t.Context(), "files/gone.csv", files.CSV, Target{"files", "t", "v1"}, nil)
	wantCode(t, err, "file_missing")
}

func TestConvertParquet(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/x", "")
	in := mustPath(t, s, "files/in.parquet")
	mustExec(t, "COPY (SELECT i AS id, 'n' || i AS name, [i] AS l FROM range(5000) AS r(i)) TO "+quoteLiteral(in))
	out, err := s.Convert(t.Context(), "files/in.parquet", files.Parquet, Target{"files", "t", "v1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := columnList(out.Columns), "id BIGINT, name VARCHAR, l BIGINT[]"; got != want || out.Rows != 5000 {
		t.Errorf("columns %s and %d rows, want %s and 5000", got, out.Rows, want)
	}
}

func TestVersionIsNeverWrittenOver(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	first, err := convert(t, s, "a.csv", "id\n1\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := convert(t, s, "a.csv", "id\n2\n"); err == nil {
		t.Error("a second version under the same id was accepted")
	}
	if got := mustRead(t, s, first); !slices.Equal(got, []string{"1"}) {
		t.Errorf("rows %q, want those of the first", got)
	}
	wantClean(t, s)
}

func TestExtractedDescribesTheFile(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	out, err := convert(t, s, "a.csv", "id\n1\n2\n")
	if err != nil {
		t.Fatal(err)
	}
	path := mustPath(t, s, out.Files[0].Key)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := hashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out.Bytes != info.Size() || out.Files[0].SHA256 != sums.sha256 || len(sums.sha256) != 64 || out.MD5 != sums.md5 || len(out.MD5) != 32 {
		t.Errorf("extracted %+v, file has %d bytes and %+v", out, info.Size(), sums)
	}
	if info.Mode().Perm()&0o222 != 0 {
		t.Errorf("mode %v, want read-only", info.Mode())
	}
	if got, want := out.Files[0].Key, "versions/files/t/v1.parquet"; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
}

func TestUniqueNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want []string }{
		{[]string{"a", "A", "a"}, []string{"a", "A_2", "a_3"}},
		{[]string{"a", "a", "a_2"}, []string{"a", "a_3", "a_2"}},
		{[]string{"", " ", "column_1"}, []string{"column_1", "column_2", "column_1_2"}},
		{[]string{"x\ny", "\ufeffid"}, []string{"x y", "id"}},
	} {
		if got := uniqueNames(c.in); !slices.Equal(got, c.want) {
			t.Errorf("uniqueNames(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzUniqueNames(f *testing.F) {
	f.Add("a,A,a_2,,column_1")
	f.Fuzz(func(t *testing.T, list string) {
		raw := strings.Split(list, ",")
		seen := map[string]bool{}
		for i, n := range uniqueNames(raw) {
			if n == "" || seen[strings.ToLower(n)] {
				t.Errorf("uniqueNames(%q): %q at %d is blank or doubled", raw, n, i)
			}
			seen[strings.ToLower(n)] = true
		}
	})
}

func TestStoredTypesLoseNothing(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	dir := filepath.Join(s.dir, "extracts", "big")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	mustExec(t, "ATTACH "+quoteLiteral(filepath.Join(dir, "extract.duckdb"))+" AS e",
		metaFor("e", "('t','',1,1,now(),'local')"),
		"CREATE TABLE e.t AS SELECT 12345678901234567890123456789::HUGEINT AS h, '101'::BIT AS b, union_value(n := 1) AS u, {'x': 1} AS s, NULL AS n")
	out, err := s.Snapshot(t.Context(), "big", "t", Target{"big", "t", "v1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mustRead(t, s, out), []string{"12345678901234567890123456789|101|1|{'x': 1}"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func metaFor(catalog string, rows ...string) string {
	return fmt.Sprintf(`CREATE TABLE %s._meta (table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT,
		size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR); INSERT INTO %[1]s._meta VALUES %s`, catalog, strings.Join(rows, ", "))
}

func TestPublishValidates(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	key, err := versionKey("files", "t", registry.VersionID("v1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(temp string) (int64, error){
		"fewer rows than claimed": func(temp string) (int64, error) {
			mustExec(t, "COPY (SELECT 1 AS i) TO "+quoteLiteral(temp)+" (FORMAT parquet)")
			return 2, nil
		},
		"not parquet": func(temp string) (int64, error) { return 1, os.WriteFile(temp, []byte("hello"), 0o600) },
		"cut off": func(temp string) (int64, error) {
			mustExec(t, "COPY (SELECT i FROM range(100000) AS r(i)) TO "+quoteLiteral(temp)+" (FORMAT parquet)")
			return 100000, os.Truncate(temp, 2000)
		},
		"writer fails": func(string) (int64, error) { return 0, refuse("file_no_rows", "", "No rows.") },
	} {
		if _, err := s.publishParquet(t.Context(), key, write); err == nil {
			t.Errorf("%s: published", name)
		}
		wantClean(t, s)
		if _, err := os.Stat(mustPath(t, s, key)); err == nil {
			t.Errorf("%s: the version is in place", name)
		}
	}
}
