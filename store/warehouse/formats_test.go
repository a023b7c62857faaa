package warehouse

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"agnes/domain/files"
	"agnes/domain/work"
)

// mustGzip packs text.
func mustGzip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustZstd(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// mustBook makes a workbook of parts; rows is the content of its first sheet.
func mustBook(t *testing.T, rows string, more ...string) string {
	t.Helper()
	parts := map[string]string{
		"[Content_Types].xml": `<Types/>`,
		"xl/workbook.xml": `<workbook xmlns:r="http://x"><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/>` +
			`<sheet name="Void" sheetId="2" r:id="rId2"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/sheet2.xml"/></Relationships>`,
		"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="d.m.yyyy\ h:mm"/><numFmt numFmtId="165" formatCode="#,##0.00 &quot;days&quot;"/></numFmts>` +
			`<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="46"/><xf numFmtId="20"/></cellXfs></styleSheet>`,
		"xl/sharedStrings.xml":     `<sst count="99999999999"><si><t>name</t></si><si><r><t>Ann</t></r><r><t xml:space="preserve"> B</t></r><rPh><t>x</t></rPh></si><si><t>00123</t></si></sst>`,
		"xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
		"xl/worksheets/sheet2.xml": `<worksheet><sheetData><row r="1"><c r="A1"/></row></sheetData></worksheet>`,
	}
	for i := 0; i+1 < len(more); i += 2 {
		parts[more[i]] = more[i+1]
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const bookRows = `<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="s"><v>0</v></c><c r="C1" t="str"><v>day</v></c><c r="D1" t="str"><v>at</v></c>` +
	`<c r="E1" t="str"><v>n</v></c><c r="F1" t="str"><v>ok</v></c><c r="G1" t="str"><v>zip</v></c></row>` +
	`<row r="3"><c r="A3"><v>1</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" s="1"><v>45292</v></c><c r="D3" s="2"><v>45292.5</v></c>` +
	`<c r="E3" s="3"><v>0.30000000000000004</v></c><c r="F3" t="b"><v>1</v></c><c r="G3" t="s"><v>2</v></c></row>` +
	`<row r="4"><c r="A4"><v>2</v></c><c r="C4" s="1"><v>59</v></c><c r="E4" t="e"><v>#DIV/0!</v></c><c r="G4" t="inlineStr"><is><r><t>a</t></r><r><t>&#10;b</t></r></is></c></row>`

func convertWith(t *testing.T, s *Store, name, content string, o files.Options) (work.Extracted, files.Report, error) {
	t.Helper()
	mustWrite(t, s, "files/"+name, content)
	var report files.Report
	format, _ := files.FormatOf(name)
	out, err := s.ConvertWith(t.Context(), "files/"+name, format, o, Target{"files", "t", "v1"}, func(e work.Event) {
		if e.Report != nil {
			report = *e.Report
		}
	})
	return out, report, err
}

func TestConvertFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		columns             string
		rows                []string
	}{
		{"gzip", "a.csv.gz", mustGzip(t, "id,a\n1,x\n"), files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"two gzip members", "a.csv.gz", mustGzip(t, "id,a\n1,x\n") + mustGzip(t, "2,y\n"), files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x", "2|y"}},
		{"zstd", "a.tsv.zst", mustZstd(t, "id\ta\n1\tx\n"), files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"packed json", "a.json.gz", mustGzip(t, `[{"a":1}]`), files.Options{}, "a BIGINT", []string{"1"}},
		{"packed lines of json", "a.ndjson.zst", mustZstd(t, "{\"a\":1}\n{\"a\":2}\n"), files.Options{}, "a BIGINT", []string{"1", "2"}},
		{"latin-1", "a.csv", "id,a\n1,caf\xe9\n2,\x80\n", files.Options{Encoding: files.Windows}, "id BIGINT, a VARCHAR", []string{"1|café", "2|€"}},
		{"utf-16", "a.csv", "\xff\xfei\x00,\x00a\x00\n\x001\x00,\x00\x17\x02\n\x00", files.Options{Encoding: files.UTF16}, "i BIGINT, a VARCHAR", []string{"1|ȗ"}},
		{"packed and latin-1", "a.csv.gz", mustGzip(t, "id,a\n1,caf\xe9\n"), files.Options{Encoding: files.Windows}, "id BIGINT, a VARCHAR", []string{"1|café"}},
		{
			"workbook", "a.xlsx", mustBook(t, bookRows),
			files.Options{},
			"id BIGINT, name VARCHAR, day DATE, at TIMESTAMP, n DOUBLE, ok BOOLEAN, zip VARCHAR",
			[]string{"1|Ann B|2024-01-01|2024-01-01 12:00:00|0.30000000000000004|true|00123", "2|1900-02-28|a\nb"},
		},
		{
			"workbook of a Mac", "a.xlsx", mustBook(t, `<row><c t="str"><v>d</v></c></row><row><c s="1"><v>43830</v></c></row>`, "xl/workbook.xml",
				`<workbook xmlns:r="x"><workbookPr date1904="1"/><sheets><sheet name="A" r:id="rId1"/></sheets></workbook>`),
			files.Options{},
			"d DATE",
			[]string{"2024-01-01"},
		},
		{"sheet with a wide late row", "a.xlsx", mustBook(t, `<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row><row><c><v>2</v></c><c><v>3</v></c></row>`), files.Options{Header: files.Yes}, "a BIGINT, column_2 BIGINT", []string{"1", "2|3"}},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, _, err := convertWith(t, s, c.name, c.content, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := mustRead(t, s, out); !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
		})
	}
}

func TestConvertCorrections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		columns             string
		rows                []string
		losses, misfits     int64
	}{
		{"decimal commas", "a.csv", "a;b\n1,5;x\n2,5;y\n", files.Options{Decimal: ","}, "a DOUBLE, b VARCHAR", []string{"1.5|x", "2.5|y"}, 0, 0},
		{"date form", "a.csv", "d,n\n01/02/2024,1\n", files.Options{DateFormat: "%d/%m/%Y"}, "d DATE, n BIGINT", []string{"2024-02-01|1"}, 0, 0},
		{"null words", "a.csv", "n,b\n1,x\nn/a,-\n", files.Options{Nulls: []string{"n/a", "-"}}, "n BIGINT, b VARCHAR", []string{"1|x", ""}, 0, 0},
		{"no header", "a.csv", "id,a\nx,y\n", files.Options{Header: files.No}, "column_1 VARCHAR, column_2 VARCHAR", []string{"id|a", "x|y"}, 0, 0},
		{"skip", "a.csv", "by,us,2024\nid,a\n1,x\n", files.Options{Skip: 1}, "id BIGINT, a VARCHAR", []string{"1|x"}, 0, 0},
		{"delimiter", "a.csv", "a,b|c\n1,2|3\n", files.Options{Delimiter: "|"}, "a,b VARCHAR, c BIGINT", []string{"1,2|3"}, 0, 0},
		{"no quotes", "a.csv", "a,b\n\"x,1\n", files.Options{Quote: files.NoQuote}, "a VARCHAR, b BIGINT", []string{`"x|1`}, 0, 0},
		{"escape", "a.csv", "a,b\n\"x\\\"y\",1\n", files.Options{Escape: `\`}, "a VARCHAR, b BIGINT", []string{`x"y|1`}, 0, 0},
		{
			"rename, type and drop", "a.csv", "id,a,b\n1,2,3\n4,5,6\n",
			files.Options{Columns: []files.ColumnOption{{Column: "ID", Name: "key"}, {Column: "a", Type: "VARCHAR"}, {Column: "b", Drop: true}}},
			"key BIGINT, a VARCHAR",
			[]string{"1|2", "4|5"},
			0, 0,
		},
		{
			"swap names", "a.csv", "a,b\n1,x\n",
			files.Options{Columns: []files.ColumnOption{{Column: "a", Name: "b"}, {Column: "b", Name: "a"}}},
			"b BIGINT, a VARCHAR",
			[]string{"1|x"},
			0, 0,
		},
		{
			"NULL the cell", "a.csv", "id,d\n1,2024-01-01\nx,soon\n3,\n",
			files.Options{Misfits: files.NullCells, Columns: []files.ColumnOption{{Column: "id", Type: "BIGINT"}, {Column: "d", Type: "DATE"}}},
			"id BIGINT, d DATE",
			[]string{"1|2024-01-01", "", "3"},
			2, 0,
		},
		{
			"NULL no cell that was empty", "a.csv", "id,d,n\n1,,5\n2,2024-01-02,6\n",
			files.Options{Misfits: files.NullCells, Columns: []files.ColumnOption{{Column: "d", Name: "n", Type: "DATE"}, {Column: "n", Name: "d", Type: "DOUBLE"}}},
			"id BIGINT, n DATE, d DOUBLE",
			[]string{"1|5.0", "2|2024-01-02|6.0"},
			0, 0,
		},
		{
			"skip rows", "a.csv", "id,a,b\n1,2,3\n4,5\n6,x,8\n9,9,9,9\n",
			files.Options{Misfits: files.SkipRows, Columns: []files.ColumnOption{{Column: "a", Type: "BIGINT"}}},
			"id BIGINT, a BIGINT, b BIGINT",
			[]string{"1|2|3"},
			0, 3,
		},
		{
			"skip rows of json", "a.json", `[{"a":"1","b":1},{"a":"x","b":2},{"a":null,"b":3}]`,
			files.Options{Misfits: files.SkipRows, Columns: []files.ColumnOption{{Column: "a", Type: "BIGINT"}}},
			"a BIGINT, b BIGINT",
			[]string{"1|1", "3"},
			0, 1,
		},
		{
			"NULL the cell of json", "a.json", `[{"a":"1,5"},{"a":"x"}]`,
			files.Options{Misfits: files.NullCells, Decimal: ",", Columns: []files.ColumnOption{{Column: "a", Type: "DOUBLE"}}},
			"a DOUBLE",
			[]string{"1.5", ""},
			1, 0,
		},
		{
			"NULL with decimal commas and dates", "a.csv", "n;d\n1,5;31.12.2024\n2;x\n",
			files.Options{Misfits: files.NullCells, Decimal: ",", DateFormat: "%d.%m.%Y", Columns: []files.ColumnOption{{Column: "d", Type: "DATE"}}},
			"n DOUBLE, d DATE",
			[]string{"1.5|2024-12-31", "2.0"},
			1, 0,
		},
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
			if got := mustRead(t, s, out); !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
			var lost int64
			for _, l := range report.Losses {
				lost += l.Count
			}
			if lost != c.losses || report.Misfits.Count != c.misfits {
				t.Errorf("report %+v, want %d losses and %d misfits", report, c.losses, c.misfits)
			}
			if c.misfits > 0 {
				text, err := os.ReadFile(mustPath(t, s, report.Misfits.Key))
				if err != nil || report.Misfits.Key != "versions/files/t/v1.rejects.csv" || int64(len(text)) != report.Misfits.Bytes || int64(len(report.Misfits.First)) != c.misfits {
					t.Errorf("kept aside %q, %v, report %+v", text, err, report.Misfits)
				}
			}
		})
	}
}

func TestRejectAllNamesTheRows(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	_, report, err := convertWith(t, s, "a.csv", "id,a\n1,2\n3\n4,5\n6,7,8\n", files.Options{})
	if err == nil {
		t.Logf("OUT %q", mustQuery(t, "", "FROM read_parquet("+quoteFile(mustPath(t, s, "versions/files/t/v1.parquet"))+")"))
	}
	wantCode(t, err, "file_row_misfit")
	if report.Misfits.Count != 2 || report.Misfits.First[1].Line != 5 || report.Misfits.First[1].Raw != "6,7,8" || report.Misfits.Key != "" {
		t.Errorf("report %+v", report)
	}
	_, report, err = convertWith(t, s, "a.json", `[{"a":"x"},{"a":"1"}]`, files.Options{Columns: []files.ColumnOption{{Column: "a", Type: "BIGINT"}}})
	failure := wantCode(t, err, "file_value_misfit")
	if want := `1 value of column a in a.json are not a whole number, such as "x".`; failure.Message != want || report.Misfits.First[0].Reason != `"x" is not a whole number` {
		t.Errorf("message %q, report %+v", failure.Message, report)
	}
}

// TestWrongInputs holds one sentence a kind of wrong input.
func TestWrongInputs(t *testing.T) {
	t.Parallel()
	gz := mustGzip(t, manyRows("id,a", "1,x"))
	crc := []byte(gz)
	crc[len(crc)-6] ^= 0xff
	zst := mustZstd(t, manyRows("id,a", "1,x"))
	book := mustBook(t, bookRows)
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		code, says          string
	}{
		{"not a table", "a.csv", "%PDF-1.4 x", files.Options{}, "file_not_text", "a.csv is a PDF document, not a table of text."},
		{"ragged", "a.csv", "id,a\n1\n2,3\n", files.Options{}, "file_row_misfit", "Line 2 of a.csv has 1 value, the header has 2."},
		{"wrong encoding", "a.csv", "id,a\n1,caf\xe9\n", files.Options{}, "file_not_utf8", "Line 2 of a.csv has characters that are not UTF-8, so some letters would come out wrong."},
		{"chosen encoding", "a.csv", "id,a\n1,x\n", files.Options{Encoding: files.UTF16}, "file_encoding_wrong", "a.csv is not text in utf-16."},
		{"empty", "a.csv", "", files.Options{}, "file_empty", "The file a.csv is empty."},
		{"empty and packed", "a.csv.gz", mustGzip(t, ""), files.Options{}, "file_empty", "The file a.csv.gz is empty."},
		{"no rows", "a.csv", "id,a\n", files.Options{}, "file_no_rows", "a.csv has column names but no rows."},
		{"no row fits", "a.csv", "id,a\nx,1\ny,2\n", files.Options{Misfits: files.SkipRows, Columns: []files.ColumnOption{{Column: "id", Type: "BIGINT"}}}, "file_all_misfit", "None of the 2 rows of a.csv fit, so there is no table to make."},
		{"doubled by renaming", "a.csv", "a,b\n1,2\n", files.Options{Columns: []files.ColumnOption{{Column: "a", Name: "B"}}}, "file_columns_doubled", "Two columns of a.csv would be called b."},
		{"corrected column is gone", "a.csv", "a,b\n1,2\n", files.Options{Columns: []files.ColumnOption{{Column: "c", Type: "DATE"}}}, "file_column_missing", "a.csv has no column c, which the table's corrections name."},
		{"nothing kept", "a.csv", "a,b\n1,2\n", files.Options{Columns: []files.ColumnOption{{Column: "a", Drop: true}, {Column: "b", Drop: true}}}, "file_no_columns", "All columns of a.csv are left out."},
		{"empty list", "a.json", "[ ]\n", files.Options{}, "file_no_rows", "a.json is an empty list, so it has no rows."},
		{"objects without keys", "a.json", "[{}, {}]", files.Options{}, "file_no_rows", "The objects of a.json have no keys, so there are no columns."},
		{"doubled keys", "a.json", `[{"a":1,"a":2}]`, files.Options{}, "file_json_key_doubled", "a.json has an object with the key a twice."},
		{"keys in two cases", "a.ndjson", `{"o":{"a":1,"A":2}}`, files.Options{}, "file_json_key_doubled", "a.ndjson has objects within a row with keys that differ only in case, such as A."},
		{"gzip cut", "a.csv.gz", gz[:len(gz)/2], files.Options{}, "file_cut_off", "a.csv.gz breaks off in the middle: the gzip file is not complete."},
		{"gzip cut in its last bytes", "a.csv.gz", gz[:len(gz)-4], files.Options{}, "file_cut_off", "a.csv.gz breaks off in the middle: the gzip file is not complete."},
		{"gzip with a wrong sum", "a.csv.gz", string(crc), files.Options{}, "file_pack_damaged", "a.csv.gz is damaged, or not a gzip file although its name ends like one."},
		{"zstd cut", "a.csv.zst", zst[:len(zst)-5], files.Options{}, "file_cut_off", "a.csv.zst breaks off in the middle: the zstd file is not complete."},
		{"not gzip", "a.csv.gz", strings.Repeat("id,a\n1,x\n", 9), files.Options{}, "file_pack_damaged", "a.csv.gz is damaged, or not a gzip file although its name ends like one."},
		{"not gzip and short", "a.csv.gz", "id,a\n1,x\n", files.Options{}, "file_pack_damaged", "a.csv.gz is damaged, or not a gzip file although its name ends like one."},
		{"empty instead of packed", "a.csv.gz", "", files.Options{}, "file_empty", "The file a.csv.gz is empty."},
		{"gzip without its ending", "a.csv", gz, files.Options{}, "file_not_text", "a.csv is compressed with gzip, not a table of text."},
		{"protected workbook", "a.xlsx", oleMagic + "xxxx", files.Options{}, "file_xlsx_protected", "a.xlsx is protected by a password, or an old workbook in a new name."},
		{"text as workbook", "a.xlsx", "id,a\n", files.Options{}, "file_xlsx_broken", "a.xlsx is not a workbook, although its name ends like one."},
		{"cut workbook", "a.xlsx", book[:len(book)/2], files.Options{}, "file_xlsx_broken", "a.xlsx is damaged, or not a workbook although its name ends like one."},
		{"cut sheet", "a.xlsx", mustBook(t, "", "xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c><v>1</v></c></row>`), files.Options{}, "file_xlsx_broken", "a.xlsx is damaged, or not a workbook although its name ends like one."},
		{"no shared text", "a.xlsx", mustBook(t, `<row><c t="s"><v>77</v></c></row>`), files.Options{}, "file_xlsx_broken", "a.xlsx is damaged, or not a workbook although its name ends like one."},
		{"zip bomb", "a.xlsx", mustBook(t, bookRows, "xl/media/x.bin", strings.Repeat("\x00", 100<<20)), files.Options{}, "file_xlsx_too_large", "a.xlsx unpacks to far more than a workbook holds, so it was not opened."},
		{"sheet without rows", "a.xlsx", book, files.Options{Sheet: "Void"}, "file_sheet_empty", "The sheet Void of a.xlsx has no rows."},
		{"no such sheet", "a.xlsx", book, files.Options{Sheet: "March"}, "file_sheet_missing", "a.xlsx has no sheet March. It has Orders, Void."},
		{"workbook as csv", "a.csv", book, files.Options{}, "file_not_text", "a.csv is an Excel workbook or another zip archive, not a table of text."},
		{"not parquet", "a.parquet", "id,a\n1,2\n3,4\n", files.Options{}, "file_not_parquet", "a.parquet is not a Parquet file, although its name ends like one."},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			_, _, err := convertWith(t, s, c.name, c.content, c.options)
			failure := wantCode(t, err, c.code)
			if failure.Message != c.says || failure.NextStep == "" {
				t.Errorf("says %q, then %q, want %q", failure.Message, failure.NextStep, c.says)
			}
			wantClean(t, s)
			if left, err := filepath.Glob(filepath.Join(s.dir, "versions/files/t/*")); err != nil || len(left) > 0 {
				t.Errorf("left %q, %v", left, err)
			}
		})
	}
}

func TestFileThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ test, after, says string }{
		{"shrinks", "id\n1\n", "a.csv became shorter while it was read, so rows are missing. Nothing was taken from it."},
		{"grows", "id\n1\n2\n3\n4\n", "a.csv was written while it was read, so its rows may be of two states. Nothing was taken from it."},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			mustWrite(t, s, "files/a.csv", "id\n1\n2\n3\n")
			_, err := s.ConvertWith(t.Context(), "files/a.csv", files.CSV, files.Options{}, Target{"files", "t", "v1"}, func(e work.Event) {
				if e.Phase == "convert" {
					mustWrite(t, s, "files/a.csv", c.after)
				}
			})
			if failure := wantCode(t, err, "file_changed"); failure.Message != c.says {
				t.Errorf("says %q, want %q", failure.Message, c.says)
			}
			wantClean(t, s)
		})
	}
}

func TestConvertFolders(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/sales/2023.csv", "id,a\n1,x\n")
	mustWrite(t, s, "files/sales/2024.csv.gz", mustGzip(t, "A,ID,late\ny,2.5,2024-01-01\n"))
	mustWrite(t, s, "files/sales/readme.md", "no table")
	mustWrite(t, s, "files/hive/year=2023/month=01/a.csv", "id,year\n1,7\n")
	mustWrite(t, s, "files/hive/year=2024/month=02/a.csv", "id,year\n2,8\n")
	mustWrite(t, s, "files/hive/year=__HIVE_DEFAULT_PARTITION__/month=02/a b.csv", "id,year\n3,9\n")
	for _, c := range []struct{ item, columns, rows string }{
		{"sales", "id DOUBLE, a VARCHAR, late DATE", "1.0|x 2.5|y|2024-01-01"},
		{"sales/*.csv", "id BIGINT, a VARCHAR", "1|x"},
		{"hive", "id BIGINT, year BIGINT, month BIGINT", "1|2023|1 2|2024|2 3|2"},
	} {
		out, err := s.ConvertWith(t.Context(), "files/"+c.item, files.CSV, files.Options{}, Target{"files", strings.NewReplacer("/", "_", "*", "_", ".", "_").Replace(c.item), "v1"}, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.item, err)
		}
		if got := strings.Join(mustRead(t, s, out), " "); columnList(out.Columns) != c.columns || got != c.rows {
			t.Errorf("%s: %s with %s, want %s with %s", c.item, columnList(out.Columns), got, c.columns, c.rows)
		}
		p, err := s.PreviewWith(t.Context(), "files/"+c.item, files.CSV, files.Options{})
		if err != nil || p.Files == 0 || columnList(p.Columns) != c.columns || p.TotalRows != out.Rows || len(p.Rows) != int(out.Rows) || len(p.Rows[0]) != len(p.Columns) {
			t.Errorf("%s: preview %+v, %v", c.item, p, err)
		}
	}
	mustWrite(t, s, "files/sales/2025.csv", "id,a\n1\n2,3\n")
	_, err := s.ConvertWith(t.Context(), "files/sales", files.CSV, files.Options{}, Target{"files", "s", "v2"}, nil)
	if failure := wantCode(t, err, "file_row_misfit"); failure.Message != "Line 2 of sales/2025.csv has 1 value, the header has 2." {
		t.Errorf("says %q", failure.Message)
	}
	var report files.Report
	out, err := s.ConvertWith(t.Context(), "files/sales", files.CSV, files.Options{Misfits: files.SkipRows}, Target{"files", "s", "v3"}, func(e work.Event) {
		if e.Report != nil {
			report = *e.Report
		}
	})
	if err != nil || out.Rows != 3 || report.Misfits.Count != 1 || report.Misfits.First[0].File != "sales/2025.csv" || report.Misfits.Key == "" {
		t.Errorf("%+v, report %+v, %v", out, report, err)
	}
}

func TestConvertParquetFolder(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/p/x", "")
	for i := range 3 {
		mustExec(t, fmt.Sprintf("COPY (SELECT %d AS id, [%[1]d] AS l) TO %s", i, quoteLiteral(mustPath(t, s, fmt.Sprintf("files/p/%d.parquet", i)))))
	}
	out, err := s.ConvertWith(t.Context(), "files/p", files.Parquet, files.Options{}, Target{"files", "t", "v1"}, nil)
	if err != nil || columnList(out.Columns) != "id INTEGER, l INTEGER[]" || out.Rows != 3 {
		t.Errorf("%s, %d rows, %v", columnList(out.Columns), out.Rows, err)
	}
}

func TestFolderLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "state/secret.csv", "id\n1\n")
	mustWrite(t, s, "files/sales/a.csv", "id\n2\n")
	if err := os.Symlink(mustPath(t, s, "state/secret.csv"), mustPath(t, s, "files/sales/b.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mustPath(t, s, "state"), mustPath(t, s, "files/sales/state")); err != nil {
		t.Fatal(err)
	}
	out, err := s.ConvertWith(t.Context(), "files/sales", files.CSV, files.Options{}, Target{"files", "t", "v1"}, nil)
	if err != nil || out.Rows != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestPreviewOfWorkbook(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "uploads/1/a.xlsx", mustBook(t, bookRows))
	got, err := s.PreviewWith(t.Context(), "uploads/1/a.xlsx", files.XLSX, files.Options{Columns: []files.ColumnOption{{Column: "n", Name: "amount"}}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got.Sheets, " ") != "Orders Void" || got.Sheet != "Orders" || len(got.Rows) != 2 || got.TotalRows != 2 || got.Found[4].Name != "n" {
		t.Errorf("preview %+v", got)
	}
	if len(got.Losses) != 1 || got.Losses[0] != (files.Loss{Column: "amount", Count: 1, Example: "#DIV/0!"}) {
		t.Errorf("losses %+v", got.Losses)
	}
}

// TestTextOfOtherEncodings holds that no character is replaced by another one
// without a word.
func TestTextOfOtherEncodings(t *testing.T) {
	t.Parallel()
	units := func(text string, order binary.AppendByteOrder) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	const text = "id,n\n1,é\n2,😀\n"
	le, be := units(text, binary.LittleEndian), units(text, binary.BigEndian)
	long := units(strings.Repeat("1,é\n", decodeBytes), binary.LittleEndian)
	for _, c := range []struct {
		test, content string
		encoding      files.Encoding
		want          string // the code of what is wrong, or what the second row has
		line          int
	}{
		{"little end first", "\xff\xfe" + le, files.UTF16, "😀", 0},
		{"big end first", "\xfe\xff" + be, files.UTF16, "😀", 0},
		{"little end first, without a mark", le, files.UTF16, "😀", 0},
		{"big end first, without a mark", be, files.UTF16, "😀", 0},
		{"cut off in a character", "\xff\xfe" + le + "3", files.UTF16, "file_cut_off", 4},
		{"cut off between halves", "\xff\xfe" + le + "\x3d\xd8", files.UTF16, "file_cut_off", 4},
		{"half a character", "\xff\xfe" + le + "\x3d\xd8a\x00", files.UTF16, "file_encoding_wrong", 4},
		{"late half of a character", "\xff\xfe" + long + "\x3d\xd8a\x00", files.UTF16, "file_encoding_wrong", decodeBytes + 1},
		{"UTF-8 as UTF-16", text, files.UTF16, "file_encoding_wrong", 0},
		{"marked UTF-8 as UTF-16", byteOrderMark + text, files.UTF16, "file_encoding_wrong", 0},
		{"marked UTF-8 as Windows-1252", byteOrderMark + text, files.Windows, "file_encoding_wrong", 0},
		{"bytes that Windows-1252 has nothing for", "id,n\n1,\xe9\n2,\x81\x80\n", files.Windows, "\u0081€", 0},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			mustWrite(t, s, "files/a.csv", c.content)
			out, err := s.ConvertWith(t.Context(), "files/a.csv", files.CSV, files.Options{Encoding: c.encoding}, Target{"files", "t", "v1"}, nil)
			if err != nil {
				if f := FailureOf(err); f.Code != c.want || f.Line != c.line {
					t.Errorf("%s at line %d, want %s at %d: %s", f.Code, f.Line, c.want, c.line, f.Message)
				}
				return
			}
			if got := mustRead(t, s, out); !slices.Equal(got, []string{"1|é", "2|" + c.want}) {
				t.Errorf("rows %q", got)
			}
		})
	}
}
