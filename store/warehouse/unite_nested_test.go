package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

// TestObjectsOfSeveralFiles holds that objects which differ by members are one type,
// and that others are JSON with a warning: nothing is lost or written otherwise.
func TestObjectsOfSeveralFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test    string
		files   []string
		columns string
		rows    []string
		warns   string
	}{
		{"members that one has", []string{`[{"a":{"x":1}}]`, `[{"a":{"y":"b","x":2}}]`}, "a STRUCT(x BIGINT, y VARCHAR)", []string{"{'x': 1, 'y': NULL}", "{'x': 2, 'y': b}"}, ""},
		{"members within", []string{`[{"a":[{"o":{"x":1}}]}]`, `[{"a":[{"o":{"x":2,"it's \"q\"":true}},{"n":null,"o":null}]}]`}, `a STRUCT(o STRUCT(x BIGINT, "it's ""q""" BOOLEAN), n JSON)[]`, []string{`[{'o': {'x': 1, 'it\'s "q"': NULL}, 'n': NULL}]`, `[{'o': {'x': 2, 'it\'s "q"': true}, 'n': NULL}, {'o': NULL, 'n': NULL}]`}, ""},
		{"empty lists", []string{`[{"a":[]}]`, `[{"a":[1]}]`}, "a BIGINT[]", []string{"[]", "[1]"}, ""},
		{"members without a value", []string{`[{"a":{"x":null,"y":1}}]`, `[{"a":{"x":5,"y":1}}]`}, "a STRUCT(x BIGINT, y BIGINT)", []string{"{'x': NULL, 'y': 1}", "{'x': 5, 'y': 1}"}, ""},
		{"fractions", []string{`[{"a":{"x":1}}]`, `[{"a":{"x":1.5}}]`}, "a STRUCT(x DOUBLE)", []string{"{'x': 1.0}", "{'x': 1.5}"}, ""},
		{"whole numbers that DOUBLE does not hold", []string{`[{"a":{"x":9007199254740993}}]`, `[{"a":{"x":1.5}}]`}, "a JSON", []string{`{"x":9007199254740993}`, `{"x":1.5}`}, "JSON"},
		{"nothing in common", []string{`[{"a":{"x":1}}]`, `[{"a":{"y":2}}]`}, "a JSON", []string{`{"x":1}`, `{"y":2}`}, "JSON"},
		{"numbers and texts within", []string{`[{"a":{"x":1}}]`, `[{"a":{"x":"b"}}]`}, "a JSON", []string{`{"x":1}`, `{"x":"b"}`}, "JSON"},
		{"an object and a list", []string{`[{"a":{"x":1}}]`, `[{"a":[1,2]}]`}, "a JSON", []string{`{"x":1}`, `[1,2]`}, "JSON"},
		{"an object and a word", []string{`[{"a":{"x":1}}]`, `[{"a":"b"}]`, `[{"a":7}]`}, "a JSON", []string{`{"x":1}`, `"b"`, "7"}, "JSON"},
		{"an object and a list of objects and words", []string{`[{"a":{"x":1}}]`, `[{"a":{"y":1}},{"a":"b"}]`}, "a JSON", []string{`{"x":1}`, `{"y":1}`, `"b"`}, "JSON"},
		{"numbers and words", []string{`[{"a":5}]`, `[{"a":"b"}]`}, "a VARCHAR", []string{"5", "b"}, "text"},
		{"an object and none", []string{`[{"a":{"x":1}}]`, `[{"a":null,"b":1}]`, `[{"b":2}]`}, "a STRUCT(x BIGINT), b BIGINT", []string{"{'x': 1}", "1", "2"}, ""},
		{"a mix and none", []string{`[{"a":{"x":1}},{"a":"s"}]`, `[{"b":2}]`}, "a JSON, b BIGINT", []string{`{"x":1}`, `"s"`, "2"}, ""},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			for i, content := range c.files {
				mustWrite(t, s, fmt.Sprintf("files/d/%d.json", i), content)
			}
			out, err := s.Convert(t.Context(), "files/d", files.JSON, Target{"files", "t", "v1"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := mustRead(t, s, out); !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
			if warned := strings.Join(out.Warnings, " "); (c.warns == "") != (warned == "") || !strings.Contains(warned, "kept as "+c.warns) && c.warns != "" {
				t.Errorf("warnings %q, want %q", warned, c.warns)
			}
			p, err := s.Preview(t.Context(), "files/d", files.JSON)
			if err != nil || int64(len(p.Rows)) != out.Rows {
				t.Fatalf("preview %+v, %v", p, err)
			}
			if !strings.Contains(c.test, "DOUBLE") && (columnList(p.Columns) != c.columns || !slices.Equal(p.Warnings, out.Warnings)) {
				t.Errorf("preview has %s with %q", columnList(p.Columns), p.Warnings)
			}
		})
	}
}
