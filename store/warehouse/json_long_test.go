package warehouse

import (
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestLongNumbersInJSON holds that no digit is lost where the engine reads DOUBLE.
func TestLongNumbersInJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ test, content, columns, first string }{
		{"more than any number has", `[{"a":123456789012345678901234567890,"b":"x"},{"a":1}]`, "a VARCHAR, b VARCHAR", "123456789012345678901234567890|x"},
		{"beside fractions", `[{"a":-9007199254740993,"b":2.5},{"a":1.5}]`, "a VARCHAR, b DOUBLE", "-9007199254740993|2.5"},
		{"out of reach", `[{"a":1e400},{"a":1}]`, "a VARCHAR", "1e400"},
		{"within", `[{"a":{"b":[99999999999999999999999]},"d":"2024-01-01"},{"a":{"b":[1.5]}}]`, "a JSON, d DATE", `{"b":[99999999999999999999999]}|2024-01-01`},
		{"as DOUBLE holds them", `[{"a":0.30000000000000004,"b":1e300,"c":9007199254740994.0,"d":20000000000000000},{"a":1,"b":1.5,"c":1.5,"d":1.5}]`, "a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE", "0.30000000000000004|1e+300|9007199254740994.0|2e+16"},
		{"digits in text", `[{"a":1.5,"s":"12345678901234567890"}]`, "a DOUBLE, s VARCHAR", "1.5|12345678901234567890"},
		{"whole numbers alone", `[{"a":9007199254740993},{"a":1}]`, "a BIGINT", "9007199254740993"},
	} {
		for _, name := range []string{"a.json", "a.ndjson"} {
			s := newTestStore(t)
			content := c.content
			if name == "a.ndjson" {
				content = strings.ReplaceAll(strings.Trim(content, "[]"), "},{", "}\n{")
			}
			out, err := convert(t, s, name, content)
			if err != nil {
				t.Errorf("%s: %v", c.test, err)
				continue
			}
			rows := mustRead(t, s, out)
			if got := columnList(out.Columns); got != c.columns || rows[0] != c.first {
				t.Errorf("%s: %s with %q, want %s with %q", c.test, got, rows[0], c.columns, c.first)
			}
			if warned := slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "more digits") }); warned == strings.Contains(c.columns, "a DOUBLE") && !strings.Contains(c.columns, "BIGINT") {
				t.Errorf("%s: warnings %q", c.test, out.Warnings)
			}
		}
	}
}

func TestMayHoldLong(t *testing.T) {
	t.Parallel()
	for content, may := range map[string]bool{
		`{"a": 123456789012345, "b": 0.123456789012345678901}`: false,
		`{"a": 1234567890123456}`:                              true,
		`{"a": 1e30, "b": 1E+99}`:                              false,
		`{"a": 1e400}`:                                         true,
		`{"a": 1E+308}`:                                        true,
		`{"a": "x"}`:                                           false,
	} {
		if got, err := mayHoldLongIn(iotest.OneByteReader(strings.NewReader(content)), make([]byte, 64)); err != nil || got != may {
			t.Errorf("%s: %t, %v", content, got, err)
		}
	}
}
