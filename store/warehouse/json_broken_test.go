package warehouse

import (
	"strings"
	"testing"
)

func TestBrokenJSONNamesTheLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		line          int
	}{
		{"a.ndjson", "{\"a\":1}\nxx\n{\"a\":3}\n", 2},
		{"a.ndjson", "{\"a\":1}\n\n\n{\"a\":x}\n{\"a\":2}\n", 4},
		{"a.ndjson", strings.Repeat("{\"a\":1}\r\n", 30000) + "{\"a\":x}\r\n{\"a\":2}\r\n", 30001},
		{"a.ndjson", "{\"a\":1}\n{\"a\":2}\n{\"a\":", 3},
		{"a.ndjson", "{\"a\":1}\n{\"a\":2\n{\"a\":3}\n", 2},
		{"a.ndjson", "{\"a\":1}\n{\"a\":\"x\ny\"}\n", 2},
		{"a.json", "[{\"a\":1},\n{\"a\":x},\n{\"a\":2}]", 2},
		{"a.json", "[{\"a\":1},\n{\"a\":1}\n{\"a\":2}]", 3},
		{"a.json", "[{\"a\":1},\n{\"a\":1},\n]", 3},
		{"a.json", "[{\"a\":1},\n{\"a\":1}", 2},
		{"a.json", "[{\"a\":1}]\nx", 2},
		{"a.json", "\n{'a': 1}", 2},
		{"a.json", `[{"a":"\ud83d"}]`, 0},
	} {
		s := newTestStore(t)
		_, err := convert(t, s, c.name, c.content)
		failure := wantCode(t, err, "file_json_invalid")
		if failure.Line != c.line {
			t.Errorf("%.80q: line %d, want %d: %s", c.content, failure.Line, c.line, failure.Message)
		}
		if c.line == 0 && failure.Message != "a.json is not valid JSON. It has no low surrogate in string." {
			t.Errorf("says %q", failure.Message)
		}
	}
}
