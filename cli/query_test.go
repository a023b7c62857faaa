package cli

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"
)

const resultBody = `{"columns":["id","name","id"],"rows":[[9007199254740993,"a, \"b\"\nc",null],[1.50,null,true],[[1,2],{"k":"<v>"},""]],"row_count":3,"truncated":false}`

func TestQueryFormats(t *testing.T) {
	cases := []struct {
		format string
		want   string
	}{
		{"table", "id                name         id\n9007199254740993  a, \"b\"\\nc    NULL\n1.50              NULL         true\n[1,2]             {\"k\":\"<v>\"}  \n(3 rows)\n"},
		{"csv", "id,name,id\n9007199254740993,\"a, \"\"b\"\"\nc\",\n1.50,,true\n\"[1,2]\",\"{\"\"k\"\":\"\"<v>\"\"}\",\n"},
		{"json", "[\n  {\"id\": 9007199254740993, \"name\": \"a, \\\"b\\\"\\nc\", \"id_2\": null},\n  {\"id\": 1.50, \"name\": null, \"id_2\": true},\n  {\"id\": [1,2], \"name\": {\"k\":\"<v>\"}, \"id_2\": \"\"}\n]\n"},
	}
	for _, c := range cases {
		t.Run(c.format, func(t *testing.T) {
			b := newBench(t)
			b.answer("POST /api/query", 200, resultBody)
			if got := b.mustRun("query", "SELECT 1", "-f", c.format); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got, want := b.requests("POST")[0], `POST /api/query {"limit":1000,"sql":"SELECT 1"}`; got != want {
				t.Errorf("request %q, want %q", got, want)
			}
		})
	}
}

func TestQueryWaysOfGivingSQL(t *testing.T) {
	cases := []struct {
		name, stdin string
		args        []string
		want        string // "" when it is wrong use
	}{
		{"argument", "", []string{"SELECT 1", "--limit", "5"}, `{"limit":5,"sql":"SELECT 1"}`},
		{"flag", "", []string{"--sql", "SELECT 1", "--remote"}, `{"limit":1000,"sql":"SELECT 1"}`},
		{"stdin", `{"sql":"SELECT 1"}`, []string{"--stdin"}, `{"limit":1000,"sql":"SELECT 1"}`},
		{"two ways", "", []string{"SELECT 1", "--sql", "SELECT 2"}, ""},
		{"blank", "", []string{" "}, ""},
		{"stdin without SQL", `{}`, []string{"--stdin"}, ""},
		{"stdin is not JSON", `SELECT 1`, []string{"--stdin"}, ""},
		{"stdin is too long", `{"sql":"` + strings.Repeat("x", maxSQL) + `"}`, []string{"--stdin"}, ""},
		{"unknown format", "", []string{"SELECT 1", "-f", "xml"}, ""},
		{"limit below 1", "", []string{"SELECT 1", "--limit", "0"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.stdin = c.stdin
			b.answer("POST /api/query", 200, `{"columns":["a"],"rows":[],"row_count":0,"truncated":false}`)
			if c.want == "" {
				b.mustFail(exitUsage, append([]string{"query"}, c.args...)...)
				return
			}
			b.mustRun(append([]string{"query"}, c.args...)...)
			if got := b.requests("POST")[0]; got != "POST /api/query "+c.want {
				t.Errorf("request %q, want %q", got, c.want)
			}
		})
	}
}

func TestQueryTruncated(t *testing.T) {
	for _, format := range []string{"table", "json", "csv"} {
		b := newBench(t)
		b.answer("POST /api/query", 200, `{"columns":["a"],"rows":[[1]],"row_count":1,"truncated":true}`)
		stdout, stderr, err := b.run("query", "SELECT 1", "--limit", "1", "--format", format)
		if err != nil {
			t.Fatal(err)
		}
		wantIn(t, stderr, "Only the first 1 row", "Raise --limit")
		wantNotIn(t, stdout, "Raise")
	}
}

func TestQueryRefused(t *testing.T) {
	b := newBench(t)
	b.answer("POST /api/query", 400, `{"detail":"Query error: Table with name ordrs does not exist!\nLINE 1: SELECT * FROM ordrs"}`)
	wantIn(t, b.mustFail(1, "query", "SELECT * FROM ordrs"), "HTTP 400: Query error: Table with name ordrs does not exist!\nLINE 1: SELECT * FROM ordrs")
	if n := len(b.requests("POST")); n != 1 {
		t.Errorf("%d tries of a query, want 1", n)
	}
	b = newBench(t)
	b.answer("POST /api/query", 200, `{"columns":["a","b"],"rows":[[1]]}`)
	wantIn(t, b.mustFail(1, "query", "SELECT 1"), "not Agnes's JSON")
}

func TestCSVReadsBack(t *testing.T) {
	values := []any{"plain", `quo"te`, "com,ma", "line\nbreak", " lead", "", nil, "=1+1"}
	r := rowSet{Columns: []string{"v"}}
	for _, v := range values {
		r.Rows = append(r.Rows, []any{v})
	}
	var b strings.Builder
	if err := writeCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(values)+1 {
		t.Fatalf("%d lines read back, want %d:\n%s", len(records), len(values)+1, b.String())
	}
	for i, v := range values {
		want, _ := v.(string) // NULL comes back as nothing
		if got := records[i+1][0]; got != want {
			t.Errorf("row %d read back as %q, want %q", i, got, want)
		}
	}
}

func TestObjectKeysAreUnique(t *testing.T) {
	keys, err := objectKeys([]string{"a", "a", "a_2", "a", ""})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range keys {
		got = append(got, string(k))
	}
	if want := `"a" "a_3" "a_2" "a_4" ""`; strings.Join(got, " ") != want {
		t.Errorf("keys %v, want %s", got, want)
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestLostOutputIsAFailure(t *testing.T) {
	r := rowSet{Columns: []string{"a"}, Rows: [][]any{{"x"}, {""}}}
	for _, format := range []string{"table", "json", "csv", "unknown"} {
		if err := writeRows(fullDisk{}, format, r); err == nil {
			t.Errorf("%s: rows were lost in silence", format)
		}
	}
}
