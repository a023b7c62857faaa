package files

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"agnes/domain"
)

func TestParseOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want Options
		kept string // as it is stored again
	}{
		{"", Options{}, ""},
		{" ", Options{}, ""},
		{"{}", Options{}, ""},
		{`{"misfits":"reject_all","encoding":"UTF-8","null_words":[""]}`, Options{}, ""},
		{`{"encoding":"latin1"}`, Options{Encoding: Windows}, `{"encoding":"windows-1252"}`},
		{`{"delimiter":"\\t"}`, Options{Delimiter: "\t"}, `{"delimiter":"\t"}`},
		{`{"delimiter":"tab"}`, Options{Delimiter: "\t"}, `{"delimiter":"\t"}`},
		{`{"quote":"none","header":"no","skip":2}`, Options{Quote: NoQuote, Header: No, Skip: 2}, `{"header":"no","quote":"none","skip":2}`},
		{
			`{"columns":[{"column":"a","name":" a "},{"column":"b","type":"decimal(18, 2)"},{"column":"c","name":"x","drop":true}]}`,
			Options{Columns: []ColumnOption{{Column: "b", Type: "DECIMAL(18,2)"}, {Column: "c", Drop: true}}},
			`{"columns":[{"column":"b","type":"DECIMAL(18,2)"},{"column":"c","drop":true}]}`,
		},
		{`{"misfits":"skip","decimal":",","date_format":"%d.%m.%Y"}`, Options{Misfits: SkipRows, Decimal: ",", DateFormat: "%d.%m.%Y"}, `{"decimal":",","date_format":"%d.%m.%Y","misfits":"skip"}`},
	} {
		got, err := ParseOptions(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) || got.String() != c.kept {
			t.Errorf("ParseOptions(%s) = %+v as %q, %v, want %+v as %q", c.text, got, got, err, c.want, c.kept)
		}
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`[]`: "read_options", `{"delim":";"}`: "read_options", `{} {}`: "read_options", strings.Repeat(" ", maxOptions) + "{}": "read_options",
		`{"header":"maybe"}`: "header", `{"delimiter":"12345"}`: "delimiter", `{"delimiter":"\n"}`: "delimiter", `{"delimiter":"\""}`: "delimiter",
		`{"quote":"''"}`: "quote", `{"quote":",","delimiter":","}`: "quote", `{"escape":"xx"}`: "escape", `{"escape":"\\","quote":"none"}`: "escape",
		`{"encoding":"ebcdic"}`: "encoding", `{"decimal":";"}`: "decimal", `{"decimal":",","delimiter":","}`: "decimal",
		`{"skip":-1}`: "skip", `{"skip":1000001}`: "skip", `{"date_format":"31.12."}`: "date_format", `{"date_format":"%d'; DROP"}`: "",
		`{"date_format":"%Q"}`: "date_format", `{"misfits":"hide"}`: "misfits", `{"null_words":["a\u0000"]}`: "null_words", `{"sheet":"a\nb"}`: "sheet",
		`{"columns":[{"name":"x"}]}`: "columns", `{"columns":[{"column":"a","type":"BIGINT); DROP TABLE x"}]}`: "columns",
		`{"columns":[{"column":"a","type":"DECIMAL(39,0)"}]}`: "columns", `{"columns":[{"column":"a","drop":true},{"column":"A","drop":true}]}`: "columns",
	} {
		_, err := ParseOptions(text)
		if field == "" {
			if err != nil { // odd, but a literal like any other: it is quoted where it is used
				t.Errorf("ParseOptions(%s): %v", text, err)
			}
			continue
		}
		var told *domain.Error
		if !errors.As(err, &told) || told.Kind != domain.Invalid || told.Fields[field] == "" {
			t.Errorf("ParseOptions(%s) = %v, want a sentence for %s", text, err, field)
		}
	}
}

func FuzzParseOptions(f *testing.F) {
	f.Add(`{"delimiter":";","columns":[{"column":"a","type":"DATE"}]}`)
	f.Add(`{"null_words":["n/a","-"],"misfits":"skip"}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOptions(text)
		if err != nil {
			return
		}
		again, err := ParseOptions(o.String())
		if err != nil || again.String() != o.String() {
			t.Errorf("ParseOptions(%q) is kept as %q, which reads as %q, %v", text, o, again, err)
		}
		for _, c := range o.Columns {
			if c.Column == "" || strings.ContainsAny(c.Type, "';\"") {
				t.Errorf("column %+v passed", c)
			}
		}
	})
}

func TestFormatOfPackedFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		format Format
		packed Compression
		ext    string
	}{
		"a.csv": {CSV, Plain, ".csv"}, "A.CSV.GZ": {CSV, Gzip, ".csv.gz"}, "a.tsv.zst": {TSV, Zstd, ".tsv.zst"}, "a.json.gz": {JSON, Gzip, ".json.gz"},
		"a.jsonl.zst": {NDJSON, Zstd, ".jsonl.zst"}, "a.xlsx": {XLSX, Plain, ".xlsx"}, "a.parquet.gz": {"", Gzip, ""}, "a.gz": {"", Gzip, ""},
		"a.xlsx.gz": {"", Gzip, ""}, "a": {"", Plain, ""}, ".csv": {CSV, Plain, ".csv"}, "a.tar.gz": {"", Gzip, ""},
	} {
		format, known := FormatOf(name)
		if format != want.format || known != (want.format != "") || CompressionOf(name) != want.packed || Ext(name) != want.ext {
			t.Errorf("%s is %q, %q, %q, want %+v", name, format, CompressionOf(name), Ext(name), want)
		}
		if Stem(name)+Ext(name) != name && !strings.EqualFold(Stem(name)+Ext(name), name) {
			t.Errorf("%s has the stem %q", name, Stem(name))
		}
	}
}

func TestReadDataset(t *testing.T) {
	t.Parallel()
	file := &fstest.MapFile{Data: []byte("id\n1\n")}
	fsys := fstest.MapFS{
		"sales/2023.csv": file, "sales/2024.csv.gz": file, "sales/notes.md": file, "sales/.tmp.csv": file, "sales/old/2001.csv": file,
		"sales/.hidden/x.csv": file, "mixed/a.csv": file, "mixed/b.json": file, "hive/year=2024/month=01/a.parquet": file, "top.csv": file, "void/readme": file,
	}
	for item, want := range map[string]string{
		"sales": "sales/2023.csv sales/2024.csv.gz sales/old/2001.csv", "sales/": "sales/2023.csv sales/2024.csv.gz sales/old/2001.csv",
		"sales/*.csv": "sales/2023.csv", "sales/202?.csv*": "sales/2023.csv sales/2024.csv.gz", "*/20*.csv": "sales/2023.csv",
		"sales/**/*.csv": "sales/2023.csv sales/old/2001.csv", "*.csv": "top.csv", "hive": "hive/year=2024/month=01/a.parquet", "mixed/*.json": "mixed/b.json",
	} {
		d, err := ReadDataset(fsys, item)
		var names []string
		for _, f := range d.Files {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != want || d.Bytes() != int64(5*len(names)) {
			t.Errorf("ReadDataset(%s) = %s, %v, want %s", item, got, err, want)
		}
	}
	for item, code := range map[string]string{
		"": "file_name_invalid", "..": "file_name_invalid", "../state": "file_name_invalid", "sales/../../x": "file_name_invalid", "/etc": "file_name_invalid",
		"a//b": "file_name_invalid", ".hidden": "file_name_invalid", "sales/.tmp.csv": "file_name_invalid", `a\b`: "file_name_invalid", "./sales": "file_name_invalid",
		"gone": "file_missing", "gone/*.csv": "file_missing", "void": "file_missing", "mixed": "files_mixed",
	} {
		if _, err := ReadDataset(fsys, item); domain.CodeOf(err) != code {
			t.Errorf("ReadDataset(%q) = %v, want %s", item, err, code)
		}
	}
	keys, values := HiveKeys("hive/year=2024/month=01/a.parquet")
	if strings.Join(keys, " ") != "year month" || strings.Join(values, " ") != "2024 01" {
		t.Errorf("HiveKeys = %q, %q", keys, values)
	}
}

func TestStemOf(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]string{
		"sales": "sales", "sales/": "sales", "sales/*.csv": "sales", "sales/2024.csv.gz": "2024", "a/b/**/x-?.csv": "b", "*.csv": "", "hive/year=2024/*": "hive", "orders-*.csv": "orders-",
	} {
		if got := StemOf(item); got != want {
			t.Errorf("StemOf(%q) = %q, want %q", item, got, want)
		}
	}
}

func FuzzReadDataset(f *testing.F) {
	f.Add("sales/**/*.csv")
	f.Add("../x")
	fsys := fstest.MapFS{"sales/a.csv": &fstest.MapFile{Data: []byte("x")}}
	f.Fuzz(func(t *testing.T, item string) {
		d, err := ReadDataset(fsys, item)
		if err == nil && (len(d.Files) != 1 || strings.Contains(item, "..")) {
			t.Errorf("ReadDataset(%q) = %+v", item, d)
		}
	})
}

func TestReportAdd(t *testing.T) {
	t.Parallel()
	r := Report{Losses: []Loss{{"a", 1, "x"}}, Misfits: Misfits{Count: 1, First: make([]Misfit, 19)}}
	r.Add(Report{Losses: []Loss{{"A", 2, "y"}, {"b", 1, "z"}}, Misfits: Misfits{Count: 5, First: make([]Misfit, 5)}})
	if r.Losses[0].Count != 3 || len(r.Losses) != 2 || r.Misfits.Count != 6 || len(r.Misfits.First) != MaxMisfits || r.Empty() {
		t.Errorf("report %+v", r)
	}
}
