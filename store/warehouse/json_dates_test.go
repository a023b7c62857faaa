package warehouse

import (
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

// TestJSONDates holds that what is no date in JSON is not published as one.
func TestJSONDates(t *testing.T) {
	t.Parallel()
	const day, at = "2024-01-01", "2024-01-01 10:00:00"
	for _, c := range []struct {
		test, content, columns string
		rows                   []string
		warned                 bool
	}{
		{"dates", `[{"d":"2024-01-01"},{"d":"1900-01-01"}]`, "d DATE", []string{day, "1900-01-01"}, false},
		{"infinity", `[{"d":"2024-01-01"},{"d":"infinity"},{"d":null},{}]`, "d DATE", []string{day, "infinity", "", ""}, false},
		{"all words", `[{"d":"2024-01-01"},{"d":" -INFINITY\t"},{"d":"Epoch"}]`, "d DATE", []string{day, "-infinity", "1970-01-01"}, false},
		{"with times", `[{"d":"2024-01-01T10:00:00Z"},{"d":"infinity"},{"d":"epoch"}]`, "d TIMESTAMP", []string{at, "infinity", "1970-01-01 00:00:00"}, false},
		{"by numbers", `[{"d":"2024-01-01"},{"d":"\u0069nfinity"}]`, "d DATE", []string{day, "infinity"}, false},
		{"nothing but words", `[{"d":"epoch"},{"d":"epoch"}]`, "d VARCHAR", []string{"epoch", "epoch"}, true},
		{"other form", `[{"d":"31-12-2024","e":"30-11-2024"},{"d":"infinity","e":"30-11-2024"}]`, "d VARCHAR, e VARCHAR", []string{"31-12-2024|30-11-2024", "infinity|30-11-2024"}, true},
		{"offsets", `[{"d":"2024-01-01T10:00:00+02:00"},{"d":"infinity"}]`, "d VARCHAR", []string{"2024-01-01T10:00:00+02:00", "infinity"}, true},
		{"in an object", `[{"d":{"e":"2024-01-01"}},{"d":{"e":"infinity","f":1}}]`, "d STRUCT(e VARCHAR, f BIGINT)", []string{"{'e': 2024-01-01, 'f': NULL}", "{'e': infinity, 'f': 1}"}, true},
		{"in a list", `[{"d":["2024-01-01","infinity"]},{"d":[]}]`, "d VARCHAR[]", []string{"[2024-01-01, infinity]", "[]"}, true},
		{"deep", `[{"d":[{"DATE":{"x":["2024-01-01 10:00:00","epoch"]}}],"n":5}]`, "d STRUCT(DATE STRUCT(x VARCHAR[]))[], n BIGINT", []string{"[{'DATE': {'x': ['2024-01-01 10:00:00', epoch]}}]|5"}, true},
		{
			"beside all other types",
			`[{"d":"infinity","D":"2024-01-02","":-1,"h":18446744073709551615,"i":-1,"u":"5e2f1e3e-9e0c-4c2b-8a2e-2b0c0c0c0c0c","t":"10:00:00","b":true,"x":1.5,"m":1,"s":"a \"b\"","o":{"a":1},"l":[1,null]},` +
				`{"d":"2024-01-01","h":-1,"i":2,"m":"w","o":{"b":[{"c":"2024-01-01"}]},"l":null}]`,
			"d DATE, D_1 DATE, C2 BIGINT, h DECIMAL(38,0), i BIGINT, u UUID, t TIME, b BOOLEAN, x DOUBLE, m VARCHAR, s VARCHAR, o STRUCT(a BIGINT, b STRUCT(c VARCHAR)[]), l BIGINT[]",
			[]string{
				`infinity|2024-01-02|-1|18446744073709551615|-1|5e2f1e3e-9e0c-4c2b-8a2e-2b0c0c0c0c0c|10:00:00|true|1.5|1|a "b"|{'a': 1, 'b': NULL}|[1, NULL]`,
				`2024-01-01|-1|2|w|{'a': NULL, 'b': [{'c': 2024-01-01}]}`,
			},
			true,
		},
		{"a key of that name", `[{"d":"2024-01-01","epoch":5,"o":{"epoch":6,"on_day":"2024-01-01"}}]`, "d DATE, epoch BIGINT, o STRUCT(epoch BIGINT, on_day DATE)", []string{"2024-01-01|5|{'epoch': 6, 'on_day': 2024-01-01}"}, false},
		{"words in text", `[{"d":"2024-01-01","s":"infinity"},{"s":"to infinity"}]`, "d DATE, s VARCHAR", []string{"2024-01-01|infinity", "to infinity"}, false},
		{"no date", `[{"d":"2024-01-01"},{"d":"soon"}]`, "d VARCHAR", []string{day, "soon"}, false},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, err := convert(t, s, "a.json", c.content)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			got := mustRead(t, s, out)
			if !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
			warned := slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "kept as text") })
			if warned != c.warned {
				t.Errorf("warnings %q", out.Warnings)
			}
			p, err := s.Preview(t.Context(), "files/a.json", files.JSON)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(p.Columns); got != c.columns {
				t.Errorf("preview: columns %s, want %s", got, c.columns)
			}
			var shown []string
			for _, row := range p.Rows {
				var cells []string
				for _, cell := range row {
					if cell != nil {
						cells = append(cells, *cell)
					}
				}
				shown = append(shown, strings.Join(cells, "|"))
			}
			if !slices.Equal(shown, c.rows) {
				t.Errorf("preview: rows %q, want %q", shown, c.rows)
			}
		})
	}
}

// TestLateJSON holds that values unlike those that a preview guesses types from
// are kept by a conversion, and that none becomes NULL.
func TestLateJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ good, bad, kind string }{
		{"2024-01-01", "soon", "VARCHAR"},
		{"2024-01-01", "infinity", "DATE"},
		{"2024-01-01 10:00:00", "soon", "VARCHAR"},
		{"2024-01-01T10:00:00Z", "epoch", "TIMESTAMP"},
		{"10:00:00", "25:00:00", "VARCHAR"},
		{"5e2f1e3e-9e0c-4c2b-8a2e-2b0c0c0c0c0c", "5e2f1e3e", "VARCHAR"},
	} {
		t.Run(c.good+" "+c.bad, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			content := strings.Repeat(`{"d":"`+c.good+`"}`+"\n", sampleRows+10000) + `{"d":"` + c.bad + `"}` + "\n"
			out, err := convert(t, s, "a.ndjson", content)
			if err != nil {
				t.Fatal(err)
			}
			got := mustRead(t, s, out)
			want := c.bad
			if want == "epoch" {
				want = "1970-01-01 00:00:00"
			}
			if columnList(out.Columns) != "d "+c.kind || len(got) != sampleRows+10001 || got[len(got)-1] != want {
				t.Errorf("columns %s, last row %q", columnList(out.Columns), got[len(got)-1])
			}
			p, err := s.PreviewWith(t.Context(), "files/a.ndjson", files.NDJSON, files.Options{Columns: []files.ColumnOption{{Column: "d", Type: "VARCHAR"}}})
			if err == nil && len(p.Losses) > 0 {
				t.Errorf("preview %+v, %v", p, err)
			}
		})
	}
}

func TestMayHoldWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want bool
	}{
		{`{"d":"infinity"}`, true},
		{`{"d":"-INFINITY"}`, true},
		{`{"d":"epoch  "}`, true},
		{`{"d":"epoch\t\n"}`, true},
		{`{"d":"ep\u006fch"}`, true},
		{`{"d" : "2024-01-01", "e": "caf\u00e9", "f": "both", "g": "easy"}`, false},
		{`{"epochs":"an infinity of"}`, false},
	} {
		for size := 33; size < 90; size++ { // each cut
			got, err := mayHoldWordsIn(strings.NewReader(c.text), make([]byte, size))
			if err != nil || got != c.want && (c.want || size > len(c.text)) {
				t.Errorf("%s, buffer %d: %t, %v", c.text, size, got, err)
			}
		}
		padded := strings.Repeat("x", 60) + strings.Replace(c.text, `epoch  "`, `epoch`+strings.Repeat(" ", 90)+`"`, 1)
		for size := 33; size < 140; size++ {
			if got, err := mayHoldWordsIn(strings.NewReader(padded), make([]byte, size)); err != nil || c.want && !got {
				t.Errorf("%s, buffer %d: %t, %v", padded, size, got, err)
			}
		}
	}
}
